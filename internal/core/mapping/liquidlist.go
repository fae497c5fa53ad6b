package mapping

import (
	"errors"
	"strings"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

func listFilter(f func(list, args []any) any) liquidFilter {
	return func(_ *liquidRun, v any, args []any) (any, error) { return f(listOf(plain(v)), args), nil }
}

// listOf makes an array of what is none: nothing has no element, others are one.
func listOf(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	if jsonvalue.IsNil(v) {
		return []any{}
	}
	return []any{v}
}

func isEmptyList(v any) bool {
	l, ok := v.([]any)
	return ok && len(l) == 0
}

func joinFilter(run *liquidRun, v any, args []any) (any, error) {
	separator := " "
	if !jsonvalue.IsNil(at(args, 0)) {
		separator = liquidText(args[0])
	}
	if weight(v, maxText) > maxText {
		return nil, errTooLarge
	}
	l := listOf(v)
	parts := make([]string, len(l))
	for i, e := range l {
		parts[i] = string(appendText(nil, e))
	}
	return joined(run, parts, separator)
}

func sumOf(l, args []any) any {
	sum := 0.0
	for _, e := range l {
		if property := at(args, 0); isWord(property) || truthy(property) {
			for _, key := range strings.Split(liquidText(property), ".") {
				e = liquidProperty(e, key)
			}
		}
		if n := number(e); n == n {
			sum += n
		}
	}
	return sum
}

// whereFilter keeps the elements whose property is true, or what is wanted. The
// property is written as in a template: a.b, a["b c"].
func whereFilter(_ *liquidRun, v any, args []any) (any, error) {
	keys, err := propertyKeys(liquidText(at(args, 0)))
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, e := range listOf(plain(v)) {
		got := any(undefinedValue)
		if len(keys) > 0 {
			got = (&liquidRun{root: e}).fetch(keys[0])
			for _, k := range keys[1:] {
				got = liquidProperty(got, k)
			}
		}
		if want := at(args, 1); jsonvalue.IsUndefined(want) && liquidTruthy(got) || !jsonvalue.IsUndefined(want) && liquidEqual(got, want) {
			out = append(out, e)
		}
	}
	return out, nil
}

// propertyKeys reads a property that is written out.
func propertyKeys(s string) (keys []string, err error) {
	x := expressionReader{s: strings.TrimLeftFunc(s, liquidBlank)}
	for first := true; x.s != ""; first = false {
		switch {
		case x.s[0] == '[':
			x.s = x.s[1:]
			x.skip()
			key, _ := x.literal()
			_, rest, closed := strings.Cut(x.s, "]")
			if !closed {
				return nil, errors.New("a bracket is not closed")
			}
			x.s = rest
			keys = append(keys, jsText(key))
			continue
		case x.s[0] == '.':
			x.s = x.s[1:]
		case !first:
			return keys, nil
		}
		key := x.identifier()
		if key == "" {
			return keys, nil
		}
		keys = append(keys, key)
	}
	return keys, nil
}
