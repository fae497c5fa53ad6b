package ops

import (
	"context"
	"encoding/json"
	"time"

	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/data/query"
)

// Run is one execution of a workflow version for one event.
type Run struct {
	ID          id.ID             `json:"id"`
	Workflow    string            `json:"workflow"`
	Version     int64             `json:"version"`
	Event       id.ID             `json:"event"`
	Contact     id.ID             `json:"contact,omitempty"`
	Status      run.Status        `json:"status"`
	Reason      string            `json:"reason,omitempty"`
	StartedAt   time.Time         `json:"started_at"`
	EndedAt     *time.Time        `json:"ended_at,omitempty"`
	Fields      *jsonvalue.Object `json:"fields"`                   // name -> value; null when missing
	FieldStates flow.Fields       `json:"field_states" null:"true"` // null when they cannot be read
	Steps       []RunStep         `json:"steps"`
	TemporalURL string            `json:"temporal_url,omitempty"`
	Generation  int               `json:"generation,omitempty"` // how often the event's run was repeated before
	Job         id.ID             `json:"job,omitempty"`        // the replay that made it
	ReplayOf    id.ID             `json:"replay_of,omitempty"`  // the run that it repeats
	RepeatedBy  []Repeat          `json:"repeated_by,omitempty"`
}

// Repeat is a run that repeats another, and the replay that made it.
type Repeat struct {
	Run id.ID `json:"run"`
	Job id.ID `json:"job"`
}

// RunStep is one step of a run.
type RunStep struct {
	ID        string            `json:"id"`
	Kind      string            `json:"kind"` // task kind, or wait, branch, stop
	Status    run.StepStatus    `json:"status"`
	Attempts  int               `json:"attempts"`
	Input     *jsonvalue.Object `json:"input,omitempty"`
	Output    *jsonvalue.Object `json:"output,omitempty"`
	Error     string            `json:"error,omitempty"`
	StartedAt *time.Time        `json:"started_at,omitempty"`
	EndedAt   *time.Time        `json:"ended_at,omitempty"`
}

// RunFilter selects runs.
type RunFilter struct {
	Workflow string     `json:"workflow,omitempty" query:"workflow" doc:"name or id of a workflow"`
	Event    string     `json:"event,omitempty" query:"event" doc:"id of an event"`
	Status   run.Status `json:"status,omitempty" query:"status" doc:"pending, running, done, failed, not_started or cancelled"`
	Contact  string     `json:"contact,omitempty" query:"contact" doc:"id of a contact"`
}

// RunStore reads runs.
type RunStore interface {
	ListRuns(ctx context.Context, f query.RunQuery, p query.Paging) ([]run.Run, id.ID, error)
	RunRow(ctx context.Context, v id.ID) (run.Run, error)
	StepRows(ctx context.Context, runs []id.ID) ([]run.Step, error)
	RepeatRows(ctx context.Context, runs []id.ID) ([]query.RepeatRow, error)
}

// Runs are what is asked about runs of workflows.
type Runs struct {
	Store    RunStore
	Names    *Names
	Temporal TemporalUI
}

// List lists runs with their steps.
func (o *Runs) List(ctx context.Context, f RunFilter, p Paging) (Page[Run], error) {
	var none Page[Run]
	at, err := p.paging()
	if err != nil {
		return none, err
	}
	if err := oneOf("status", f.Status, run.Statuses()...); err != nil {
		return none, err
	}
	q := query.RunQuery{Status: run.Status(f.Status)}
	if q.Workflow, err = o.Names.filter(ctx, plan.KindWorkflow, f.Workflow); err != nil {
		return none, err
	}
	if q.Event, err = filterID("event", f.Event); err != nil {
		return none, err
	}
	if q.Contact, err = filterID("contact", f.Contact); err != nil {
		return none, err
	}
	rows, next, err := o.Store.ListRuns(ctx, q, at)
	if err != nil {
		return none, err
	}
	show, err := o.shower(ctx, rows)
	if err != nil {
		return none, err
	}
	return listPage(rows, next, show), nil
}

// Get is one run.
func (o *Runs) Get(ctx context.Context, v id.ID) (Run, error) {
	row, err := o.Store.RunRow(ctx, v)
	if err != nil {
		return Run{}, missing(err, "run", v)
	}
	show, err := o.shower(ctx, []run.Run{row})
	if err != nil {
		return Run{}, err
	}
	return show(row), nil
}

// shower reads what it takes to show these rows.
func (o *Runs) shower(ctx context.Context, rows []run.Run) (func(run.Run) Run, error) {
	n, err := o.Names.all(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]id.ID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	list, err := o.Store.StepRows(ctx, ids)
	if err != nil {
		return nil, err
	}
	steps := make(map[id.ID][]RunStep, len(rows))
	for _, t := range list {
		steps[t.Run] = append(steps[t.Run], showStep(t))
	}
	again, err := o.Store.RepeatRows(ctx, ids)
	if err != nil {
		return nil, err
	}
	repeats := map[id.ID][]Repeat{}
	for _, r := range again {
		repeats[r.ReplayOf] = append(repeats[r.ReplayOf], Repeat{r.ID, r.Job})
	}
	return func(r run.Run) Run {
		out := o.show(n, r, steps[r.ID])
		out.RepeatedBy = repeats[r.ID]
		return out
	}, nil
}

func (o *Runs) show(n names, r run.Run, steps []RunStep) Run {
	out := Run{
		ID: r.ID, Workflow: n.of(r.Workflow), Version: r.Version, Event: r.Event, Contact: r.Contact, Status: r.Status, Reason: r.Reason,
		StartedAt: instant(r.CreatedAt), EndedAt: instantOrNil(r.EndedAt), Steps: steps,
		Generation: r.Generation, Job: r.Job, ReplayOf: r.ReplayOf,
	}
	if json.Unmarshal([]byte(r.Fields), &out.FieldStates) != nil {
		out.FieldStates = nil
	}
	out.Fields = out.FieldStates.Object()
	if out.Steps == nil {
		out.Steps = []RunStep{}
	}
	if r.Status != run.NotStarted {
		out.TemporalURL = o.Temporal.workflow(handover.RunID(r.ID))
	}
	return out
}

func showStep(r run.Step) RunStep {
	return RunStep{
		ID: string(r.Step), Kind: r.Kind, Status: r.Status, Attempts: r.Attempts, Input: object(r.Input), Output: object(r.Output), Error: r.Error,
		StartedAt: instantOrNil(r.StartedAt), EndedAt: instantOrNil(r.EndedAt),
	}
}
