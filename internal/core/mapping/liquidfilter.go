package mapping

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// liquidFilter makes a value from a value and the filter's arguments.
type liquidFilter func(run *liquidRun, v any, args []any) (any, error)

// liquidFilters are the filters that templates can name.
var liquidFilters = map[string]liquidFilter{
	"default": defaultFilter,
	"json":    jsonFilter,
	"jsonify": jsonFilter,
	"inspect": jsonFilter,
	"raw":     func(_ *liquidRun, v any, _ []any) (any, error) { return v, nil },

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
	"to_integer": func(_ *liquidRun, v any, _ []any) (any, error) { return number(v), nil },
	"round": func(_ *liquidRun, v any, args []any) (any, error) {
		return roundTo(operand(v), operand(at(args, 0))), nil
	},

	"upcase":               textFilterOf(upper),
	"downcase":             textFilterOf(lower),
	"capitalize":           textFilterOf(capitalize),
	"strip":                stripFilter(true, true),
	"lstrip":               stripFilter(true, false),
	"rstrip":               stripFilter(false, true),
	"strip_newlines":       textFilterOf(func(s string) string { return newlines.Replace(s) }),
	"normalize_whitespace": textFilterOf(func(s string) string { return joinBlanks(s) }),
	"squish":               textFilterOf(func(s string) string { return trimSpace(joinBlanks(s)) }),
	"strip_html":           textFilterOf(stripHTML),
	"escape":               textFilterOf(escapeHTML.Replace),
	"xml_escape":           textFilterOf(escapeHTML.Replace),
	"escape_once":          textFilterOf(func(s string) string { return escapeHTML.Replace(unescapeHTML.Replace(s)) }),
	"url_encode":           textFilterOf(func(s string) string { return percentEncode(s, "-_.!~*'() ") }),
	"cgi_escape":           textFilterOf(func(s string) string { return percentEncode(s, "-_.~ ") }),
	"uri_escape":           textFilterOf(func(s string) string { return percentEncode(s, "-_.!~*'();,/?:@&=+$#[]") }),
	"url_decode":           urlDecode,
	"base64_encode":        textFilterOf(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
	"base64_decode":        base64Decode,
	"sha256": textFilterOf(func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	}),
	"hmac_sha256": twoTexts(func(s, key string) string {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(s))
		return hex.EncodeToString(mac.Sum(nil))
	}),
	"append":        exactlyOne("append", twoTexts(func(s, t string) string { return s + t })),
	"prepend":       exactlyOne("prepend", twoTexts(func(s, t string) string { return t + s })),
	"remove":        twoTexts(func(s, t string) string { return strings.ReplaceAll(s, t, "") }),
	"remove_first":  twoTexts(func(s, t string) string { return strings.Replace(s, t, "", 1) }),
	"remove_last":   twoTexts(func(s, t string) string { return replaceLast(s, t, "") }),
	"replace":       replaceFilter(-1),
	"replace_first": replaceFilter(1),
	"replace_last": func(_ *liquidRun, v any, args []any) (any, error) {
		return replaceLast(liquidText(v), liquidText(at(args, 0)), liquidText(at(args, 1))), nil
	},
	"truncate":        truncate,
	"truncatewords":   truncateWords,
	"number_of_words": numberOfWords,
	"slugify":         slugify,
	"split":           splitFilter,
	"slice":           sliceFilter,

	"first": func(_ *liquidRun, v any, _ []any) (any, error) { return end(v, false), nil },
	"last":  func(_ *liquidRun, v any, _ []any) (any, error) { return end(v, true), nil },
	"size": func(_ *liquidRun, v any, _ []any) (any, error) {
		if s, ok := v.(string); ok {
			return float64(textLength(s)), nil
		}
		l, _ := v.([]any)
		return float64(len(l)), nil
	},
	"join":    joinFilter,
	"compact": listFilter(func(l []any, _ []any) any { return slices.DeleteFunc(slices.Clone(l), jsonvalue.IsNil) }),
	"push":    listFilter(func(l, args []any) any { return append(slices.Clip(l), at(args, 0)) }),
	"unshift": listFilter(func(l, args []any) any { return append([]any{at(args, 0)}, l...) }),
	"pop":     listFilter(func(l []any, _ []any) any { return l[:max(0, len(l)-1)] }),
	"shift":   listFilter(func(l []any, _ []any) any { return l[min(1, len(l)):] }),
	"sum":     listFilter(sumOf),
	"where":   whereFilter,

	"date":                dateFilter,
	"date_to_xmlschema":   dateAs("%Y-%m-%dT%H:%M:%S%:z"),
	"date_to_rfc822":      dateAs("%a, %d %b %Y %H:%M:%S %z"),
	"date_to_string":      dateInWords("%b"),
	"date_to_long_string": dateInWords("%B"),
}

// keepsWords are the filters that see the words nil, empty and blank as such: for
// others they are null and an empty text.
var keepsWords = map[string]bool{"strip": true, "lstrip": true, "rstrip": true, "json": true, "jsonify": true, "inspect": true, "sum": true, "where": true}

func textFilterOf(f func(string) string) liquidFilter {
	return func(_ *liquidRun, v any, _ []any) (any, error) { return f(liquidText(v)), nil }
}

// twoTexts is a filter of two texts; what it makes is at most as long as both.
func twoTexts(f func(s, t string) string) liquidFilter {
	return func(_ *liquidRun, v any, args []any) (any, error) {
		return f(liquidText(v), liquidText(at(args, 0))), nil
	}
}

// exactlyOne refuses calls with more or fewer than one argument.
func exactlyOne(name string, f liquidFilter) liquidFilter {
	return func(run *liquidRun, v any, args []any) (any, error) {
		if len(args) != 1 {
			return nil, fmt.Errorf("%s takes one argument", name)
		}
		return f(run, v, args)
	}
}

// mathFilter works on the value and the arguments as numbers; with fewer than it
// wants the result is no number.
func mathFilter(want int, f func(n []float64) float64) liquidFilter {
	return func(_ *liquidRun, v any, args []any) (any, error) {
		n := []float64{operand(v)}
		for _, a := range args {
			n = append(n, operand(a))
		}
		if len(n) < want {
			return math.NaN(), nil
		}
		return f(n), nil
	}
}

// divide divides the first number by the second, to a whole number when the third
// is not 0.
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

// roundTo rounds to a number of decimals, halves away from 0, by the decimals that
// are written: 1.005 to two is 1.01.
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
	return parseNumber(mantissa + "e" + jsonvalue.NumberText(parseNumber(exponent)+by))
}

func defaultFilter(_ *liquidRun, v any, args []any) (any, error) {
	if v == false {
		allow := false
		for _, a := range args[min(1, len(args)):] {
			named, ok := a.([]any)
			if !ok {
				return nil, errors.New("default takes one value and allow_false")
			}
			if at(named, 0) == "allow_false" {
				allow = truthy(at(named, 1))
			}
		}
		if allow {
			return v, nil
		}
	}
	if !liquidTruthy(v) || v == "" || isEmptyList(v) {
		return at(args, 0), nil
	}
	return v, nil
}

// numberOr is an argument as a number, or what counts when it is not given.
func numberOr(v any, or float64) float64 {
	if jsonvalue.IsUndefined(v) {
		return or
	}
	return number(v)
}

// jsonFilter is JSON.stringify: nothing is written of what is not there, and a
// word is an object without members.
func jsonFilter(_ *liquidRun, v any, args []any) (any, error) {
	switch {
	case jsonvalue.IsUndefined(v):
		return v, nil
	case isWord(v):
		return "{}", nil
	case weight(v, maxText) > maxText:
		return nil, errTooLarge
	}
	indent := ""
	switch space := at(args, 0).(type) {
	case float64:
		indent = strings.Repeat(" ", int(min(max(space, 0), 10)))
	case string:
		indent = substring(space, 0, 10)
	}
	if indent == "" {
		return jsonvalue.Text(v), nil
	}
	out, ok := appendIndented(nil, v, indent, "\n")
	if !ok {
		return nil, errTooLarge
	}
	return string(out), nil
}

// appendIndented writes JSON with its parts on lines of their own. It reports
// false when that is too long.
func appendIndented(dst []byte, v any, indent, line string) ([]byte, bool) {
	inner, n := line+indent, 0
	next := func() {
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = append(dst, inner...)
	}
	ok := len(dst) <= maxText
	switch v := v.(type) {
	case []any:
		dst = append(dst, '[')
		for i := 0; i < len(v) && ok; i++ {
			next()
			dst, ok = appendIndented(dst, v[i], indent, inner)
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
			next()
			dst = append(jsonvalue.Append(dst, k), ": "...)
			dst, ok = appendIndented(dst, e, indent, inner)
		}
		if n > 0 {
			dst = append(dst, line...)
		}
		return append(dst, '}'), ok
	}
	return jsonvalue.Append(dst, v), ok
}

func splitFilter(run *liquidRun, v any, args []any) (any, error) {
	s, separator := liquidText(v), liquidText(at(args, 0))
	if err := run.take(8 * (strings.Count(s, separator) + 1)); err != nil {
		return nil, err
	}
	parts := units(s)
	if separator != "" {
		parts = strings.Split(s, separator)
	}
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out, nil
}

// sliceFilter cuts out elements, or characters of a text. Like liquidjs it joins a
// start and a length of an array as texts when one of them is a text.
func sliceFilter(_ *liquidRun, v any, args []any) (any, error) {
	if jsonvalue.IsNil(v) {
		return []any{}, nil
	}
	l, isList := v.([]any)
	s := liquidText(v)
	size := len(l)
	if !isList {
		size = utf8.RuneCountInString(s)
	}
	start, length := at(args, 0), at(args, 1)
	if jsonvalue.IsUndefined(length) {
		length = 1.0
	}
	from, n := number(start), number(length)
	if from < 0 {
		start = float64(size) + from
		from += float64(size)
	}
	if from < 0 || n < 0 {
		if isList {
			return []any{}, nil
		}
		return "", nil
	}
	if !isList {
		i := upToWhole(from, size)
		return runes(s, i, i+upToWhole(n, size)), nil
	}
	to := from + n
	if _, ok := start.(string); ok {
		to = number(jsText(start) + jsText(length))
	} else if _, ok := length.(string); ok {
		to = number(jsText(start) + jsText(length))
	}
	i, j := within(whole(from), size), within(whole(to), size)
	return l[i:max(i, j)], nil
}

// upToWhole is how many times a loop up to f runs, at most n.
func upToWhole(f float64, n int) int {
	if f != f {
		return 0
	}
	return int(min(max(math.Ceil(f), 0), float64(n)))
}

func end(v any, last bool) any {
	switch v := v.(type) {
	case []any:
		if len(v) > 0 && last {
			return v[len(v)-1]
		}
		return at(v, 0)
	case string:
		if u := units(v); len(u) > 0 && last {
			return u[len(u)-1]
		} else if len(u) > 0 {
			return u[0]
		}
	}
	return ""
}
