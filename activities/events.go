package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/core/segment"
)

// Inbox is where stored events wait.
type Inbox interface {
	Waiting(ctx context.Context, ids []id.ID) ([]segment.Stored, error)
	DropUnmatched(ctx context.Context, ids []id.ID) error
	WriteDeliveries(ctx context.Context, list []delivery.New) error
	Pending(ctx context.Context, events []id.ID) ([]delivery.Ref, error)
	Pauses(ctx context.Context) ([]delivery.Pause, error)
}

// Events finds out what stored events ask for.
type Events struct {
	Inbox     Inbox
	Revisions Revisions
	Now       func() time.Time
}

// Matched are the pairs of event and mapping whose filter let the event pass.
type Matched struct {
	Deliveries []delivery.Ref `json:"deliveries"`
	Unmatched  int            `json:"unmatched"`
}

// FilterEvents judges each event that still waits by the filters of its own
// revision, and ends the events that nobody wants. Running it twice: an event that
// waits is judged alike, because a revision never changes; one that left the inbox
// gives the deliveries written for it that are still to be done. So a batch whose
// process died after writing them goes on where it was.
func (a *Events) FilterEvents(ctx context.Context, batch handover.Batch) (Matched, error) {
	waiting, err := a.Inbox.Waiting(ctx, batch.Events)
	if err != nil {
		return Matched{}, err
	}
	var out Matched
	var unmatched []id.ID
	for _, e := range waiting {
		if err := ctx.Err(); err != nil {
			return Matched{}, err // nobody waits for the answer any more
		}
		matches, err := a.route(ctx, e)
		if err != nil {
			return Matched{}, err
		}
		if len(matches) == 0 {
			unmatched = append(unmatched, e.ID)
		}
		for _, m := range matches {
			out.Deliveries = append(out.Deliveries, delivery.Ref{Event: e.ID, Mapping: m.ID})
		}
	}
	out.Unmatched = len(unmatched)
	if left := without(batch.Events, waiting); len(left) > 0 {
		written, err := a.Inbox.Pending(ctx, left)
		if err != nil {
			return Matched{}, err
		}
		out.Deliveries = append(out.Deliveries, written...)
	}
	return out, a.Inbox.DropUnmatched(ctx, unmatched)
}

// without is the events that are not waiting.
func without(all []id.ID, waiting []segment.Stored) []id.ID {
	known := make(map[id.ID]bool, len(waiting))
	for _, e := range waiting {
		known[e.ID] = true
	}
	var left []id.ID
	for _, e := range all {
		if !known[e] {
			left = append(left, e)
		}
	}
	return left
}

// route is what the event's revision makes of it. A body that is no object cannot
// have been accepted as an event of a source; a workflow's URL takes any JSON.
func (a *Events) route(ctx context.Context, e segment.Stored) ([]routing.Match, error) {
	if e.Revision == 0 {
		return nil, nil // stored before there was any plan
	}
	t, err := a.Revisions.Revision(ctx, e.Revision)
	if err != nil {
		return nil, fmt.Errorf("revision %d: %w", e.Revision, err)
	}
	event, err := jsonvalue.ParseObject(e.Body)
	if err != nil {
		event = jsonvalue.NewObject(0)
	}
	return t.Route(e.Source, event), nil
}

// Mapped are written deliveries by what is to be done with them.
type Mapped struct {
	Contacts     []delivery.Ref `json:"contacts,omitempty"`
	Transactions []delivery.Ref `json:"transactions,omitempty"`
	Runs         []delivery.Ref `json:"runs,omitempty"`
	Queued       int            `json:"queued,omitempty"`   // left to a Deliver workflow
	Rejected     int            `json:"rejected,omitempty"` // can never work; the reason is on the delivery
}

// MapFields makes the payload of each matching pair, writes the deliveries and
// takes the events out of the inbox, in one transaction. A payload that cannot be
// made is a rejected delivery; it harms only itself. Running it twice: events that
// left the inbox are not written again, and their open deliveries are returned
// again.
func (a *Events) MapFields(ctx context.Context, matched Matched) (Mapped, error) {
	ids := make([]id.ID, 0, len(matched.Deliveries))
	for _, r := range matched.Deliveries {
		if len(ids) == 0 || ids[len(ids)-1] != r.Event {
			ids = append(ids, r.Event)
		}
	}
	waiting, err := a.Inbox.Waiting(ctx, ids)
	if err != nil {
		return Mapped{}, err
	}
	live, err := a.Revisions.Current(ctx)
	if err != nil {
		return Mapped{}, err
	}
	pauses, err := a.Inbox.Pauses(ctx)
	if err != nil {
		return Mapped{}, err
	}
	var list []delivery.New
	var out Mapped
	for _, e := range waiting {
		if err := ctx.Err(); err != nil {
			return Mapped{}, err
		}
		t, err := a.Revisions.Revision(ctx, e.Revision)
		if err != nil {
			return Mapped{}, err
		}
		event, err := jsonvalue.ParseObject(e.Body)
		if err != nil {
			event = jsonvalue.NewObject(0)
		}
		work := mapping.NewWork()
		for _, m := range t.Route(e.Source, event) {
			d := a.newDelivery(e, event, m, live, pauses, work)
			list = append(list, d)
			if m.Destination.Directory == nil && !d.Status.Ended() {
				out.Queued++
				continue
			}
			out.add(delivery.Ref{Event: d.Event, Mapping: d.Mapping}, d.Action, d.Status)
		}
	}
	if len(waiting) < len(ids) {
		out = Mapped{} // some were written by an earlier try: say what all of them ask for
		for _, r := range matched.Deliveries {
			out.add(r, "", delivery.Pending)
		}
	}
	return out, a.Inbox.WriteDeliveries(ctx, list)
}

// leftOver is when a Deliver workflow looks at deliveries that ProcessEvents
// itself should long have finished.
const leftOver = 5 * time.Minute

func (a *Events) newDelivery(e segment.Stored, event *jsonvalue.Object, m routing.Match, live *routing.Table, pauses []delivery.Pause, work *mapping.Work) delivery.New {
	now := a.Now()
	d := delivery.New{
		Event: e.ID, Mapping: m.ID, Destination: m.Destination.ID, Action: m.Def.Action,
		Status: delivery.Pending, Occurred: occurred(event, e.Accepted()), Due: now.Add(leftOver),
	}
	err := m.Err
	if err == nil && m.Fields == nil {
		d.Payload = e.Body
	} else if err == nil {
		err = fault.Guard(func() error {
			payload, err := m.Fields.ApplyWithin(event, work)
			if err == nil {
				d.Payload = jsonvalue.Append(nil, payload)
			}
			return err
		})
	}
	current := live.Destination(m.Destination.ID)
	off := current.Off(delivery.Paused(pauses, m.Destination.ID))
	switch {
	case err != nil:
		d.Status, d.Reason = delivery.Rejected, fault.Words(err)
	case current == nil:
		d.Status, d.Reason = delivery.Rejected, "the destination is not in the plan any more"
	case off != "":
		d.Status, d.Reason, d.Due = delivery.Held, off, delivery.HeldUntil
	case m.Destination.Directory == nil: // its Deliver workflow does it
		d.Due = now
	}
	return d
}

// occurred is the moment an event's values carry: its own timestamp, but never
// later than its arrival, so that a client's clock in 2099 freezes nothing.
func occurred(event *jsonvalue.Object, accepted time.Time) time.Time {
	if s, ok := event.Get("timestamp").(string); ok {
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil && t.Before(accepted) && t.Unix() > 0 {
			return t
		}
	}
	return accepted
}

func (m *Mapped) add(r delivery.Ref, action string, status delivery.Status) {
	switch {
	case status == delivery.Rejected:
		m.Rejected++
	case status == delivery.Held:
		m.Queued++
	case action == plan.UpsertContact:
		m.Contacts = append(m.Contacts, r)
	case action == plan.UpsertTransaction:
		m.Transactions = append(m.Transactions, r)
	case action == plan.StartWorkflow:
		m.Runs = append(m.Runs, r)
	default: // not known here: each effect looks for its own
		m.Contacts = append(m.Contacts, r)
		m.Transactions = append(m.Transactions, r)
		m.Runs = append(m.Runs, r)
	}
}
