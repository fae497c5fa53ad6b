package liquid

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/js"
)

var textFilters = map[string]filter{
	"upcase":               textFilter(js.Upper),
	"downcase":             textFilter(js.Lower),
	"capitalize":           textFilter(capitalize),
	"strip":                stripFilter(true, true),
	"lstrip":               stripFilter(true, false),
	"rstrip":               stripFilter(false, true),
	"strip_newlines":       textFilter(func(s string) string { return newlines.Replace(s) }),
	"normalize_whitespace": textFilter(func(s string) string { return joinBlanks(s) }),
	"squish":               textFilter(func(s string) string { return js.Trim(joinBlanks(s)) }),
	"strip_html":           {apply: textFilter(stripHTML).apply, passes: 2},
	"escape":               htmlFilter(escapeHTML.Replace),
	"xml_escape":           htmlFilter(escapeHTML.Replace),
	"escape_once":          htmlFilter(func(s string) string { return escapeHTML.Replace(unescapeHTML.Replace(s)) }),
	"newline_to_br":        {apply: newlineToBR, words: true, passes: 2},
	"url_encode":           textFilter(func(s string) string { return percentEncode(s, "-_.!~*'() ") }),
	"cgi_escape":           textFilter(func(s string) string { return percentEncode(s, "-_.~ ") }),
	"uri_escape":           textFilter(func(s string) string { return percentEncode(s, "-_.!~*'();,/?:@&=+$#[]") }),
	"url_decode":           {apply: urlDecode},
	"base64_encode":        textFilter(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
	"base64_decode":        {apply: base64Decode},
	"sha256": textFilter(func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	}),
	"hmac_sha256": twoTexts(func(s, key string) string {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(s))
		return hex.EncodeToString(mac.Sum(nil))
	}),
	"append":          exactlyOne(twoTexts(func(s, t string) string { return s + t })),
	"prepend":         exactlyOne(twoTexts(func(s, t string) string { return t + s })),
	"remove":          twoTexts(func(s, t string) string { return strings.ReplaceAll(s, t, "") }),
	"remove_first":    twoTexts(func(s, t string) string { return strings.Replace(s, t, "", 1) }),
	"remove_last":     twoTexts(func(s, t string) string { return replaceLast(s, t, "") }),
	"replace":         {apply: replace(-1)},
	"replace_first":   {apply: replace(1)},
	"replace_last":    {apply: replaceLastFilter},
	"split":           {apply: split},
	"truncate":        {apply: truncate},
	"truncatewords":   {apply: truncateWords},
	"number_of_words": {apply: numberOfWords},
	"slugify":         {apply: slugify},
}

var (
	newlines     = strings.NewReplacer("\r\n", "", "\n", "")
	breaks       = strings.NewReplacer("\r\n", "<br />\n", "\n", "<br />\n")
	escapeHTML   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")
	unescapeHTML = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'")
)

func textFilter(f func(string) string) filter {
	return filter{apply: func(r *run, v any, _ []any) (any, error) { return f(r.text(v)), nil }}
}

// htmlFilter makes HTML, which in a template of HTML is not escaped again. What is
// HTML there already stays as it is.
func htmlFilter(f func(string) string) filter {
	return filter{words: true, apply: func(r *run, v any, _ []any) (any, error) {
		if !r.options.HTML {
			return f(r.text(v)), nil
		}
		if m, ok := v.(markup); ok {
			return m, nil
		}
		return markup(f(r.text(v))), nil
	}}
}

func newlineToBR(r *run, v any, _ []any) (any, error) {
	s := r.text(v)
	_, isMarkup := v.(markup)
	if r.options.HTML && !isMarkup {
		s = escapeHTML.Replace(s)
	}
	if err := r.makeText(len(s) + len("<br />")*strings.Count(s, "\n")); err != nil {
		return nil, err
	}
	s = breaks.Replace(s)
	if r.options.HTML {
		return markup(s), nil
	}
	return s, nil
}

// twoTexts is a filter of two texts; what it makes is at most as long as both.
func twoTexts(f func(s, t string) string) filter {
	return filter{apply: func(r *run, v any, args []any) (any, error) {
		return f(r.text(v), r.text(js.At(args, 0))), nil
	}}
}

// exactlyOne refuses calls with more or fewer than one argument.
func exactlyOne(f filter) filter {
	return filter{apply: func(r *run, v any, args []any) (any, error) {
		if len(args) != 1 {
			return nil, errors.New("it takes one argument")
		}
		return f.apply(r, v, args)
	}}
}

// splitWords splits a text at its runs of blanks, as a regular expression would: blanks
// at an end leave an empty word there.
func splitWords(s string) []string {
	var out []string
	for {
		i := strings.IndexFunc(s, js.IsBlank)
		if i < 0 {
			return append(out, s)
		}
		out = append(out, s[:i])
		s = strings.TrimLeftFunc(s[i:], js.IsBlank)
	}
}

func joinBlanks(s string) string { return strings.Join(splitWords(s), " ") }

// stripFilter takes blanks, or given characters, off the ends.
func stripFilter(left, right bool) filter {
	return filter{words: true, apply: func(r *run, v any, args []any) (any, error) {
		in := js.IsBlank
		if set := js.At(args, 0); scriptTruthy(set) {
			chars := map[rune]bool{}
			for _, c := range r.text(set) {
				chars[c] = true
			}
			in = func(r rune) bool { return chars[r] }
		}
		s := r.text(v)
		if left {
			s = strings.TrimLeftFunc(s, in)
		}
		if right {
			s = strings.TrimRightFunc(s, in)
		}
		return s, nil
	}}
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
			return js.Upper(s[:i]) + js.Lower(s[i:])
		}
	}
	return js.Upper(s)
}

func replaceLast(s, old, with string) string {
	i := strings.LastIndex(s, old)
	if i < 0 {
		return s
	}
	return s[:i] + with + s[i+len(old):]
}

func replaceLastFilter(r *run, v any, args []any) (any, error) {
	return replaceLast(r.text(v), r.text(js.At(args, 0)), r.text(js.At(args, 1))), nil
}

// replace replaces the first n occurrences, or all.
func replace(n int) func(r *run, v any, args []any) (any, error) {
	return func(r *run, v any, args []any) (any, error) {
		s, old, with := r.text(v), r.text(js.At(args, 0)), r.text(js.At(args, 1))
		if n < 0 && old == "" && with != "" { // JavaScript joins the characters
			if err := r.make(3 * perValue * len(s)); err != nil {
				return nil, err
			}
			return r.joined(js.Units(s), with)
		}
		count := strings.Count(s, old)
		if n >= 0 {
			count = min(count, n)
		}
		if err := r.makeText(len(s) + count*(len(with)-len(old))); err != nil {
			return nil, err
		}
		return strings.Replace(s, old, with, n), nil
	}
}

func split(r *run, v any, args []any) (any, error) {
	s, separator := r.text(v), r.text(js.At(args, 0))
	if err := r.make(2 * perValue * (strings.Count(s, separator) + 1)); err != nil {
		return nil, err
	}
	parts := []string(nil)
	if separator != "" {
		parts = strings.Split(s, separator)
	} else {
		parts = js.Units(s)
	}
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out, nil
}

func runeCount(s string) int { return utf8.RuneCountInString(s) }

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
