// Package js is what JavaScript does with texts, numbers and dates. Segment's
// mapping kit and liquidjs are written in it, and their results show it: lengths are
// in UTF-16 units, NaN is a number, an array is a text with commas.
//
// Values are those of package jsonvalue.
package js

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Trim is String.prototype.trim: Unicode blanks and the byte order mark.
func Trim(s string) string { return strings.TrimFunc(s, IsBlank) }

// IsBlank is what \s matches.
func IsBlank(r rune) bool { return r == '\ufeff' || (r != '\u0085' && unicode.IsSpace(r)) }

// IsASCII reports whether a text is plain ASCII.
func IsASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Upper is toUpperCase, by the full Unicode rules; the standard library knows only
// the simple ones (not ß → SS, final sigma, İ).
func Upper(s string) string {
	if IsASCII(s) {
		return strings.ToUpper(s)
	}
	return cases.Upper(language.Und).String(s)
}

// Lower is toLowerCase, by the same rules.
func Lower(s string) string {
	if IsASCII(s) {
		return strings.ToLower(s)
	}
	return cases.Lower(language.Und).String(s)
}

// Length is the length as JavaScript counts it: in UTF-16 units.
func Length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// Units splits a text into its UTF-16 units; half a surrogate pair becomes U+FFFD.
func Units(s string) []string {
	out := make([]string, 0, len(s))
	for _, r := range s {
		if utf16.RuneLen(r) == 2 {
			out = append(out, "\ufffd", "\ufffd")
			continue
		}
		out = append(out, string(r))
	}
	return out
}

// unitAt is the UTF-16 unit at i, or Undefined; half a surrogate pair is U+FFFD.
func unitAt(s string, i int) any {
	at := 0
	for _, r := range s {
		n := utf16.RuneLen(r)
		if i < at+n {
			if n == 2 {
				return "\ufffd"
			}
			return string(r)
		}
		at += n
	}
	return jsonvalue.Undefined{}
}

// Slice is the text between two UTF-16 positions, of which negative ones count
// from the end, as JavaScript's slice does.
func Slice(s string, from, to int) string {
	if IsASCII(s) {
		from, to = Within(from, len(s)), Within(to, len(s))
		return s[from:max(from, to)]
	}
	n := Length(s)
	from, to = Within(from, n), Within(to, n)
	var out strings.Builder // half a pair comes out whole or not at all
	i := 0
	for _, r := range s {
		if i >= from && i < to {
			out.WriteRune(r)
		}
		if i++; r > 0xffff {
			i++
		}
	}
	return out.String()
}

// Within is a position of which a negative one counts from the end, made one of 0 to n.
func Within(i, n int) int {
	if i < 0 {
		i += n
	}
	return min(max(i, 0), n)
}

// Compare orders texts by their UTF-16 units: what takes two of them comes
// before the end of the first plane.
func Compare(a, b string) int {
	for a != "" && b != "" {
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		if x != y {
			if (x > 0xffff) != (y > 0xffff) && min(x, y) > 0xdfff {
				x, y = y, x
			}
			return cmp.Compare(x, y)
		}
		a, b = a[n:], b[m:]
	}
	return cmp.Compare(len(a), len(b))
}
