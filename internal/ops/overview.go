package ops

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/data/store"
)

// Overview is what the home page shows.
type Overview struct {
	Now        time.Time      `json:"now"`
	Waiting    int            `json:"waiting"`     // events accepted and not yet processed
	OldestWait time.Duration  `json:"oldest_wait"` // nanoseconds; 0 when none waits
	Minutes    []Minute       `json:"minutes"`     // the last 60, oldest first
	Totals     map[string]int `json:"totals"`      // of the last hour: accepted, invalid, done, retrying, held, rejected, runs, mails
	Failures   []Cause        `json:"failures"`    // rejected deliveries of the last hour by mapping and reason
	Parts      []Part         `json:"parts"`
	FirstRun   FirstRun       `json:"first_run"`
}

// Minute counts one minute of events.
type Minute struct {
	Start     time.Time `json:"start"`
	Processed int       `json:"processed"` // every delivery ended well, or none was due
	Failed    int       `json:"failed"`    // some delivery rejected, or refused at the door
	Waiting   int       `json:"waiting"`   // accepted or retrying
}

// Cause groups what failed.
type Cause struct {
	Mapping string    `json:"mapping"`
	Reason  string    `json:"reason"`
	Count   int       `json:"count"`
	Last    time.Time `json:"last"`
	Example id.ID     `json:"example"` // an event
}

// Part is one part of the installation and how it is.
type Part struct {
	Name   string `json:"name"`   // database, temporal, workers, mail, a destination
	Status string `json:"status"` // ok, held, failed
	Detail string `json:"detail"`
	// Destination is the id of a part that is a destination. One is listed only while
	// it is not ok.
	Destination id.ID      `json:"destination,omitempty"`
	Since       *time.Time `json:"since,omitempty"` // when it came to be so
	Until       *time.Time `json:"until,omitempty"` // when it goes on by itself
}

// FirstRun says which first steps are done.
type FirstRun struct {
	Source   bool `json:"source"`
	Event    bool `json:"event"`
	Mapping  bool `json:"mapping"`
	Workflow bool `json:"workflow"`
}

// InstallationStore counts what there is.
type InstallationStore interface {
	InboxState(ctx context.Context, limit int) (waiting int, oldest time.Time, err error)
	CountMinute(ctx context.Context, start time.Time, causes int) (store.MinuteRow, error)
	HasEvents(ctx context.Context) (bool, error)
	HasQueued(ctx context.Context, destination id.ID) (bool, error)
}

// Installation says how all of it does.
type Installation struct {
	Store        InstallationStore
	Names        *Names
	Plans        InForce
	Destinations *Destinations
	Parts        func(ctx context.Context) []Part // how the parts are; nil when nobody knows
	Now          func() time.Time

	overview overviewCache
}

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
func (i *Installation) Overview(ctx context.Context) (Overview, error) {
	c := &i.overview
	last, known, fresh := c.get(i.Now())
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
	now := i.Now()
	if last, _, fresh := c.get(now); fresh { // who was waited for has counted
		return last, nil
	}
	o, err := i.count(ctx, now)
	if err == nil {
		c.set(o)
	}
	return o, err
}

func (i *Installation) count(ctx context.Context, now time.Time) (Overview, error) {
	o := Overview{Now: now.UTC(), Failures: []Cause{}, Parts: []Part{}}
	waiting, oldest, err := i.Store.InboxState(ctx, maxWaiting)
	if err != nil {
		return o, err
	}
	o.Waiting = waiting
	if !oldest.IsZero() {
		o.OldestWait = max(0, now.Sub(oldest))
	}
	rows, err := i.lastMinutes(ctx, &o, now)
	if err != nil {
		return o, err
	}
	n, err := i.Names.all(ctx)
	if err != nil {
		return o, err
	}
	o.Totals = totals(rows)
	for _, c := range causes(rows) {
		o.Failures = append(o.Failures, Cause{Mapping: n.of(c.Mapping), Reason: c.Reason, Count: c.N, Last: instant(c.Last), Example: c.Example})
	}
	if i.Parts != nil {
		o.Parts = append(o.Parts, i.Parts(ctx)...)
	}
	places, err := i.destinationParts(ctx)
	if err != nil {
		return o, err
	}
	o.Parts = append(o.Parts, places...)
	o.FirstRun, err = i.firstRun(ctx)
	return o, err
}

// destinationParts are the destinations that somebody should know of: those that
// are not ok, unless they are switched off and nothing waits for them.
func (i *Installation) destinationParts(ctx context.Context) ([]Part, error) {
	all, err := i.Destinations.inPlan(ctx)
	if err != nil {
		return nil, err
	}
	var parts []Part
	for _, d := range all {
		p := Part{Name: d.Name, Status: "held", Destination: d.ID}
		switch d.Status {
		case "off":
			waits, err := i.Store.HasQueued(ctx, d.ID)
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
func (i *Installation) lastMinutes(ctx context.Context, o *Overview, now time.Time) ([]store.MinuteRow, error) {
	o.Minutes = make([]Minute, overviewMinutes)
	rows := make([]store.MinuteRow, overviewMinutes)
	kept := make(map[time.Time]countedMinute, overviewMinutes)
	before := i.overview.minutes
	start := now.UTC().Truncate(time.Minute)
	for at := overviewMinutes - 1; at >= 0; at-- {
		m, ok := before[start]
		if !ok || !now.Before(m.until) {
			var err error
			if m, err = i.countMinute(ctx, start, now); err != nil {
				return nil, err
			}
			if before == nil {
				before = map[time.Time]countedMinute{}
				i.overview.minutes = before
			}
			before[start] = m
		}
		kept[start] = m
		rows[at] = m.MinuteRow
		o.Minutes[at] = showMinute(start, m.MinuteRow)
		start = start.Add(-time.Minute)
	}
	i.overview.minutes = kept // older ones go
	return rows, nil
}

func (i *Installation) countMinute(ctx context.Context, start, now time.Time) (countedMinute, error) {
	began := time.Now() // what it costs is real time, whatever the clock says
	row, err := i.Store.CountMinute(ctx, start, maxCauses)
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
func (i *Installation) firstRun(ctx context.Context) (FirstRun, error) {
	_, p, err := i.Plans.Current(ctx)
	if err != nil {
		return FirstRun{}, err
	}
	event, err := i.Store.HasEvents(ctx)
	return FirstRun{Source: len(p.Sources) > 0, Event: event, Mapping: len(p.Mappings) > 0, Workflow: len(p.Workflows) > 0}, err
}
