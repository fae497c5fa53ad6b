package courier

import (
	"context"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// maxRequestIDs bounds the request ids kept on a delivery, the newest.
const maxRequestIDs = 20

// try makes one attempt, when nobody else has, and records how it ended.
func (r *round) try(ctx context.Context, d delivery.Remote) error {
	ours, err := r.Store.BeginAttempt(ctx, d.Ref(), d.Attempts)
	if err != nil || !ours {
		return err
	}
	o := r.attempt(ctx, d)
	ctx, cancel := mustWrite(ctx)
	defer cancel()
	return r.Store.MarkDeliveries(ctx, []delivery.Mark{r.mark(d, o)})
}

func (r *round) attempt(ctx context.Context, d delivery.Remote) (o delivery.Outcome) {
	err := fault.Guard(func() error {
		t, err := r.Revisions.Revision(ctx, d.Revision)
		if err != nil {
			return err
		}
		m, err := t.Pinned(d.Mapping)
		if err != nil {
			return err
		}
		payload, err := jsonvalue.ParseObject(d.Payload)
		if err != nil {
			return err
		}
		contact, _ := resultSoFar(d).Get("contact").(string)
		o = r.account.Deliver(ctx, delivery.Attempt{
			Event: d.Event, Action: d.Action, Payload: payload, Mode: m.Def.Mode, MayResubscribe: m.Def.MayResubscribe,
			Source: d.Source.String(), Mapping: d.Mapping.String(), MessageID: d.MessageID, Accepted: d.Accepted(),
			Repeat: d.Unsure, Contact: contact,
		})
		o.Refused = o.Refused && r.account.Refused(ctx)
		return o.Err
	})
	o.Err = err
	o.Unsure = o.Unsure || fault.KindOf(err) == fault.Internal && err != nil // nobody knows how far it got
	return o
}

// mark is a delivery's state after an attempt.
func (r *round) mark(d delivery.Remote, o delivery.Outcome) delivery.Mark {
	after, blameless := r.ended(d.Action, o)
	now := r.Now()
	m := delivery.Mark{
		Ref: d.Ref(), Action: d.Action, Attempts: d.Attempts + 1, Status: delivery.Done, Result: result(d, o),
		Due: now, Unsure: d.Unsure || o.Unsure,
	}
	if o.Err == nil {
		return m
	}
	kind := fault.KindOf(o.Err)
	m.Status, m.Reason = delivery.Retrying, fault.Words(o.Err)
	switch {
	case blameless: // it keeps its tries
		m.Attempts = d.Attempts
	// The delivery that makes the contact may be on its way.
	case kind == fault.NotFound && now.Sub(d.Accepted()) < contact.Patience:
		m.Due = now.Add(delivery.Backoff(m.Attempts, after))
	// A permission can be given, a token's scope widened: what is forbidden now is
	// tried again, unlike what makes no sense.
	case kind.Final() && kind != fault.Unauthorized, delivery.Tired(d.Event, m.Attempts, now):
		m.Status = delivery.Rejected
	default:
		m.Due = now.Add(delivery.Backoff(m.Attempts, after))
	}
	return m
}

// resultSoFar is what earlier attempts have left on a delivery.
func resultSoFar(d delivery.Remote) *jsonvalue.Object {
	if o, err := jsonvalue.ParseObject([]byte(d.Result)); err == nil {
		return o
	}
	return jsonvalue.NewObject(0)
}

// result is what a delivery keeps of its attempts: the summary, and the request ids
// that the account's support asks for.
func result(d delivery.Remote, o delivery.Outcome) *jsonvalue.Object {
	before := resultSoFar(d)
	out := jsonvalue.NewObject(4)
	for k, v := range before.All() {
		out.Set(k, v)
	}
	for k, v := range o.Summary.All() {
		out.Set(k, v)
	}
	requests, _ := before.Get("requests").([]any)
	for _, r := range o.RequestIDs {
		requests = append(requests, r)
	}
	if len(requests) > 0 {
		out.Set("requests", requests[max(0, len(requests)-maxRequestIDs):])
	}
	return out
}
