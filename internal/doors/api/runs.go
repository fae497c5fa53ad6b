package api

import (
	"context"

	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/data/store"
)

// Runs lists runs with their steps.
func (s *Service) Runs(ctx context.Context, f RunFilter, p Paging) (Page[Run], error) {
	var none Page[Run]
	at, err := p.paging()
	if err != nil {
		return none, err
	}
	if err := oneOf("status", f.Status, run.Statuses()...); err != nil {
		return none, err
	}
	q := store.RunQuery{Status: run.Status(f.Status)}
	if q.Workflow, err = s.named(ctx, plan.KindWorkflow, f.Workflow); err != nil {
		return none, err
	}
	if q.Event, err = filterID("event", f.Event); err != nil {
		return none, err
	}
	if q.Contact, err = filterID("contact", f.Contact); err != nil {
		return none, err
	}
	rows, next, err := s.Store.ListRuns(ctx, q, at)
	if err != nil {
		return none, err
	}
	show, err := s.runShower(ctx, rows)
	if err != nil {
		return none, err
	}
	return listPage(rows, next, show), nil
}

// Run is one run.
func (s *Service) Run(ctx context.Context, v id.ID) (Run, error) {
	row, err := s.Store.RunRow(ctx, v)
	if err != nil {
		return Run{}, missing(err, "run", v)
	}
	show, err := s.runShower(ctx, []run.Run{row})
	if err != nil {
		return Run{}, err
	}
	return show(row), nil
}

// runShower reads what it takes to show these rows.
func (s *Service) runShower(ctx context.Context, rows []run.Run) (func(run.Run) Run, error) {
	n, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]id.ID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	list, err := s.Store.StepRows(ctx, ids)
	if err != nil {
		return nil, err
	}
	steps := make(map[id.ID][]RunStep, len(rows))
	for _, t := range list {
		steps[t.Run] = append(steps[t.Run], RunStep{
			ID: t.Step, Kind: t.Kind, Status: string(t.Status), Attempts: t.Attempts, Input: object(t.Input), Output: object(t.Output), Error: t.Error,
			StartedAt: instantOrNil(t.StartedAt), EndedAt: instantOrNil(t.EndedAt),
		})
	}
	return func(r run.Run) Run {
		out := Run{
			ID: r.ID, Workflow: n.of(r.Workflow), Version: r.Version, Event: r.Event, Contact: r.Contact, Status: string(r.Status), Reason: r.Reason,
			StartedAt: instant(r.CreatedAt), EndedAt: instantOrNil(r.EndedAt), Steps: steps[r.ID],
		}
		out.Fields, out.FieldStates = fields(r.Fields)
		if out.Steps == nil {
			out.Steps = []RunStep{}
		}
		if r.Status != run.NotStarted {
			out.TemporalURL = s.temporalRun(handover.RunID(r.ID))
		}
		return out
	}, nil
}

// fields reads what a run stored of its fields, a list of {name, state, value …}:
// as names with values, and as it is.
func fields(text string) (*jsonvalue.Object, any) {
	values := jsonvalue.NewObject(8)
	states, err := jsonvalue.Parse([]byte(text))
	if err != nil {
		return values, nil
	}
	list, _ := states.([]any)
	for _, e := range list {
		f, _ := e.(*jsonvalue.Object)
		if name, ok := f.Get("name").(string); ok {
			values.Set(name, f.Get("value"))
		}
	}
	return values, list
}
