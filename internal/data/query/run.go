package query

import (
	"context"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/data/columns"
)

const selectRuns = `SELECT ` + columns.Run + ` FROM runs AS r`

// RunQuery selects runs. Zero fields do not restrict.
type RunQuery struct {
	Workflow id.ID
	Event    id.ID
	Contact  id.ID
	Status   run.Status
}

// ListRuns lists runs.
func (r *Reader) ListRuns(ctx context.Context, f RunQuery, p Paging) ([]run.Run, id.ID, error) {
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
	} else if w, err = r.window(ctx, "runs", p.before(), 0, q.scans); err != nil {
		return nil, 0, err
	}
	return page(ctx, r, selectRuns, "r", q, w, p, func(r *run.Run) id.ID { return r.ID })
}

// RunRow is one run, without its payload; unknown is NotFound.
func (r *Reader) RunRow(ctx context.Context, v id.ID) (row run.Run, err error) {
	return row, r.db.ReadOne(ctx, &row, selectRuns+` WHERE r.id = ?`, v)
}

// StepRows are the steps of runs, by run and in their order.
func (r *Reader) StepRows(ctx context.Context, runs []id.ID) (rows []run.Step, err error) {
	if len(runs) == 0 {
		return nil, nil
	}
	return rows, r.db.Read(ctx, &rows, `SELECT `+columns.Step+` FROM run_tasks WHERE run {ids} ORDER BY run, position, started_at, step`, r.db.IDs(runs))
}
