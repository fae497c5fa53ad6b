package path

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of a path's text.
const (
	MaxText = 1000 // bytes
	// maxNesting is how deep conditions, parentheses and functions may stand in one
	// another.
	maxNesting = 20
	maxInteger = 1<<53 - 1
)

// parser reads a path. The first problem ends it, as a syntaxError that parse catches.
type parser struct {
	text string
	at   int
	deep int
	old  bool // takes what releases before 0.2 took beyond the standard: see old.go
}

type syntaxError struct {
	at   int
	what string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%s, at character %d", e.what, e.at+1) }

// parse reads all of a text.
func parse(text string) (*query, error) { return (&parser{text: text}).all() }

func (p *parser) all() (q *query, err error) {
	if !utf8.ValidString(p.text) {
		return nil, &syntaxError{0, "not UTF-8"}
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *syntaxError:
			r.at = utf8.RuneCountInString(p.text[:r.at])
			q, err = nil, r
		default:
			panic(r)
		}
	}()
	if !p.take("$") {
		if !p.old {
			p.fail("a path starts with $, the whole document")
		}
		p.oldStart()
	}
	q = p.query(false)
	if p.at < len(p.text) {
		p.fail("unexpected %s", p.next())
	}
	return q, nil
}

func (p *parser) fail(format string, args ...any) {
	panic(&syntaxError{p.at, fmt.Sprintf(format, args...)})
}

// next is what stands here, for a message.
func (p *parser) next() string {
	r, size := utf8.DecodeRuneInString(p.text[p.at:])
	if size == 0 {
		return "end"
	}
	return strconv.QuoteRune(r)
}

func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) take(s string) bool {
	if strings.HasPrefix(p.text[p.at:], s) {
		p.at += len(s)
		return true
	}
	return false
}

func (p *parser) need(s string) {
	if !p.take(s) {
		p.fail("want %q, found %s", s, p.next())
	}
}

func (p *parser) blanks() {
	for p.at < len(p.text) && strings.IndexByte(" \t\n\r", p.text[p.at]) >= 0 {
		p.at++
	}
}

func (p *parser) enter() {
	if p.deep++; p.deep > maxNesting {
		p.fail("conditions and functions nested deeper than %d", maxNesting)
	}
}

// query reads the segments behind $ or @.
func (p *parser) query(relative bool) *query {
	q := &query{relative: relative}
	for {
		before := p.at
		p.blanks()
		switch {
		case p.take(".."):
			s := segment{descendant: true}
			if p.old {
				p.oldDescent()
			}
			if p.take("[") {
				s.selectors = p.selectors()
			} else {
				s.selectors = []selector{p.shorthand()}
			}
			q.segments = append(q.segments, s)
		case p.take("."):
			q.segments = append(q.segments, segment{selectors: []selector{p.shorthand()}})
		case p.take("["):
			q.segments = append(q.segments, segment{selectors: p.selectors()})
		case p.old && p.oldWildcard():
			q.segments = append(q.segments, segment{selectors: []selector{{kind: selectWildcard}}})
		default:
			p.at = before
			return q
		}
	}
}

// shorthand reads what stands behind a dot.
func (p *parser) shorthand() selector {
	if p.take("*") {
		return selector{kind: selectWildcard}
	}
	start := p.at
	for i, r := range p.text[start:] {
		if !nameRune(r, i == 0) && !(p.old && oldNameRune(r)) {
			break
		}
		p.at = start + i + utf8.RuneLen(r)
	}
	if p.at == start {
		p.fail("want a name, found %s; other names stand in brackets: ['…']", p.next())
	}
	return selector{kind: selectName, name: p.text[start:p.at]}
}

func nameRune(r rune, first bool) bool {
	return r == '_' || r >= 0x80 || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || !first && '0' <= r && r <= '9'
}

// selectors reads what stands between brackets, up to the closing one.
func (p *parser) selectors() (list []selector) {
	for {
		p.blanks()
		list = append(list, p.selector())
		p.blanks()
		if p.take("]") {
			return list
		}
		p.need(",")
	}
}

func (p *parser) selector() selector {
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		return selector{kind: selectName, name: p.quoted()}
	case p.take("*"):
		return selector{kind: selectWildcard}
	case p.take("?"):
		p.enter()
		p.blanks()
		x := p.or()
		p.deep--
		return selector{kind: selectFilter, filter: x}
	case c == ':' || c == '-' || '0' <= c && c <= '9':
		return p.position()
	}
	p.fail("want a name in quotes, an index, a slice, * or ?, found %s", p.next())
	return selector{}
}

// position reads an index or a slice.
func (p *parser) position() selector {
	start := p.integer()
	before := p.at
	p.blanks()
	if !p.take(":") {
		p.at = before
		return selector{kind: selectIndex, index: *start}
	}
	s := slice{start: start}
	p.blanks()
	s.end = p.integer()
	before = p.at
	p.blanks()
	if p.take(":") {
		p.blanks()
		s.step = p.integer()
		return selector{kind: selectSlice, slice: s}
	}
	p.at = before
	return selector{kind: selectSlice, slice: s}
}

// integer reads one, or nil when none stands here.
func (p *parser) integer() *int {
	start := p.at
	p.take("-")
	p.digits()
	text := p.text[start:p.at]
	if text == "" {
		return nil
	}
	digits := strings.TrimPrefix(text, "-")
	n, err := strconv.ParseInt(text, 10, 64)
	plain := text != "-0" && (len(digits) < 2 || digits[0] != '0')
	if digits == "" || !plain && !p.old || err != nil || n > maxInteger || n < -maxInteger {
		p.at = start
		p.fail("%s is no index: want an integer without leading zeros, up to %d", text, maxInteger)
	}
	i := int(n)
	return &i
}

func (p *parser) digits() (n int) {
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.at++
		n++
	}
	return n
}

// quoted reads a text in single or double quotes.
func (p *parser) quoted() string {
	quote := p.text[p.at]
	p.at++
	var b strings.Builder
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == quote:
			p.at++
			return b.String()
		case c < ' ' && !p.old:
			p.fail("a control character is written \\n, \\t or \\u%04x", c)
		case c == '\\':
			p.at++
			b.WriteRune(p.escape(quote))
		default:
			b.WriteByte(c)
			p.at++
		}
	}
	p.fail("the quote is not closed")
	return ""
}

// escapes are the escapes of one character.
var escapes = map[byte]rune{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', '/': '/', '\\': '\\'}

// escape reads what stands behind a backslash.
func (p *parser) escape(quote byte) rune {
	c := p.peek()
	if r, ok := escapes[c]; ok {
		p.at++
		return r
	}
	switch c {
	case quote:
		p.at++
		return rune(quote)
	case 'u':
		r := p.hex()
		if utf16.IsSurrogate(r) {
			if p.peek() != '\\' || !strings.HasPrefix(p.text[p.at+1:], "u") {
				p.fail("half of a surrogate pair")
			}
			p.at++
			if r = utf16.DecodeRune(r, p.hex()); r == utf8.RuneError {
				p.fail("half of a surrogate pair")
			}
		}
		return r
	}
	if p.old {
		return p.oldEscape()
	}
	p.fail("%s is no escape here", p.next())
	return 0
}

// hex reads uXXXX.
func (p *parser) hex() rune {
	if len(p.text) < p.at+5 {
		p.fail("want four hexadecimal digits behind \\u")
	}
	digits := p.text[p.at+1 : p.at+5]
	n, err := strconv.ParseUint(digits, 16, 16)
	if err != nil {
		p.fail("want four hexadecimal digits behind \\u")
	}
	p.at += 5
	return rune(n)
}
