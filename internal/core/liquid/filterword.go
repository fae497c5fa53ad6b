package liquid

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	unicode8 "golang.org/x/text/encoding/unicode"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// numberOr is an argument as a number, or what counts when it is not given.
func numberOr(v any, or float64) float64 {
	if jsonvalue.IsUndefined(v) {
		return or
	}
	return number(v)
}

func truncate(r *run, v any, args []any) (any, error) {
	s, tail := r.text(v), "..."
	limit := numberOr(js.At(args, 0), 50)
	if !jsonvalue.IsUndefined(js.At(args, 1)) {
		tail = r.text(args[1])
	}
	n := runeCount(s)
	if float64(js.Length(s)) <= limit || upToWhole(limit, n) >= n {
		return v, nil
	}
	return runes(s, 0, upToWhole(limit-float64(runeCount(tail)), n)) + tail, nil
}

// truncateWords adds the tail also when there are exactly as many words.
func truncateWords(r *run, v any, args []any) (any, error) {
	all, n, tail := splitWords(strings.TrimLeftFunc(r.text(v), js.IsBlank)), numberOr(js.At(args, 0), 15), "..."
	if !jsonvalue.IsUndefined(js.At(args, 1)) {
		tail = r.text(args[1])
	}
	if n <= 0 {
		n = 1
	}
	out := strings.Join(all[:position(n, len(all))], " ")
	if float64(len(all)) >= n {
		out += tail
	}
	return out, nil
}

// numberOfWords counts words, or with cjk each Chinese, Japanese or Korean
// character as one; auto does that when there is any.
func numberOfWords(r *run, v any, args []any) (any, error) {
	s := js.Trim(r.text(v))
	mode, cjk := js.At(args, 0), strings.ContainsFunc(s, isCJK)
	switch {
	case s == "":
		return 0.0, nil
	case mode != "cjk" && (mode != "auto" || !cjk):
		return float64(len(splitWords(s))), nil
	}
	n, inWord := 0, false
	for _, r := range s {
		switch {
		case isCJK(r):
			n, inWord = n+1, false
		case js.IsBlank(r):
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
	"raw":     func(r rune) bool { return !js.IsBlank(r) },
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

func slugify(r *run, v any, args []any) (any, error) {
	s, mode := r.text(v), "default"
	if m := js.At(args, 0); !jsonvalue.IsUndefined(m) {
		mode = js.Text(m)
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
	if scriptTruthy(js.At(args, 1)) {
		return s, nil
	}
	return js.Lower(s), nil
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

func urlDecode(r *run, v any, _ []any) (any, error) {
	s, ok := js.DecodeURIComponent(strings.ReplaceAll(r.text(v), "+", " "))
	if !ok {
		return nil, errors.New("URI malformed")
	}
	return s, nil
}

var blanksInBase64 = strings.NewReplacer("\t", "", "\n", "", "\f", "", "\r", "", " ", "")

func base64Decode(r *run, v any, _ []any) (any, error) {
	s := blanksInBase64.Replace(r.text(v))
	if len(s)%4 == 0 {
		s = strings.TrimSuffix(strings.TrimSuffix(s, "="), "=")
	}
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil, errors.New("invalid base64")
	}
	return unicode8.UTF8.NewDecoder().String(string(b)) // what is no text becomes U+FFFD
}
