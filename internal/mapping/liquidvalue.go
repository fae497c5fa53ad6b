package mapping

import (
	"math"
	"strconv"
	"strings"

	"github.com/osteele/liquid/values"

	"github.com/segue-xm/segue/internal/jsonvalue"
)

// liquidValue lets a JSON value stand in the engine's expressions without being
// copied into maps. Comparisons never reach it: the rewriter makes filters of
// them.
type liquidValue struct{ v any }

var _ values.Value = liquidValue{}

// The words with a meaning of their own.
type (
	emptyWord struct{}
	blankWord struct{}
)

// Interface is the value as filters see it.
func (l liquidValue) Interface() any {
	if jsonvalue.IsUndefined(l.v) {
		return nil
	}
	return l.v
}

// Int is the value as the end of a range.
func (l liquidValue) Int() int {
	n := number(l.v)
	if n != n || math.Abs(n) > maxText {
		panic(values.TypeError("a range needs small whole numbers"))
	}
	return int(n)
}

// Test is truth in Liquid: only false and nothing are false.
func (l liquidValue) Test() bool { return liquidTruthy(l.v) }

// IndexValue is a[i].
func (l liquidValue) IndexValue(i values.Value) values.Value {
	return liquidValue{liquidProperty(l.v, i.Interface())}
}

// PropertyValue is a.name.
func (l liquidValue) PropertyValue(name values.Value) values.Value { return l.IndexValue(name) }

// Equal is not used.
func (l liquidValue) Equal(values.Value) bool { return false }

// Less is not used.
func (l liquidValue) Less(values.Value) bool { return false }

// Contains is not used.
func (l liquidValue) Contains(values.Value) bool { return false }

func liquidTruthy(v any) bool { return !jsonvalue.IsNil(v) && v != false }

// liquidProperty is v[key] with Liquid's size, first and last.
func liquidProperty(v, key any) any {
	if l, ok := key.([]any); ok && weight(l, maxLiquid) > maxLiquid {
		return jsonvalue.Undefined{} // no key is that long
	}
	switch v := v.(type) {
	case *jsonvalue.Object:
		name := liquidText(key)
		if name == "size" && !v.Has(name) {
			return float64(v.Len())
		}
		return v.Get(name)
	case []any:
		if n, ok := key.(float64); ok && n < 0 {
			key = n + float64(len(v))
		}
		switch key {
		case "size":
			return float64(len(v))
		case "first":
			return at(v, 0)
		case "last":
			if len(v) > 0 {
				return v[len(v)-1]
			}
			return jsonvalue.Undefined{}
		}
		return property(v, liquidText(key))
	case string:
		if key == "size" {
			return float64(textLength(v))
		}
		return property(v, liquidText(key))
	}
	return jsonvalue.Undefined{}
}

// number is JavaScript's Number(v).
func number(v any) float64 {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 1
		}
		return 0
	case float64:
		return v
	case string:
		return parseNumber(v)
	case []any:
		return parseNumber(string(appendText(nil, v)))
	}
	return math.NaN()
}

func parseNumber(s string) float64 {
	s = trimSpace(s)
	if s == "" {
		return 0
	}
	if strings.ContainsAny(s, "_xXpPnN") { // Go's spellings that JavaScript has not, or not so
		if s == "Infinity" || s == "+Infinity" {
			return math.Inf(1)
		}
		if s == "-Infinity" {
			return math.Inf(-1)
		}
		if n, err := strconv.ParseUint(s, 0, 53); err == nil && !strings.Contains(s, "_") {
			return float64(n)
		}
		return math.NaN()
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(n, 0) {
		return math.NaN()
	}
	return n
}

// liquidEqual is ==: nothing is converted, arrays are equal by their elements.
func liquidEqual(a, b any) bool {
	if special(b) {
		a, b = b, a
	}
	switch a.(type) {
	case emptyWord:
		return isEmpty(b)
	case blankWord:
		return isBlankValue(b)
	}
	if jsonvalue.IsNil(a) || jsonvalue.IsNil(b) {
		return jsonvalue.IsNil(a) && jsonvalue.IsNil(b)
	}
	x, ok := a.([]any)
	y, ok2 := b.([]any)
	if !ok && !ok2 {
		return a == b
	}
	if !ok || !ok2 || len(x) != len(y) {
		return false
	}
	for i := range x {
		if !liquidEqual(x[i], y[i]) {
			return false
		}
	}
	return true
}

func special(v any) bool {
	switch v.(type) {
	case emptyWord, blankWord:
		return true
	}
	return false
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case *jsonvalue.Object:
		return v.Len() == 0
	}
	return false
}

func isBlankValue(v any) bool {
	if s, ok := v.(string); ok {
		return trimSpace(s) == ""
	}
	return jsonvalue.IsNil(v) || v == false || isEmpty(v)
}

// liquidCompare is JavaScript's ordering; ok is false when neither is less, equal
// or greater.
func liquidCompare(a, b any) (order int, ok bool) {
	if special(a) || special(b) {
		return 0, false
	}
	x, isText := a.(string)
	y, isText2 := b.(string)
	if isText && isText2 {
		return strings.Compare(x, y), true
	}
	m, n := number(a), number(b)
	switch {
	case m < n:
		return -1, true
	case m > n:
		return 1, true
	}
	return 0, m == n
}

func liquidContains(a, b any) bool {
	switch a := a.(type) {
	case string:
		return strings.Contains(a, liquidText(b))
	case []any:
		for _, e := range a {
			if liquidEqual(e, b) {
				return true
			}
		}
	}
	return false
}
