package api

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/store"
)

const (
	overviewMinutes = 60
	overviewFresh   = 3 * time.Second // how long one answer serves everybody
	maxWaiting      = 1_000_000       // counted no further
	maxCauses       = 20
)

// How long the count of a minute is kept: as it costs, so that counting never
// takes a larger part of the machine under load.
const (
	settledAfter = 2 * time.Minute // from when on little changes, unless something is under way
	keepSettled  = time.Minute     // at least
	shareSettled = 1000            // times what counting took
	shareMoving  = 20
)

// overviewCache keeps the last overview and the minutes it was made of.
type overviewCache struct {
	mu   sync.Mutex
	at   time.Time
	last Overview

	counting sync.Mutex // held by who counts
	minutes  map[time.Time]countedMinute
}

// get is the last overview, whether there is one, and whether it is still fresh.
func (c *overviewCache) get(now time.Time) (last Overview, any, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := now.Sub(c.at)
	return c.last, !c.at.IsZero(), !c.at.IsZero() && age >= 0 && age < overviewFresh
}

func (c *overviewCache) set(o Overview) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.last = o.Now, o
}

type countedMinute struct {
	store.MinuteRow
	until time.Time // when to count again
}

// Overview is how the installation does. It may be some seconds old, and is
// shared: do not change it. While one request counts, others get the last one.
func (s *Service) Overview(ctx context.Context) (Overview, error) {
	c := &s.overview
	last, known, fresh := c.get(s.Now())
	if fresh {
		return last, nil
	}
	if !c.counting.TryLock() {
		if known {
			return last, nil
		}
		c.counting.Lock()
	}
	defer c.counting.Unlock()
	now := s.Now()
	if last, _, fresh := c.get(now); fresh { // who was waited for has counted
		return last, nil
	}
	o, err := s.count(ctx, now)
	if err == nil {
		c.set(o)
	}
	return o, err
}

func (s *Service) count(ctx context.Context, now time.Time) (Overview, error) {
	o := Overview{Now: now.UTC(), Failures: []Cause{}, Parts: []Part{}}
	waiting, oldest, err := s.Store.InboxState(ctx, maxWaiting)
	if err != nil {
		return o, err
	}
	o.Waiting = waiting
	if !oldest.IsZero() {
		o.OldestWait = max(0, now.Sub(oldest))
	}
	rows, err := s.lastMinutes(ctx, &o, now)
	if err != nil {
		return o, err
	}
	n, err := s.names(ctx)
	if err != nil {
		return o, err
	}
	o.Totals = totals(rows)
	for _, c := range causes(rows) {
		o.Failures = append(o.Failures, Cause{Mapping: n.of(c.Mapping), Reason: c.Reason, Count: c.N, Last: instant(c.Last), Example: c.Example})
	}
	if s.Parts != nil {
		o.Parts = append(o.Parts, s.Parts(ctx)...)
	}
	places, err := s.destinationParts(ctx)
	if err != nil {
		return o, err
	}
	o.Parts = append(o.Parts, places...)
	o.FirstRun, err = s.firstRun(ctx)
	return o, err
}

// destinationParts are the destinations that somebody should know of: those that
// are not ok, unless they are switched off and nothing waits for them.
func (s *Service) destinationParts(ctx context.Context) ([]Part, error) {
	all, err := s.destinations(ctx)
	if err != nil {
		return nil, err
	}
	var parts []Part
	for _, d := range all {
		p := Part{Name: d.Name, Status: "held", Destination: d.ID}
		switch d.Status {
		case "off":
			waits, err := s.Store.HasQueued(ctx, d.ID)
			if err != nil {
				return nil, err
			}
			if !waits {
				continue
			}
			p.Detail = "switched off, and deliveries wait"
		case "paused":
			p.Since, p.Detail = &d.Paused.At, "paused by "+d.Paused.By
			if d.Paused.Note != "" {
				p.Detail += ": " + d.Paused.Note
			}
		case "failed":
			p.Status, p.Since, p.Detail = "failed", &d.Trouble.Since, d.Trouble.Reason
		case "held":
			p.Until, p.Detail = &d.Holds[0].Until, d.Holds[0].Reason
			for _, h := range d.Holds[1:] {
				if h.Until.After(*p.Until) {
					p.Until, p.Detail = &h.Until, h.Reason
				}
			}
		default:
			continue
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// lastMinutes fills the last hour, oldest first. It counts from the newest minute
// back, and a minute counted is kept even when the next one takes too long: who
// asks again gets further.
func (s *Service) lastMinutes(ctx context.Context, o *Overview, now time.Time) ([]store.MinuteRow, error) {
	o.Minutes = make([]Minute, overviewMinutes)
	rows := make([]store.MinuteRow, overviewMinutes)
	kept := make(map[time.Time]countedMinute, overviewMinutes)
	before := s.overview.minutes
	start := now.UTC().Truncate(time.Minute)
	for i := overviewMinutes - 1; i >= 0; i-- {
		m, ok := before[start]
		if !ok || !now.Before(m.until) {
			var err error
			if m, err = s.countMinute(ctx, start, now); err != nil {
				return nil, err
			}
			if before == nil {
				before = map[time.Time]countedMinute{}
				s.overview.minutes = before
			}
			before[start] = m
		}
		kept[start] = m
		rows[i] = m.MinuteRow
		o.Minutes[i] = showMinute(start, m.MinuteRow)
		start = start.Add(-time.Minute)
	}
	s.overview.minutes = kept // older ones go
	return rows, nil
}

func (s *Service) countMinute(ctx context.Context, start, now time.Time) (countedMinute, error) {
	began := time.Now() // what it costs is real time, whatever the clock says
	row, err := s.Store.CountMinute(ctx, start, maxCauses)
	took := time.Since(began)
	keep := took * shareMoving
	if row.Inbox+row.UnderWay == 0 && now.Sub(start) > settledAfter+time.Minute {
		keep = max(keepSettled, took*shareSettled)
	}
	return countedMinute{row, now.Add(keep)}, err
}

func showMinute(start time.Time, r store.MinuteRow) Minute {
	m := Minute{Start: start, Failed: r.Refused + r.Failed, Waiting: r.Inbox + r.UnderWay}
	m.Processed = max(0, r.Events-m.Failed-m.Waiting) // an event that is processed again is in the inbox, and has its old deliveries
	return m
}

func totals(rows []store.MinuteRow) map[string]int {
	t := map[string]int{}
	for _, r := range rows {
		t["accepted"] += r.Events - r.Refused
		t["invalid"] += r.Refused
		t["done"] += r.Done
		t["retrying"] += r.Retrying
		t["held"] += r.Held
		t["rejected"] += r.Rejected
		t["runs"] += r.Runs
		t["mails"] += r.Mails
	}
	return t
}

// causes joins those of all minutes, the most frequent first.
func causes(rows []store.MinuteRow) []store.CauseRow {
	type cause struct {
		mapping id.ID
		reason  string
	}
	at := map[cause]int{}
	var out []store.CauseRow
	for _, r := range rows {
		for _, c := range r.Causes {
			k := cause{c.Mapping, c.Reason}
			i, ok := at[k]
			if !ok {
				at[k] = len(out)
				out = append(out, c)
				continue
			}
			out[i].N += c.N
			out[i].Last = max(out[i].Last, c.Last)
			out[i].Example = max(out[i].Example, c.Example)
		}
	}
	slices.SortStableFunc(out, func(a, b store.CauseRow) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(b.Last, a.Last), cmp.Compare(b.Example, a.Example))
	})
	return out[:min(len(out), maxCauses)]
}

// firstRun says which of the first steps are taken: they are in the plan.
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
