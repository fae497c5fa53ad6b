package liquid

import (
	"strings"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/js"
)

type tokenKind uint8

const (
	textToken tokenKind = iota
	outputToken
	tagToken
)

// token is a piece of a template: text, {{ … }}, {% … %}, or a line of a liquid tag.
type token struct {
	kind        tokenKind
	line        int    // of its start
	source      string // as written
	inner       string // of an output or tag: without marks and blanks
	name, args  string // of a tag
	left, right bool   // an output or tag strips what is before or after it; a text is stripped there
}

// content is the text of a token without the blanks that its neighbours strip.
func (t token) content() string {
	s := t.source
	if t.left {
		s = strings.TrimLeftFunc(s, isBlank)
	}
	if t.right {
		s = strings.TrimRightFunc(s, isBlank)
	}
	return s
}

// argsLine is the line in which a tag's arguments start.
func (t token) argsLine() int {
	return t.line + strings.Count(t.source[:strings.LastIndex(t.source, t.args)], "\n")
}

// marked is an output or tag without its marks: n characters at each end, a minus
// inside them, blanks.
func marked(kind tokenKind, source string, n, line int) token {
	inner := source[n : len(source)-n]
	t := token{kind: kind, line: line, source: source, left: strings.HasPrefix(inner, "-"), right: strings.HasSuffix(inner, "-")}
	inner = strings.TrimPrefix(inner, "-")
	inner = strings.TrimSuffix(inner, "-")
	t.inner = strings.TrimFunc(inner, isBlank)
	if kind != tagToken {
		return t
	}
	if strings.HasPrefix(t.inner, "#") {
		t.name, t.args = "#", t.inner[1:]
		return t
	}
	t.name = identifierOf(t.inner)
	t.args = strings.TrimLeftFunc(t.inner[len(t.name):], isBlank)
	return t
}

// tokens cuts a template into tokens and lets the marks {{- and so on strip the
// texts beside them.
func tokens(s string) ([]token, error) {
	var out []token
	for line := 1; s != ""; {
		n := 0
		switch {
		case strings.HasPrefix(s, "{%"):
			if n = strings.Index(s[1:], "%}"); n < 0 {
				return nil, fail(line, "tag %s is not closed", clip(s))
			}
			if n += 3; n < 4 {
				return nil, fail(line, "a tag needs a name")
			}
			t := marked(tagToken, s[:n], 2, line)
			if t.name == "" {
				return nil, fail(line, "a tag needs a name")
			}
			out = append(out, t)
			if t.name == "raw" {
				m, end := endOfRaw(s[n:])
				if end < 0 {
					return nil, fail(line, "tag raw is not closed")
				}
				inside := s[n : n+m]
				if m > 0 {
					out = append(out, token{line: line, source: inside})
				}
				out = append(out, marked(tagToken, s[n+m:n+end], 2, line+strings.Count(s[:n+m], "\n")))
				n += end
			}
		case strings.HasPrefix(s, "{{"):
			if n = endOfOutput(s); n < 0 {
				return nil, fail(line, "output %s is not closed", clip(s))
			}
			out = append(out, marked(outputToken, s[:n], 2, line))
		default:
			n = endOfText(s)
			out = append(out, token{line: line, source: s[:n]})
		}
		line += strings.Count(s[:n], "\n")
		s = s[n:]
	}
	strip(out)
	return out, nil
}

// endOfText is where the text at the start of s ends: at a mark.
func endOfText(s string) int {
	for n := 0; ; n++ {
		i := strings.IndexByte(s[n:], '{')
		if i < 0 {
			return len(s)
		}
		if n += i; n+1 < len(s) && (s[n+1] == '%' || s[n+1] == '{') {
			return n
		}
	}
}

// strip tells the texts which of their ends their neighbours strip. What is raw
// stays whole.
func strip(all []token) {
	raw := false
	for i, t := range all {
		if t.kind == textToken {
			continue
		}
		if !raw && t.left && i > 0 && all[i-1].kind == textToken {
			all[i-1].right = true
		}
		switch t.name {
		case "raw":
			raw = true
		case "endraw":
			raw = false
		}
		if !raw && t.right && i+1 < len(all) && all[i+1].kind == textToken {
			all[i+1].left = true
		}
	}
}

// endOfOutput is the length of the {{ … }} at the start of s, or -1. The end does
// not count inside quotes.
func endOfOutput(s string) int {
	for i := 2; i < len(s); i++ {
		switch s[i] {
		case '"', '\'':
			i += quotedLength(s[i:]) - 1
		case '}':
			if i > 2 && s[i-1] == '}' {
				return i + 1
			}
		}
	}
	return -1
}

// endOfRaw finds {% endraw %}: where it starts and ends, or -1. A minus before the
// word is part of it, so that {%- endraw %} is none.
func endOfRaw(s string) (start, end int) {
	closing := -1
	for i := 0; ; {
		j := strings.Index(s[i:], "{%")
		if j < 0 {
			return 0, -1
		}
		start, i = i+j, i+j+2
		for identifierOf(strings.TrimLeftFunc(s[i:], isBlank)) == "endraw" {
			if closing < i {
				if closing = strings.Index(s[i:], "%}"); closing < 0 {
					return 0, -1
				}
				closing += i
			}
			opening := strings.Index(s[i:closing], "{%")
			if opening < 0 {
				return start, closing + 2
			}
			i += opening + 2
		}
	}
}

// lineTokens cuts the text of a liquid tag into tags, one a line.
func lineTokens(s string, line int) ([]token, error) {
	var out []token
	for {
		rest := strings.TrimLeftFunc(s, isBlank)
		line += strings.Count(s[:len(s)-len(rest)], "\n")
		if s = rest; s == "" {
			return out, nil
		}
		n := strings.IndexByte(s, '\n') + 1
		if n == 0 {
			n = len(s)
		}
		t := marked(tagToken, s[:n], 0, line)
		if t.name == "" {
			return nil, fail(line, "a line of a liquid tag needs a tag's name: %s", clip(s[:n]))
		}
		out = append(out, t)
		line += strings.Count(s[:n], "\n")
		s = s[n:]
	}
}

// quotedLength is the length of the quoted text at the start of s; one without an
// end goes to the end of s.
func quotedLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case s[0]:
			return i + 1
		case '\\':
			i++
		}
	}
	return len(s)
}

// identifierOf is the name at the start of s, or "".
func identifierOf(s string) string {
	for i, r := range s {
		if !isWordRune(r) {
			return s[:i]
		}
	}
	return s
}

// isWordRune accepts what names are made of: all of Unicode beyond ASCII counts, but
// for blanks and curly double quotes.
func isWordRune(r rune) bool {
	if r >= utf8.RuneSelf {
		return !isBlank(r) && r != '“' && r != '”'
	}
	return r == '_' || r == '-' || r == '?' || ('0' <= r && r <= '9') || ('a' <= r|0x20 && r|0x20 <= 'z')
}

// isBlank is what Liquid takes for a blank: as JavaScript does, but for the byte
// order mark, and with U+180E.
func isBlank(r rune) bool { return r == '\u180e' || r != '\ufeff' && js.IsBlank(r) }
