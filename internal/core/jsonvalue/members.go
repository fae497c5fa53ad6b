package jsonvalue

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Visitor is shown the members of an object in the order of the text. The slices
// are parts of the text: a key with its quotes and escapes, a value, both as they
// are written.
type Visitor interface {
	// Enter is asked before a value that is an object: who visits the members of
	// that one, or nil for nobody.
	Enter(key []byte) Visitor
	// Member is told every member when its end is found. An error ends the walk.
	Member(key, value []byte) error
}

// Walk shows the members of a JSON object to v. It accepts exactly what Parse does
// and builds nothing: for whoever wants a part of a text, or to carry it on. The
// error is Parse's, or that of a visitor; members before a flaw have been shown
// then.
func Walk(text []byte, v Visitor) error {
	i := skipBlanks(text, 0)
	if i == len(text) || text[i] != '{' {
		_, err := ParseObject(text)
		return err
	}
	end, err := skipObject(text, i, 1, v)
	if err != nil {
		return err
	}
	if end >= 0 && skipBlanks(text, end) == len(text) {
		return nil
	}
	if _, err := Parse(text); err != nil {
		return err
	}
	return fault.New(fault.Invalid, "not JSON")
}

// Members is Walk over one object alone.
func Members(text []byte, visit func(key, value []byte) error) error {
	return Walk(text, flatVisitor(visit))
}

type flatVisitor func(key, value []byte) error

func (flatVisitor) Enter([]byte) Visitor             { return nil }
func (f flatVisitor) Member(key, value []byte) error { return f(key, value) }

// The skip functions return where something ends, or -1 when it breaks the rules.

func skipBlanks(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipObject skips the object at b[i] == '{'; v may be nil.
func skipObject(b []byte, i, depth int, v Visitor) (int, error) {
	if depth > MaxDepth {
		return -1, nil
	}
	if i = skipBlanks(b, i+1); i < len(b) && b[i] == '}' {
		return i + 1, nil
	}
	for i < len(b) && b[i] == '"' {
		key := i
		keyEnd := skipString(b, i)
		if keyEnd < 0 {
			return -1, nil
		}
		if i = skipBlanks(b, keyEnd); i == len(b) || b[i] != ':' {
			return -1, nil
		}
		value := skipBlanks(b, i+1)
		if v == nil {
			i = skipValue(b, value, depth)
		} else {
			var err error
			if i, err = visitMember(b, key, keyEnd, value, depth, v); err != nil {
				return -1, err
			}
		}
		if i < 0 {
			return -1, nil
		}
		if i = skipBlanks(b, i); i == len(b) {
			return -1, nil
		}
		if b[i] == '}' {
			return i + 1, nil
		}
		if b[i] != ',' {
			return -1, nil
		}
		i = skipBlanks(b, i+1)
	}
	return -1, nil
}

// visitMember skips the value at value and shows it with its key.
func visitMember(b []byte, key, keyEnd, value, depth int, v Visitor) (int, error) {
	var inner Visitor
	if value < len(b) && b[value] == '{' {
		inner = v.Enter(b[key:keyEnd])
	}
	var end int
	var err error
	if inner == nil {
		end = skipValue(b, value, depth)
	} else {
		end, err = skipObject(b, value, depth+1, inner)
	}
	if err != nil || end < 0 {
		return -1, err
	}
	return end, v.Member(b[key:keyEnd], b[value:end])
}

func skipArray(b []byte, i, depth int) int {
	if depth > MaxDepth {
		return -1
	}
	if i = skipBlanks(b, i+1); i < len(b) && b[i] == ']' {
		return i + 1
	}
	for {
		if i = skipValue(b, skipBlanks(b, i), depth); i < 0 {
			return -1
		}
		if i = skipBlanks(b, i); i == len(b) {
			return -1
		}
		if b[i] == ']' {
			return i + 1
		}
		if b[i] != ',' {
			return -1
		}
		i++
	}
}

func skipValue(b []byte, i, depth int) int {
	if i == len(b) {
		return -1
	}
	switch c := b[i]; {
	case c == '"':
		return skipString(b, i)
	case c == '{':
		i, _ = skipObject(b, i, depth+1, nil)
		return i
	case c == '[':
		return skipArray(b, i, depth+1)
	case c == '-' || '0' <= c && c <= '9':
		return skipNumber(b, i)
	case c == 't':
		return skipWord(b, i, "true")
	case c == 'f':
		return skipWord(b, i, "false")
	case c == 'n':
		return skipWord(b, i, "null")
	}
	return -1
}

func skipWord(b []byte, i int, word string) int {
	if len(b)-i >= len(word) && string(b[i:i+len(word)]) == word {
		return i + len(word)
	}
	return -1
}

// skipString skips the string at b[i] == '"'.
func skipString(b []byte, i int) int {
	start := i
	ascii := true
	for i++; ; i++ {
		if i = skipPlain(b, i); i >= len(b) {
			return -1
		}
		switch c := b[i]; {
		case c == '"':
			if !ascii && !utf8.Valid(b[start:i]) {
				return -1
			}
			return i + 1
		case c == '\\':
			if i = skipEscape(b, i); i < 0 {
				return -1
			}
		case c < ' ':
			return -1
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
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

// skipEscape returns the last byte of the escape at b[i] == '\\'.
func skipEscape(b []byte, i int) int {
	if i++; i == len(b) {
		return -1
	}
	if escapes[b[i]] != 0 {
		return i
	}
	if b[i] != 'u' || len(b)-i <= 4 {
		return -1
	}
	for _, c := range b[i+1 : i+5] {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return -1
		}
	}
	return i + 4
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

func skipNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	whole := i
	if i = skipDigits(b, i); i == whole || b[whole] == '0' && i > whole+1 {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		fraction := i + 1
		if i = skipDigits(b, fraction); i == fraction {
			return -1
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		exponent := i
		if i = skipDigits(b, i); i == exponent {
			return -1
		}
	}
	return i
}
