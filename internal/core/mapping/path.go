package mapping

import (
	"strings"

	"github.com/segue-xm/segue/internal/core/js"
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
		if !js.Truthy(v) {
			return v
		}
		if s, ok := v.(string); ok && !root.budget.spend(len(s)) {
			return jsonvalue.Undefined{}
		}
		v = js.Property(v, key)
	}
	return v
}
