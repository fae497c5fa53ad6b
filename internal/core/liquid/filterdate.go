package liquid

import (
	"errors"
	"math"
	"time"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

var dateFilters = map[string]filter{
	"date":                {apply: date, passes: 4, words: true},
	"date_to_xmlschema":   dateAs("%Y-%m-%dT%H:%M:%S%:z"),
	"date_to_rfc822":      dateAs("%a, %d %b %Y %H:%M:%S %z"),
	"date_to_string":      dateInWords("%b"),
	"date_to_long_string": dateInWords("%B"),
}

const defaultDateFormat = "%A, %B %-e, %Y at %-l:%M %P %z"

// date formats dates, in UTC or the zone of its second argument: a name, or minutes
// west of UTC. What is no date stays as it is.
func date(r *run, v any, args []any) (any, error) {
	t, ok, err := r.time(v)
	if err != nil || !ok {
		return v, err
	}
	in, err := zone(plain(js.At(args, 1)))
	if err != nil || in == nil {
		return v, err
	}
	format := defaultDateFormat
	if f := plain(js.At(args, 0)); !jsonvalue.IsNil(f) {
		format = r.text(f)
	}
	return r.formatted(t.In(in), format, in.String())
}

func (r *run) formatted(t time.Time, format, zone string) (any, error) {
	out, ok := js.FormatDate(t, format, zone, r.meter.Text)
	if !ok {
		return nil, ErrLarge
	}
	return out, nil
}

// zone is a zone by its name, or by minutes; nil when it makes no date of any.
func zone(z any) (*time.Location, error) {
	switch z := z.(type) {
	case nil, jsonvalue.Undefined:
		return time.UTC, nil
	case string:
		in, err := time.LoadLocation(z)
		if err != nil || z == "" || z == "Local" {
			return nil, errors.New("there is no such time zone")
		}
		return in, nil
	}
	const most = 1 << 20
	minutes := number(z)
	if !(math.Abs(minutes) <= most) {
		return nil, nil
	}
	return time.FixedZone("", int(-minutes*60)), nil
}

// dateAs formats dates in one form.
func dateAs(format string) filter {
	return filter{passes: 4, words: true, apply: func(r *run, v any, _ []any) (any, error) {
		t, ok, err := r.time(v)
		if err != nil || !ok {
			return v, err
		}
		return r.formatted(t, format, "UTC")
	}}
}

// dateInWords formats dates as day, month and year, with "ordinal" as 4th March 2025
// and in the "US" as March 4th, 2025.
func dateInWords(month string) filter {
	return filter{passes: 4, words: true, apply: func(r *run, v any, args []any) (any, error) {
		format := "%d " + month + " %Y"
		switch {
		case js.At(args, 0) != "ordinal":
		case js.At(args, 1) == "US":
			format = month + " %-d%q, %Y"
		default:
			format = "%-d%q " + month + " %Y"
		}
		return dateAs(format).apply(r, v, nil)
	}}
}

func (r *run) time(v any) (t time.Time, ok bool, err error) {
	switch v := plain(v).(type) {
	case float64:
		t, ok = js.MillisTime(v * 1000)
	case bool: // JavaScript's Date takes it for milliseconds
		t, ok = js.MillisTime(number(v))
	case string:
		switch {
		case v == "now" || v == "today":
			if r.scope.Now == nil {
				return t, false, ErrClock
			}
			t, ok = r.scope.Now()
		case js.AllDigits(v):
			t, ok = js.MillisTime(js.ParseNumber(v) * 1000)
		default:
			t, ok = js.ParseDate(v)
		}
	case []any:
		t, ok = js.ParseDate(js.Text(v))
	}
	return t, ok, nil
}
