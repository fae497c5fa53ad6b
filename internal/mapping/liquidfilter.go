package mapping

import (
	"encoding/base64"
	"math"
	"slices"
	"strings"

	"github.com/osteele/liquid/values"

	"github.com/segue-xm/segue/internal/jsonvalue"
)

// liquidFilter makes a value from a value and the filter's arguments.
type liquidFilter func(run *liquidRun, v any, args []any) (any, error)

var liquidFilters map[string]liquidFilter

func init() { // a variable with an initialiser would be an initialisation cycle
	liquidFilters = map[string]liquidFilter{
		textFilter: func(run *liquidRun, v any, _ []any) (any, error) {
			v, err := elements(run, v)
			return liquidText(v), err
		},
		notFilter: func(_ *liquidRun, v any, _ []any) (any, error) { return !liquidTruthy(v), nil },

		"is_equal":     compareFilter(liquidEqual),
		"is_unequal":   compareFilter(func(a, b any) bool { return !liquidEqual(a, b) }),
		"does_contain": compareFilter(liquidContains),
		"is_less":      orderFilter(func(o int) bool { return o < 0 }),
		"is_greater":   orderFilter(func(o int) bool { return o > 0 }),
		"is_at_most":   orderFilter(func(o int) bool { return o <= 0 }),
		"is_at_least":  orderFilter(func(o int) bool { return o >= 0 }),

		"default": func(_ *liquidRun, v any, args []any) (any, error) {
			if v == false && liquidTruthy(at(args, 1)) {
				return v, nil
			}
			if !liquidTruthy(v) || v == "" || isEmptyList(v) {
				return at(args, 0), nil
			}
			return v, nil
		},
		"json":    jsonFilter,
		"jsonify": jsonFilter,
		"inspect": jsonFilter,
		"raw":     func(_ *liquidRun, v any, _ []any) (any, error) { return v, nil },

		"abs":        mathFilter(func(a, _ float64) float64 { return math.Abs(a) }),
		"ceil":       mathFilter(func(a, _ float64) float64 { return math.Ceil(a) }),
		"floor":      mathFilter(func(a, _ float64) float64 { return math.Floor(a) }),
		"plus":       mathFilter(func(a, b float64) float64 { return a + b }),
		"minus":      mathFilter(func(a, b float64) float64 { return a - b }),
		"times":      mathFilter(func(a, b float64) float64 { return a * b }),
		"modulo":     mathFilter(math.Mod),
		"divided_by": mathFilter(func(a, b float64) float64 { return a / b }),
		"at_least":   mathFilter(math.Max),
		"at_most":    mathFilter(math.Min),
		"to_integer": mathFilter(func(a, _ float64) float64 { return a }),
		"round": func(_ *liquidRun, v any, args []any) (any, error) {
			scale := math.Pow(10, numberOr(at(args, 0), 0))
			return math.Floor(number(v)*scale+0.5) / scale, nil
		},

		"upcase":     textFilterOf(upper),
		"downcase":   textFilterOf(lower),
		"capitalize": textFilterOf(capitalize),
		"strip":      textFilterOf(trimSpace),
		"lstrip":     textFilterOf(func(s string) string { return strings.TrimLeftFunc(s, isBlank) }),
		"rstrip":     textFilterOf(func(s string) string { return strings.TrimRightFunc(s, isBlank) }),
		"strip_newlines": textFilterOf(func(s string) string {
			return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", ""), "\n", "")
		}),
		"normalize_whitespace": textFilterOf(func(s string) string { return blanks.ReplaceAllString(s, " ") }),
		"strip_html":           textFilterOf(stripMarkup),
		"escape":               textFilterOf(escapeHTML.Replace),
		"xml_escape":           textFilterOf(escapeHTML.Replace),
		"escape_once":          textFilterOf(func(s string) string { return escapeHTML.Replace(unescapeHTML.Replace(s)) }),
		"url_encode":           textFilterOf(func(s string) string { return strings.ReplaceAll(percentEncode(s), "%20", "+") }),
		"cgi_escape":           textFilterOf(func(s string) string { return strings.ReplaceAll(percentEncode(s), "%20", "+") }),
		"url_decode":           urlDecode,
		"base64_encode":        textFilterOf(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
		"base64_decode":        base64Decode,
		"append":               twoTexts(func(s, t string) string { return s + t }),
		"prepend":              twoTexts(func(s, t string) string { return t + s }),
		"remove":               twoTexts(func(s, t string) string { return strings.ReplaceAll(s, t, "") }),
		"remove_first":         twoTexts(func(s, t string) string { return strings.Replace(s, t, "", 1) }),
		"remove_last":          twoTexts(func(s, t string) string { return replaceLast(s, t, "") }),
		"replace":              replaceFilter(-1),
		"replace_first":        replaceFilter(1),
		"replace_last": func(_ *liquidRun, v any, args []any) (any, error) {
			return replaceLast(liquidText(v), liquidText(at(args, 0)), liquidText(at(args, 1))), nil
		},
		"truncate":      truncate,
		"truncatewords": truncateWords,
		"number_of_words": func(_ *liquidRun, v any, _ []any) (any, error) {
			return float64(len(strings.Fields(liquidText(v)))), nil
		},
		"slugify": textFilterOf(func(s string) string { return strings.Trim(notSlug.ReplaceAllString(lower(s), "-"), "-") }),
		"split":   splitFilter,
		"slice":   sliceFilter,

		"first":   func(_ *liquidRun, v any, _ []any) (any, error) { return end(v, false), nil },
		"last":    func(_ *liquidRun, v any, _ []any) (any, error) { return end(v, true), nil },
		"size":    sizeFilter,
		"join":    joinFilter,
		"compact": listFilter(func(l []any, _ []any) any { return slices.DeleteFunc(slices.Clone(l), jsonvalue.IsNil) }),
		"push":    listFilter(func(l []any, args []any) any { return append(slices.Clip(l), at(args, 0)) }),
		"unshift": listFilter(func(l []any, args []any) any { return append([]any{at(args, 0)}, l...) }),
		"pop":     listFilter(func(l []any, _ []any) any { return l[:max(0, len(l)-1)] }),
		"shift":   listFilter(func(l []any, _ []any) any { return l[min(1, len(l)):] }),
		"sum":     listFilter(sumOf),
		"where":   listFilter(where),

		"date":                dateFilter(""),
		"date_to_xmlschema":   dateFilter("%Y-%m-%dT%H:%M:%S%:z"),
		"date_to_rfc822":      dateFilter("%a, %d %b %Y %H:%M:%S %z"),
		"date_to_string":      dateFilter("%d %b %Y"),
		"date_to_long_string": dateFilter("%d %B %Y"),
	}
}

func compareFilter(holds func(a, b any) bool) liquidFilter {
	return func(_ *liquidRun, v any, args []any) (any, error) { return holds(v, at(args, 0)), nil }
}

func orderFilter(holds func(order int) bool) liquidFilter {
	return compareFilter(func(a, b any) bool {
		o, ok := liquidCompare(a, b)
		return ok && holds(o)
	})
}

func textFilterOf(f func(string) string) liquidFilter {
	return func(_ *liquidRun, v any, _ []any) (any, error) { return f(liquidText(v)), nil }
}

// twoTexts is a filter of two texts; what it makes is at most as long as both.
func twoTexts(f func(s, t string) string) liquidFilter {
	return func(_ *liquidRun, v any, args []any) (any, error) {
		return f(liquidText(v), liquidText(at(args, 0))), nil
	}
}

func mathFilter(f func(a, b float64) float64) liquidFilter {
	return func(_ *liquidRun, v any, args []any) (any, error) { return f(number(v), number(at(args, 0))), nil }
}

func listFilter(f func(list, args []any) any) liquidFilter {
	return func(run *liquidRun, v any, args []any) (any, error) {
		l, err := elements(run, v)
		if err != nil {
			return nil, err
		}
		switch l := l.(type) {
		case nil:
			return f([]any{}, args), nil
		case []any:
			return f(l, args), nil
		}
		return f([]any{l}, args), nil
	}
}

// elements makes an array of a range and leaves other values as they are.
func elements(run *liquidRun, v any) (any, error) {
	r, ok := v.(values.Range)
	if !ok {
		return v, nil
	}
	if r.Len() <= 0 {
		return []any{}, nil
	}
	if err := run.take(8 * r.Len()); err != nil {
		return nil, err
	}
	out := make([]any, r.Len())
	for i := range out {
		out[i] = number(r.Index(i))
		if n, ok := r.Index(i).(int); ok {
			out[i] = float64(n)
		}
	}
	return out, nil
}

func isEmptyList(v any) bool {
	l, ok := v.([]any)
	return ok && len(l) == 0
}

func numberOr(v any, or float64) float64 {
	if jsonvalue.IsNil(v) {
		return or
	}
	return number(v)
}

func jsonFilter(_ *liquidRun, v any, _ []any) (any, error) {
	if weight(v, maxText) > maxText {
		return nil, errTooLarge
	}
	return jsonvalue.Text(v), nil
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

func sliceFilter(run *liquidRun, v any, args []any) (any, error) {
	v, err := elements(run, v)
	if err != nil || v == nil {
		return []any{}, err
	}
	from, n := whole(number(at(args, 0))), whole(numberOr(at(args, 1), 1))
	if l, ok := v.([]any); ok {
		if from < 0 {
			from += len(l)
		}
		to := within(from+n, len(l))
		from = within(from, len(l))
		return l[from:max(from, to)], nil
	}
	s := liquidText(v)
	if from < 0 {
		from += textLength(s)
	}
	return substring(s, from, from+n), nil
}

func end(v any, last bool) any {
	switch v := v.(type) {
	case []any:
		if len(v) > 0 && last {
			return v[len(v)-1]
		}
		return at(v, 0)
	case string:
		if v == "" {
			return ""
		}
		if last {
			return substring(v, -1, textLength(v))
		}
		return substring(v, 0, 1)
	}
	return ""
}

func sizeFilter(run *liquidRun, v any, _ []any) (any, error) {
	v, err := elements(run, v)
	switch v := v.(type) {
	case []any:
		return float64(len(v)), err
	case string:
		return float64(textLength(v)), err
	}
	return 0.0, err
}

func joinFilter(run *liquidRun, v any, args []any) (any, error) {
	separator := " "
	if len(args) > 0 && !jsonvalue.IsNil(args[0]) {
		separator = liquidText(args[0])
	}
	v, err := elements(run, v)
	if err != nil {
		return nil, err
	}
	l, ok := v.([]any)
	if !ok {
		return liquidText(v), nil
	}
	if weight(l, maxText) > maxText {
		return nil, errTooLarge
	}
	parts := make([]string, len(l))
	for i, e := range l {
		parts[i] = liquidText(e)
	}
	return joined(run, parts, separator)
}

func sumOf(l, args []any) any {
	sum := 0.0
	key := listKey(args)
	for _, e := range l {
		if len(args) > 0 {
			e = liquidProperty(e, key)
		}
		if n := number(e); n == n {
			sum += n
		}
	}
	return sum
}

func where(l, args []any) any {
	out := []any{}
	key := listKey(args)
	for _, e := range l {
		v := liquidProperty(e, key)
		if len(args) > 1 && liquidEqual(v, args[1]) || len(args) < 2 && liquidTruthy(v) {
			out = append(out, e)
		}
	}
	return out
}

// listKey is the key that a filter of lists was given, made a text once for all
// elements.
func listKey(args []any) any {
	key := at(args, 0)
	if _, ok := key.(float64); ok {
		return key
	}
	return liquidText(key)
}
