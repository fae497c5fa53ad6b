package mapping

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

type liquidKind uint8

const (
	textToken liquidKind = iota
	outputToken
	tagToken
)

// liquidToken is a piece of a template: text, {{ … }}, {% … %}, or a line of a
// liquid tag.
type liquidToken struct {
	kind        liquidKind
	source      string // as written
	inner       string // of an output or tag: without marks and blanks
	left, right bool   // an output or tag strips what is before or after it; a text is stripped there
}

// content is the text of a token without the blanks its neighbours strip.
func (t liquidToken) content() string {
	s := t.source
	if t.left {
		s = strings.TrimLeftFunc(s, liquidBlank)
	}
	if t.right {
		s = strings.TrimRightFunc(s, liquidBlank)
	}
	return s
}

// tag is the name and the rest of a tag; other tokens have no name.
func (t liquidToken) tag() (name, args string) {
	if t.kind != tagToken {
		return "", ""
	}
	if strings.HasPrefix(t.inner, "#") {
		return "#", t.inner[1:]
	}
	name = identifierOf(t.inner)
	return name, strings.TrimLeftFunc(t.inner[len(name):], liquidBlank)
}

// marked cuts the marks of a tag or output off: n characters at each end, a minus
// inside them, blanks.
func marked(kind liquidKind, source string, n int) liquidToken {
	inner := source[n : len(source)-n]
	t := liquidToken{kind: kind, source: source, left: strings.HasPrefix(inner, "-"), right: strings.HasSuffix(inner, "-")}
	inner = strings.TrimPrefix(inner, "-")
	inner = strings.TrimSuffix(inner, "-")
	t.inner = trimLiquid(inner)
	return t
}

// liquidTokens cuts a template into tokens and lets the marks {{- and so on strip
// the texts beside them.
func liquidTokens(s string) ([]liquidToken, error) {
	var tokens []liquidToken
	for s != "" {
		n := 0
		switch {
		case strings.HasPrefix(s, "{%"):
			if n = strings.Index(s[1:], "%}"); n < 0 {
				return nil, fmt.Errorf("tag %q not closed", s)
			}
			if n += 3; n < 4 {
				return nil, fmt.Errorf("a tag needs a name: %q", s[:n])
			}
			t := marked(tagToken, s[:n], 2)
			tokens = append(tokens, t)
			switch name, _ := t.tag(); name {
			case "":
				return nil, fmt.Errorf("a tag needs a name: %q", s[:n])
			case "raw":
				m, end := endOfRaw(s[n:])
				if end < 0 {
					return nil, fmt.Errorf("tag %q not closed", s)
				}
				if m > 0 {
					tokens = append(tokens, liquidToken{source: s[n : n+m]})
				}
				tokens = append(tokens, marked(tagToken, s[n+m:n+end], 2))
				n += end
			}
		case strings.HasPrefix(s, "{{"):
			if n = endOfOutput(s); n < 0 {
				return nil, fmt.Errorf("output %q not closed", s)
			}
			tokens = append(tokens, marked(outputToken, s[:n], 2))
		default:
			for n < len(s) && !strings.HasPrefix(s[n:], "{%") && !strings.HasPrefix(s[n:], "{{") {
				n++
			}
			tokens = append(tokens, liquidToken{source: s[:n]})
		}
		s = s[n:]
	}
	strip(tokens)
	return tokens, nil
}

// strip tells the texts which of their ends their neighbours strip. What is raw
// stays whole.
func strip(tokens []liquidToken) {
	raw := false
	for i, t := range tokens {
		if t.kind == textToken {
			continue
		}
		if !raw && t.left && i > 0 && tokens[i-1].kind == textToken {
			tokens[i-1].right = true
		}
		switch name, _ := t.tag(); name {
		case "raw":
			raw = true
		case "endraw":
			raw = false
		}
		if !raw && t.right && i+1 < len(tokens) && tokens[i+1].kind == textToken {
			tokens[i+1].left = true
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
	for i := 0; ; {
		j := strings.Index(s[i:], "{%")
		if j < 0 {
			return 0, -1
		}
		start, i = i+j, i+j+2
		for identifierOf(strings.TrimLeftFunc(s[i:], liquidBlank)) == "endraw" {
			closing, opening := strings.Index(s[i:], "%}"), strings.Index(s[i:], "{%")
			switch {
			case closing < 0 && opening < 0:
				return 0, -1
			case closing >= 0 && (opening < 0 || closing < opening):
				return start, i + closing + 2
			}
			i += opening + 2
		}
	}
}

// lineTokens cuts the text of a liquid tag into tags, one a line.
func lineTokens(s string) ([]liquidToken, error) {
	var tokens []liquidToken
	for {
		s = strings.TrimLeftFunc(s, liquidBlank)
		if s == "" {
			return tokens, nil
		}
		n := strings.IndexByte(s, '\n') + 1
		if n == 0 {
			n = len(s)
		}
		t := marked(tagToken, s[:n], 0)
		if name, _ := t.tag(); name == "" {
			return nil, fmt.Errorf("a line of a liquid tag needs a tag's name: %q", s[:n])
		}
		tokens = append(tokens, t)
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
		if !isLiquidWord(r) {
			return s[:i]
		}
	}
	return s
}

// isLiquidWord accepts what names are made of: all of Unicode beyond ASCII counts,
// but for blanks and curly double quotes.
func isLiquidWord(r rune) bool {
	if r >= utf8.RuneSelf {
		return !liquidBlank(r) && r != '“' && r != '”'
	}
	return r == '_' || r == '-' || r == '?' || ('0' <= r && r <= '9') || ('a' <= r|0x20 && r|0x20 <= 'z')
}

// liquidBlank is what Liquid takes for a blank: as JavaScript does, but for the
// byte order mark, and with U+180E.
func liquidBlank(r rune) bool { return r == '\u180e' || r != '\ufeff' && isBlank(r) }

func trimLiquid(s string) string { return strings.TrimFunc(s, liquidBlank) }
