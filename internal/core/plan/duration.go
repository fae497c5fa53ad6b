package plan

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a span written with units d, h, m and s: "3d", "1h30m", "14d".
// A day is 24 hours.
type Duration time.Duration

// Std is the span as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String is the shortest text that ParseDuration reads back.
func (d Duration) String() string {
	day := Duration(24 * time.Hour)
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	if n := d / day; n != 0 {
		fmt.Fprintf(&b, "%dd", n)
		d -= n * day
	}
	if d != 0 {
		s := time.Duration(d).String()
		s = strings.Replace(s, "m0s", "m", 1)
		b.WriteString(strings.Replace(s, "h0m", "h", 1))
	}
	return b.String()
}

// maxDuration is the longest Duration: 100 years, more than any rule needs.
const maxDuration = 36500 * 24 * time.Hour

// ParseDuration reads a Duration; it must not be negative, nor longer than
// 36500d.
func ParseDuration(s string) (Duration, error) {
	days, rest, found := strings.Cut(s, "d")
	var total time.Duration
	if found {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, notDuration(s)
		}
		total = time.Duration(n) * 24 * time.Hour
	} else {
		rest = s
	}
	if rest != "" || !found {
		t, err := time.ParseDuration(rest)
		if err != nil || t < 0 {
			return 0, notDuration(s)
		}
		if t > maxDuration {
			return 0, fmt.Errorf("%q is longer than 36500d", s)
		}
		total += t
	}
	if total > maxDuration {
		return 0, fmt.Errorf("%q is longer than 36500d", s)
	}
	return Duration(total), nil
}

func notDuration(s string) error {
	return fmt.Errorf("%q is not a duration such as 3d, 1h30m or 45s", clip(s))
}

// MarshalText writes String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads ParseDuration.
func (d *Duration) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDuration(string(b))
	return err
}
