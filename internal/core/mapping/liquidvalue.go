package mapping

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/osteele/liquid/values"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// liquidValue lets a JSON value stand in the engine's expressions without being
// copied into maps. Comparisons never reach it: the rewriter makes filters of
// them.
type liquidValue struct{ v any }

var _ values.Value = liquidValue{}

// The words with a meaning of their own in comparisons. The word nil is not the
// null of an event: it is neither less nor greater than anything.
type (
	nilWord   struct{}
	emptyWord struct{}
	blankWord struct{}
)

// plain is the value of a word for those who do not compare it.
func plain(v any) any {
	switch v.(type) {
	case nilWord:
		return nil
	case emptyWord, blankWord:
		return ""
	}
	return v
}

// Interface is the value as filters see it.
func (l liquidValue) Interface() any { return l.v }

// Int is not used: ranges are made by a filter.
func (l liquidValue) Int() int { return 0 }

// Test is truth in Liquid: only false and nothing are false.
func (l liquidValue) Test() bool { return liquidTruthy(l.v) }

// IndexValue is not used.
func (l liquidValue) IndexValue(values.Value) values.Value { return l }

// PropertyValue is not used.
func (l liquidValue) PropertyValue(values.Value) values.Value { return l }

// Equal is not used.
func (l liquidValue) Equal(values.Value) bool { return false }

// Less is not used.
func (l liquidValue) Less(values.Value) bool { return false }

// Contains is not used.
func (l liquidValue) Contains(values.Value) bool { return false }

func liquidTruthy(v any) bool {
	v = plain(v)
	return !jsonvalue.IsNil(v) && v != false
}

// liquidProperty is v[key] with Liquid's size, first and last. Nothing of nothing
// is what it was, undefined or null.
func liquidProperty(v, key any) any {
	if l, ok := key.([]any); ok && weight(l, maxLiquid) > maxLiquid {
		return jsonvalue.Undefined{} // no key is that long
	}
	v, key = plain(v), plain(key)
	switch v := v.(type) {
	case nil:
		return nil
	case *jsonvalue.Object:
		name := jsText(key)
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
			return undefinedValue
		}
		return property(v, jsText(key))
	case string:
		if key == "size" {
			return float64(textLength(v))
		}
		return property(v, jsText(key))
	}
	return undefinedValue
}

// jsText is JavaScript's String(v): like appendText, but that null and undefined
// have names.
func jsText(v any) string {
	switch v := plain(v).(type) {
	case nil:
		return "null"
	case jsonvalue.Undefined:
		return "undefined"
	case string:
		return v
	default:
		return string(appendText(nil, v))
	}
}

// number is JavaScript's Number(v).
func number(v any) float64 {
	switch v := plain(v).(type) {
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

// operand is a number for arithmetic: what is none counts as 0.
func operand(v any) float64 {
	if n := number(v); n == n {
		return n
	}
	return 0
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

// liquidEqual is ==: nothing is converted, arrays are equal by their elements. Of
// two words the left one has the say, and no two of empty and blank are equal.
func liquidEqual(a, b any) bool {
	switch {
	case isWord(a):
		return wordEqual(a, b)
	case isWord(b):
		return wordEqual(b, a)
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

func wordEqual(word, v any) bool {
	switch v.(type) {
	case emptyWord, blankWord:
		return false
	case nilWord:
		return word != emptyWord{}
	}
	switch word.(type) {
	case emptyWord:
		return isEmpty(v)
	case blankWord:
		return isBlankValue(v)
	}
	return jsonvalue.IsNil(v)
}

func isWord(v any) bool {
	switch v.(type) {
	case nilWord, emptyWord, blankWord:
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
	if isWord(a) || isWord(b) {
		return 0, false
	}
	x, isText := primitive(a).(string)
	y, isText2 := primitive(b).(string)
	if isText && isText2 {
		return compareUnits(x, y), true
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

// compareUnits orders texts by their UTF-16 units: what takes two of them comes
// before the end of the first plane.
func compareUnits(a, b string) int {
	for a != "" && b != "" {
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		if x != y {
			if (x > 0xffff) != (y > 0xffff) && min(x, y) > 0xdfff {
				x, y = y, x
			}
			return cmp.Compare(x, y)
		}
		a, b = a[n:], b[m:]
	}
	return cmp.Compare(len(a), len(b))
}

// primitive makes texts of arrays and objects.
func primitive(v any) any {
	switch v.(type) {
	case []any, *jsonvalue.Object:
		return jsText(v)
	}
	return v
}

func liquidContains(a, b any) bool {
	switch a := plain(a).(type) {
	case string:
		return strings.Contains(a, jsText(b))
	case []any:
		for _, e := range a {
			if liquidEqual(e, b) {
				return true
			}
		}
	}
	return false
}
