package segment

import (
	"bytes"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// ParseCall reads the body of a single call of the Tracking API. typ is the
// event type that the path names, or "" when the body has to; the path wins. An
// error is Invalid and refuses the request: too large, or not a JSON object. A
// call that breaks a rule of the event spec is the one refusal instead.
// newID makes a message id for a call that has none.
func ParseCall(typ string, body []byte, now time.Time, newID func() string) ([]Event, []Refusal, error) {
	if len(body) > MaxEvent {
		return nil, nil, fault.New(fault.Invalid, "event is %d bytes; the limit is %d", len(body), MaxEvent)
	}
	r := &request{body: body, now: now, newID: newID, pathType: typ, maxEvent: MaxEvent}
	return r.single()
}

// ParseBatch reads the body of a batch request. Items that break a rule are
// refused one by one, an item that is no JSON among them as long as its end can
// be found. An error is Invalid and refuses the request: too large, no batch in
// it, or not JSON with nothing in it to save.
func ParseBatch(body []byte, now time.Time, newID func() string) ([]Event, []Refusal, error) {
	if len(body) > MaxBatch {
		return nil, nil, fault.New(fault.Invalid, "batch is %d bytes; the limit is %d", len(body), MaxBatch)
	}
	r := &request{body: body, now: now, newID: newID, maxEvent: MaxEvent}
	i := space(body, 0)
	if i == len(body) || body[i] != '{' {
		return nil, nil, fault.New(fault.Invalid, "want a JSON object with a batch")
	}
	var l list
	found := false
	i, more := jsonvalue.Enter(body, i)
	for more {
		end, val, flaw := name(body, i)
		if flaw == "" {
			if key := string(body[i+1 : end-1]); key == "batch" && val < len(body) && body[val] == '[' {
				l, found = list{}, true
				i, flaw = l.scan(body, val, MaxBatchEvents)
			} else if i, flaw = value(body, val, 1); flaw == "" {
				r.share(key, body[val:i])
			}
		}
		if flaw == "" {
			i, more, flaw = next(body, i, '}')
		}
		if flaw != "" {
			return nil, nil, fault.New(fault.Invalid, "%s", flaw)
		}
	}
	if space(body, i) != len(body) {
		return nil, nil, fault.New(fault.Invalid, "%s", flawTrail)
	}
	if !found {
		return nil, nil, fault.Field("batch", "want an array of events")
	}
	if n := len(r.context) + len(r.integrations); n > MaxShared {
		return nil, nil, fault.Field("context", "context and integrations of the batch are %d bytes; the limit is %d", n, MaxShared)
	}
	if r.context != nil && !utf8.Valid(r.context) || r.integrations != nil && !utf8.Valid(r.integrations) {
		return nil, nil, fault.Field("context", "%s", flawUTF8)
	}
	return r.many(l)
}

// ParseWebhook reads what Segment's webhook destinations send: an event, or an
// array of them. Delete events are taken here and nowhere else. Timestamps are
// kept as they are, because Segment has corrected them. An event that has a time
// and no message id gets one made of its bytes, so that it is known when it comes
// again. Errors and refusals are as for ParseBatch.
func ParseWebhook(body []byte, limits Limits, now time.Time, newID func() string) ([]Event, []Refusal, error) {
	limits = limits.withDefaults()
	if len(body) > limits.Bytes {
		return nil, nil, fault.New(fault.Invalid, "body is %d bytes; the limit is %d", len(body), limits.Bytes)
	}
	r := &request{body: body, now: now, newID: newID, webhook: true, maxEvent: limits.EventBytes}
	i := space(body, 0)
	if i == len(body) || body[i] != '[' {
		return r.single()
	}
	var l list
	end, flaw := l.scan(body, i, limits.Events)
	if flaw == "" && space(body, end) != len(body) {
		flaw = flawTrail
	}
	if flaw != "" {
		return nil, nil, fault.New(fault.Invalid, "%s", flaw)
	}
	return r.many(l)
}

// share notes what a batch says for all its items.
func (r *request) share(key string, raw []byte) {
	switch key {
	case "sentAt":
		r.sentAt = raw
	case "context":
		r.context = nonEmpty(raw)
	case "integrations":
		r.integrations = nonEmpty(raw)
	}
}

// nonEmpty returns raw when it is an object with members.
func nonEmpty(raw []byte) []byte {
	if raw[0] != '{' || raw[space(raw, 1)] == '}' {
		return nil
	}
	return raw
}

// list is the items of an array.
type list struct {
	items  []item
	beyond int  // items past the limit that are not in items
	broken bool // some item is not JSON
}

// scan cuts the array at b[i] into items, at most limit of them good ones, and
// returns where it ends.
func (l *list) scan(b []byte, i, limit int) (int, string) {
	var parts []part
	valid := utf8.Valid(b)
	i, more := jsonvalue.Enter(b, i)
	for more {
		if i == len(b) {
			return i, flawEnd
		}
		var it item
		it, parts = scanItem(b, i, parts)
		if isSyntax(it.flaw) {
			end, ok := cut(b, it.start)
			if !ok {
				return i, it.flaw
			}
			if end == it.start {
				return i, flawAt(b[i])
			}
			it.end = end
			l.broken = true
		} else if !valid && !utf8.Valid(b[it.start:it.end]) {
			it.flaw, l.broken = flawUTF8, true
		}
		if n := len(l.items); n < limit+MaxOverflow {
			if n >= limit {
				it.flaw = fmt.Sprintf("more than %d events in one request", limit)
			}
			l.items = append(l.items, it)
		} else {
			l.beyond++
		}
		var flaw string
		if i, more, flaw = next(b, it.end, ']'); flaw != "" {
			return i, flaw
		}
	}
	return i, ""
}

// isSyntax reports whether a flaw leaves the end of its item unknown.
func isSyntax(flaw string) bool {
	return flaw == flawDepth || len(flaw) > 8 && flaw[:8] == "not JSON"
}

// single handles a body that is one event.
func (r *request) single() ([]Event, []Refusal, error) {
	i := space(r.body, 0)
	if i == len(r.body) {
		return nil, nil, fault.New(fault.Invalid, "not JSON: empty")
	}
	it, _ := scanItem(r.body, i, nil)
	if it.flaw == "" && space(r.body, it.end) != len(r.body) {
		it.flaw = flawTrail
	}
	if it.flaw == "" && !utf8.Valid(r.body) {
		it.flaw = flawUTF8
	}
	if it.flaw != "" {
		return nil, nil, fault.New(fault.Invalid, "%s", it.flaw)
	}
	e, refused := r.safely(it, 0)
	if refused != nil {
		return nil, []Refusal{*refused}, nil
	}
	return []Event{e}, nil, nil
}

// many handles the items of an array.
func (r *request) many(l list) ([]Event, []Refusal, error) {
	events := make([]Event, 0, len(l.items))
	var refusals []Refusal
	for k, it := range l.items {
		e, refused := r.safely(it, k)
		if refused != nil {
			refusals = append(refusals, *refused)
			continue
		}
		events = append(events, e)
	}
	if l.broken && len(events) == 0 {
		return nil, nil, fault.New(fault.Invalid, "item %d: %s", refusals[0].Index, refusals[0].Reason)
	}
	if l.beyond > 0 {
		refusals[len(refusals)-1].Reason += fmt.Sprintf("; so had %d more after this", l.beyond)
	}
	return events, refusals, nil
}

// safely is event with a recover of its own, so that an item which trips a
// defect of ours harms only itself.
func (r *request) safely(it item, index int) (e Event, refused *Refusal) {
	defer func() {
		if p := recover(); p != nil {
			e, refused = Event{}, r.refuse(it, index, Event{}, "internal error while reading this item")
		}
	}()
	e, reason := r.event(it)
	if reason != "" {
		return Event{}, r.refuse(it, index, e, reason)
	}
	return e, nil
}

func (r *request) refuse(it item, index int, e Event, reason string) *Refusal {
	raw := r.body[it.start:it.end]
	if it.flaw == "" {
		raw = r.withoutWriteKey(it)
	}
	return &Refusal{
		Index:     index,
		MessageID: clip(e.MessageID, MaxText),
		Type:      clip(clean(e.Type), 40),
		Reason:    reason,
		Body:      bytes.Clone(raw[:min(len(raw), MaxRefusalBody)]),
	}
}
