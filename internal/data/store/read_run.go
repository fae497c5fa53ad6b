package store

import (
	"context"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/run"
)

const selectRuns = `SELECT ` + runColumns + ` FROM runs AS r`

// RunQuery selects runs. Zero fields do not restrict.
type RunQuery struct {
	Workflow id.ID
	Event    id.ID
	Contact  id.ID
	Status   run.Status
}

// ListRuns lists runs.
func (s *Store) ListRuns(ctx context.Context, f RunQuery, p Paging) ([]run.Run, id.ID, error) {
	var q query
	// The + keeps the index on (workflow, event, generation) out: it would sort
	// all runs of the workflow for one page.
	filter(&q, "+r.workflow = ?", f.Workflow)
	filter(&q, "r.contact = ?", f.Contact)
	filter(&q, "r.status = ?", f.Status)
	w := span{top: p.before()}
	var err error
	if f.Event != 0 {
		q.and("r.event = ?", f.Event)
	} else if w, err = s.window(ctx, "runs", p.before(), 0, q.scans); err != nil {
		return nil, 0, err
	}
	return page(ctx, s, selectRuns, "r", q, w, p, func(r *run.Run) id.ID { return r.ID })
}

// RunRow is one run, without its payload; unknown is NotFound.
func (s *Store) RunRow(ctx context.Context, v id.ID) (row run.Run, err error) {
	return row, s.db.ReadOne(ctx, &row, selectRuns+` WHERE r.id = ?`, v)
}

// StepRows are the steps of runs, by run and in their order.
func (s *Store) StepRows(ctx context.Context, runs []id.ID) (rows []run.Step, err error) {
	if len(runs) == 0 {
		return nil, nil
	}
	return rows, s.db.Read(ctx, &rows, `SELECT `+stepColumns+` FROM run_tasks WHERE run {ids} ORDER BY run, position, started_at, step`, s.db.IDs(runs))
}
