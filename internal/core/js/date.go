package js

import (
	"math"
	"regexp"
	"strings"
	"time"
)

// dateLayouts are the spellings of a date that are read. Without a zone a date is
// in UTC. Two-digit years, days before months and anything else that different
// people read differently are not here on purpose.
var dateLayouts = []string{
	"2006-01-02T15:04:05Z07:00", // and with a fraction of a second, which Parse always takes
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05Z07",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04Z0700",
	"2006-01-02T15:04",
	"2006-1-2",
	"2006-01",
	"20060102T150405Z07:00",
	"20060102T150405Z0700",
	"20060102T150405",
	"2006/1/2 15:04:05",
	"2006/1/2 15:04",
	"2006/1/2",
	"1/2/2006 15:04:05",
	"1/2/2006 15:04",
	"1/2/2006 3:04:05 PM",
	"1/2/2006 3:04 PM",
	"1/2/2006",
	"Mon, 2 Jan 2006 15:04:05 Z0700",
	"Mon, 2 Jan 2006 15:04:05 MST",
	"Mon, 2 Jan 2006 15:04:05",
	"Mon, 2 Jan 2006",
	"Mon Jan 2 2006 15:04:05 GMT-0700",
	"Mon Jan 2 15:04:05 2006",
	"Mon Jan 2 2006",
	"2 Jan 2006 15:04:05 Z0700",
	"2 Jan 2006 15:04:05 MST",
	"2 Jan 2006 15:04:05",
	"2 Jan 2006 15:04",
	"2 Jan 2006",
	"2 January 2006 15:04:05",
	"2 January 2006 15:04",
	"2 January 2006",
	"Jan 2, 2006 15:04:05",
	"Jan 2, 2006 15:04",
	"Jan 2, 2006",
	"Jan 2 2006",
	"January 2, 2006 15:04:05",
	"January 2, 2006 15:04",
	"January 2, 2006",
	"January 2 2006",
}

var isoDateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\d[ tT]\d\d:`)

// zoneName is the comment JavaScript's Date.toString ends with.
var zoneName = regexp.MustCompile(`\s*\([^()]*\)$`)

// ParseDate reads a date as text, in UTC.
func ParseDate(s string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil { // nearly every event's
		return t.UTC(), true
	}
	s = Trim(s)
	if len(s) > 100 {
		return time.Time{}, false
	}
	if isoDateTime.MatchString(s) {
		s = s[:10] + "T" + strings.ReplaceAll(s[11:], " ", "")
		for _, utc := range []string{"z", "UTC", "GMT"} {
			if before, ok := strings.CutSuffix(s, utc); ok {
				s = before + "Z"
			}
		}
	}
	s = strings.TrimSuffix(zoneName.ReplaceAllString(s, ""), " GMT")
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil && knownZone(t) {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// knownZone refuses zones of which only the name is known: time.Parse takes them
// for UTC.
func knownZone(t time.Time) bool {
	name, offset := t.Zone()
	return offset != 0 || name == "" || name == "UTC" || name == "GMT" || name == "Z"
}

// maxMillis is the range of JavaScript's dates.
const maxMillis = 8.64e15

// MillisTime is the time of a number of milliseconds since 1970.
func MillisTime(ms float64) (time.Time, bool) {
	if math.IsNaN(ms) || math.Abs(ms) > maxMillis {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(ms)).UTC(), true
}

// AllDigits reports whether a text is a number of nothing but digits.
func AllDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
