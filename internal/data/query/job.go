package query

import (
	"context"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/data/columns"
)

const selectJobs = `SELECT ` + columns.Job + ` FROM jobs AS j`

// JobQuery selects jobs. Zero fields do not restrict.
type JobQuery struct {
	Kind   job.Kind
	Status job.Status
}

// ListJobs lists jobs.
func (r *Reader) ListJobs(ctx context.Context, f JobQuery, p Paging) ([]job.Job, id.ID, error) {
	var q query
	filter(&q, "j.kind = ?", f.Kind)
	filter(&q, "j.status = ?", f.Status)
	w, err := r.window(ctx, "jobs", p.before(), 0, q.scans)
	if err != nil {
		return nil, 0, err
	}
	return page(ctx, r, selectJobs, "j", q, w, p, func(j *job.Job) id.ID { return j.ID })
}

// JobRow is one job; unknown is NotFound.
func (r *Reader) JobRow(ctx context.Context, v id.ID) (row job.Job, err error) {
	return row, r.db.ReadOne(ctx, &row, selectJobs+` WHERE j.id = ?`, v)
}

// JobItems are up to limit rows of a job's report after the nth, in the order of the
// work; outcome "" is all of them.
func (r *Reader) JobItems(ctx context.Context, v id.ID, outcome string, after int64, limit int) (rows []job.Item, err error) {
	// The rows of an outcome are found in its index alone, and then read: a database
	// would rather walk the whole report for them.
	places, args := `SELECT n FROM job_items WHERE job = ? AND n > ? ORDER BY n LIMIT ?`, []any{v, v, after, limit}
	if outcome != "" {
		places, args = `SELECT n FROM job_items WHERE job = ? AND outcome = ? AND n > ? ORDER BY n LIMIT ?`, []any{v, v, outcome, after, limit}
	}
	return rows, r.db.Read(ctx, &rows, `SELECT n, subject, part, outcome, coalesce(detail, '') AS detail FROM job_items
		WHERE job = ? AND n IN (`+places+`) ORDER BY n`, args...)
}

// JobDeliveryRow counts the deliveries that a replay wrote, and nobody wrote anew
// since, in one status.
type JobDeliveryRow struct {
	Status delivery.Status
	N      int
}

// JobDeliveries count what became of a replay's deliveries.
func (r *Reader) JobDeliveries(ctx context.Context, v id.ID) (rows []JobDeliveryRow, err error) {
	return rows, r.db.Read(ctx, &rows, `SELECT status, count(*) AS n FROM deliveries WHERE job = ? GROUP BY status ORDER BY status`, v)
}

// RepeatRow is a run that repeats another.
type RepeatRow struct {
	ID       id.ID
	ReplayOf id.ID `db:"replay_of"`
	Job      id.ID
}

// RepeatRows are the runs that repeat these.
func (r *Reader) RepeatRows(ctx context.Context, runs []id.ID) (rows []RepeatRow, err error) {
	if len(runs) == 0 {
		return nil, nil
	}
	return rows, r.db.Read(ctx, &rows, `SELECT id, replay_of, job FROM runs WHERE replay_of {ids} ORDER BY id`, r.db.IDs(runs))
}
