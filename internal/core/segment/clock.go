package segment

import (
	"strconv"
	"time"
)

// layout is how Segment writes an instant.
const layout = "2006-01-02T15:04:05.000Z"

// maxAge bounds how old a call can claim to be when it is sent; beyond it one of
// the two instants is nonsense and nothing is corrected.
const maxAge = 100 * 365 * 24 * time.Hour

// times are an event's four instants; a nil raw value leaves the item's own.
type times struct {
	timestamp                     time.Time
	raw, original, received, sent []byte
}

// times corrects the sender's clock (Segment spec, "Clock skew"):
//
//	timestamp = receivedAt - (sentAt - originalTimestamp)
//
// What came as timestamp becomes originalTimestamp. Without a readable sentAt or
// original the given timestamp stays; without any it is the arrival. Segment
// has corrected what comes by webhook, so there only gaps are filled.
func (r *request) times(v [fields][]byte) times {
	given, hasGiven := instant(v[fTimestamp])
	if r.webhook {
		t := times{timestamp: given}
		if received, ok := instant(v[fReceivedAt]); !ok {
			t.received = r.arrival()
		} else if !hasGiven {
			t.timestamp = received
		}
		if !hasGiven {
			if t.timestamp.IsZero() {
				t.timestamp = r.now.UTC()
			}
			t.raw = stamp(t.timestamp)
		}
		return t
	}

	t := times{received: r.arrival()}
	original, hasOriginal := instant(v[fOriginalTimestamp])
	if !hasOriginal {
		original, hasOriginal = given, hasGiven
		if present(v[fTimestamp]) {
			t.original = v[fTimestamp]
		}
	}
	sent, hasSent := instant(v[fSentAt])
	if !hasSent {
		if sent, hasSent = instant(r.sentAt); hasSent {
			t.sent = r.sentAt
		}
	}
	switch {
	case hasSent && hasOriginal:
		t.timestamp = original
		if age := sent.Sub(original); age.Abs() < maxAge {
			t.timestamp = r.now.UTC().Add(-age).Truncate(time.Millisecond)
		}
	case hasGiven:
		t.timestamp = given
		return t
	case hasOriginal:
		t.timestamp = original
	default:
		t.timestamp = r.now.UTC()
	}
	t.raw = stamp(t.timestamp)
	return t
}

// arrival is receivedAt of all items of the request.
func (r *request) arrival() []byte {
	if r.received == nil {
		r.received = stamp(r.now)
	}
	return r.received
}

func present(raw []byte) bool { return raw != nil && raw[0] != 'n' }

// precise reports whether raw is an instant to the second at least, as Segment
// writes them.
func precise(raw []byte) bool {
	_, ok := instant(raw)
	return ok && raw[0] == '"' && len(raw) > len(`"2006-01-02T15:04`)+1
}

func stamp(t time.Time) []byte {
	b := make([]byte, 0, len(layout)+2)
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, layout)
	return append(b, '"')
}

// layouts are tried in order; without a zone UTC is meant.
var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", time.DateOnly}

// instant reads an ISO 8601 text, or a number of milliseconds (or seconds, when
// too small for milliseconds of this century) since 1970.
func instant(raw []byte) (time.Time, bool) {
	if len(raw) < 2 {
		return time.Time{}, false
	}
	if isNumber(raw) {
		f, err := strconv.ParseFloat(string(raw), 64)
		if err != nil || f <= 0 || f > 253402300799999 { // the year 9999 ends
			return time.Time{}, false
		}
		if f < 1e11 {
			f *= 1000
		}
		return time.UnixMilli(int64(f)).UTC(), true
	}
	s := stringOf(raw)
	for _, l := range layouts {
		if len(s) > 40 || len(s) < len(time.DateOnly) {
			break
		}
		if t, err := time.Parse(l, s); err == nil {
			if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
				break
			}
			return t, true
		}
	}
	return time.Time{}, false
}
