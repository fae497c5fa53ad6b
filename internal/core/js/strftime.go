package js

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// FormatDate writes a date by the letters of strftime, as liquidjs knows them:
// what it does not know stays as it is. Names are English; zone is what %Z writes.
// It reports false when the text is longer than limit bytes.
func FormatDate(t time.Time, format, zone string, limit int) (string, bool) {
	var out strings.Builder
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			break
		}
		d, n := directiveAt(format[i:])
		out.WriteString(format[:i])
		if n == 0 { // a % at the end, or before the end of a line
			out.WriteByte('%')
			format = format[i+1:]
			continue
		}
		source := format[i : i+n]
		format = format[i+n:]
		if d.width > limit || out.Len() > limit {
			return "", false
		}
		text, ok := d.value(t, zone)
		if !ok {
			out.WriteString(source)
			continue
		}
		out.WriteString(d.pad(text))
	}
	out.WriteString(format)
	return out.String(), out.Len() <= limit
}

// dateDirective is one %-letter with its flags (-_0^#:) and width.
type dateDirective struct {
	flags  string
	width  int
	letter rune
}

// directiveAt reads the directive at the start of s and its length, 0 when there
// is none.
func directiveAt(s string) (d dateDirective, n int) {
	run := func(chars string) string {
		start := n
		for n < len(s) && strings.IndexByte(chars, s[n]) >= 0 {
			n++
		}
		return s[start:n]
	}
	n = 1
	d.flags = run("-_0^#:")
	if digits := run("0123456789"); digits != "" {
		var err error
		if d.width, err = strconv.Atoi(digits); err != nil {
			d.width = math.MaxInt32
		}
	}
	if n+1 < len(s) && (s[n] == 'E' || s[n] == 'O') && s[n+1] != '\n' {
		n++
	}
	r, size := utf8.DecodeRuneInString(s[n:])
	if size == 0 || r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029' {
		return d.shorter(s, n)
	}
	d.letter = r
	return d, n + size
}

// shorter gives the last flag or digit back to be the letter.
func (d dateDirective) shorter(s string, n int) (dateDirective, int) {
	if n < 2 {
		return d, 0
	}
	d.letter = rune(s[n-1])
	return d, n
}

func (d dateDirective) has(flag byte) bool { return strings.IndexByte(d.flags, flag) >= 0 }

// dateWidths are the widths of numbers that have one.
var dateWidths = map[rune]int{'C': 2, 'd': 2, 'e': 2, 'H': 2, 'I': 2, 'j': 3, 'k': 2, 'l': 2, 'L': 3, 'm': 2, 'M': 2, 'S': 2, 'U': 2, 'W': 2, 'y': 2, 'Y': 4}

func (d dateDirective) pad(text string) string {
	fill, width := "0", d.width
	if strings.ContainsRune("aAbBceklpP", d.letter) {
		fill = " "
	}
	if width == 0 {
		width = dateWidths[d.letter]
	}
	switch {
	case d.has('^'):
		text = Upper(text)
	case d.has('#') && strings.ContainsFunc(text, func(r rune) bool { return 'a' <= r && r <= 'z' }):
		text = Upper(text)
	case d.has('#'):
		text = Lower(text)
	}
	switch {
	case d.has('_'):
		fill = " "
	case d.has('0'):
		fill = "0"
	}
	if d.has('-') {
		width = 0
	}
	sign := ""
	if fill == "0" && strings.HasPrefix(text, "-") {
		sign, text, width = "-", text[1:], width-1
	}
	return sign + strings.Repeat(fill, max(0, width-len(text))) + text
}

// value is the directive's text before it is padded.
func (d dateDirective) value(t time.Time, zone string) (string, bool) {
	n := 0
	switch d.letter {
	case 'a':
		return t.Format("Mon"), true
	case 'A':
		return t.Format("Monday"), true
	case 'b', 'h':
		return t.Format("Jan"), true
	case 'B':
		return t.Format("January"), true
	case 'c':
		return t.Format("1/2/2006, 3:04:05 PM"), true
	case 'x':
		return t.Format("1/2/2006"), true
	case 'X':
		return t.Format("3:04:05 PM"), true
	case 'p':
		return t.Format("PM"), true
	case 'P':
		return t.Format("pm"), true
	case 'q':
		return ordinal(t.Day()), true
	case 'N':
		return d.fraction(t), true
	case 's':
		return strconv.FormatInt(t.Unix(), 10), true
	case 'z':
		return d.offset(t), true
	case 'Z':
		if zone == "" {
			return d.offset(t), true
		}
		return zone, true
	case 't':
		return "\t", true
	case 'n':
		return "\n", true
	case '%':
		return "%", true
	case 'C':
		n = floorDiv(t.Year(), 100)
	case 'd', 'e':
		n = t.Day()
	case 'H', 'k':
		n = t.Hour()
	case 'I', 'l':
		n = (t.Hour()+11)%12 + 1
	case 'j':
		n = t.YearDay()
	case 'L':
		n = t.Nanosecond() / 1e6
	case 'm':
		n = int(t.Month())
	case 'M':
		n = t.Minute()
	case 'S':
		n = t.Second()
	case 'u':
		n = (int(t.Weekday())+6)%7 + 1
	case 'w':
		n = int(t.Weekday())
	case 'U':
		n = (t.YearDay() + 6 - int(t.Weekday())) / 7
	case 'W':
		n = (t.YearDay() + 6 - (int(t.Weekday())+6)%7) / 7
	case 'y':
		n = (t.Year()%100 + 100) % 100
	case 'Y':
		n = t.Year()
	default:
		return "", false
	}
	return strconv.Itoa(n), true
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// fraction is the fraction of a second to as many digits as the width, 9 without.
func (d dateDirective) fraction(t time.Time) string {
	width := d.width
	if width == 0 {
		width = 9
	}
	digits := strconv.Itoa(1000 + t.Nanosecond()/1e6)[1:]
	return digits[:min(width, 3)] + strings.Repeat("0", max(0, width-3))
}

func (d dateDirective) offset(t time.Time) string {
	_, seconds := t.Zone()
	colon := ""
	if d.has(':') {
		colon = ":"
	}
	sign := "+"
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	two := func(n int) string { return strconv.Itoa(100 + n)[1:] }
	return sign + two(seconds/3600) + colon + two(seconds/60%60)
}

func ordinal(day int) string {
	switch {
	case day/10 == 1:
		return "th"
	case day%10 == 1:
		return "st"
	case day%10 == 2:
		return "nd"
	case day%10 == 3:
		return "rd"
	}
	return "th"
}
