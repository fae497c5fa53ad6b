package fql

import (
	"fmt"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/fault"
)

// MaxText is the greatest length of a filter's text in bytes.
const MaxText = 16 << 10

type kind uint8

const (
	kindEnd     kind = iota // end of input, or of a group's tokens; counts as the value "eos"
	kindIdent               // text without escapes; may be dotted once joined
	kindString              // text with its quotes
	kindNumber              // text as written
	kindOp                  // = != < <= > >= !
	kindWord                // and, or
	kindNull                // null
	kindDot                 // .
	kindComma               // ,
	kindOpen                // (
	kindClose               // )
	kindBracket             // [ or ]
)

// token is one word of the text. Its text is what operators and values are
// compared by, so a quoted "=" is not the operator =.
type token struct {
	kind     kind
	text     string
	pos, end int // bytes of the source
}

// endText is the text of the token that stands for the end. It shows: a value
// that is missing at the end of the input is the text "eos".
const endText = "eos"

// lexer makes tokens. With a recover function it reports an error and goes on
// behind the character that caused it, for Lint.
type lexer struct {
	text    string
	pos     int
	tokens  []token
	recover func(*problem)
	cut     []token // names that lost their letters at the end of the input
}

// problem is what makes a whole text invalid.
type problem struct {
	pos    int
	reason string
	hint   hint
}

// hint says which kind of mistake in the characters it is.
type hint uint8

const (
	hintNone    hint = iota
	hintChar         // a character that has no meaning
	hintAfter        // a name runs into something
	hintBang         // ! or != runs into something
	hintQuote        // string without an end
	hintNumber       // stray decimal point
	hintEscape       // \ before nothing or before half a character
	hintLetters      // a letter outside ASCII without a backslash
)

// lex splits the text into tokens, without one for the end.
func lex(text string) ([]token, *problem) {
	l := lexer{text: text, tokens: make([]token, 0, len(text)/4+4)}
	if p := l.run(); p != nil {
		return nil, p
	}
	return l.tokens, nil
}

// in is the Invalid error that names the problem and its place.
func (p *problem) in(text string) error {
	line, column := lineColumn(text, p.pos)
	return fault.New(fault.Invalid, "filter, line %d, column %d: %s", line, column, p.reason)
}

func (l *lexer) run() *problem {
	for l.pos < len(l.text) {
		start := l.pos
		err := l.one()
		if err == nil {
			continue
		}
		if l.recover == nil {
			return err
		}
		l.recover(err)
		if l.pos <= start {
			_, size := utf8.DecodeRuneInString(l.text[start:])
			l.pos = start + size
		}
	}
	return nil
}

var single = [256]kind{'.': kindDot, ',': kindComma, '(': kindOpen, ')': kindClose, '[': kindBracket, ']': kindBracket, '=': kindOp}

// one reads one token or blank.
func (l *lexer) one() *problem {
	start := l.pos
	c := l.text[start]
	switch {
	case c == ' ' || c == '\t' || c == '\n':
		l.pos++
	case single[c] != kindEnd:
		l.pos++
		l.add(single[c], start)
	case c == '"' || c == '\'':
		return l.str(c)
	case isDigit(c) || c == '-' || c == '+':
		return l.number()
	case c == '<' || c == '>':
		l.pos++
		if l.at(l.pos) == '=' && l.terminated(l.pos+1) {
			l.pos++
		}
		l.add(kindOp, start)
	case c == '!':
		return l.bang()
	case isLetter(c) || c == '_' || c == '\\':
		return l.word(c)
	default:
		return badChar(l.text, start)
	}
	return nil
}

func badChar(text string, pos int) *problem {
	r, _ := utf8.DecodeRuneInString(text[pos:])
	switch {
	case r == '\r':
		return &problem{pos, "a carriage return is not a blank here; lines must end with a newline only", hintNone}
	case r >= utf8.RuneSelf && r != '“' && r != '”' && r != '‘' && r != '’':
		return &problem{pos, fmt.Sprintf("character %q needs a backslash before it", r), hintLetters}
	}
	return &problem{pos, fmt.Sprintf("character %q has no meaning", r), hintChar}
}

func (l *lexer) add(k kind, start int) {
	l.tokens = append(l.tokens, token{k, l.text[start:l.pos], start, l.pos})
}

// at is the byte at i, or 0 behind the end.
func (l *lexer) at(i int) byte {
	if i < len(l.text) {
		return l.text[i]
	}
	return 0
}

// terminated reports whether the input ends at i or a terminator stands there.
func (l *lexer) terminated(i int) bool { return i >= len(l.text) || isTerminator(l.text[i]) }

// str reads a string. There are no escapes. The closing quote is consumed only
// before a terminator; otherwise it stays and opens the next string.
func (l *lexer) str(quote byte) *problem {
	start := l.pos
	for i := start + 1; i < len(l.text); i++ {
		if l.text[i] != quote {
			continue
		}
		l.pos = i + 1
		l.add(kindString, start)
		if !l.terminated(i + 1) {
			l.pos = i
		}
		return nil
	}
	l.pos = len(l.text)
	reason := "string without an end"
	if n := len(l.tokens); n > 0 && l.tokens[n-1].end > start {
		reason += ": a closing quote that no blank follows opens a new string"
		if l.at(start+1) == '\r' {
			reason += ", and a carriage return is not a blank here"
		}
	}
	return &problem{start, reason, hintQuote}
}

// number reads digits and at most one point. A sign alone is a number too, not
// a number's value: NaN.
func (l *lexer) number() *problem {
	start := l.pos
	point := false
	for l.pos++; isDigit(l.at(l.pos)) || l.at(l.pos) == '.'; l.pos++ {
		if l.text[l.pos] != '.' {
			continue
		}
		if l.terminated(l.pos+1) || point {
			err := &problem{l.pos, "stray decimal point in a number", hintNumber}
			l.pos++
			return err
		}
		point = true
	}
	l.add(kindNumber, start)
	return nil
}

// bang reads != or the ! before a function.
func (l *lexer) bang() *problem {
	start := l.pos
	next := l.at(start + 1)
	l.pos++
	switch {
	case isLetter(next) || next == '(':
	case next == '=' && l.terminated(start+2):
		l.pos++
	case next == '=':
		return &problem{start, "after != must come a blank", hintBang}
	default:
		return &problem{start, "! stands only in != and right before a function", hintBang}
	}
	l.add(kindOp, start)
	return nil
}

// word reads and, or, null or a name.
func (l *lexer) word(c byte) *problem {
	start := l.pos
	rest, k := "", kindWord
	switch c {
	case 'a':
		rest = "nd"
	case 'o':
		rest = "r"
	case 'n':
		rest, k = "ull", kindNull
	}
	if rest == "" {
		return l.ident()
	}
	switch l.keyword(rest) {
	case keywordYes:
		l.pos += 1 + len(rest)
		l.add(k, start)
		return nil
	case keywordCut:
		// The input ended while a keyword was looked for: what was read is lost.
		l.pos = len(l.text)
		l.tokens = append(l.tokens, token{kindIdent, l.text[start : start+1], start, l.pos})
		if l.pos > start+1 {
			l.cut = append(l.cut, l.tokens[len(l.tokens)-1])
		}
		return nil
	}
	return l.ident()
}

const (
	keywordNo = iota
	keywordYes
	keywordCut
)

// keyword looks for the rest of a keyword behind the letter at pos, with a
// terminator after it. It counts in UTF-16 units, as the original does, which
// shows when the input ends meanwhile.
func (l *lexer) keyword(rest string) int {
	i, units := l.pos+1, 0
	for units < len(rest) {
		if i >= len(l.text) {
			return keywordCut
		}
		if isTerminator(l.text[i]) {
			return keywordNo
		}
		r, size := utf8.DecodeRuneInString(l.text[i:])
		i += size
		units++
		if r > 0xffff {
			units++
		}
	}
	if units == len(rest) && l.text[l.pos+1:i] == rest && l.terminated(i) {
		return keywordYes
	}
	return keywordNo
}

// ident reads a name. A backslash takes the next character as it is.
func (l *lexer) ident() *problem {
	start := l.pos
	var plain []byte // the name without escapes, once there was one
	for l.pos < len(l.text) {
		c := l.text[l.pos]
		if c == '\\' {
			if plain == nil {
				plain = append(make([]byte, 0, 32), l.text[start:l.pos]...)
			}
			r, size := utf8.DecodeRuneInString(l.text[l.pos+1:])
			if size == 0 || r > 0xffff {
				// A character of two UTF-16 units is escaped by half only.
				err := &problem{l.pos, "a backslash cannot stand before " + nothingOr(r, size), hintEscape}
				l.pos += 1 + size
				return err
			}
			plain = append(plain, l.text[l.pos+1:l.pos+1+size]...)
			l.pos += 1 + size
			continue
		}
		if !isLetter(c) && !isDigit(c) && c != '_' && c != '-' {
			break
		}
		if plain != nil {
			plain = append(plain, c)
		}
		l.pos++
	}
	name := l.text[start:l.pos]
	if plain != nil {
		name = string(plain)
	}
	l.tokens = append(l.tokens, token{kindIdent, name, start, l.pos})
	if c := l.at(l.pos); !l.terminated(l.pos) && c != '.' && c != '(' && c != '=' && c != '!' {
		if c >= utf8.RuneSelf || c == '\r' {
			return badChar(l.text, l.pos)
		}
		return &problem{l.pos, fmt.Sprintf("%q cannot follow a name directly; put a blank between", c), hintAfter}
	}
	return nil
}

func nothingOr(r rune, size int) string {
	if size == 0 {
		return "the end"
	}
	return fmt.Sprintf("%q", r)
}

func isTerminator(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == ',' || c == ']' || c == ')'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// lineColumn gives line and column, both from 1, the column in characters.
func lineColumn(text string, pos int) (line, column int) {
	line, start := 1, 0
	for i := range min(pos, len(text)) {
		if text[i] == '\n' {
			line++
			start = i + 1
		}
	}
	return line, utf8.RuneCountInString(text[start:min(pos, len(text))]) + 1
}
