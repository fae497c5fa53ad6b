package wire

import (
	"strings"
	"time"
)

const dateLayout = "2006-01-02 15:04:05"

// Date is a time as contacts, transactions and histories write it: in UTC, without
// a zone, to the second.
type Date struct{ time.Time }

// MarshalJSON writes it.
func (d Date) MarshalJSON() ([]byte, error) {
	return []byte(d.UTC().Format(`"` + dateLayout + `"`)), nil
}

// UnmarshalJSON reads a time in either of the API's ways; anything else is the zero
// time.
func (d *Date) UnmarshalJSON(b []byte) error {
	d.Time = readTime(b)
	return nil
}

// Instant is a time as the rest of the API writes it: ISO 8601 in UTC. Some of it
// refuses fractions of a second.
type Instant struct{ time.Time }

// MarshalJSON writes it.
func (i Instant) MarshalJSON() ([]byte, error) { return []byte(`"` + i.Text() + `"`), nil }

// Text is the instant as it stands in a query.
func (i Instant) Text() string { return i.UTC().Format(time.RFC3339) }

// UnmarshalJSON reads what Date's does.
func (i *Instant) UnmarshalJSON(b []byte) error {
	i.Time = readTime(b)
	return nil
}

func readTime(b []byte) time.Time {
	s := strings.Trim(string(b), `"`)
	for _, layout := range []string{dateLayout, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
