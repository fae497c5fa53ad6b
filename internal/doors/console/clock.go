package console

import (
	"strings"
	"time"
	_ "time/tzdata" // zones must not depend on what the machine has installed
	"unicode"

	"github.com/segue-xm/segue/internal/ops"
)

// readZone returns the zone of an IANA name, else UTC. "Local" is refused: it
// would be the server's.
func readZone(name string) (*time.Location, string) {
	name = strings.Clone(strings.ReplaceAll(name, "%2F", "/"))
	if name == "" || name == "Local" || len(name) > 64 {
		return time.UTC, "UTC"
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC, "UTC"
	}
	return z, name
}

// Stamp is one time on a page.
type Stamp struct {
	ISO   string // for <time datetime>
	Text  string // in the reader's zone
	Title string // UTC and how long ago
}

const (
	listLayout   = "01-02 15:04:05"
	yearLayout   = "2006-01-02 15:04"
	detailLayout = "2006-01-02 15:04:05.000 MST"
)

// Time is a time in a list: to the second, without the year when it is this one.
func (v *View) Time(t time.Time) Stamp {
	if t.IsZero() {
		return Stamp{}
	}
	layout := listLayout
	if t.In(v.zone).Year() != v.Now.In(v.zone).Year() {
		layout = yearLayout
	}
	return v.stamp(t, layout)
}

// Moment is a time on a detail page: to the millisecond, with its zone.
func (v *View) Moment(t time.Time) Stamp {
	if t.IsZero() {
		return Stamp{}
	}
	return v.stamp(t, detailLayout)
}

// TimeOf and MomentOf are Time and Moment for what may not have happened yet.
func (v *View) TimeOf(t *time.Time) Stamp {
	if t == nil {
		return Stamp{}
	}
	return v.Time(*t)
}

// MomentOf is Moment for what may not have happened yet.
func (v *View) MomentOf(t *time.Time) Stamp {
	if t == nil {
		return Stamp{}
	}
	return v.Moment(*t)
}

// Clock is the time of day only, to the second.
func (v *View) Clock(t time.Time) Stamp { return v.stamp(t, "15:04:05") }

// Short is the time of day to the minute, for axes.
func (v *View) Short(t time.Time) string { return t.In(v.zone).Format("15:04") }

func (v *View) stamp(t time.Time, layout string) Stamp {
	return Stamp{
		ISO:   t.UTC().Format("2006-01-02T15:04:05.000Z"),
		Text:  t.In(v.zone).Format(layout),
		Title: t.UTC().Format("2006-01-02 15:04:05.000") + " UTC · " + v.Ago(t),
	}
}

// Zone is the short name of the zone now, as the page head shows it.
func (v *View) Zone() string {
	name := v.Now.In(v.zone).Format("MST")
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		return "UTC" + name
	}
	return name
}

// Ago says how far a time is from now, either way.
func (v *View) Ago(t time.Time) string {
	d := v.Now.Sub(t)
	if d < 0 {
		return v.T("ago.in", v.Duration(-d))
	}
	if d < 2*time.Second {
		return v.T("ago.now")
	}
	return v.T("ago.ago", v.Duration(d))
}

// units of a duration, largest first.
var units = []struct {
	key string
	d   time.Duration
}{
	{"unit.day", 24 * time.Hour}, {"unit.hour", time.Hour}, {"unit.minute", time.Minute}, {"unit.second", time.Second},
}

// Duration writes a duration in its two largest units: "1 min 20 s", "3 d".
func (v *View) Duration(d time.Duration) string {
	if d < time.Second {
		return v.T("unit.ms", d.Milliseconds())
	}
	d = d.Round(time.Second)
	for i, u := range units {
		n := d / u.d
		if n == 0 {
			continue
		}
		text := v.T(u.key, int64(n))
		if i+1 < len(units) && n < 10 {
			if rest := (d % u.d) / units[i+1].d; rest > 0 {
				text += v.T("unit.join") + v.T(units[i+1].key, int64(rest))
			}
		}
		return text
	}
	return v.T("unit.second", 0)
}

// Took is the time between two moments; empty until both are known.
func (v *View) Took(from, to *time.Time) string {
	if from == nil || to == nil || from.IsZero() {
		return ""
	}
	return v.Duration(to.Sub(*from))
}

// inputTime is a time as datetime-local fields take it, in the reader's zone.
func (v *View) inputTime(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.In(v.zone).Format("2006-01-02T15:04:05")
}

// readTime reads a datetime-local value in the reader's zone, or a full UTC time.
func (v *View) readTime(s string) (*time.Time, bool) {
	if s == "" {
		return nil, true
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s, v.zone); err == nil {
			t = t.UTC()
			return &t, true
		}
	}
	return nil, false
}

func personName(c ops.Contact) string {
	first, last := strings.TrimSpace(c.FirstName), strings.TrimSpace(c.LastName)
	lang, _, _ := strings.Cut(strings.ToLower(c.Language), "-")
	familyFirst := lang == "ja" || lang == "zh" || lang == "ko" || isCJK(first) && isCJK(last)
	if familyFirst {
		first, last = last, first
	}
	return strings.TrimSpace(first + " " + last)
}

func isCJK(s string) bool {
	for _, r := range s {
		if !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) && r != '々' && r != 'ー' && r != ' ' {
			return false
		}
	}
	return s != ""
}
