// Package segment reads what Segment's SDKs and webhooks send: it cuts requests
// into events, checks each one alone, and finds write keys and signatures.
//
//	events, refusals, err := segment.ParseBatch(body, time.Now(), newID)
//
// An error means that the whole request is refused (HTTP 400). A Refusal is one
// item that was turned away while the others were taken. Events keep the bytes
// they came in: number spelling, key order and blanks survive; only what the
// Segment spec tells a server to set is changed.
//
// The package has no clock, does no I/O, and knows nothing of sources or
// storage. It does not evaluate events: that is for fql and mapping.
package segment

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
)

// The types of an event.
const (
	Identify = "identify"
	Track    = "track"
	Page     = "page"
	Screen   = "screen"
	Group    = "group"
	Alias    = "alias"
	Delete   = "delete" // by webhook only
)

// Limits of the Tracking API, in bytes and items, as Segment documents them.
const (
	MaxEvent       = 32 << 10  // one event
	MaxBatch       = 500 << 10 // one batch request, inflated
	MaxBatchEvents = 2500      // items of one batch
	// MaxShared bounds the context and integrations of a batch, because they are
	// copied into each of its events.
	MaxShared = 16 << 10
)

// Bounds of what is kept of an event beside its body.
const (
	MaxText        = 255      // bytes of a user id or name
	MaxMessageID   = 100      // characters of a message id
	MaxRefusalBody = 64 << 10 // bytes of a refused item
	// MaxOverflow is how many items beyond a request's limit get a refusal of
	// their own; the last one says how many more there were.
	MaxOverflow = 1000
)

// Limits bounds a webhook request. A zero field means its default.
type Limits struct {
	Bytes      int // the whole body; default 16 MB
	Events     int // items of an array; default 4,000, the most Segment sends
	EventBytes int // one event; default 64 KB, as enriched events outgrow 32 KB
}

func (l Limits) withDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 16 << 20
	}
	if l.Events <= 0 {
		l.Events = 4000
	}
	if l.EventBytes <= 0 {
		l.EventBytes = 64 << 10
	}
	return l
}

// Event is one accepted call. Its texts are valid UTF-8 without control
// characters, at most MaxText bytes; nothing in it refers to the request's bytes.
type Event struct {
	Type        string
	MessageID   string // never empty
	Name        string // event of a track, name of a page or screen, else ""
	UserID      string // "" when the call has none; a number as its text
	AnonymousID string
	Timestamp   time.Time // when it happened, corrected for the sender's clock, UTC
	Body        []byte    // the event as stored: one JSON object
}

// Refusal is one item that was not accepted.
type Refusal struct {
	Index     int    // place in the request, from 0
	MessageID string // "" when it has none or it could not be read
	Type      string
	Reason    string // for the sender: names the field and what is wrong
	Body      []byte // what came, at most MaxRefusalBody bytes; perhaps not JSON
}

// Key is what an event is known by: 16 bytes of SHA-256 over its source and its
// message id. The same call sent twice has the same key.
func Key(source id.ID, messageID string) [16]byte {
	buf := make([]byte, 8, 8+len(messageID))
	binary.BigEndian.PutUint64(buf, uint64(source))
	sum := sha256.Sum256(append(buf, messageID...))
	return [16]byte(sum[:16])
}

// pathTypes are the last path elements of the Tracking API's single calls.
// Letters are what analytics.js sends.
var pathTypes = map[string]string{
	"identify": Identify, "track": Track, "page": Page, "screen": Screen, "group": Group, "alias": Alias,
	"i": Identify, "t": Track, "p": Page, "s": Screen, "g": Group, "a": Alias,
}

// TypeOfPath returns the event type that /v1/<name> takes, or false when the
// path is not one of a single call.
func TypeOfPath(name string) (string, bool) {
	t, ok := pathTypes[name]
	return t, ok
}
