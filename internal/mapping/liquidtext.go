package mapping

import (
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
)

var (
	blanks       = regexp.MustCompile(`\s+`)
	notSlug      = regexp.MustCompile(`[^\p{L}\p{M}\p{N}]+`)
	escapeHTML   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")
	unescapeHTML = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'")
)

func capitalize(s string) string {
	for i := range s {
		if i > 0 {
			return upper(s[:i]) + lower(s[i:])
		}
	}
	return upper(s)
}

// markups are what is taken out of HTML whole, from its beginning to its end.
var markups = [...]struct{ open, end string }{{"<script", "</script>"}, {"<style", "</style>"}, {"<!--", "-->"}}

// stripMarkup takes out what this finds, in time that grows with the text alone:
//
//	<script.*?</script>|<style.*?</style>|<!--.*?-->|<[^\n]*?>
func stripMarkup(s string) string {
	var out strings.Builder
	var none [len(markups)]bool // there is no such end any more
	plain := 0                  // before this, no tag ends in its line
	pos := 0
	for {
		start := strings.IndexByte(s[pos:], '<')
		if start < 0 {
			break
		}
		out.WriteString(s[pos : pos+start])
		pos += start
		end := -1
		for k, m := range markups {
			if none[k] || !strings.HasPrefix(s[pos:], m.open) {
				continue
			}
			if i := strings.Index(s[pos+len(m.open):], m.end); i >= 0 {
				end = pos + len(m.open) + i + len(m.end)
			} else {
				none[k] = true
			}
		}
		if end < 0 && pos >= plain {
			switch i := strings.IndexAny(s[pos:], ">\n"); {
			case i < 0:
				plain = len(s)
			case s[pos+i] == '>':
				end = pos + i + 1
			default:
				plain = pos + i
			}
		}
		if end < 0 {
			out.WriteByte('<')
			end = pos + 1
		}
		pos = end
	}
	out.WriteString(s[pos:])
	return out.String()
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
		if n < 0 && old == "" { // JavaScript joins the characters
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
	var out strings.Builder
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

func truncate(_ *liquidRun, v any, args []any) (any, error) {
	s, length, tail := liquidText(v), whole(numberOr(at(args, 0), 50)), "..."
	if len(args) > 1 {
		tail = liquidText(args[1])
	}
	if textLength(s) <= length {
		return s, nil
	}
	return substring(s, 0, length-textLength(tail)) + tail, nil
}

func truncateWords(_ *liquidRun, v any, args []any) (any, error) {
	words, n, tail := blanks.Split(liquidText(v), -1), max(1, whole(numberOr(at(args, 0), 15))), "..."
	if len(args) > 1 {
		tail = liquidText(args[1])
	}
	if len(words) <= n {
		return strings.Join(words, " "), nil
	}
	return strings.Join(words[:n], " ") + tail, nil
}

const upperHex = "0123456789ABCDEF"

// percentEncode is encodeURIComponent.
func percentEncode(s string) string {
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		if ('0' <= c && c <= '9') || ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || strings.IndexByte("-_.!~*'()", c) >= 0 {
			out.WriteByte(c)
			continue
		}
		out.WriteByte('%')
		out.WriteByte(upperHex[c>>4])
		out.WriteByte(upperHex[c&15])
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

func base64Decode(_ *liquidRun, v any, _ []any) (any, error) {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(liquidText(v), "="))
	return strings.ToValidUTF8(string(b), "\ufffd"), err
}
