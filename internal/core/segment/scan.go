package segment

import (
	"encoding/json"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// The scanner checks JSON by RFC 8259 without building anything, and knows a
// second, tolerant way to find where a broken value ends. Both are loops, not
// recursion, so that depth costs nothing.

// Reasons the scanner gives.
const (
	flawEnd     = "not JSON: it ends early"
	flawSyntax  = "not JSON: unexpected character"
	flawNumber  = "not JSON: bad number"
	flawEscape  = "not JSON: bad escape in a text"
	flawZero    = "not JSON: zero byte"
	flawControl = "not JSON: control character in a text"
	flawUTF8    = "not UTF-8"
	flawTrail   = "not JSON: something follows the value"
)

// plain marks bytes that a string may hold as they are.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 256; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// text skips the string that starts at b[i] == '"'. UTF-8 is not looked at.
func text(b []byte, i int) (int, string) {
	for i++; i < len(b); i++ {
		c := b[i]
		if plain[c] {
			continue
		}
		switch {
		case c == '"':
			return i + 1, ""
		case c == '\\':
			i++
			if i == len(b) {
				return i, flawEnd
			}
			switch b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if i+4 >= len(b) {
					return i, flawEnd
				}
				for k := 1; k <= 4; k++ {
					if !isHex(b[i+k]) {
						return i, flawEscape
					}
				}
				i += 4
			default:
				return i, flawEscape
			}
		case c == 0:
			return i, flawZero
		default:
			return i, flawControl
		}
	}
	return i, flawEnd
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func digits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

// number skips a number by the grammar of RFC 8259, section 6.
func number(b []byte, i int) (int, string) {
	if b[i] == '-' {
		i++
	}
	first := i
	if i = digits(b, i); i == first || b[first] == '0' && i > first+1 {
		return i, flawNumber
	}
	if i < len(b) && b[i] == '.' {
		at := i + 1
		if i = digits(b, at); i == at {
			return i, flawNumber
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		at := i
		if i = digits(b, at); i == at {
			return i, flawNumber
		}
	}
	return i, ""
}

func word(b []byte, i int, w string) (int, string) {
	if len(b)-i >= len(w) && string(b[i:i+len(w)]) == w {
		return i + len(w), ""
	}
	return i, flawSyntax
}

// name skips a member's key and colon.
func name(b []byte, i int) (int, string) {
	if i == len(b) {
		return i, flawEnd
	}
	if b[i] != '"' {
		return i, flawAt(b[i])
	}
	i, flaw := text(b, i)
	if flaw != "" {
		return i, flaw
	}
	if i = space(b, i); i == len(b) {
		return i, flawEnd
	}
	if b[i] != ':' {
		return i, flawAt(b[i])
	}
	return i + 1, ""
}

func flawAt(c byte) string {
	if c == 0 {
		return flawZero
	}
	return flawSyntax
}

// value skips the value that starts at or after b[i] and returns where it ends,
// or what is wrong with it. depth is how many arrays and objects are open
// around it.
func value(b []byte, i, depth int) (int, string) {
	var object [jsonvalue.MaxDepth]bool // object[n]: level n is an object
	n := 0
	var flaw string
next:
	for {
		if i = space(b, i); i == len(b) {
			return i, flawEnd
		}
		switch c := b[i]; c {
		case '"':
			i, flaw = text(b, i)
		case '{', '[':
			if depth+n == jsonvalue.MaxDepth {
				return i, flawDepth
			}
			object[n] = c == '{'
			n++
			if i = space(b, i+1); i == len(b) {
				return i, flawEnd
			}
			if b[i] == c+2 { // '}' and ']' are two after '{' and '['
				i++
				n--
				break
			}
			if c == '{' {
				if i, flaw = name(b, i); flaw != "" {
					return i, flaw
				}
			}
			continue next
		case 't':
			i, flaw = word(b, i, "true")
		case 'f':
			i, flaw = word(b, i, "false")
		case 'n':
			i, flaw = word(b, i, "null")
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			i, flaw = number(b, i)
		default:
			return i, flawAt(c)
		}
		if flaw != "" {
			return i, flaw
		}
		for n > 0 { // after a value inside something
			if i = space(b, i); i == len(b) {
				return i, flawEnd
			}
			switch c := b[i]; {
			case c == ',':
				i++
				if object[n-1] {
					if i, flaw = name(b, space(b, i)); flaw != "" {
						return i, flaw
					}
				}
				continue next
			case c == '}' && object[n-1], c == ']' && !object[n-1]:
				i++
				n--
			default:
				return i, flawAt(c)
			}
		}
		return i, ""
	}
}

// cut finds where the value at b[i] ends by brackets and quotes alone, whatever
// else is wrong with it. False: no end can be found.
func cut(b []byte, i int) (int, bool) {
	open := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			open++
		case '}', ']':
			if open == 0 {
				return i, true
			}
			if open--; open == 0 {
				return i + 1, true
			}
		case ',':
			if open == 0 {
				return i, true
			}
		}
	}
	return i, false
}

// unquote returns the text of a JSON string that text accepts; unpaired
// surrogates and broken UTF-8 become U+FFFD.
func unquote(raw []byte) string {
	for k := 1; k < len(raw)-1; k++ {
		if raw[k] == '\\' || raw[k] >= 0x80 {
			var s string
			_ = json.Unmarshal(raw, &s) // cannot fail: the scanner took it
			return s
		}
	}
	return string(raw[1 : len(raw)-1])
}
