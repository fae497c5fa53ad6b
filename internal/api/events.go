package api

import (
	"context"

	"github.com/segue-xm/segue/internal/id"
	"github.com/segue-xm/segue/internal/jsonvalue"
	"github.com/segue-xm/segue/internal/store"
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
	if q.Source, err = s.named(ctx, store.KindSource, f.Source); err != nil {
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
	deliveries := make(map[id.ID][]Delivery, len(rows))
	for _, d := range list {
		deliveries[d.Event] = append(deliveries[d.Event], showDelivery(n, d))
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

func showDelivery(n names, d store.DeliveryRow) Delivery {
	out := Delivery{
		Mapping: n.of(d.Mapping), Destination: n.of(d.Destination), Action: d.Action, Status: d.Status, Reason: d.Reason,
		Attempts: d.Attempts, Contact: d.Contact, Result: object(d.Result), UpdatedAt: instant(d.UpdatedAt),
	}
	if len(d.Payload) > 0 {
		out.Payload, _ = jsonvalue.ParseObject(d.Payload)
	}
	if d.Status == "retrying" {
		out.NextAttempt = instantOrNil(d.DueAt)
	}
	return out
}
