package segment

import "github.com/segue-xm/segue/internal/core/jsonvalue"

// What a sender is told of JSON that the scanner refuses. The end of a broken value
// is then unknown, and cut guesses it.
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

var flawDepth = jsonvalue.TooDeep.String()

// flawOf says what the scanner found at b[i]; "" is nothing.
func flawOf(flaw jsonvalue.Flaw, b []byte, i int) string {
	switch flaw {
	case 0:
		return ""
	case jsonvalue.TooDeep:
		return flawDepth
	case jsonvalue.WantDigit, jsonvalue.ZeroFirst:
		return flawNumber
	case jsonvalue.WantEscape, jsonvalue.WantHex:
		if i < len(b) {
			return flawEscape
		}
	}
	if i == len(b) {
		return flawEnd
	}
	if flaw == jsonvalue.Control && b[i] != 0 {
		return flawControl
	}
	return flawAt(b[i])
}

func flawAt(c byte) string {
	if c == 0 {
		return flawZero
	}
	return flawSyntax
}

func space(b []byte, i int) int { return jsonvalue.SkipBlanks(b, i) }

// name skips a member's key, which ends at end, and its colon. UTF-8 is not looked
// at, by none of these.
func name(b []byte, i int) (end, val int, flaw string) {
	end, val, f := jsonvalue.SkipKey(b, i)
	return end, val, flawOf(f, b, val)
}

// value skips the value at b[i] and returns where it ends, or what is wrong with it.
// depth is how many arrays and objects are open around it.
func value(b []byte, i, depth int) (end int, flaw string) {
	end, f := jsonvalue.SkipValue(b, i, depth)
	return end, flawOf(f, b, end)
}

// next steps over a comma to what follows, or over the closing bracket.
func next(b []byte, i int, closing byte) (_ int, more bool, flaw string) {
	i, more, f := jsonvalue.Next(b, i, closing)
	return i, more, flawOf(f, b, i)
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
