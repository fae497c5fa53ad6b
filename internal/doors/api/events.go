package api

import (
	"context"
	"slices"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/store"
)

// Events lists stored events with their deliveries.
func (s *Service) Events(ctx context.Context, f EventFilter, p Paging) (Page[Event], error) {
	var none Page[Event]
	at, err := p.paging()
	if err != nil {
		return none, err
	}
	if err := oneOf("status", f.Status, EventAccepted, EventProcessed, EventRetrying, EventFailed, EventInvalid); err != nil {
		return none, err
	}
	q := store.EventQuery{MessageID: f.MessageID, Status: f.Status, Type: f.Type, Name: f.Name, UserID: f.UserID}
	if q.Source, err = s.named(ctx, plan.KindSource, f.Source); err != nil {
		return none, err
	}
	if f.Since != nil {
		q.Since = *f.Since
	}
	if f.Until != nil {
		q.Until = *f.Until
	}
	rows, next, err := s.Store.ListEvents(ctx, q, at)
	if err != nil {
		return none, err
	}
	show, err := s.eventShower(ctx, rows, false)
	if err != nil {
		return none, err
	}
	return listPage(rows, next, show), nil
}

// Event is one event with its deliveries and their payloads.
func (s *Service) Event(ctx context.Context, event id.ID) (Event, error) {
	row, err := s.Store.EventRow(ctx, event)
	if err != nil {
		return Event{}, missing(err, "event", event)
	}
	show, err := s.eventShower(ctx, []store.EventRow{row}, true)
	if err != nil {
		return Event{}, err
	}
	return show(row), nil
}

// eventShower reads what it takes to show these rows.
func (s *Service) eventShower(ctx context.Context, rows []store.EventRow, payloads bool) (func(store.EventRow) Event, error) {
	n, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]id.ID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	list, err := s.Store.DeliveryRows(ctx, ids, payloads)
	if err != nil {
		return nil, err
	}
	keeps, err := s.keepers(ctx, list)
	if err != nil {
		return nil, err
	}
	deliveries := make(map[id.ID][]Delivery, len(rows))
	for _, d := range list {
		deliveries[d.Event] = append(deliveries[d.Event], showDelivery(n, d, keeps))
	}
	return func(r store.EventRow) Event {
		e := Event{
			ID: r.ID, Key: r.ID.String(), Source: n.of(r.Source), MessageID: r.MessageID, Type: r.Type, Event: r.Name, UserID: r.UserID,
			Status: r.Status, Reason: r.Refusal, AcceptedAt: instant(r.AcceptedAt), Revision: r.Revision, Deliveries: deliveries[r.ID],
		}
		if e.Deliveries == nil {
			e.Deliveries = []Delivery{}
		}
		return e
	}, nil
}

// keepers are what keeps deliveries from being tried for now, beside their own
// next attempt.
type keepers struct {
	holds  delivery.Holds
	pauses []delivery.Pause
}

// keepers reads them when any of these deliveries is open.
func (s *Service) keepers(ctx context.Context, list []store.DeliveryRow) (k keepers, err error) {
	if !slices.ContainsFunc(list, func(d store.DeliveryRow) bool { return !delivery.Status(d.Status).Ended() }) {
		return k, nil
	}
	revision, err := s.Store.CurrentRevision(ctx)
	if err != nil {
		return k, err
	}
	if k.holds, err = s.Store.Holds(ctx, revision); err != nil {
		return k, err
	}
	k.pauses, err = s.Store.Pauses(ctx)
	return k, err
}

func showDelivery(n names, d store.DeliveryRow, k keepers) Delivery {
	out := Delivery{
		Mapping: n.of(d.Mapping), Destination: n.of(d.Destination), Action: d.Action, Status: d.Status, Reason: d.Reason,
		Attempts: d.Attempts, Contact: d.Contact, Result: object(d.Result), UpdatedAt: instant(d.UpdatedAt),
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
