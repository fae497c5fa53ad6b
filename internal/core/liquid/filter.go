package liquid

import (
	"errors"
	"math"
	"strings"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// filter makes a value from a value and the filter's arguments.
type filter struct {
	apply  func(r *run, v any, args []any) (any, error)
	passes int  // how often it goes through what it is given, when more than once
	cheap  bool // it looks at no more than one element, and makes nothing
	words  bool // it sees the words nil, empty and blank as such: to others they are null and an empty text
}

var filters map[string]*filter

func init() {
	filters = map[string]*filter{}
	for _, part := range []map[string]filter{miscFilters, mathFilters, textFilters, listFilters, queryFilters, dateFilters} {
		for name, f := range part {
			filters[name] = &f
		}
	}
}

var miscFilters = map[string]filter{
	"default":    {apply: defaultFilter, words: true},
	"json":       {apply: jsonFilter, words: true},
	"jsonify":    {apply: jsonFilter, words: true},
	"inspect":    {apply: jsonFilter, words: true},
	"raw":        {apply: func(_ *run, v any, _ []any) (any, error) { return v, nil }, cheap: true, words: true},
	"to_integer": {apply: func(_ *run, v any, _ []any) (any, error) { return js.Number(v), nil }},
}

var mathFilters = map[string]filter{
	"abs":        mathFilter(1, func(n []float64) float64 { return math.Abs(n[0]) }),
	"ceil":       mathFilter(1, func(n []float64) float64 { return math.Ceil(n[0]) }),
	"floor":      mathFilter(1, func(n []float64) float64 { return math.Floor(n[0]) }),
	"plus":       mathFilter(2, func(n []float64) float64 { return n[0] + n[1] }),
	"minus":      mathFilter(2, func(n []float64) float64 { return n[0] - n[1] }),
	"times":      mathFilter(2, func(n []float64) float64 { return n[0] * n[1] }),
	"modulo":     mathFilter(2, func(n []float64) float64 { return math.Mod(math.Mod(n[0], n[1])+n[1], n[1]) }),
	"divided_by": mathFilter(2, divide),
	"at_least":   mathFilter(1, func(n []float64) float64 { return reduce(math.Max, n) }),
	"at_most":    mathFilter(1, func(n []float64) float64 { return reduce(math.Min, n) }),
	"round": {apply: func(_ *run, v any, args []any) (any, error) {
		return roundTo(operand(v), operand(js.At(args, 0))), nil
	}},
}

// mathFilter works on the value and the arguments as numbers; with fewer than it
// wants the result is no number.
func mathFilter(want int, f func(n []float64) float64) filter {
	return filter{apply: func(_ *run, v any, args []any) (any, error) {
		var room [3]float64
		n := append(room[:0], operand(v))
		for _, a := range args {
			n = append(n, operand(a))
		}
		if len(n) < want {
			return math.NaN(), nil
		}
		return f(n), nil
	}}
}

// divide divides the first number by the second, to a whole number when the third is
// not 0.
func divide(n []float64) float64 {
	if len(n) > 2 && n[2] != 0 {
		return math.Floor(n[0] / n[1])
	}
	return n[0] / n[1]
}

func reduce(f func(a, b float64) float64, n []float64) float64 {
	out := n[0]
	for _, x := range n[1:] {
		out = f(out, x)
	}
	return out
}

// roundTo rounds to a number of decimals, halves away from 0, by the decimals that are
// written: 1.005 to two is 1.01.
func roundTo(v, decimals float64) float64 {
	scaled := shift(math.Abs(v), decimals)
	if !(scaled <= 1<<53-1) {
		return v
	}
	return math.Copysign(shift(math.Floor(scaled+0.5), -decimals), v)
}

// shift moves the decimal point.
func shift(v, by float64) float64 {
	mantissa, exponent, _ := strings.Cut(jsonvalue.NumberText(v), "e")
	return js.ParseNumber(mantissa + "e" + jsonvalue.NumberText(js.ParseNumber(exponent)+by))
}

func defaultFilter(_ *run, v any, args []any) (any, error) {
	if v == false {
		allow := false
		for _, a := range args[min(1, len(args)):] {
			switch named := a.(type) {
			case []any:
				if js.At(named, 0) == "allow_false" {
					allow = scriptTruthy(js.At(named, 1))
				}
			case nil, bool, float64, string, jsonvalue.Undefined:
				return nil, errors.New("it takes one value and allow_false")
			}
		}
		if allow {
			return v, nil
		}
	}
	p := plain(v)
	l, isList := p.([]any)
	if !truthy(p) || p == "" || isList && len(l) == 0 {
		return js.At(args, 0), nil
	}
	if _, ok := v.(markup); ok {
		return v, nil
	}
	return p, nil
}

// jsonFilter is JSON.stringify: nothing is written of what is not there, and a word is
// an object without members.
func jsonFilter(r *run, v any, args []any) (any, error) {
	switch w := v.(type) {
	case jsonvalue.Undefined:
		return v, nil
	case word:
		return "{}", nil
	case *loop:
		return w.text(), nil
	}
	v = plain(v)
	if err := r.makeText(weight(v, r.meter.Text)); err != nil {
		return nil, err
	}
	indent := ""
	switch space := js.At(args, 0).(type) {
	case float64:
		if space > 0 { // and not NaN
			indent = strings.Repeat(" ", int(min(space, 10)))
		}
	case string:
		indent = js.Slice(space, 0, 10)
	}
	if indent == "" {
		return jsonvalue.Text(v), nil
	}
	out, ok := appendIndented(nil, v, indent, "\n", r.meter.Text)
	if !ok {
		return nil, ErrLarge
	}
	return string(out), nil
}

// appendIndented writes JSON with its parts on lines of their own. It reports false
// when that is longer than limit.
func appendIndented(dst []byte, v any, indent, line string, limit int) ([]byte, bool) {
	inner, n := line+indent, 0
	next := func() {
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = append(dst, inner...)
	}
	ok := len(dst) <= limit
	switch v := v.(type) {
	case []any:
		dst = append(dst, '[')
		for i := 0; i < len(v) && ok; i++ {
			next()
			dst, ok = appendIndented(dst, v[i], indent, inner, limit)
		}
		if n > 0 {
			dst = append(dst, line...)
		}
		return append(dst, ']'), ok
	case *jsonvalue.Object:
		dst = append(dst, '{')
		for k, e := range v.All() {
			if !ok {
				break
			}
			if jsonvalue.IsUndefined(e) {
				continue
			}
			next()
			dst = append(jsonvalue.Append(dst, k), ": "...)
			dst, ok = appendIndented(dst, e, indent, inner, limit)
		}
		if n > 0 {
			dst = append(dst, line...)
		}
		return append(dst, '}'), ok
	}
	return jsonvalue.Append(dst, v), ok
}
