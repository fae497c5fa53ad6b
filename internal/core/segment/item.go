package segment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// field is a top-level key of an event that means something to ingest.
type field uint8

const (
	other field = iota // a run of keys that are only carried
	fType
	fMessageID
	fUserID
	fAnonymousID
	fGroupID
	fEvent
	fName
	fTimestamp
	fOriginalTimestamp
	fReceivedAt
	fSentAt
	fContext
	fIntegrations
	fWriteKey
	fields
)

var fieldNames = [fields]string{"", "type", "messageId", "userId", "anonymousId", "groupId", "event", "name",
	"timestamp", "originalTimestamp", "receivedAt", "sentAt", "context", "integrations", "writeKey"}

// fieldOf returns which field a raw key, quotes included, is.
func fieldOf(raw []byte) field {
	key := raw[1 : len(raw)-1]
	for _, c := range key {
		if c == '\\' {
			key = []byte(jsonvalue.Unquote(raw))
			break
		}
	}
	switch string(key) { // compiled without allocating
	case "type":
		return fType
	case "messageId":
		return fMessageID
	case "userId":
		return fUserID
	case "anonymousId":
		return fAnonymousID
	case "groupId":
		return fGroupID
	case "event":
		return fEvent
	case "name":
		return fName
	case "timestamp":
		return fTimestamp
	case "originalTimestamp":
		return fOriginalTimestamp
	case "receivedAt":
		return fReceivedAt
	case "sentAt":
		return fSentAt
	case "context":
		return fContext
	case "integrations":
		return fIntegrations
	case "writeKey":
		return fWriteKey
	}
	return other
}

// part is one known member of an object, or a run of unknown ones: the bytes
// [start, end), the value from val on. Offsets are into the request's body.
type part struct {
	start, val, end int
	field           field
}

// item is one value cut out of a request.
type item struct {
	start, end int
	parts      []part
	flaw       string // why it cannot be an event; parts is then incomplete
}

// scanItem checks the value at b[i] and, of an object, notes its members. The
// parts are appended to buf.
func scanItem(b []byte, i int, buf []part) (item, []part) {
	it := item{start: i, end: i}
	if b[i] != '{' {
		it.end, it.flaw = value(b, i, 0)
		if it.flaw == "" {
			it.flaw = "want an object, have " + kindOf(b[i])
		}
		return it, buf
	}
	from := len(buf)
	i, more := jsonvalue.Enter(b, i)
	for more {
		start := i
		keyEnd, val, flaw := name(b, i)
		if flaw == "" {
			i, flaw = value(b, val, 1)
		}
		if flaw != "" {
			it.flaw = flaw
			return it, buf
		}
		f := fieldOf(b[start:keyEnd])
		if last := len(buf) - 1; f == other && last >= from && buf[last].field == other {
			buf[last].end = i
		} else {
			buf = append(buf, part{start: start, val: val, end: i, field: f})
		}
		if i, more, it.flaw = next(b, i, '}'); it.flaw != "" {
			return it, buf
		}
	}
	it.end, it.parts = i, buf[from:len(buf):len(buf)]
	return it, buf
}

func kindOf(c byte) string {
	switch c {
	case '"':
		return "string"
	case '[':
		return "array"
	case '{':
		return "object"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

// request is what the items of one request have in common.
type request struct {
	body         []byte
	now          time.Time
	newID        func() string
	pathType     string // "" when the item says it
	webhook      bool   // Segment has corrected the clock already; delete events come
	maxEvent     int
	sentAt       []byte // raw values of a batch; nil when it has none
	context      []byte
	integrations []byte
	received     []byte // see arrival
}

// event makes an event of an item, or says why not. It also returns what could
// be read of the item's type and message id.
func (r *request) event(it item) (e Event, reason string) {
	if it.flaw != "" {
		return e, it.flaw
	}
	var v [fields][]byte // of equal keys the last counts, as in JavaScript
	for _, p := range it.parts {
		v[p.field] = r.body[p.val:p.end]
	}
	e.Type, e.MessageID = stringOf(v[fType]), clean(scalarText(v[fMessageID]))
	if r.pathType != "" {
		e.Type = r.pathType
	}
	if n := it.end - it.start; n > r.maxEvent {
		return e, fmt.Sprintf("event is %d bytes; the limit is %d", n, r.maxEvent)
	}
	if reason = r.checkType(e.Type, v[fType]); reason != "" {
		return e, reason
	}
	if reason = checkMessageID(v[fMessageID]); reason != "" {
		return e, reason
	}
	e.UserID, e.AnonymousID = column(v[fUserID]), column(v[fAnonymousID])
	if reason = checkIdentity(e, v[fGroupID]); reason != "" {
		return e, reason
	}
	switch e.Type {
	case Track:
		if e.Name = column(v[fEvent]); e.Name == "" {
			return e, "event: a track call needs the event's name"
		}
	case Page, Screen:
		e.Name = column(v[fName])
	}
	given := e.MessageID != ""
	switch {
	case given:
	case r.webhook && (precise(v[fTimestamp]) || precise(v[fReceivedAt])):
		e.MessageID = idOf(r.body[it.start:it.end])
	default:
		e.MessageID = r.newID()
	}
	t := r.times(v)
	e.Timestamp = t.timestamp
	e.Body = r.compose(it, v, e, given, t)
	return e, ""
}

// idOf is the message id of a webhook's event that has none: a delete, or data that
// was reshaped. Segment delivers until it is answered, and perhaps in another
// batch; an event that says when it happened is the same when its bytes are.
func idOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "segue-" + hex.EncodeToString(sum[:16])
}

func (r *request) checkType(typ string, raw []byte) string {
	switch typ {
	case Identify, Track, Page, Screen, Group, Alias:
		return ""
	case Delete:
		if r.webhook {
			return ""
		}
		// A write key is public in every browser: it must not erase people.
		return "type: delete is taken from signed webhooks only"
	case "":
		if raw == nil {
			return "type: missing"
		}
		return "type: want a text that names the call"
	}
	return fmt.Sprintf("type: %q is not a call", clip(clean(typ), 40))
}

func checkMessageID(raw []byte) string {
	if raw == nil || raw[0] == 'n' {
		return ""
	}
	if raw[0] != '"' && !isNumber(raw) {
		return "messageId: want a string, have " + kindOf(raw[0])
	}
	if len(raw) <= MaxMessageID {
		return ""
	}
	n := 0
	for range scalarText(raw) {
		n++
	}
	if n > MaxMessageID {
		return fmt.Sprintf("messageId: %d characters; the limit is %d", n, MaxMessageID)
	}
	return ""
}

// checkIdentity holds Segment's rule that a call says whom it is about.
func checkIdentity(e Event, groupID []byte) string {
	switch {
	case e.Type == Alias && e.UserID == "", e.Type == Delete && e.UserID == "":
		return "userId: missing"
	case e.Type == Group && column(groupID) == "":
		return "groupId: missing"
	case e.UserID == "" && e.AnonymousID == "":
		return "userId: missing, and anonymousId too; one of them is needed"
	}
	return ""
}
