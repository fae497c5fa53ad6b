package jsonvalue

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deeply arrays and objects may nest. It bounds the recursion of
// everything that walks a value.
const MaxDepth = 200

// A Flaw is how a text breaks the rules of RFC 8259; 0 is not at all.
type Flaw uint8

// What can be wrong. A flaw that wants something has found something else, or the
// end of the text, at its place.
const (
	WantValue Flaw = iota + 1
	WantKey
	WantColon
	WantMember
	WantElement
	WantDigit
	WantEscape
	WantHex
	ZeroFirst
	Control
	Endless
	NotUTF8
	TooDeep
	MoreText
)

var flaws = [...]string{
	WantValue:   "want a value",
	WantKey:     "want a key in double quotes",
	WantColon:   "want a colon",
	WantMember:  "want a comma or }",
	WantElement: "want a comma or ]",
	WantDigit:   "want a digit",
	WantEscape:  "want an escape",
	WantHex:     "want four hexadecimal digits",
	ZeroFirst:   "a number cannot start with 0",
	Control:     "a control character in a string must be escaped",
	Endless:     "a string has no end",
	NotUTF8:     "a string is not UTF-8",
	TooDeep:     fmt.Sprintf("nested deeper than %d levels", MaxDepth),
	MoreText:    "more text after the value",
}

func (f Flaw) String() string { return flaws[f] }

// The scanner is the one place that knows the grammar. It looks at bytes and builds
// nothing. Its functions are told where something starts in b, and return where it
// ends; or, with a flaw, where that is. Whether strings are UTF-8 they leave to
// their callers, who are told when there is a question.

// content is what strings hold beside plain ASCII.
type content uint8

const (
	escapes  content = 1 << iota
	nonASCII         // perhaps not UTF-8
)

// SkipBlanks returns the first place from i on that is not blank.
func SkipBlanks(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// Enter steps into the array or object at b[i]: to what it holds first or, when it
// is empty, behind it.
func Enter(b []byte, i int) (_ int, more bool) {
	closing := closingOf(b[i])
	if i = SkipBlanks(b, i+1); i < len(b) && b[i] == closing {
		return i + 1, false
	}
	return i, true
}

// Next steps from behind a member or element to the next one, or behind the bracket
// that closes them all: } or ].
func Next(b []byte, i int, closing byte) (_ int, more bool, flaw Flaw) {
	i = SkipBlanks(b, i)
	switch {
	case i < len(b) && b[i] == ',':
		return SkipBlanks(b, i+1), true, 0
	case i < len(b) && b[i] == closing:
		return i + 1, false, 0
	case closing == '}':
		return i, false, WantMember
	}
	return i, false, WantElement
}

// SkipValue returns where the value at b[i] ends. depth is how many arrays and
// objects are open around it. Its strings may hold bytes that are not UTF-8.
func SkipValue(b []byte, i, depth int) (end int, flaw Flaw) {
	end, _, flaw = scanValue(b, i, depth)
	return end, flaw
}

// SkipKey returns where the key at b[i] ends, its last quote included, and where
// the value behind its colon starts. A flaw is at value.
func SkipKey(b []byte, i int) (end, value int, flaw Flaw) {
	end, value, _, flaw = scanKey(b, i)
	return end, value, flaw
}

// SkipString returns where the string at b[i] == '"' ends. It may hold bytes that
// are not UTF-8.
func SkipString(b []byte, i int) (end int, flaw Flaw) {
	end, _, flaw = scanString(b, i)
	return end, flaw
}

func scanValue(b []byte, i, depth int) (int, content, Flaw) {
	if i == len(b) {
		return i, 0, WantValue
	}
	switch b[i] {
	case '"':
		return scanString(b, i)
	case '{', '[':
		return scanNested(b, i, depth+1)
	}
	end, flaw := scanBare(b, i)
	return end, 0, flaw
}

// scanNested scans the array or object at b[i], which is the depth-th that is open.
func scanNested(b []byte, i, depth int) (_ int, all content, flaw Flaw) {
	if depth > MaxDepth {
		return i, 0, TooDeep
	}
	closing := closingOf(b[i])
	var holds content
	i, more := Enter(b, i)
	for more {
		if closing == '}' {
			if _, i, holds, flaw = scanKey(b, i); flaw != 0 {
				return i, 0, flaw
			}
			all |= holds
		}
		if i, holds, flaw = scanValue(b, i, depth); flaw != 0 {
			return i, 0, flaw
		}
		all |= holds
		if i, more, flaw = Next(b, i, closing); flaw != 0 {
			return i, 0, flaw
		}
	}
	return i, all, 0
}

func closingOf(opening byte) byte { return opening + 2 } // in ASCII

// scanKey returns the end of a key, and where behind the colon its value starts.
func scanKey(b []byte, i int) (end, value int, holds content, flaw Flaw) {
	if i == len(b) || b[i] != '"' {
		return i, i, 0, WantKey
	}
	if end, holds, flaw = scanString(b, i); flaw != 0 {
		return end, end, holds, flaw
	}
	if i = SkipBlanks(b, end); i == len(b) || b[i] != ':' {
		return end, i, holds, WantColon
	}
	return end, SkipBlanks(b, i+1), holds, 0
}

// scanString scans the string at b[i] == '"'. With a flaw, too, it tells what is
// before that.
func scanString(b []byte, i int) (int, content, Flaw) {
	i = skipPlain(b, i+1)
	if i < len(b) && b[i] == '"' { // most strings
		return i + 1, 0, 0
	}
	return scanRest(b, i)
}

// scanRest scans a string from b[i] on.
func scanRest(b []byte, i int) (_ int, holds content, flaw Flaw) {
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c >= utf8.RuneSelf:
			holds |= nonASCII
		case c == '\\':
			holds |= escapes
			if i, flaw = scanEscape(b, i); flaw != 0 {
				return i, holds, flaw
			}
		case c == '"':
			return i + 1, holds, 0
		case c < ' ':
			return i, holds, Control
		default:
			i = skipPlain(b, i+1) - 1
		}
	}
	return len(b), holds, Endless
}

// skipPlain skips what a string holds as it is, up to the last seven bytes.
func skipPlain(b []byte, i int) int {
	for len(b)-i >= 8 {
		n := plainBytes(binary.LittleEndian.Uint64(b[i:]))
		i += n
		if n < 8 {
			break
		}
	}
	return i
}

// plainBytes is how many bytes of x, from the lowest, a string holds as they are:
// ASCII but quotes, backslashes and control characters. All eight at once: a
// byte's highest bit is set where it is none of them (Warren, Hacker's Delight,
// 6-1; a carry can only spoil bytes above the first hit).
func plainBytes(x uint64) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash := x^ones*'"', x^ones*'\\'
	hit := (x | (x - ones*' ') | (quote - ones) | (slash - ones)) & highs
	return bits.TrailingZeros64(hit) / 8
}

// short is what escapes of one letter stand for.
var short = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// scanEscape returns the last byte of the escape at b[i] == '\\'.
func scanEscape(b []byte, i int) (int, Flaw) {
	if i++; i < len(b) && short[b[i]] != 0 {
		return i, 0
	}
	if i == len(b) || b[i] != 'u' {
		return i, WantEscape
	}
	for range 4 {
		if i++; i == len(b) || !isHex(b[i]) {
			return i, WantHex
		}
	}
	return i, 0
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

// brokenPart returns where the first part of b[start:end] between escapes that is
// not UTF-8 starts, or -1. What is still open at the end is not looked at.
func brokenPart(b []byte, start, end int) int {
	for i := start; i < end; i++ {
		if b[i] != '"' && b[i] != '\\' {
			continue
		}
		if !utf8.Valid(b[start:i]) {
			return start
		}
		if b[i] == '\\' {
			i, _ = scanEscape(b, i)
		}
		start = i + 1
	}
	return -1
}

// Unquote returns the text of a string that the scanner takes, given with its
// quotes. Half a surrogate pair, which Go strings cannot hold, and bytes that are
// not UTF-8 become U+FFFD.
func Unquote(raw []byte) string {
	s := unescape(string(raw[1 : len(raw)-1]))
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	return s
}

// unescape replaces the escapes of a string, given without its quotes.
func unescape(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	for i < len(s) {
		if s[i] != '\\' {
			i++
			continue
		}
		out.WriteString(s[:i])
		c := s[i+1]
		if c != 'u' {
			out.WriteByte(short[c])
			s, i = s[i+2:], 0
			continue
		}
		r := hex4(s[i+2:])
		s, i = s[i+6:], 0
		if utf16.IsSurrogate(r) && strings.HasPrefix(s, `\u`) {
			if pair := utf16.DecodeRune(r, hex4(s[2:])); pair != utf8.RuneError {
				r, s = pair, s[6:]
			}
		}
		out.WriteRune(r) // half a pair is written as U+FFFD
	}
	out.WriteString(s)
	return out.String()
}

func hex4(s string) (r rune) {
	for _, c := range []byte(s[:4]) {
		if c |= 0x20; c >= 'a' {
			c -= 'a' - 10
		}
		r = r<<4 | rune(c&15)
	}
	return r
}

// scanBare scans what has no quotes and brackets: a number, true, false or null.
func scanBare(b []byte, i int) (int, Flaw) {
	word := ""
	switch c := b[i]; {
	case c == '-' || '0' <= c && c <= '9':
		return scanNumber(b, i)
	case c == 't':
		word = "true"
	case c == 'f':
		word = "false"
	case c == 'n':
		word = "null"
	}
	if word == "" || len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return i, WantValue
	}
	return i + len(word), 0
}

func scanNumber(b []byte, i int) (int, Flaw) {
	if b[i] == '-' {
		i++
	}
	whole := i
	if i = skipDigits(b, i); i == whole {
		return i, WantDigit
	}
	if b[whole] == '0' && i > whole+1 {
		return whole, ZeroFirst
	}
	if i < len(b) && b[i] == '.' {
		fraction := i + 1
		if i = skipDigits(b, fraction); i == fraction {
			return i, WantDigit
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		exponent := i
		if i = skipDigits(b, i); i == exponent {
			return i, WantDigit
		}
	}
	return i, 0
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}
