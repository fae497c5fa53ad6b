package liquid

import (
	"strings"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// word is nil, empty or blank as a template writes it. They have a meaning of their
// own in comparisons: the word nil is not the null of the data, it is neither less
// nor greater than anything.
type word uint8

const (
	nilWord word = iota
	emptyWord
	blankWord
)

// markup is text that is HTML already.
type markup string

// undefined is what is not there.
var undefined any = jsonvalue.Undefined{}

// plain is the value of a word, a loop or markup for those to whom it is a value
// like others.
func plain(v any) any {
	switch v := v.(type) {
	case word:
		if v == nilWord {
			return nil
		}
		return ""
	case markup:
		return string(v)
	case *loop:
		return v.text()
	}
	return v
}

// text is what {{ v }} writes: nothing for null, arrays without separators.
func (r *run) text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(r.appendText(nil, v))
}

func (r *run) appendText(dst []byte, v any) []byte {
	switch v := plain(v).(type) {
	case string:
		return append(dst, v...)
	case []any:
		for _, e := range v {
			dst = r.appendText(dst, e)
		}
		return dst
	case *jsonvalue.Object:
		if r.options.ObjectsAsJSON {
			return jsonvalue.Append(dst, v)
		}
		return js.AppendText(dst, v)
	default:
		return js.AppendText(dst, v)
	}
}

func truthy(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case word:
		return v != nilWord
	}
	return !jsonvalue.IsNil(v)
}

// scriptTruthy is truth in JavaScript, where words are objects.
func scriptTruthy(v any) bool {
	if m, ok := v.(markup); ok {
		return m != ""
	}
	return js.Truthy(v)
}

func number(v any) float64 { return js.Number(plain(v)) }

// operand is a number for arithmetic: what is none counts as 0.
func operand(v any) float64 {
	if n := number(v); n == n {
		return n
	}
	return 0
}

// equal is ==: nothing is converted, arrays are equal by their elements. Of two
// words the left one has the say, and no two of empty and blank are equal.
func equal(a, b any) bool {
	if w, ok := a.(word); ok {
		return w.equals(b)
	}
	if w, ok := b.(word); ok {
		return w.equals(a)
	}
	a, b = plain(a), plain(b)
	x, ok := a.([]any)
	y, ok2 := b.([]any)
	if !ok && !ok2 {
		return a == b
	}
	if !ok || !ok2 || len(x) != len(y) {
		return false
	}
	for i := range x {
		if !equal(x[i], y[i]) {
			return false
		}
	}
	return true
}

func (w word) equals(v any) bool {
	if other, ok := v.(word); ok {
		return other == nilWord && w != emptyWord
	}
	v = plain(v)
	switch w {
	case emptyWord:
		return isEmpty(v)
	case blankWord:
		if s, ok := v.(string); ok {
			return js.Trim(s) == ""
		}
		return jsonvalue.IsNil(v) || v == false || isEmpty(v)
	}
	return jsonvalue.IsNil(v)
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

// order is JavaScript's comparison; ok is false when neither is less, equal or
// greater.
func order(a, b any) (order int, ok bool) {
	x, isText := primitive(a).(string)
	y, isText2 := primitive(b).(string)
	if isText && isText2 {
		return js.Compare(x, y), true
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

// primitive makes texts of arrays and objects.
func primitive(v any) any {
	v = plain(v)
	switch v.(type) {
	case []any, *jsonvalue.Object:
		return js.Text(v)
	}
	return v
}

// add is JavaScript's +.
func add(a, b any) any {
	x, y := primitive(a), primitive(b)
	_, isText := x.(string)
	_, isText2 := y.(string)
	if isText || isText2 {
		return js.Text(x) + js.Text(y)
	}
	return js.Number(x) + js.Number(y)
}

func contains(a, b any) bool {
	switch a := plain(a).(type) {
	case string:
		return strings.Contains(a, js.Text(plain(b)))
	case []any:
		for _, e := range a {
			if equal(e, b) {
				return true
			}
		}
	}
	return false
}

// member is v[key] with Liquid's size, first and last. Nothing of nothing is what it
// was, undefined or null.
func member(v, key any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case *jsonvalue.Object:
		name, ok := key.(string)
		if !ok {
			name = js.Text(key)
		}
		got := v.Get(name)
		if name == "size" && jsonvalue.IsUndefined(got) {
			return float64(v.Len())
		}
		return got
	case []any:
		return element(v, key)
	case string:
		if key == "size" {
			key = "length"
		}
		return js.Property(v, js.Text(key))
	case markup:
		return member(string(v), key)
	case *loop:
		return v.member(js.Text(key))
	}
	return undefined
}

func element(v []any, key any) any {
	switch k := key.(type) {
	case float64:
		if k < 0 {
			k += float64(len(v))
		}
		if i := int(k); float64(i) == k && 0 <= i && i < len(v) {
			return v[i]
		}
		return undefined
	case string:
		switch k {
		case "size":
			return float64(len(v))
		case "first":
			return js.At(v, 0)
		case "last":
			if len(v) == 0 {
				return undefined
			}
			return v[len(v)-1]
		}
	}
	return js.Property(v, js.Text(key))
}

// list makes an array of what is none: nothing has no element, others are one.
func list(v any) []any {
	v = plain(v)
	if l, ok := v.([]any); ok {
		return l
	}
	if jsonvalue.IsNil(v) {
		return nil
	}
	return []any{v}
}

// enumerable is what a loop goes through: an object's members are pairs, a text is
// one element, other values have none.
func (r *run) enumerable(v any) ([]any, error) {
	switch v := plain(v).(type) {
	case []any:
		return v, nil
	case string:
		if v != "" {
			return []any{v}, nil
		}
	case *jsonvalue.Object:
		if err := r.make(3 * perValue * v.Len()); err != nil {
			return nil, err
		}
		out := make([]any, 0, v.Len())
		for k, e := range v.All() {
			out = append(out, []any{k, e})
		}
		return out, nil
	}
	return nil, nil
}
