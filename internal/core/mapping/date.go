package mapping

import (
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
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

// parseDate reads a date as text, in UTC.
func parseDate(s string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil { // nearly every event's
		return t.UTC(), true
	}
	s = trimSpace(s)
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

// millisTime is the time of a number of milliseconds since 1970.
func millisTime(ms float64) (time.Time, bool) {
	if math.IsNaN(ms) || math.Abs(ms) > maxMillis {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(ms)).UTC(), true
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

const defaultDateFormat = "%A, %B %-e, %Y at %-l:%M %P %z"

// dateFilter formats dates, in UTC or the zone of its second argument: a name, or
// minutes west of UTC. What is no date stays as it is. "now" and "today" are the
// time of the event, so that running the same event again gives the same text.
func dateFilter(run *liquidRun, v any, args []any) (any, error) {
	t, ok := liquidTime(run, v)
	if !ok {
		return v, nil
	}
	zone := "UTC"
	if z := at(args, 1); !jsonvalue.IsNil(z) {
		in, err := liquidZone(z)
		if err != nil {
			return nil, err
		}
		t, zone = t.In(in), in.String()
	}
	format := defaultDateFormat
	if f := at(args, 0); !jsonvalue.IsNil(f) {
		format = liquidText(f)
	}
	return formatDate(t, format, zone)
}

// liquidZone is a zone by its name, or by minutes.
func liquidZone(z any) (*time.Location, error) {
	if name, ok := z.(string); ok {
		in, err := time.LoadLocation(name)
		if err != nil || name == "" || name == "Local" {
			return nil, fmt.Errorf("%q is not a time zone", name)
		}
		return in, nil
	}
	minutes := number(z)
	if !(math.Abs(minutes) <= 24*60) {
		return nil, fmt.Errorf("a time zone is a name or minutes west of UTC")
	}
	return time.FixedZone("", int(-minutes*60)), nil
}

// dateAs formats dates in one form.
func dateAs(format string) liquidFilter {
	return func(run *liquidRun, v any, _ []any) (any, error) {
		t, ok := liquidTime(run, v)
		if !ok {
			return v, nil
		}
		return formatDate(t, format, "UTC")
	}
}

// dateInWords formats dates as day, month and year, with "ordinal" as 4th March
// 2025 and in the "US" as March 4th, 2025.
func dateInWords(month string) liquidFilter {
	return func(run *liquidRun, v any, args []any) (any, error) {
		format := "%d " + month + " %Y"
		switch {
		case at(args, 0) != "ordinal":
		case at(args, 1) == "US":
			format = month + " %-d%q, %Y"
		default:
			format = "%-d%q " + month + " %Y"
		}
		return dateAs(format)(run, v, nil)
	}
}

func liquidTime(run *liquidRun, v any) (time.Time, bool) {
	switch v := v.(type) {
	case float64:
		return millisTime(v * 1000)
	case bool: // JavaScript's Date takes it for milliseconds
		return millisTime(number(v))
	case string:
		if v == "now" || v == "today" {
			return eventTime(run.root)
		}
		if allDigits(v) {
			return millisTime(parseNumber(v) * 1000)
		}
		return parseDate(v)
	case []any:
		return parseDate(jsText(v))
	}
	return time.Time{}, false
}

func eventTime(root any) (time.Time, bool) {
	event, _ := root.(*jsonvalue.Object)
	for _, key := range []string{"receivedAt", "timestamp", "sentAt"} {
		if s, ok := event.Get(key).(string); ok {
			if t, ok := parseDate(s); ok {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// percentDecode is decodeURIComponent; false when it would throw.
func percentDecode(s string) (string, bool) {
	out, err := url.PathUnescape(s)
	return out, err == nil && utf8.ValidString(out)
}
