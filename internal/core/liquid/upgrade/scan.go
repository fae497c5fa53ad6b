package upgrade

import (
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/liquid/lex"
)

// lexeme is a word of an expression as 0.1.0 read it.
type lexeme struct {
	kind       lexemeKind
	text       string
	start, end int // in the source
}

type lexemeKind uint8

const (
	nameLexeme   lexemeKind = iota // a variable with its members, or a word
	quotedLexeme                   // a text in quotes
	numberLexeme
	markLexeme // an operator, a bracket, a comma …
)

// lexemes cuts an expression into words.
func lexemes(s string) []lexeme {
	var out []lexeme
	for i := 0; i < len(s); {
		start, kind := i, markLexeme
		switch c := s[i]; {
		case c == ' ' || '\t' <= c && c <= '\r':
			i++
			continue
		case c == '"' || c == '\'':
			kind = quotedLexeme
			i++
			for i < len(s) && s[i] != c {
				i++
			}
			i = min(i+1, len(s))
		case lex.NumberLength(s[i:]) > 0 && (c != '-' || len(out) == 0 || out[len(out)-1].kind == markLexeme || isOperator(out[len(out)-1].text)):
			kind = numberLexeme
			i += lex.NumberLength(s[i:])
		case lex.Identifier(s[i:]) != "":
			kind = nameLexeme
			i = endOfPath(s, i)
		default:
			for _, mark := range []string{"==", "!=", "<=", ">=", "..", s[i : i+1]} {
				if strings.HasPrefix(s[i:], mark) {
					i += len(mark)
					break
				}
			}
		}
		out = append(out, lexeme{kind, s[start:i], start, i})
	}
	return out
}

// endOfPath is where a name at i ends, with its members.
func endOfPath(s string, i int) int {
	i += len(lex.Identifier(s[i:]))
	for i < len(s) {
		switch {
		case s[i] == '.' && i+1 < len(s) && lex.Identifier(s[i+1:]) != "":
			i += 1 + len(lex.Identifier(s[i+1:]))
		case s[i] == '[':
			depth := 0
			for ; i < len(s); i++ {
				switch s[i] {
				case '[':
					depth++
				case ']':
					depth--
				case '"', '\'':
					i += max(0, strings.IndexByte(s[i+1:], s[i])+1)
				}
				if depth == 0 {
					i++
					break
				}
			}
		default:
			return i
		}
	}
	return i
}

func isOperator(s string) bool { return s == "contains" || s == "and" || s == "or" }

// expressionParts is an expression cut at its filters.
type expressionParts struct {
	source  string
	head    []lexeme
	filters []filterPart
}

// filterPart is a filter as it is written.
type filterPart struct {
	name       string
	args       []lexeme // without the commas
	before     string   // the name of the filter before it
	start, end int      // of its name and arguments
}

func partsOf(source string) expressionParts {
	p := expressionParts{source: source}
	all := lexemes(source)
	i := 0
	for i < len(all) && all[i].text != "|" {
		i++
	}
	p.head = all[:i]
	for i < len(all) {
		i++ // the |
		start := i
		for i < len(all) && (all[i].text != "|" || all[i].kind == quotedLexeme) {
			i++
		}
		if start == i {
			continue
		}
		f := filterPart{name: all[start].text, start: all[start].start, end: all[i-1].end}
		for _, l := range all[start+1 : i] {
			if l.text != ":" && l.text != "," || l.kind != markLexeme {
				f.args = append(f.args, l)
			}
		}
		if len(p.filters) > 0 {
			f.before = p.filters[len(p.filters)-1].name
		}
		p.filters = append(p.filters, f)
	}
	return p
}

// replaced puts texts in the place of parts of a source.
func replaced(source string, edits []edit) string {
	var out strings.Builder
	at := 0
	slices.SortFunc(edits, func(a, b edit) int { return a.start - b.start })
	for _, e := range edits {
		out.WriteString(source[at:e.start])
		out.WriteString(e.text)
		at = e.end
	}
	out.WriteString(source[at:])
	return out.String()
}

type edit struct {
	start, end int
	text       string
}
