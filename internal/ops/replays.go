package ops

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/replay"
)

// ReplayInput asks for stored events to be processed again, by the plan in force.
type ReplayInput struct {
	Filter ReplayFilter `json:"filter"`
	DryRun bool         `json:"dry_run,omitempty"` // only say what it would do
	Force  bool         `json:"force,omitempty"`   // do once more what was done
}

// ReplayFilter selects the events of a replay. Zero fields do not restrict, but one
// must be there.
type ReplayFilter struct {
	Source  string     `json:"source,omitempty"`  // name or id
	Since   *time.Time `json:"since,omitempty"`   // stored at this time or later
	Until   *time.Time `json:"until,omitempty"`   // stored before this time; missing: until now
	Mapping string     `json:"mapping,omitempty"` // name or id: nothing is done by others
	Type    string     `json:"type,omitempty"`    // identify, track …
	Event   string     `json:"event,omitempty"`   // track event name, page or screen name
	IDs     []string   `json:"ids,omitempty"`     // of events, at most 1000; of the other filters, only mapping goes with them
}

// ProcessInput asks for one event to be processed again.
type ProcessInput struct {
	DryRun bool `json:"dry_run,omitempty"`
	Force  bool `json:"force,omitempty"`
}

// ReplayStore knows events, and makes jobs.
type ReplayStore interface {
	EventsEnd(ctx context.Context) (id.ID, error)
	CountEvents(ctx context.Context, after, before id.ID, limit int) (int64, error)
	KnownEvents(ctx context.Context, events []id.ID) ([]id.ID, error)
	CreateJob(ctx context.Context, n job.New, lease time.Duration) (job.Job, error)
}

// Replays process stored events again.
type Replays struct {
	Store ReplayStore
	Names *Names
	Jobs  *Jobs
	Log   *slog.Logger
}

// countLimit is up to how many events are counted before a replay begins: more take
// longer than somebody should wait.
const countLimit = 2_000_000

// Start makes a job that processes stored events again. Its range is fixed now: what
// comes later is not part of it.
func (o *Replays) Start(ctx context.Context, in ReplayInput, by string) (Job, error) {
	r, total, err := o.read(ctx, in)
	if err != nil {
		return Job{}, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return Job{}, err
	}
	j, err := o.Store.CreateJob(ctx, job.New{Kind: job.Replay, Author: by, Input: string(text), Total: total}, jobLease)
	if err != nil {
		return Job{}, err
	}
	if o.Log != nil { // the row and this line are what is kept of who asked
		o.Log.InfoContext(ctx, "replay asked for", "job", j.ID, "author", by, "dry_run", r.DryRun, "force", r.Force, "events", total)
	}
	o.Jobs.start(ctx, j)
	return o.Jobs.Get(ctx, j.ID)
}

// Process is a replay of one event.
func (o *Replays) Process(ctx context.Context, event id.ID, in ProcessInput, by string) (Job, error) {
	known, err := o.Store.KnownEvents(ctx, []id.ID{event})
	if err != nil {
		return Job{}, err
	}
	if len(known) == 0 {
		return Job{}, fault.New(fault.NotFound, "there is no event %s", event)
	}
	return o.Start(ctx, ReplayInput{Filter: ReplayFilter{IDs: []string{event.String()}}, DryRun: in.DryRun, Force: in.Force}, by)
}

// eventTypes are the types that events have.
var eventTypes = []string{"identify", "track", "page", "screen", "group", "alias", "delete"}

// read resolves what was asked for, and counts what there is to look at.
func (o *Replays) read(ctx context.Context, in ReplayInput) (r replay.Input, total int64, err error) {
	f := in.Filter
	r = replay.Input{Type: f.Type, Name: f.Event, Since: f.Since, Until: f.Until, DryRun: in.DryRun, Force: in.Force}
	narrow := f.Source != "" || f.Since != nil || f.Type != "" || f.Event != ""
	switch {
	case len(f.IDs) == 0 && !narrow && f.Mapping == "":
		return r, 0, fault.Field("filter", "say which events: source, since, mapping, type, event or ids")
	case len(f.IDs) > 0 && (narrow || f.Until != nil):
		return r, 0, fault.Field("ids", "of the other filters, only mapping goes with them")
	}
	if err := oneOf("type", f.Type, eventTypes...); err != nil {
		return r, 0, err
	}
	if r.Source, err = o.Names.filter(ctx, plan.KindSource, f.Source); err != nil {
		return r, 0, err
	}
	if r.Mapping, err = o.Names.filter(ctx, plan.KindMapping, f.Mapping); err != nil {
		return r, 0, err
	}
	if r.Before, err = o.Store.EventsEnd(ctx); err != nil {
		return r, 0, err
	}
	if f.Until != nil {
		r.Before = min(r.Before, idAt(*f.Until))
	}
	if f.Since != nil {
		r.After = max(idAt(*f.Since)-1, 0)
	}
	if f.Since != nil && f.Until != nil && !f.Until.After(*f.Since) {
		return r, 0, fault.Field("until", "want a time after since")
	}
	if len(f.IDs) > 0 {
		r.IDs, err = o.named(ctx, f.IDs)
		return r, int64(len(r.IDs)), err
	}
	total, err = o.Store.CountEvents(ctx, r.After, r.Before, countLimit)
	return r, total, err
}

// idAt is id.At for any time that somebody may name.
func idAt(t time.Time) id.ID {
	const last = 1 << 40 // milliseconds
	switch ms := t.Sub(id.Epoch).Milliseconds(); {
	case ms < 0:
		return 1
	case ms >= last:
		return 1<<60 - 1 // the last id there can be
	}
	return id.At(t)
}

// named reads the ids of events, all of which must be there.
func (o *Replays) named(ctx context.Context, texts []string) (list []id.ID, err error) {
	if len(texts) > replay.MaxIDs {
		return nil, fault.Field("ids", "want at most %d", replay.MaxIDs)
	}
	for _, text := range texts {
		v, err := filterID("ids", text)
		if err != nil {
			return nil, err
		}
		if v == 0 {
			return nil, fault.Field("ids", "one of them is empty")
		}
		list = append(list, v)
	}
	slices.Sort(list)
	list = slices.Compact(list)
	known, err := o.Store.KnownEvents(ctx, list)
	if err != nil {
		return nil, err
	}
	for _, v := range list {
		if !slices.Contains(known, v) {
			return nil, fault.Field("ids", "there is no event %s", v)
		}
	}
	return list, nil
}

// showReplay is what a job was asked for, as it is asked.
func showReplay(n names, input string) *ReplayInput {
	in, err := replay.Read(input)
	if err != nil {
		return nil
	}
	f := ReplayFilter{Since: in.Since, Until: in.Until, Type: in.Type, Event: in.Name}
	if in.Source != 0 {
		f.Source = n.of(in.Source)
	}
	if in.Mapping != 0 {
		f.Mapping = n.of(in.Mapping)
	}
	for _, v := range in.IDs {
		f.IDs = append(f.IDs, v.String())
	}
	return &ReplayInput{Filter: f, DryRun: in.DryRun, Force: in.Force}
}
