package plan

import (
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Export is the plan as YAML for people: keys in the types' order, short values
// on one line, no comments. Parse and Expand give the same plan back: a ${ that
// would be taken for a reference is written $${, but in secrets, which are
// written as they are. Literal secrets belong out of the plan first: see
// ExtractLiterals.
func Export(p *Plan) []byte {
	q, err := Decode(Encode(p)) // a copy, to escape in
	if err != nil {
		panic("plan: " + err.Error())
	}
	q.texts(func(_, s string, secret bool) string {
		if secret {
			return s
		}
		return escape(s)
	})
	var w yamlWriter
	top := tree(reflect.ValueOf(q).Elem()).(*jsonvalue.Object)
	for k, v := range top.All() {
		list, ok := v.([]any)
		if !ok {
			w.line(0, k+": "+flow(v))
			continue
		}
		w.line(0, k+":")
		for _, e := range list {
			w.item(1, e.(*jsonvalue.Object))
		}
	}
	return []byte(w.String())
}

// lineWidth is how long a line may get before its value is spread over several.
const lineWidth = 100

// yamlWriter writes the small part of YAML that a plan needs.
type yamlWriter struct{ strings.Builder }

func (w *yamlWriter) line(depth int, s string) {
	w.WriteString(strings.Repeat("  ", depth))
	w.WriteString(s)
	w.WriteByte('\n')
}

// item writes an object as a list item, its keys below each other.
func (w *yamlWriter) item(depth int, o *jsonvalue.Object) {
	if o.Len() == 0 {
		w.line(depth, "- {}")
		return
	}
	var in yamlWriter
	in.object(depth+1, o)
	text := in.String()
	w.WriteString(strings.Repeat("  ", depth) + "- " + text[2*(depth+1):])
}

func (w *yamlWriter) object(depth int, o *jsonvalue.Object) {
	for k, v := range o.All() {
		w.entry(depth, scalar(k)+":", v)
	}
}

// entry writes a value after its key or dash.
func (w *yamlWriter) entry(depth int, head string, v any) {
	if s, ok := v.(string); ok {
		if b, ok := block(s, depth+1); ok {
			w.line(depth, head+" "+b)
			return
		}
	}
	if t := flow(v); isScalar(v) || 2*depth+len(head)+1+len(t) <= lineWidth && !strings.Contains(t, `\n`) {
		w.line(depth, head+" "+t)
		return
	}
	switch v := v.(type) {
	case *jsonvalue.Object:
		w.line(depth, head)
		w.object(depth+1, v)
	case []any:
		w.line(depth, head)
		for _, e := range v {
			if o, ok := e.(*jsonvalue.Object); ok && len(flow(o))+2*depth+4 > lineWidth {
				w.item(depth+1, o)
				continue
			}
			w.entry(depth+1, "-", e)
		}
	}
}

func isScalar(v any) bool {
	switch v := v.(type) {
	case *jsonvalue.Object:
		return v.Len() == 0
	case []any:
		return len(v) == 0
	}
	return true
}

// flow is a value on one line.
func flow(v any) string {
	switch v := v.(type) {
	case *jsonvalue.Object:
		var parts []string
		for k, e := range v.All() {
			parts = append(parts, scalar(k)+": "+flow(e))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = flow(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		return scalar(v)
	case Secret:
		return doubleQuoted(string(v))
	}
	return jsonvalue.Text(v)
}

// scalar is a text that YAML reads as that text: plain when nothing in it could
// be taken for anything else, in single quotes when that spares escapes.
func scalar(s string) string {
	switch {
	case isPlain(s):
		return s
	case strings.ContainsAny(s, `"\`) && isPrintable(s):
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return doubleQuoted(s)
}

// isPlain is far stricter than YAML: letters, digits and little else.
func isPlain(s string) bool {
	if s == "" || s[len(s)-1] == ' ' || strings.Contains(s, "  ") || reserved[strings.ToLower(s)] {
		return false
	}
	letters := false
	for i, r := range s {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || i == 0 && r == '$':
			letters = true
		case i > 0 && strings.ContainsRune(" .$/+-", r):
		case r >= '0' && r <= '9':
			// A leading digit is for durations such as 14d; anything longer
			// might be one of YAML's many numbers.
			if i == 0 && !shortDuration(s) {
				return false
			}
		case r > unicode.MaxASCII && unicode.IsLetter(r):
			letters = true
		default:
			return false
		}
	}
	return letters
}

func shortDuration(s string) bool {
	digits := strings.TrimRight(s, "dhms")
	return len(s)-len(digits) == 1 && strings.Trim(digits, "0123456789") == ""
}

// reserved are the words that some YAML reader takes for something else.
var reserved = map[string]bool{
	"true": true, "false": true, "yes": true, "no": true, "on": true, "off": true,
	"y": true, "n": true, "null": true,
}

func isPrintable(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return false
		}
	}
	return true
}

func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			b.WriteString(`\U` + hex(r, 8))
		default:
			b.WriteString(`\u` + hex(r, 4))
		}
	}
	b.WriteByte('"')
	return b.String()
}

func hex(r rune, width int) string {
	h := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", width-len(h)) + h
}

// block is a text of several lines as a literal block, when it can be one.
func block(s string, depth int) (string, bool) {
	body := strings.TrimSuffix(s, "\n")
	if !strings.Contains(s, "\n") || body == "" || strings.HasSuffix(body, "\n") {
		return "", false
	}
	lines := strings.Split(body, "\n")
	if lines[0] == "" || lines[0][0] == ' ' {
		return "", false
	}
	head := "|-"
	if len(body) < len(s) {
		head = "|"
	}
	var b strings.Builder
	b.WriteString(head)
	for _, l := range lines {
		if !isPrintable(l) || l != "" && strings.Trim(l, " ") == "" {
			return "", false
		}
		b.WriteByte('\n')
		if l != "" {
			b.WriteString(strings.Repeat("  ", depth) + l)
		}
	}
	return b.String(), true
}
