package activities

import (
	"context"
	"slices"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/replay"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/core/segment"
)

// ReplayStore is where a replay finds events and what was done, and writes what is
// to be done.
type ReplayStore interface {
	EventsToReplay(ctx context.Context, in replay.Input, after id.ID, limit, window int) (events []replay.Event, to id.ID, looked int64, err error)
	DeliveriesOf(ctx context.Context, events []id.ID) ([]replay.Before, error)
	LastRunsOf(ctx context.Context, events []id.ID) ([]replay.Run, error)
	VersionOf(ctx context.Context, workflow id.ID, w plan.Workflow) (int64, error)
	ReplayLeft(ctx context.Context, j id.ID, in replay.Input, c replay.Cursor) ([]delivery.Ref, error)
	RecordReplay(ctx context.Context, p job.Page, writes []replay.Write) (job.Job, error)
	Pauses(ctx context.Context) ([]delivery.Pause, error)
}

// Replay is the kind of job that looks at stored events again, through the plan in
// force: by the code that processes them when they come.
type Replay struct {
	Store     ReplayStore
	Revisions Revisions
	Events    *Events
	Effects   *Effects
}

const (
	// replayPage is how many events one page writes for, dryPage how many it only
	// judges: little, so that events that come meanwhile need not wait.
	replayPage = 100
	dryPage    = 250
	// replayWindow is how many events one page passes over that its filter does not
	// want.
	replayWindow = 5000
)

// Page does what the last page has left, then judges the next events, records that
// with the deliveries to be written, and does them: contacts, then transactions, then
// runs. When its process dies in between, the next page begins with them; should there
// be none, a Deliver workflow finds them in its queue.
func (a *Replay) Page(ctx context.Context, j job.Job) (job.Job, error) {
	in, err := replay.Read(j.Input)
	if err != nil {
		return j, err
	}
	at, err := replay.ReadCursor(j.Cursor, in)
	if err != nil {
		return j, err
	}
	if err := a.finish(ctx, j.ID, in, at); err != nil {
		return j, err
	}
	limit := replayPage
	if in.DryRun {
		limit = dryPage
	}
	events, to, looked, err := a.Store.EventsToReplay(ctx, in, at.To, limit, replayWindow)
	if err != nil {
		return j, err
	}
	p, err := a.judge(ctx, in, events)
	if err != nil {
		return j, err
	}
	next := replay.Cursor{From: at.To, To: to}
	p.Job, p.Number, p.Cursor, p.Done = j.ID, j.Pages, next.Text(), looked
	p.Last = to >= in.Before-1
	if p.Last && !in.DryRun && len(p.writes) > 0 {
		p.Last = false // the next page looks whether all of these were done
	}
	if in.DryRun {
		p.writes = nil
	}
	after, err := a.Store.RecordReplay(ctx, p.Page, p.writes)
	if err != nil || after.Status.Ended() || len(p.writes) == 0 {
		return after, err
	}
	return after, a.finish(ctx, j.ID, in, next)
}

// finish does the deliveries of a page that were written and are still to be done.
func (a *Replay) finish(ctx context.Context, j id.ID, in replay.Input, c replay.Cursor) error {
	if in.DryRun || c.From == c.To {
		return nil
	}
	refs, err := a.Store.ReplayLeft(ctx, j, in, c)
	if err != nil || len(refs) == 0 {
		return err
	}
	for _, effect := range []func(context.Context, []delivery.Ref) error{a.Effects.UpsertContacts, a.Effects.UpsertTransactions, a.Effects.StartRuns} {
		if err := effect(ctx, refs); err != nil {
			return err
		}
	}
	return nil
}

// judged is a page on its way.
type judged struct {
	job.Page
	writes []replay.Write
}

func (p *judged) count(word string) {
	if p.Counts == nil {
		p.Counts = map[string]int{}
	}
	p.Counts[word]++
}

func (p *judged) add(event, mapping id.ID, o replay.Outcome, d replay.Detail) {
	p.Items = append(p.Items, job.Item{Subject: event, Part: mapping, Outcome: string(o), Detail: d.Text()})
}

// take adds what became of one event.
func (p *judged) take(own judged) {
	if len(own.Items) == 0 {
		p.count(replay.Unmatched)
	}
	for _, item := range own.Items {
		p.count(item.Outcome)
	}
	p.Items, p.writes = append(p.Items, own.Items...), append(p.writes, own.writes...)
}

// judge compares what was done with what the plan in force makes of each event.
func (a *Replay) judge(ctx context.Context, in replay.Input, events []replay.Event) (judged, error) {
	var p judged
	if len(events) == 0 {
		return p, nil
	}
	k, err := a.know(ctx, events)
	if err != nil {
		return p, err
	}
	for _, e := range events {
		if err := ctx.Err(); err != nil {
			return p, err // nobody waits for the answer any more
		}
		p.count(replay.Events)
		var own judged
		switch {
		case e.Refusal != "":
			own.add(e.ID, 0, replay.Invalid, replay.Detail{Reason: e.Refusal})
		case e.Waiting:
			own.add(e.ID, 0, replay.Unprocessed, replay.Detail{})
		default:
			if err := fault.Guard(func() error { a.pairs(in, e, k, &own); return nil }); err != nil {
				own = judged{}
				own.add(e.ID, 0, replay.Failed, replay.Detail{Reason: fault.Words(err)})
			}
		}
		p.take(own)
	}
	return p, nil
}

// known is what the events of a page are judged by.
type known struct {
	live     *routing.Table
	pauses   []delivery.Pause
	before   map[id.ID][]replay.Before
	runs     map[id.ID][]replay.Run
	versions map[id.ID]int64 // of workflows, today
}

func (a *Replay) know(ctx context.Context, events []replay.Event) (k known, err error) {
	if k.live, err = a.Revisions.Current(ctx); err != nil {
		return k, err
	}
	if k.pauses, err = a.Store.Pauses(ctx); err != nil {
		return k, err
	}
	ids := make([]id.ID, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	before, err := a.Store.DeliveriesOf(ctx, ids)
	if err != nil {
		return k, err
	}
	k.before, k.runs, k.versions = map[id.ID][]replay.Before{}, map[id.ID][]replay.Run{}, map[id.ID]int64{}
	var ran []id.ID
	for _, b := range before {
		k.before[b.Event] = append(k.before[b.Event], b)
		if b.Action == plan.StartWorkflow {
			ran = append(ran, b.Event)
		}
	}
	if len(ran) == 0 {
		return k, nil
	}
	runs, err := a.Store.LastRunsOf(ctx, ran)
	if err != nil {
		return k, err
	}
	for _, r := range runs {
		k.runs[r.Event] = append(k.runs[r.Event], r)
		def := k.live.Workflow(r.Workflow)
		if _, known := k.versions[r.Workflow]; known || def == nil {
			continue
		}
		if k.versions[r.Workflow], err = a.Store.VersionOf(ctx, r.Workflow, *def); err != nil {
			return k, err
		}
	}
	return k, nil
}

// pairs judges an event under each mapping that wants it today or wanted it before.
func (a *Replay) pairs(in replay.Input, e replay.Event, k known, p *judged) {
	body, err := jsonvalue.ParseObject(e.Body)
	if err != nil {
		body = jsonvalue.NewObject(0) // as when it came: a workflow's URL takes any JSON
	}
	stored := segment.Stored{ID: e.ID, Source: e.Source, Revision: k.live.Revision, MessageID: e.MessageID, AcceptedAt: e.AcceptedAt, Body: e.Body}
	work := mapping.NewWork()
	rest := k.before[e.ID]
	for _, m := range k.live.Route(e.Source, body) {
		if in.Mapping != 0 && m.ID != in.Mapping {
			continue
		}
		today := a.Events.newDelivery(stored, body, m, k.live, k.pauses, work)
		var before *replay.Before
		if i := slices.IndexFunc(rest, func(b replay.Before) bool { return b.Mapping == m.ID }); i >= 0 {
			b := rest[i]
			before, rest = &b, slices.Delete(slices.Clone(rest), i, i+1)
		}
		pair(in, k, before, today, m.Mapping, p)
	}
	for _, b := range rest {
		if in.Mapping != 0 && b.Mapping != in.Mapping {
			continue
		}
		if v := replay.Judge(&b, nil, in.Force); v.Outcome != "" {
			p.add(e.ID, b.Mapping, v.Outcome, replay.Detail{Action: b.Action, Status: b.Status})
		}
	}
}

func pair(in replay.Input, k known, before *replay.Before, today delivery.New, m *routing.Mapping, p *judged) {
	v := replay.Judge(before, &today, in.Force)
	detail := replay.Detail{Action: today.Action, Status: today.Status, Reason: today.Reason, Differs: v.Differs}
	if before != nil && before.Status == delivery.Done && m.Workflow != 0 {
		k.ran(today.Event, m.Workflow, &v, &detail)
	}
	if !v.Outcome.Writes() && before != nil {
		detail.Action, detail.Status = before.Action, before.Status
	}
	p.add(today.Event, today.Mapping, v.Outcome, detail)
	if v.Outcome.Writes() {
		remote := m.Destination.Directory == nil
		judged := int64(0)
		if before != nil {
			judged = before.UpdatedAt
		}
		p.writes = append(p.writes, replay.Write{
			Judged: judged, New: today, Revision: k.live.Revision, Forced: v.Outcome == replay.Forced,
			Unsure: remote && v.Outcome == replay.Again && before.Attempts > 0,
		})
	}
}

// ran adds to a verdict what became of the run: another version of the workflow
// is another thing to do, and a run that was not started says why.
func (k known) ran(event, workflow id.ID, v *replay.Verdict, d *replay.Detail) {
	i := slices.IndexFunc(k.runs[event], func(r replay.Run) bool { return r.Workflow == workflow })
	if i < 0 { // it started another
		d.Differs = append(d.Differs, "workflow")
		if v.Outcome == replay.Done {
			v.Outcome = replay.Differs
		}
		return
	}
	r := k.runs[event][i]
	if version := k.versions[workflow]; version != 0 && version != r.Version {
		d.Differs = append(d.Differs, "workflow version")
		if v.Outcome == replay.Done {
			v.Outcome = replay.Differs
		}
	}
	if r.Status == string(run.NotStarted) && d.Reason == "" {
		d.Reason = r.Reason
	}
}

var _ JobKind = (*Replay)(nil)
