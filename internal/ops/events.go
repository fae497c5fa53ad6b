package ops

import (
	"context"
	"slices"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/query"
)

// Event is one stored event, without its body.
type Event struct {
	ID         id.ID          `json:"id"`
	Key        string         `json:"key"` // as in the SegueEvents search attribute; same text as ID
	Source     string         `json:"source"`
	MessageID  string         `json:"message_id"`
	Type       string         `json:"type"`
	Event      string         `json:"event"` // track event name, page or screen name
	UserID     string         `json:"user_id"`
	Status     segment.Status `json:"status"`
	Reason     string         `json:"reason,omitempty"` // why it is invalid
	AcceptedAt time.Time      `json:"accepted_at"`
	Revision   int64          `json:"revision"`
	Deliveries []Delivery     `json:"deliveries"`
}

// Delivery is one event under one mapping.
type Delivery struct {
	Mapping     string            `json:"mapping"`
	Destination string            `json:"destination"`
	Action      string            `json:"action"`
	Status      delivery.Status   `json:"status"`
	Reason      string            `json:"reason,omitempty"`
	Attempts    int               `json:"attempts"`
	Contact     id.ID             `json:"contact,omitempty"`
	Result      *jsonvalue.Object `json:"result,omitempty"`
	Payload     *jsonvalue.Object `json:"payload,omitempty"` // only in an event's detail
	UpdatedAt   time.Time         `json:"updated_at"`
	Job         id.ID             `json:"job,omitempty"`      // the replay that wrote it
	Revision    int64             `json:"revision,omitempty"` // of the plan that made it, when that is not the event's
	// NextAttempt is when it is tried again at the earliest; nil when nobody knows.
	NextAttempt *time.Time `json:"next_attempt,omitempty"`
	Paused      *Paused    `json:"paused,omitempty"` // its destination is, and it waits for that
	Hold        *Hold      `json:"hold,omitempty"`   // of its destination, which it waits for
}

// EventFilter selects events. Zero fields do not restrict.
type EventFilter struct {
	Source    string         `json:"source,omitempty" query:"source" doc:"name or id of a source"`
	MessageID string         `json:"message_id,omitempty" query:"message_id" doc:"the messageId the sender gave"`
	Status    segment.Status `json:"status,omitempty" query:"status" doc:"accepted, processed, retrying, failed or invalid"`
	Type      string         `json:"type,omitempty" query:"type" doc:"identify, track, page, screen, group, alias or delete"`
	Name      string         `json:"event,omitempty" query:"event" doc:"track event name, page or screen name"`
	UserID    string         `json:"user_id,omitempty" query:"user_id"`
	Since     *time.Time     `json:"since,omitempty" query:"since" doc:"stored at this time or later"`
	Until     *time.Time     `json:"until,omitempty" query:"until" doc:"stored before this time"`
}

// EventStore reads events and what was made of them.
type EventStore interface {
	ListEvents(ctx context.Context, f query.EventQuery, p query.Paging) ([]query.EventRow, id.ID, error)
	EventRow(ctx context.Context, event id.ID) (query.EventRow, error)
	EventBody(ctx context.Context, event id.ID) ([]byte, error)
	DeliveryRows(ctx context.Context, events []id.ID, payloads bool) ([]query.DeliveryRow, error)
	ChangeRows(ctx context.Context, event id.ID, contacts []id.ID) ([]query.ChangeRow, error)
	CurrentRevision(ctx context.Context) (int64, error)
	Holds(ctx context.Context, revision int64) (delivery.Holds, error)
	Pauses(ctx context.Context) ([]delivery.Pause, error)
}

// Events are what is asked about stored events.
type Events struct {
	Store     EventStore
	Names     *Names
	Revisions Revisions // for Why
	Runs      *Runs
	Temporal  TemporalUI
}

// List lists stored events with their deliveries.
func (e *Events) List(ctx context.Context, f EventFilter, p Paging) (Page[Event], error) {
	var none Page[Event]
	at, err := p.paging()
	if err != nil {
		return none, err
	}
	if err := oneOf("status", f.Status, segment.Statuses()...); err != nil {
		return none, err
	}
	q := query.EventQuery{MessageID: f.MessageID, Status: f.Status, Type: f.Type, Name: f.Name, UserID: f.UserID}
	if q.Source, err = e.Names.filter(ctx, plan.KindSource, f.Source); err != nil {
		return none, err
	}
	if f.Since != nil {
		q.Since = *f.Since
	}
	if f.Until != nil {
		q.Until = *f.Until
	}
	rows, next, err := e.Store.ListEvents(ctx, q, at)
	if err != nil {
		return none, err
	}
	show, err := e.shower(ctx, rows, false)
	if err != nil {
		return none, err
	}
	return listPage(rows, next, show), nil
}

// Get is one event with its deliveries and their payloads.
func (e *Events) Get(ctx context.Context, event id.ID) (Event, error) {
	row, err := e.Store.EventRow(ctx, event)
	if err != nil {
		return Event{}, missing(err, "event", event)
	}
	show, err := e.shower(ctx, []query.EventRow{row}, true)
	if err != nil {
		return Event{}, err
	}
	return show(row), nil
}

// shower reads what it takes to show these rows.
func (e *Events) shower(ctx context.Context, rows []query.EventRow, payloads bool) (func(query.EventRow) Event, error) {
	n, err := e.Names.all(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]id.ID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	list, err := e.Store.DeliveryRows(ctx, ids, payloads)
	if err != nil {
		return nil, err
	}
	keeps, err := e.keepers(ctx, list)
	if err != nil {
		return nil, err
	}
	deliveries := make(map[id.ID][]Delivery, len(rows))
	for _, d := range list {
		deliveries[d.Event] = append(deliveries[d.Event], showDelivery(n, d, keeps))
	}
	return func(r query.EventRow) Event {
		return showEvent(n, r, deliveries[r.ID])
	}, nil
}

func showEvent(n names, r query.EventRow, deliveries []Delivery) Event {
	if deliveries == nil {
		deliveries = []Delivery{}
	}
	return Event{
		ID: r.ID, Key: r.ID.String(), Source: n.of(r.Source), MessageID: r.MessageID, Type: r.Type, Event: r.Name, UserID: r.UserID,
		Status: r.Status, Reason: r.Refusal, AcceptedAt: instant(r.AcceptedAt), Revision: r.Revision, Deliveries: deliveries,
	}
}

// keepers are what keeps deliveries from being tried for now, beside their own
// next attempt.
type keepers struct {
	holds  delivery.Holds
	pauses []delivery.Pause
}

// keepers reads them when any of these deliveries is open.
func (e *Events) keepers(ctx context.Context, list []query.DeliveryRow) (k keepers, err error) {
	if !slices.ContainsFunc(list, func(d query.DeliveryRow) bool { return !delivery.Status(d.Status).Ended() }) {
		return k, nil
	}
	revision, err := e.Store.CurrentRevision(ctx)
	if err != nil {
		return k, err
	}
	if k.holds, err = e.Store.Holds(ctx, revision); err != nil {
		return k, err
	}
	k.pauses, err = e.Store.Pauses(ctx)
	return k, err
}

func showDelivery(n names, d query.DeliveryRow, k keepers) Delivery {
	out := Delivery{
		Mapping: n.of(d.Mapping), Destination: n.of(d.Destination), Action: d.Action, Status: d.Status, Reason: d.Reason,
		Attempts: d.Attempts, Contact: d.Contact, Result: object(d.Result), UpdatedAt: instant(d.UpdatedAt), Job: d.Job,
	}
	if d.Revision != nil {
		out.Revision = *d.Revision
	}
	if len(d.Payload) > 0 {
		out.Payload, _ = jsonvalue.ParseObject(d.Payload)
	}
	if delivery.Status(d.Status).Ended() {
		return out
	}
	if i := slices.IndexFunc(k.pauses, func(p delivery.Pause) bool { return p.Destination == d.Destination }); i >= 0 {
		p := k.pauses[i]
		out.Paused = &Paused{p.At().UTC(), p.By, p.Note}
		return out
	}
	if d.Status == "retrying" {
		out.NextAttempt = instantOrNil(d.DueAt)
	}
	if h := k.holds.On(d.Destination, d.Action); h != nil && d.Status != "held" {
		hold := showHold(*h)
		out.Hold = &hold
		if out.NextAttempt == nil || out.NextAttempt.Before(hold.Until) {
			out.NextAttempt = &hold.Until
		}
	}
	return out
}
