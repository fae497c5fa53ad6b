package mapping

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// path is a parsed path; the empty path is the root.
type path []string

// parseEventPath reads the path of @path and @arrayPath, which lose their first
// "$." wherever it is.
func parseEventPath(s string) path { return parsePath(strings.Replace(s, "$.", "", 1)) }

// parsePath splits at dots and at brackets that have a quote or a digit inside.
// Quotes do not protect a dot, so keys with dots cannot be reached: Segment's rule.
func parsePath(s string) path {
	if s == "" || s == "." {
		return nil
	}
	var p path
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && !separates(s, i) {
			continue
		}
		if part := s[start:i]; part != "" {
			p = append(p, unquote(part))
		}
		start = i + 1
	}
	return p
}

func separates(s string, i int) bool {
	switch s[i] {
	case '.':
		return true
	case '[':
		return i+1 < len(s) && quoteOrDigit(s[i+1])
	case ']':
		return i > 0 && quoteOrDigit(s[i-1])
	}
	return false
}

func quoteOrDigit(c byte) bool { return c == '"' || c == '\'' || ('0' <= c && c <= '9') }

var quotes = strings.NewReplacer(`"`, "", `'`, "")

func unquote(part string) string {
	if strings.ContainsAny(part, `"'`) {
		return quotes.Replace(part)
	}
	return part
}

// get follows the path. A step from null, false, 0 or "" stays there, so that
// a.b of {"a": null} is null.
func (p path) get(root scope) any {
	v := root.value
	for _, key := range p {
		if !truthy(v) {
			return v
		}
		if s, ok := v.(string); ok && !root.budget.spend(len(s)) {
			return jsonvalue.Undefined{}
		}
		v = property(v, key)
	}
	return v
}

// property is v[key] for a truthy v.
func property(v any, key string) any {
	switch v := v.(type) {
	case *jsonvalue.Object:
		return v.Get(key)
	case []any:
		if key == "length" {
			return float64(len(v))
		}
		if i, ok := arrayIndex(key); ok && i < len(v) {
			return v[i]
		}
	case string:
		if key == "length" {
			return float64(textLength(v))
		}
		if i, ok := arrayIndex(key); ok {
			return unitAt(v, i)
		}
	}
	return jsonvalue.Undefined{}
}

// unitAt is the UTF-16 unit at i, or Undefined; half a surrogate pair is U+FFFD.
func unitAt(s string, i int) any {
	at := 0
	for _, r := range s {
		n := utf16.RuneLen(r)
		if i < at+n {
			if n == 2 {
				return "\ufffd"
			}
			return string(r)
		}
		at += n
	}
	return jsonvalue.Undefined{}
}

// arrayIndex reads a canonical index: "1", not "01" or "-1".
func arrayIndex(key string) (int, bool) {
	if key == "" || len(key) > 9 || (key[0] == '0' && len(key) > 1) {
		return 0, false
	}
	for i := range len(key) {
		if key[i] < '0' || key[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(key)
	return n, err == nil
}

// units splits a text into its UTF-16 units; half a surrogate pair becomes U+FFFD.
func units(s string) []string {
	out := make([]string, 0, len(s))
	for _, r := range s {
		if utf16.RuneLen(r) == 2 {
			out = append(out, "\ufffd", "\ufffd")
			continue
		}
		out = append(out, string(r))
	}
	return out
}

// truthy is JavaScript's: not undefined, null, false, 0, NaN or "".
func truthy(v any) bool {
	switch v := v.(type) {
	case nil, jsonvalue.Undefined:
		return false
	case bool:
		return v
	case float64:
		return v != 0 && v == v
	case string:
		return v != ""
	}
	return true
}
