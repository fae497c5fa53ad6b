package api

import (
	"context"
	"sync"
	"time"

	"github.com/segue-xm/segue/internal/plan"
)

const (
	overviewFor   = time.Hour
	overviewFresh = 3 * time.Second // how long one answer serves everybody
	maxWaiting    = 1_000_000       // counted no further
	maxCauses     = 20
)

// overviewCache keeps the last overview: it counts an hour of events, and many
// pages may ask at once.
type overviewCache struct {
	mu   sync.Mutex
	at   time.Time
	last Overview
}

// Overview is how the installation does. It may be some seconds old.
func (s *Service) Overview(ctx context.Context) (Overview, error) {
	c := &s.overview
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := s.Now(); c.at.IsZero() || now.Sub(c.at) >= overviewFresh || now.Before(c.at) {
		o, err := s.count(ctx, now)
		if err != nil {
			return Overview{}, err
		}
		c.at, c.last = now, o
	}
	return c.last, nil
}

func (s *Service) count(ctx context.Context, now time.Time) (Overview, error) {
	first := now.UTC().Truncate(time.Minute).Add(time.Minute - overviewFor)
	o := Overview{Now: now.UTC(), Failures: []Cause{}, Parts: []Part{}}
	waiting, oldest, err := s.Store.InboxState(ctx, maxWaiting)
	if err != nil {
		return o, err
	}
	o.Waiting = waiting
	if !oldest.IsZero() {
		o.OldestWait = max(0, now.Sub(oldest))
	}
	if err := s.countMinutes(ctx, &o, first); err != nil {
		return o, err
	}
	causes, err := s.Store.Causes(ctx, first, maxCauses)
	if err != nil {
		return o, err
	}
	n, err := s.names(ctx)
	if err != nil {
		return o, err
	}
	for _, c := range causes {
		o.Failures = append(o.Failures, Cause{Mapping: n.of(c.Mapping), Reason: c.Reason, Count: c.N, Last: instant(c.Last), Example: c.Example})
	}
	if s.Parts != nil {
		o.Parts = append(o.Parts, s.Parts(ctx)...)
	}
	o.FirstRun, err = s.firstRun(ctx)
	return o, err
}

// countMinutes fills the last hour, minute by minute and in all.
func (s *Service) countMinutes(ctx context.Context, o *Overview, first time.Time) error {
	rows, err := s.Store.Minutes(ctx, first)
	if err != nil {
		return err
	}
	if o.Totals, err = s.Store.Totals(ctx, first); err != nil {
		return err
	}
	for _, k := range []string{"accepted", "invalid", "done", "retrying", "held", "rejected", "runs", "mails"} {
		o.Totals[k] += 0 // there, also when nothing is counted
	}
	o.Minutes = make([]Minute, overviewFor/time.Minute)
	for i := range o.Minutes {
		o.Minutes[i].Start = first.Add(time.Duration(i) * time.Minute)
	}
	for _, r := range rows {
		o.Totals["accepted"] += r.Events - r.Refused
		o.Totals["invalid"] += r.Refused
		i := int(r.Start().Sub(first) / time.Minute)
		if i < 0 || i >= len(o.Minutes) {
			continue // a clock ahead of this one
		}
		m := &o.Minutes[i]
		m.Failed = r.Refused + r.Failed
		m.Waiting = r.Inbox + r.UnderWay
		// The counts are of slightly different moments.
		m.Processed = max(0, r.Events-m.Failed-m.Waiting)
	}
	return nil
}

// firstRun says which of the first steps a person took: they are in the plan.
func (s *Service) firstRun(ctx context.Context) (FirstRun, error) {
	_, p, err := s.Plans.Current(ctx)
	if err != nil {
		return FirstRun{}, err
	}
	if p == nil {
		p = &plan.Plan{}
	}
	event, err := s.Store.HasEvents(ctx)
	return FirstRun{Source: len(p.Sources) > 0, Event: event, Mapping: len(p.Mappings) > 0, Workflow: len(p.Workflows) > 0}, err
}
