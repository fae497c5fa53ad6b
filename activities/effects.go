package activities

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
)

// Deliveries is where effects are written, each with its delivery's mark.
type Deliveries interface {
	OpenDeliveries(ctx context.Context, refs []delivery.Ref) ([]delivery.Open, error)
	DueDeliveries(ctx context.Context, destination id.ID, limit int) ([]delivery.Open, error)
	NextDue(ctx context.Context, destination id.ID) (time.Time, error)
	MarkDeliveries(ctx context.Context, marks []delivery.Mark) error
	HoldDeliveries(ctx context.Context, refs []delivery.Ref, reason string, until time.Time) error
	Pauses(ctx context.Context) ([]delivery.Pause, error)
	ApplyContacts(ctx context.Context, dir contact.Directory, effects []delivery.ContactEffect) error
	ApplyTransactions(ctx context.Context, dir contact.Directory, lists func(string) id.ID, effects []delivery.TransactionEffect) error
}

// Courier takes deliveries, and the messages of distributions, to remote accounts.
type Courier interface {
	// Deliver does one round of what is due at a destination, under a revision of the
	// plan, and says when the next one should be. It takes a minute at most, but for
	// what an account takes to answer. An error means that nothing can be done for now.
	Deliver(ctx context.Context, revision int64, dest *routing.Destination) (delivery.Drained, error)
}

// Effects does what deliveries ask for: on the built-in directory itself, on remote
// accounts by the courier.
type Effects struct {
	Deliveries Deliveries
	Courier    Courier
	Revisions  Revisions
	Runs       *Runs
	Now        func() time.Time
}

// UpsertContacts decides by the merge rules whom each delivery is about, writes
// the contacts and marks the deliveries, all in one transaction. Running it twice:
// deliveries that ended are left alone.
func (a *Effects) UpsertContacts(ctx context.Context, refs []delivery.Ref) error {
	return a.apply(ctx, refs, plan.UpsertContact)
}

// UpsertTransactions makes missing contacts, writes the transactions and marks the
// deliveries, all in one transaction. Running it twice: as UpsertContacts; a
// transaction exists once per delivery.
func (a *Effects) UpsertTransactions(ctx context.Context, refs []delivery.Ref) error {
	return a.apply(ctx, refs, plan.UpsertTransaction)
}

// StartRuns makes a run for each delivery, marks the deliveries, and starts the
// runs' workflows. Running it twice: a workflow has one run per event, and a run
// one Temporal execution; a start that fails is repeated by a sweeper.
func (a *Effects) StartRuns(ctx context.Context, refs []delivery.Ref) error {
	return a.apply(ctx, refs, plan.StartWorkflow)
}

func (a *Effects) apply(ctx context.Context, refs []delivery.Ref, action string) error {
	open, err := a.Deliveries.OpenDeliveries(ctx, refs)
	if err != nil {
		return err
	}
	live, err := a.Revisions.Current(ctx)
	if err != nil {
		return err
	}
	var some []delivery.Open
	for _, d := range open {
		if dest := live.Destination(d.Destination); dest != nil && dest.Directory == nil {
			continue // its Deliver workflow's
		}
		if d.Action == action && d.Status != delivery.Held {
			some = append(some, d)
		}
	}
	return a.Apply(ctx, some)
}

// Apply does what deliveries of the built-in directory ask for, whatever their
// actions; each failure stays with its delivery. An error means that nothing can
// be done for now.
func (a *Effects) Apply(ctx context.Context, open []delivery.Open) error {
	live, err := a.Revisions.Current(ctx)
	if err != nil {
		return err
	}
	groups := map[string]map[id.ID][]delivery.Open{}
	for _, d := range open {
		if groups[d.Action] == nil {
			groups[d.Action] = map[id.ID][]delivery.Open{}
		}
		groups[d.Action][d.Destination] = append(groups[d.Action][d.Destination], d)
	}
	for _, step := range []struct {
		action string
		do     func(context.Context, *routing.Table, *routing.Directory, []delivery.Open) error
	}{
		{plan.UpsertContact, a.contacts},
		{plan.UpsertTransaction, a.transactions},
		{plan.StartWorkflow, a.Runs.create},
	} {
		for dest, list := range groups[step.action] {
			d := live.Destination(dest)
			if d == nil || d.Directory == nil {
				if err := a.rejectAll(ctx, list, "the destination is not there any more"); err != nil {
					return err
				}
				continue
			}
			do := func(some []delivery.Open) error { return step.do(ctx, live, d.Directory, some) }
			if err := isolate(ctx, list, do, func(d delivery.Open, err error) error { return a.failed(ctx, d, err) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// failed records that a delivery's own data, or something nobody foresaw about it,
// kept its effect from being written.
func (a *Effects) failed(ctx context.Context, d delivery.Open, err error) error {
	now := a.Now()
	m := delivery.Mark{Ref: d.Ref(), Action: d.Action, Attempts: d.Attempts + 1, Reason: fault.Words(err), Status: delivery.Rejected}
	if !fault.KindOf(err).Final() && !delivery.Tired(d.Event, m.Attempts, now) {
		m.Status = delivery.Retrying
		m.Due = now.Add(delivery.Backoff(m.Attempts, fault.RetryAfter(err)))
	}
	return a.Deliveries.MarkDeliveries(ctx, []delivery.Mark{m})
}

func (a *Effects) rejectAll(ctx context.Context, list []delivery.Open, reason string) error {
	marks := make([]delivery.Mark, len(list))
	for i, d := range list {
		marks[i] = delivery.Mark{Ref: d.Ref(), Action: d.Action, Status: delivery.Rejected, Attempts: d.Attempts + 1, Reason: reason}
	}
	return a.Deliveries.MarkDeliveries(ctx, marks)
}

func (a *Effects) contacts(ctx context.Context, _ *routing.Table, dir *routing.Directory, list []delivery.Open) error {
	effects := make([]delivery.ContactEffect, len(list))
	for i, d := range list {
		t, err := a.Revisions.Revision(ctx, d.Revision)
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
		in := input(mapping.ContactOf(payload), d)
		in.MayResubscribe = m.Def.MayResubscribe
		effects[i] = delivery.ContactEffect{Ref: d.Ref(), Input: in, Mode: modeOf(m.Def)}
	}
	return a.Deliveries.ApplyContacts(ctx, directoryOf(dir), effects)
}

func (a *Effects) transactions(ctx context.Context, _ *routing.Table, dir *routing.Directory, list []delivery.Open) error {
	effects := make([]delivery.TransactionEffect, len(list))
	for i, d := range list {
		payload, err := jsonvalue.ParseObject(d.Payload)
		if err != nil {
			return err
		}
		t, err := mapping.TransactionOf(payload)
		if err != nil {
			return err
		}
		in := input(t.Contact, d)
		if t.ContactID != "" {
			if in.ID, err = id.Parse(t.ContactID); err != nil {
				return fault.Field("contactId", "%q is no contact of this directory", t.ContactID)
			}
		}
		date := time.UnixMilli(d.OccurredAt)
		if t.Date != nil {
			date = *t.Date
		}
		effects[i] = delivery.TransactionEffect{Ref: d.Ref(), Input: in, List: t.MailingListID, Date: date, Data: t.Data}
	}
	return a.Deliveries.ApplyTransactions(ctx, directoryOf(dir), dir.List, effects)
}

func directoryOf(d *routing.Directory) contact.Directory {
	return contact.Directory{ID: d.ID, PhoneRegion: d.Def.PhoneRegion}
}

func modeOf(m plan.Mapping) string {
	if m.Mode == "" {
		return contact.Upsert
	}
	return m.Mode
}

func input(c mapping.Contact, d delivery.Open) *contact.Input {
	return &contact.Input{
		ExtRef: c.ExtRef, Email: c.Email, Phone: c.Phone, FirstName: c.FirstName, LastName: c.LastName, Language: c.Language,
		Unsubscribed: c.Unsubscribed, EmbeddedData: c.EmbeddedData, Stamp: d.Stamp(),
	}
}
