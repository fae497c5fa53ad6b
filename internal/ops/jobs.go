package ops

import (
	"context"
	"encoding/json"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/replay"
	"github.com/segue-xm/segue/internal/data/query"
)

// Job is long work, and how far it is.
type Job struct {
	ID          id.ID          `json:"id"`
	Kind        job.Kind       `json:"kind"`
	Status      job.Status     `json:"status"`
	Author      string         `json:"author"` // who asked for it
	Done        int64          `json:"done"`
	Total       *int64         `json:"total,omitempty"` // missing while nobody knows
	Counts      map[string]int `json:"counts"`
	Reason      string         `json:"reason,omitempty"` // why it failed, or why its page has to be tried again
	StartedAt   time.Time      `json:"started_at"`
	EndedAt     *time.Time     `json:"ended_at,omitempty"`
	Replay      *ReplayInput   `json:"replay,omitempty"` // what was asked for
	Report      *JobReport     `json:"report,omitempty"` // only in a job's detail
	TemporalURL string         `json:"temporal_url,omitempty"`
}

// JobReport is what a job says of its items: how many there are, the first of them,
// and the cursor to go on with.
type JobReport struct {
	Rows  int64     `json:"rows"`
	Items []JobItem `json:"items"`
	Next  string    `json:"next,omitempty"`
	// Deliveries counts by status what became of the deliveries that a replay wrote.
	Deliveries map[delivery.Status]int `json:"deliveries,omitempty"`
}

// JobItem is a row of a job's report.
type JobItem struct {
	N       int64           `json:"n"`
	Event   id.ID           `json:"event,omitempty"`
	Mapping string          `json:"mapping,omitempty"`
	Outcome string          `json:"outcome"`
	Action  string          `json:"action,omitempty"`
	Status  delivery.Status `json:"status,omitempty"` // of what was there, or of what was to be written
	Reason  string          `json:"reason,omitempty"`
	Differs []string        `json:"differs,omitempty"` // what today's plan makes otherwise
	// Now is the status of what was written, as it is now.
	Now       delivery.Status `json:"now,omitempty"`
	NowReason string          `json:"now_reason,omitempty"`
}

// JobFilter selects jobs.
type JobFilter struct {
	Kind   job.Kind   `json:"kind,omitempty" query:"kind" doc:"replay"`
	Status job.Status `json:"status,omitempty" query:"status" doc:"running, paused, done, failed or cancelled"`
}

// JobItemFilter selects rows of a report.
type JobItemFilter struct {
	Outcome string `json:"outcome,omitempty" query:"outcome" doc:"of a replay: new, again, forced, differs, gone, done, waiting, unprocessed, invalid or failed"`
}

// JobStore keeps jobs.
type JobStore interface {
	ListJobs(ctx context.Context, f query.JobQuery, p query.Paging) ([]job.Job, id.ID, error)
	JobRow(ctx context.Context, v id.ID) (job.Job, error)
	JobItems(ctx context.Context, v id.ID, outcome string, after int64, limit int) ([]job.Item, error)
	JobDeliveries(ctx context.Context, v id.ID) ([]query.JobDeliveryRow, error)
	DeliveryRows(ctx context.Context, events []id.ID, payloads bool) ([]query.DeliveryRow, error)
	PauseJob(ctx context.Context, v id.ID) (job.Job, bool, error)
	ResumeJob(ctx context.Context, v id.ID, lease time.Duration) (job.Job, bool, error)
	EndJob(ctx context.Context, v id.ID, status job.Status, reason string) (job.Job, bool, error)
}

// Jobs are what is asked about long work, and done to it.
type Jobs struct {
	Store JobStore
	Names *Names
	// Start starts a job's workflow, or tells it to go on; nil: nobody does. What
	// fails is repeated by a sweeper.
	Start    func(ctx context.Context, j id.ID, kind string) error
	Temporal TemporalUI
}

// jobLease is how long a job may wait for its workflow before a sweeper starts it.
const jobLease = 30 * time.Second

// startTime is how long a caller waits for Temporal.
const startTime = 2 * time.Second

// List lists jobs, without their reports.
func (o *Jobs) List(ctx context.Context, f JobFilter, p Paging) (Page[Job], error) {
	var none Page[Job]
	at, err := p.paging()
	if err != nil {
		return none, err
	}
	if err := oneOf("status", f.Status, job.Statuses()...); err != nil {
		return none, err
	}
	if err := oneOf("kind", f.Kind, job.Replay); err != nil {
		return none, err
	}
	rows, next, err := o.Store.ListJobs(ctx, query.JobQuery{Kind: f.Kind, Status: f.Status}, at)
	if err != nil {
		return none, err
	}
	n, err := o.Names.all(ctx)
	if err != nil {
		return none, err
	}
	return listPage(rows, next, func(j job.Job) Job { return o.show(n, j) }), nil
}

// Get is one job with the beginning of its report.
func (o *Jobs) Get(ctx context.Context, v id.ID) (Job, error) {
	row, err := o.Store.JobRow(ctx, v)
	if err != nil {
		return Job{}, missing(err, "job", v)
	}
	n, err := o.Names.all(ctx)
	if err != nil {
		return Job{}, err
	}
	out := o.show(n, row)
	items, err := o.Items(ctx, v, JobItemFilter{}, Paging{})
	if err != nil {
		return Job{}, err
	}
	out.Report = &JobReport{Rows: row.Items, Items: items.Items, Next: items.Next}
	written, err := o.Store.JobDeliveries(ctx, v)
	for _, w := range written {
		if out.Report.Deliveries == nil {
			out.Report.Deliveries = map[delivery.Status]int{}
		}
		out.Report.Deliveries[w.Status] = w.N
	}
	return out, err
}

func (o *Jobs) show(n names, j job.Job) Job {
	out := Job{
		ID: j.ID, Kind: j.Kind, Status: j.Status, Author: j.Author, Done: j.Done, Counts: map[string]int{}, Reason: j.Reason,
		StartedAt: j.Created(), EndedAt: instantOrNil(j.EndedAt), TemporalURL: o.Temporal.workflow(handover.JobID(j.ID)),
	}
	if j.Total != job.Unknown {
		out.Total = &j.Total
	}
	_ = json.Unmarshal([]byte(j.Counts), &out.Counts) // what cannot be read counts nothing
	if j.Kind == job.Replay {
		out.Replay = showReplay(n, j.Input)
	}
	return out
}

// Items are the rows of a job's report, in the order of its work.
func (o *Jobs) Items(ctx context.Context, v id.ID, f JobItemFilter, p Paging) (Page[JobItem], error) {
	var none Page[JobItem]
	at, err := p.paging()
	if err != nil {
		return none, err
	}
	j, err := o.Store.JobRow(ctx, v)
	if err != nil {
		return none, missing(err, "job", v)
	}
	if err := oneOf("outcome", replay.Outcome(f.Outcome), replay.Outcomes()...); err != nil {
		return none, err
	}
	rows, err := o.Store.JobItems(ctx, v, f.Outcome, int64(at.Before), at.Limit+1)
	if err != nil {
		return none, err
	}
	var next id.ID // the place in the report, written as an id
	if len(rows) > at.Limit {
		rows = rows[:at.Limit]
		next = id.ID(rows[len(rows)-1].N)
	}
	show, err := o.itemShower(ctx, j, rows)
	if err != nil {
		return none, err
	}
	return listPage(rows, next, show), nil
}

// itemShower reads what it takes to show these rows.
func (o *Jobs) itemShower(ctx context.Context, j job.Job, rows []job.Item) (func(job.Item) JobItem, error) {
	n, err := o.Names.all(ctx)
	if err != nil {
		return nil, err
	}
	var events []id.ID
	in, err := replay.Read(j.Input)
	for _, r := range rows {
		if err == nil && !in.DryRun && replay.Outcome(r.Outcome).Writes() {
			events = append(events, r.Subject)
		}
	}
	now := map[delivery.Ref]query.DeliveryRow{}
	list, err := o.Store.DeliveryRows(ctx, events, false)
	for _, d := range list {
		now[delivery.Ref{Event: d.Event, Mapping: d.Mapping}] = d
	}
	return func(r job.Item) JobItem {
		d := replay.ReadDetail(r.Detail)
		item := JobItem{N: r.N, Event: r.Subject, Outcome: r.Outcome, Action: d.Action, Status: d.Status, Reason: d.Reason, Differs: d.Differs}
		if r.Part != 0 {
			item.Mapping = n.of(r.Part)
		}
		if written, ok := now[delivery.Ref{Event: r.Subject, Mapping: r.Part}]; ok && replay.Outcome(r.Outcome).Writes() {
			item.Now, item.NowReason = written.Status, written.Reason
		}
		return item
	}, err
}

// Pause keeps a job from beginning another page; the one under way is finished.
// Pausing twice does nothing.
func (o *Jobs) Pause(ctx context.Context, v id.ID) (Job, error) {
	j, _, err := o.Store.PauseJob(ctx, v)
	return o.changed(ctx, v, j, err, job.Paused)
}

// Resume lets a paused job go on where it stopped, and starts a running one again whose
// execution was lost. Safe to call twice.
func (o *Jobs) Resume(ctx context.Context, v id.ID) (Job, error) {
	j, _, err := o.Store.ResumeJob(ctx, v, jobLease)
	if err == nil && j.Status == job.Running {
		o.start(ctx, j)
	}
	return o.changed(ctx, v, j, err, job.Running)
}

// Cancel ends a job; what it has done stays. Cancelling twice does nothing.
func (o *Jobs) Cancel(ctx context.Context, v id.ID) (Job, error) {
	j, _, err := o.Store.EndJob(ctx, v, job.Cancelled, "")
	return o.changed(ctx, v, j, err, job.Cancelled)
}

// changed answers a change: that a job has ended before is a conflict.
func (o *Jobs) changed(ctx context.Context, v id.ID, j job.Job, err error, want job.Status) (Job, error) {
	if err != nil {
		return Job{}, missing(err, "job", v)
	}
	if j.Status != want {
		return Job{}, fault.New(fault.Conflict, "the job is %s already", j.Status)
	}
	return o.Get(ctx, v)
}

// start tells Temporal. What is lost on the way a sweeper repeats.
func (o *Jobs) start(ctx context.Context, j job.Job) {
	if o.Start == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	_ = o.Start(ctx, j.ID, string(j.Kind)) // swept
}
