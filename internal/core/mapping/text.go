package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// replacement is one search and replace of @replace.
type replacement struct {
	pattern    string
	with       string
	ignoreCase bool
	global     bool
}

// apply replaces the literal pattern in s. The result may not pass limit bytes:
// $` and $' repeat the surroundings of every match.
func (r replacement) apply(s string, limit int) (string, bool) {
	var out []byte
	pos := 0
	for from := 0; from <= len(s); {
		start, end := r.find(s, from)
		if start < 0 {
			break
		}
		out = append(out, s[pos:start]...)
		out = r.expand(out, s, start, end)
		if len(out) > limit {
			return "", false
		}
		pos, from = end, end
		if !r.global {
			break
		}
	}
	if out == nil && pos == 0 {
		return s, len(s) <= limit
	}
	out = append(out, s[pos:]...)
	return string(out), len(out) <= limit
}

// cost is the steps of searching s.
func (r replacement) cost(s string) int {
	if r.ignoreCase {
		return perPattern * len(s)
	}
	return len(s)
}

func (r replacement) find(s string, from int) (start, end int) {
	if !r.ignoreCase {
		i := strings.Index(s[from:], r.pattern)
		if i < 0 {
			return -1, -1
		}
		return from + i, from + i + len(r.pattern)
	}
	for i := from; i < len(s); {
		if n := matchFold(s[i:], r.pattern); n > 0 {
			return i, i + n
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return -1, -1
}

// matchFold is the length of pattern at the start of s by JavaScript's rule for
// /i without /u, or 0.
func matchFold(s, pattern string) int {
	i := 0
	for _, p := range pattern {
		c, size := utf8.DecodeRuneInString(s[i:])
		if size == 0 || fold(c) != fold(p) {
			return 0
		}
		i += size
	}
	return i
}

// fold is ECMA-262's Canonicalize: upper case, one unit to one unit, never from
// outside ASCII into it.
func fold(r rune) rune {
	u := unicode.ToUpper(r)
	if r > 0xffff || (r >= utf8.RuneSelf && u < utf8.RuneSelf) {
		return r
	}
	return u
}

// expand appends the replacement with JavaScript's patterns: $$, $&, $` and $'.
// There are no groups, so $1 stays as it is.
func (r replacement) expand(dst []byte, s string, start, end int) []byte {
	w := r.with
	for i := 0; i < len(w); i++ {
		if w[i] == '$' && i+1 < len(w) {
			i++
			switch w[i] {
			case '$':
				dst = append(dst, '$')
				continue
			case '&':
				dst = append(dst, s[start:end]...)
				continue
			case '`':
				dst = append(dst, s[:start]...)
				continue
			case '\'':
				dst = append(dst, s[end:]...)
				continue
			}
			i--
		}
		dst = append(dst, w[i])
	}
	return dst
}
