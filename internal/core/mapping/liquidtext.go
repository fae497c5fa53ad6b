package mapping

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

var (
	newlines     = strings.NewReplacer("\r\n", "", "\n", "")
	escapeHTML   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")
	unescapeHTML = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'")
)

// words splits a text at its runs of blanks, as a regular expression would: blanks
// at an end leave an empty word there.
func words(s string) []string {
	var out []string
	for {
		i := strings.IndexFunc(s, isBlank)
		if i < 0 {
			return append(out, s)
		}
		out = append(out, s[:i])
		s = strings.TrimLeftFunc(s[i:], isBlank)
	}
}

func joinBlanks(s string) string { return strings.Join(words(s), " ") }

// stripFilter takes blanks, or given characters, off the ends.
func stripFilter(left, right bool) liquidFilter {
	return func(_ *liquidRun, v any, args []any) (any, error) {
		in := isBlank
		if set := at(args, 0); isWord(set) || truthy(set) {
			chars := liquidText(set)
			in = func(r rune) bool { return strings.ContainsRune(chars, r) }
		}
		s := liquidText(plain(v))
		if left {
			s = strings.TrimLeftFunc(s, in)
		}
		if right {
			s = strings.TrimRightFunc(s, in)
		}
		return s, nil
	}
}

// stripHTML takes scripts, styles, comments and tags out. What is never closed
// stays: a script as a tag, a tag with all that follows.
func stripHTML(s string) string {
	blocks := [][2]string{{"<script", "</script>"}, {"<style", "</style>"}, {"<!--", "-->"}, {"<", ">"}}
	var out strings.Builder
	for {
		start := strings.IndexByte(s, '<')
		if start < 0 {
			break
		}
		out.WriteString(s[:start])
		s = s[start:]
		end := -1
		for i := 0; i < len(blocks) && end < 0; {
			b := blocks[i]
			if !strings.HasPrefix(s, b[0]) {
				i++
				continue
			}
			if n := strings.Index(s[len(b[0]):], b[1]); n >= 0 {
				end = len(b[0]) + n + len(b[1])
				break
			}
			blocks = slices.Delete(blocks, i, i+1) // there is none in the rest either
		}
		if end < 0 {
			break
		}
		s = s[end:]
	}
	return out.String() + s
}

func capitalize(s string) string {
	for i := range s {
		if i > 0 {
			return upper(s[:i]) + lower(s[i:])
		}
	}
	return upper(s)
}

func replaceLast(s, old, with string) string {
	i := strings.LastIndex(s, old)
	if i < 0 {
		return s
	}
	return s[:i] + with + s[i+len(old):]
}

// replaceFilter replaces the first n occurrences, or all.
func replaceFilter(n int) liquidFilter {
	return func(run *liquidRun, v any, args []any) (any, error) {
		s, old, with := liquidText(v), liquidText(at(args, 0)), liquidText(at(args, 1))
		if n < 0 && old == "" && with != "" { // JavaScript joins the characters
			return joined(run, units(s), with)
		}
		count := strings.Count(s, old)
		if n >= 0 {
			count = min(count, n)
		}
		if err := run.take(count * max(0, len(with)-len(old))); err != nil {
			return nil, err
		}
		return strings.Replace(s, old, with, n), nil
	}
}

func joined(run *liquidRun, parts []string, separator string) (any, error) {
	if err := run.take(len(parts) * (len(separator) + 1)); err != nil {
		return nil, err
	}
	return strings.Join(parts, separator), nil
}

// substring is the text between two UTF-16 positions, of which negative ones count
// from the end, as JavaScript's slice does.
func substring(s string, from, to int) string {
	if ascii(s) {
		from, to = within(from, len(s)), within(to, len(s))
		return s[from:max(from, to)]
	}
	n := textLength(s)
	from, to = within(from, n), within(to, n)
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

func within(i, n int) int {
	if i < 0 {
		i += n
	}
	return min(max(i, 0), n)
}

func whole(f float64) int {
	if f != f {
		return 0
	}
	return int(min(max(f, -maxText), maxText))
}

// runes is the text between two positions in characters.
func runes(s string, from, to int) string {
	i, start := 0, len(s)
	for pos := range s {
		if i == from {
			start = pos
		}
		if i == to {
			return s[min(start, pos):pos]
		}
		i++
	}
	return s[start:]
}

func truncate(_ *liquidRun, v any, args []any) (any, error) {
	s, tail := liquidText(v), "..."
	limit := numberOr(at(args, 0), 50)
	if !jsonvalue.IsUndefined(at(args, 1)) {
		tail = liquidText(args[1])
	}
	n := utf8.RuneCountInString(s)
	if float64(textLength(s)) <= limit || upToWhole(limit, n) >= n {
		return v, nil
	}
	return runes(s, 0, upToWhole(limit-float64(utf8.RuneCountInString(tail)), n)) + tail, nil
}

// truncateWords adds the tail also when there are exactly as many words.
func truncateWords(_ *liquidRun, v any, args []any) (any, error) {
	all, n, tail := words(strings.TrimLeftFunc(liquidText(v), isBlank)), numberOr(at(args, 0), 15), "..."
	if !jsonvalue.IsUndefined(at(args, 1)) {
		tail = liquidText(args[1])
	}
	if n <= 0 {
		n = 1
	}
	out := strings.Join(all[:min(len(all), whole(n))], " ")
	if float64(len(all)) >= n {
		out += tail
	}
	return out, nil
}

// numberOfWords counts words, or with cjk each Chinese, Japanese or Korean
// character as one; auto does that when there is any.
func numberOfWords(_ *liquidRun, v any, args []any) (any, error) {
	s := trimSpace(liquidText(v))
	mode, cjk := at(args, 0), strings.ContainsFunc(s, isCJK)
	switch {
	case s == "":
		return 0.0, nil
	case mode != "cjk" && (mode != "auto" || !cjk):
		return float64(len(words(s))), nil
	}
	n, inWord := 0, false
	for _, r := range s {
		switch {
		case isCJK(r):
			n, inWord = n+1, false
		case isBlank(r):
			inWord = false
		case !inWord:
			n, inWord = n+1, true
		}
	}
	return float64(n), nil
}

func isCJK(r rune) bool {
	for _, block := range [...][2]rune{{0x4e00, 0x9fff}, {0xf900, 0xfaff}, {0x3400, 0x4dbf}, {0x3040, 0x309f}, {0x30a0, 0x30ff}, {0xac00, 0xd7af}} {
		if block[0] <= r && r <= block[1] {
			return true
		}
	}
	return false
}

// slugs is what each mode of slugify keeps; the rest becomes minus signs.
var slugs = map[string]func(r rune) bool{
	"raw":     func(r rune) bool { return !isBlank(r) },
	"default": isSlugLetter,
	"latin":   isSlugLetter,
	"pretty":  func(r rune) bool { return isSlugLetter(r) || strings.ContainsRune("._~!$&'()+,;=@", r) },
	"ascii":   func(r rune) bool { return r < utf8.RuneSelf && isSlugLetter(r) },
}

func isSlugLetter(r rune) bool { return unicode.In(r, unicode.L, unicode.M, unicode.Nd) }

var latin = strings.NewReplacer("à", "a", "á", "a", "â", "a", "ã", "a", "ä", "a", "å", "a", "æ", "ae", "ç", "c",
	"è", "e", "é", "e", "ê", "e", "ë", "e", "ì", "i", "í", "i", "î", "i", "ï", "i", "ð", "d", "ñ", "n",
	"ò", "o", "ó", "o", "ô", "o", "õ", "o", "ö", "o", "ø", "o", "ù", "u", "ú", "u", "û", "u", "ü", "u",
	"ý", "y", "ÿ", "y", "ß", "ss", "œ", "oe", "þ", "th", "ẞ", "SS", "Œ", "OE", "Þ", "TH")

func slugify(_ *liquidRun, v any, args []any) (any, error) {
	s, mode := liquidText(v), "default"
	if m := at(args, 0); !jsonvalue.IsUndefined(m) {
		mode = jsText(m)
	}
	if keep := slugs[mode]; keep != nil {
		if mode == "latin" {
			s = latin.Replace(s)
		}
		var out strings.Builder
		gap := false
		for _, r := range s {
			if keep(r) {
				out.WriteRune(r)
			} else if !gap {
				out.WriteByte('-')
			}
			gap = !keep(r)
		}
		s = strings.TrimSuffix(strings.TrimPrefix(out.String(), "-"), "-")
	}
	if truthy(at(args, 1)) {
		return s, nil
	}
	return lower(s), nil
}

const upperHex = "0123456789ABCDEF"

// percentEncode encodes all but letters, digits and what is to be kept. A blank
// that is kept becomes a plus sign.
func percentEncode(s, keep string) string {
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		kept := ('0' <= c && c <= '9') || ('a' <= c|0x20 && c|0x20 <= 'z') || strings.IndexByte(keep, c) >= 0
		switch {
		case kept && c == ' ':
			out.WriteByte('+')
		case kept:
			out.WriteByte(c)
		default:
			out.WriteByte('%')
			out.WriteByte(upperHex[c>>4])
			out.WriteByte(upperHex[c&15])
		}
	}
	return out.String()
}

func urlDecode(_ *liquidRun, v any, _ []any) (any, error) {
	s, ok := percentDecode(strings.ReplaceAll(liquidText(v), "+", " "))
	if !ok {
		return nil, errors.New("URI malformed")
	}
	return s, nil
}

var blanksInBase64 = strings.NewReplacer("\t", "", "\n", "", "\f", "", "\r", "", " ", "")

func base64Decode(_ *liquidRun, v any, _ []any) (any, error) {
	s := blanksInBase64.Replace(liquidText(v))
	if len(s)%4 == 0 {
		s = strings.TrimSuffix(strings.TrimSuffix(s, "="), "=")
	}
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil, errors.New("invalid base64")
	}
	return string([]rune(string(b))), nil // what is no text becomes U+FFFD
}
