package liquid

import (
	"errors"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// queryFilters look for elements by a property, written as in a template (a.b,
// a["b c"]), and a value; or by an expression that names the element.
var queryFilters = map[string]filter{
	"where":          {apply: keep(byProperty, true), words: true},
	"reject":         {apply: keep(byProperty, false), words: true},
	"where_exp":      {apply: keep(byExpression, true), words: true},
	"reject_exp":     {apply: keep(byExpression, false), words: true},
	"find":           {apply: findFirst(byProperty, func(_ int, v any) any { return v }, undefined), words: true},
	"find_exp":       {apply: findFirst(byExpression, func(_ int, v any) any { return v }, undefined), words: true},
	"find_index":     {apply: findFirst(byProperty, func(i int, _ any) any { return float64(i) }, undefined), words: true},
	"find_index_exp": {apply: findFirst(byExpression, func(i int, _ any) any { return float64(i) }, undefined), words: true},
	"has":            {apply: findFirst(byProperty, func(int, any) any { return true }, false), words: true},
	"has_exp":        {apply: findFirst(byExpression, func(int, any) any { return true }, false), words: true},
	"group_by":       {apply: group(byProperty), words: true},
	"group_by_exp":   {apply: group(byExpression), words: true},
}

// test judges elements: of is what an element has, match what that is worth.
type test struct {
	of    func(v any) (any, error)
	match func(got any) any
}

// byProperty judges by whether a property is what is wanted, or true when nothing is.
func byProperty(r *run, args []any) (test, error) {
	x := reader{s: r.text(js.At(args, 0)), options: r.options}
	x.skip()
	keys, err := x.properties(true)
	if err != nil {
		return test{}, errors.New("its property cannot be read")
	}
	want := js.At(args, 1)
	t := test{match: func(got any) any { return truthy(got) }}
	if !jsonvalue.IsUndefined(want) {
		t.match = func(got any) any { return equal(got, want) }
	}
	t.of = func(v any) (any, error) {
		if len(keys) == 0 {
			return undefined, nil
		}
		if err := r.meter.read(want); err != nil {
			return nil, err
		}
		inner := r.spawn(v)
		key, err := inner.key(keys[0])
		if err != nil {
			return nil, err
		}
		v = inner.variable(js.Text(key))
		for _, k := range keys[1:] {
			if jsonvalue.IsNil(v) {
				break
			}
			if err := r.spend(perValue); err != nil {
				return nil, err
			}
			if key, err = inner.key(k); err != nil {
				return nil, err
			}
			v = member(v, key)
		}
		return v, r.spend(perValue)
	}
	return t, nil
}

// byExpression judges by an expression in which the element has a name.
func byExpression(r *run, args []any) (test, error) {
	const deepest = 20
	if r.depth >= deepest {
		return test{}, errors.New("expressions in expressions are nested too deeply")
	}
	x := reader{s: r.text(js.At(args, 1)), options: r.options}
	e, err := x.filtered()
	if err != nil {
		return test{}, errors.New("its expression cannot be read")
	}
	name := js.Text(plain(js.At(args, 0)))
	return test{
		match: func(got any) any { return got },
		of: func(v any) (any, error) {
			if err := r.spend(perValue); err != nil {
				return nil, err
			}
			r.frames = append(r.frames, binding{name, v})
			r.depth++
			out, err := e.eval(r)
			r.depth--
			r.frames = r.frames[:len(r.frames)-1]
			return out, err
		},
	}, nil
}

type newTest func(r *run, args []any) (test, error)

// keep keeps the elements whose match is wanted; what is neither true nor false is
// never.
func keep(by newTest, wanted bool) func(r *run, v any, args []any) (any, error) {
	return func(r *run, v any, args []any) (any, error) {
		t, err := by(r, args)
		if err != nil {
			return nil, err
		}
		out := []any{}
		for _, e := range list(v) {
			got, err := t.of(e)
			if err != nil {
				return nil, err
			}
			if t.match(got) == any(wanted) {
				out = append(out, e)
			}
		}
		return out, nil
	}
}

func findFirst(by newTest, found func(i int, v any) any, none any) func(r *run, v any, args []any) (any, error) {
	return func(r *run, v any, args []any) (any, error) {
		t, err := by(r, args)
		if err != nil {
			return nil, err
		}
		for i, e := range list(v) {
			got, err := t.of(e)
			if err != nil {
				return nil, err
			}
			if scriptTruthy(t.match(got)) {
				return found(i, e), nil
			}
		}
		return none, nil
	}
}

// group gathers elements that are alike in something: objects of a name and items.
func group(by newTest) func(r *run, v any, args []any) (any, error) {
	return func(r *run, v any, args []any) (any, error) {
		t, err := by(r, args)
		if err != nil {
			return nil, err
		}
		items, err := r.enumerable(v)
		if err != nil {
			return nil, err
		}
		var names []any
		groups := [][]any{}
		places := map[any]int{}
		for _, e := range items {
			name, err := t.of(e)
			if err != nil {
				return nil, err
			}
			i, ok := -1, false
			key, known := identity(name)
			if known {
				i, ok = places[key]
			}
			if !ok {
				i = len(groups)
				names, groups = append(names, name), append(groups, nil)
				if known {
					places[key] = i
				}
			}
			groups[i] = append(groups[i], e)
		}
		out := make([]any, len(groups))
		for i := range groups {
			o := jsonvalue.NewObject(2)
			o.Set("name", plain(names[i]))
			o.Set("items", groups[i])
			out[i] = o
		}
		return out, nil
	}
}
