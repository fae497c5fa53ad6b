package segment

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

func isNumber(raw []byte) bool { return raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9' }

// stringOf is the text of a raw JSON string, "" for any other value.
func stringOf(raw []byte) string {
	if len(raw) == 0 || raw[0] != '"' {
		return ""
	}
	return jsonvalue.Unquote(raw)
}

// scalarText is the text of a raw string or number, "" for any other value. A
// whole number keeps its digits, so that long ids survive; others are spelled
// as JavaScript does.
func scalarText(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	if raw[0] == '"' {
		return jsonvalue.Unquote(raw)
	}
	if !isNumber(raw) {
		return ""
	}
	s := string(raw)
	if s != "-0" && !strings.ContainsAny(s, ".eE") {
		return s
	}
	f, _ := strconv.ParseFloat(s, 64) // out of range is an infinity
	return jsonvalue.NumberText(f)
}

// column is scalarText as a bounded database column takes it.
func column(raw []byte) string { return clip(clean(scalarText(raw)), MaxText) }

// clean removes control characters, zero bytes above all.
func clean(s string) string {
	for k := range len(s) {
		if c := s[k]; c < 0x20 || c >= 0x7f {
			return strings.Map(func(r rune) rune {
				if r < 0x20 || 0x7f <= r && r < 0xa0 {
					return -1
				}
				return r
			}, s)
		}
	}
	return s
}

// clip cuts s to at most n bytes, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
