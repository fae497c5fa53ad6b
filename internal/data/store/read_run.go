package store

import (
	"context"
	"database/sql"

	"github.com/segue-xm/segue/internal/core/id"
)

// RunRow is a run as lists and details show it.
type RunRow struct {
	ID         id.ID         `db:"id"`
	Workflow   id.ID         `db:"workflow"`
	Version    int64         `db:"version"`
	Event      id.ID         `db:"event"`
	Generation int           `db:"generation"`
	Status     string        `db:"status"`
	Contact    id.ID         `db:"contact"`
	Directory  id.ID         `db:"directory"`
	Fields     string        `db:"fields"` // JSON: the typed fields with their states
	Reason     string        `db:"reason"`
	CreatedAt  int64         `db:"created_at"` // milliseconds
	EndedAt    sql.NullInt64 `db:"ended_at"`
}

const selectRuns = `SELECT r.id, r.workflow, r.version, r.event, r.generation, r.status, r.contact, r.directory, r.fields,
  coalesce(r.reason, '') AS reason, r.created_at, r.ended_at FROM runs AS r`

// RunQuery selects runs. Zero fields do not restrict.
type RunQuery struct {
	Workflow id.ID
	Event    id.ID
	Contact  id.ID
	Status   string
}

// ListRuns lists runs.
func (s *Store) ListRuns(ctx context.Context, f RunQuery, p Paging) ([]RunRow, id.ID, error) {
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
	return page(ctx, s, selectRuns, "r", q, w, p, func(r *RunRow) id.ID { return r.ID })
}

// RunRow is one run; unknown is NotFound.
func (s *Store) RunRow(ctx context.Context, v id.ID) (row RunRow, err error) {
	return row, s.db.ReadOne(ctx, &row, selectRuns+` WHERE r.id = ?`, v)
}

// StepRow is one step of a run.
type StepRow struct {
	Run       id.ID         `db:"run"`
	Step      string        `db:"step"`
	Kind      string        `db:"kind"`
	Status    string        `db:"status"`
	Attempts  int           `db:"attempts"`
	Input     string        `db:"input"`  // JSON or ""
	Output    string        `db:"output"` // JSON or ""
	Error     string        `db:"error"`
	StartedAt sql.NullInt64 `db:"started_at"` // milliseconds
	EndedAt   sql.NullInt64 `db:"ended_at"`
}

// StepRows are the steps of runs, by run and in their order.
func (s *Store) StepRows(ctx context.Context, runs []id.ID) (rows []StepRow, err error) {
	if len(runs) == 0 {
		return nil, nil
	}
	return rows, s.db.Read(ctx, &rows, `SELECT t.run, t.step, t.kind, t.status, t.attempts, coalesce(t.input, '') AS input,
		coalesce(t.output, '') AS output, coalesce(t.error, '') AS error, t.started_at, t.ended_at
		FROM run_tasks AS t WHERE t.run {ids} ORDER BY t.run, t.position, t.started_at, t.step`, s.db.IDs(runs))
}
