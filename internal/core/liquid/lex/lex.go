// Package lex cuts Liquid templates into tokens, as liquidjs does.
package lex

import (
	"strings"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/js"
)

// Kind is what a token is.
type Kind uint8

// The kinds.
const (
	Text Kind = iota
	Output
	Tag
)

// Token is a piece of a template: text, {{ … }}, {% … %}, or a line of a liquid tag.
type Token struct {
	Kind        Kind
	Line        int    // of its start
	Source      string // as written
	Inner       string // of an output or tag: without marks and blanks
	Name, Args  string // of a tag
	Left, Right bool   // an output or tag strips what is before or after it; a text is stripped there
}

// Content is the text of a token without the blanks that its neighbours strip.
func (t Token) Content() string {
	s := t.Source
	if t.Left {
		s = strings.TrimLeftFunc(s, IsBlank)
	}
	if t.Right {
		s = strings.TrimRightFunc(s, IsBlank)
	}
	return s
}

// ArgsLine is the line in which a tag's arguments start.
func (t Token) ArgsLine() int {
	return t.Line + strings.Count(t.Source[:strings.LastIndex(t.Source, t.Args)], "\n")
}

// marked is an output or tag without its marks: n characters at each end, a minus
// inside them, blanks.
func marked(kind Kind, source string, n, line int) Token {
	inner := source[n : len(source)-n]
	t := Token{Kind: kind, Line: line, Source: source, Left: strings.HasPrefix(inner, "-"), Right: strings.HasSuffix(inner, "-")}
	inner = strings.TrimPrefix(inner, "-")
	inner = strings.TrimSuffix(inner, "-")
	t.Inner = strings.TrimFunc(inner, IsBlank)
	if kind != Tag {
		return t
	}
	if strings.HasPrefix(t.Inner, "#") {
		t.Name, t.Args = "#", t.Inner[1:]
		return t
	}
	t.Name = Identifier(t.Inner)
	t.Args = strings.TrimLeftFunc(t.Inner[len(t.Name):], IsBlank)
	return t
}

// Tokens cuts a template into tokens and lets the marks {{- and so on strip the
// texts beside them.
func Tokens(s string) ([]Token, error) {
	var out []Token
	for line := 1; s != ""; {
		n := 0
		switch {
		case strings.HasPrefix(s, "{%"):
			if n = strings.Index(s[1:], "%}"); n < 0 {
				return nil, Fail(line, "tag %s is not closed", Clip(s))
			}
			if n += 3; n < 4 {
				return nil, Fail(line, "a tag needs a name")
			}
			t := marked(Tag, s[:n], 2, line)
			if t.Name == "" {
				return nil, Fail(line, "a tag needs a name")
			}
			out = append(out, t)
			if t.Name == "raw" {
				m, end := endOfRaw(s[n:])
				if end < 0 {
					return nil, Fail(line, "tag raw is not closed")
				}
				inside := s[n : n+m]
				if m > 0 {
					out = append(out, Token{Line: line, Source: inside})
				}
				out = append(out, marked(Tag, s[n+m:n+end], 2, line+strings.Count(s[:n+m], "\n")))
				n += end
			}
		case strings.HasPrefix(s, "{{"):
			if n = endOfOutput(s); n < 0 {
				return nil, Fail(line, "output %s is not closed", Clip(s))
			}
			out = append(out, marked(Output, s[:n], 2, line))
		default:
			n = endOfText(s)
			out = append(out, Token{Line: line, Source: s[:n]})
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
func strip(all []Token) {
	raw := false
	for i, t := range all {
		if t.Kind == Text {
			continue
		}
		if !raw && t.Left && i > 0 && all[i-1].Kind == Text {
			all[i-1].Right = true
		}
		switch t.Name {
		case "raw":
			raw = true
		case "endraw":
			raw = false
		}
		if !raw && t.Right && i+1 < len(all) && all[i+1].Kind == Text {
			all[i+1].Left = true
		}
	}
}

// endOfOutput is the length of the {{ … }} at the start of s, or -1. The end does
// not count inside quotes.
func endOfOutput(s string) int {
	for i := 2; i < len(s); i++ {
		switch s[i] {
		case '"', '\'':
			i += QuotedLength(s[i:]) - 1
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
		for Identifier(strings.TrimLeftFunc(s[i:], IsBlank)) == "endraw" {
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

// Lines cuts the text of a liquid tag into tags, one a line.
func Lines(s string, line int) ([]Token, error) {
	var out []Token
	for {
		rest := strings.TrimLeftFunc(s, IsBlank)
		line += strings.Count(s[:len(s)-len(rest)], "\n")
		if s = rest; s == "" {
			return out, nil
		}
		n := strings.IndexByte(s, '\n') + 1
		if n == 0 {
			n = len(s)
		}
		t := marked(Tag, s[:n], 0, line)
		if t.Name == "" {
			return nil, Fail(line, "a line of a liquid tag needs a tag's name: %s", Clip(s[:n]))
		}
		out = append(out, t)
		line += strings.Count(s[:n], "\n")
		s = s[n:]
	}
}

// QuotedLength is the length of the quoted text at the start of s; one without an
// end goes to the end of s.
func QuotedLength(s string) int {
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

// Identifier is the name at the start of s, or "".
func Identifier(s string) string {
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
		return !IsBlank(r) && r != '“' && r != '”'
	}
	return r == '_' || r == '-' || r == '?' || ('0' <= r && r <= '9') || ('a' <= r|0x20 && r|0x20 <= 'z')
}

// IsBlank is what Liquid takes for a blank: as JavaScript does, but for the byte
// order mark, and with U+180E.
func IsBlank(r rune) bool { return r == '\u180e' || r != '\ufeff' && js.IsBlank(r) }

// NumberLength is the length of the number at the start of s, or 0.
func NumberLength(s string) int {
	i, digits, point := 0, false, false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	for ; i < len(s); i++ {
		if '0' <= s[i] && s[i] <= '9' {
			digits = true
			continue
		}
		if s[i] != '.' || strings.HasPrefix(s[i:], "..") {
			break
		}
		if point || !digits {
			return 0
		}
		point = true
	}
	if r, _ := utf8.DecodeRuneInString(s[i:]); !digits || (i < len(s) && isWordRune(r)) { // a name that starts with a digit
		return 0
	}
	return i
}
