package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/data/db"
)

// Statuses of a run. NotStarted, Done, Failed and RunCancelled are ends.
const (
	RunPending    = "pending"
	RunRunning    = "running"
	RunDone       = "done"
	RunFailed     = "failed"
	RunNotStarted = "not_started" // its fields or its condition did not let it
	RunCancelled  = "cancelled"
)

// Kinds of hand-overs to Temporal.
const (
	HandoverRun          = "run"
	HandoverDistribution = "distribution"
)

// NewRun is a run to create for a delivery.
type NewRun struct {
	delivery.Ref
	Workflow  id.ID
	Version   int64
	Directory id.ID
	Status    string // RunPending or RunNotStarted
	Reason    string
	Fields    string // JSON
	Payload   []byte // JSON
	Contact   id.ID
	Rejected  string // set: the delivery cannot work at all, no run is made
}

// StartRun is a run whose Temporal workflow is to be started.
type StartRun struct{ Run, Workflow id.ID }

var runsTable = db.NewTable("runs", "id bigint, workflow bigint, version bigint, event bigint, generation bigint, status text, contact bigint, "+
	"directory bigint, fields text, payload bytea, reason text, created_at bigint, ended_at bigint")

// CreateRuns makes a run for each delivery and marks the delivery done, in one
// transaction, and returns the runs to start. A workflow has one run per event: a
// second call, or a second mapping to the same workflow, finds the first's.
func (s *Store) CreateRuns(ctx context.Context, list []NewRun, lease time.Duration) (start []StartRun, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		start = nil
		refs := make([]delivery.Ref, len(list))
		for i, r := range list {
			refs[i] = r.Ref
		}
		open, err := tx.lockOpen(ctx, refs)
		if err != nil {
			return err
		}
		var marks []Mark
		for _, r := range list {
			attempts, ok := open[r.Ref]
			if !ok {
				continue
			}
			m := Mark{Ref: r.Ref, Attempts: attempts + 1, Status: delivery.Done, Contact: r.Contact}
			if r.Rejected != "" {
				m.Status, m.Reason = delivery.Rejected, r.Rejected
				marks = append(marks, m)
				continue
			}
			run, fresh, err := tx.createRun(ctx, r)
			if err != nil {
				return err
			}
			m.Result = jsonvalue.NewObject(2)
			m.Result.Set("run", run.String())
			m.Result.Set("status", r.Status)
			if r.Reason != "" {
				m.Result.Set("reason", r.Reason)
			}
			marks = append(marks, m)
			if fresh && r.Status == RunPending {
				start = append(start, StartRun{run, r.Workflow})
				if err := tx.handOver(ctx, HandoverRun, run, lease); err != nil {
					return err
				}
			}
		}
		return tx.mark(ctx, marks)
	})
	return start, err
}

func (tx *Tx) createRun(ctx context.Context, r NewRun) (run id.ID, fresh bool, err error) {
	run = tx.s.db.Next()
	var ended any
	if r.Status == RunNotStarted {
		ended = tx.Now.UnixMilli()
	}
	n, err := tx.Insert(ctx, runsTable, [][]any{{run, r.Workflow, r.Version, r.Event, 0, r.Status, db.NullID(r.Contact), r.Directory, r.Fields, r.Payload,
		db.NullText(r.Reason), tx.Now.UnixMilli(), ended}}, "ON CONFLICT (workflow, event, generation) DO NOTHING")
	if err != nil || n == 1 {
		return run, true, err
	}
	err = tx.Get(ctx, &run, `SELECT id FROM runs WHERE workflow = ? AND event = ? AND generation = 0`, r.Workflow, r.Event)
	return run, false, err
}

func (tx *Tx) handOver(ctx context.Context, kind string, v id.ID, lease time.Duration) error {
	_, err := tx.Exec(ctx, `INSERT INTO handovers (kind, id, lease_until, tries) VALUES (?, ?, ?, 0) ON CONFLICT DO NOTHING`,
		kind, v, tx.Now.Add(lease).UnixMilli())
	return err
}

// Handover is a row whose Temporal workflow was not seen running in time.
type Handover struct {
	Kind  string
	ID    id.ID
	Tries int
}

// ClaimHandovers leases up to limit overdue hand-overs, each for twice as long as
// the last time.
func (s *Store) ClaimHandovers(ctx context.Context, limit int, lease time.Duration) ([]Handover, error) {
	var rows []Handover
	err := s.inTx(ctx, func(tx *Tx) error {
		rows = nil // of a try before
		if err := tx.Select(ctx, &rows, `SELECT kind, id, tries FROM handovers WHERE lease_until <= ? ORDER BY id LIMIT ? {skip}`, tx.Now.UnixMilli(), limit); err != nil {
			return err
		}
		for _, r := range rows {
			if _, err := tx.Exec(ctx, `UPDATE handovers SET lease_until = ?, tries = tries + 1 WHERE kind = ? AND id = ?`,
				tx.Now.Add(doubled(lease, r.Tries+1, maxLease)).UnixMilli(), r.Kind, r.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return rows, err
}

func (tx *Tx) handedOver(ctx context.Context, kind string, v id.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM handovers WHERE kind = ? AND id = ?`, kind, v)
	return err
}

// Run is a run as its workflow needs it.
type Run struct {
	ID        id.ID
	Workflow  id.ID
	Version   int64
	Event     id.ID
	Status    string
	Contact   id.ID
	Directory id.ID
	Fields    string
	Payload   []byte
}

const runColumns = `id, workflow, version, event, status, contact, directory, fields, payload`

// RunByID reads a run.
func (s *Store) RunByID(ctx context.Context, run id.ID) (r Run, err error) {
	return r, s.db.ReadOne(ctx, &r, `SELECT `+runColumns+` FROM runs WHERE id = ?`, run)
}

// BeginRun marks a pending run as running and its hand-over as done. Safe to call
// twice.
func (s *Store) BeginRun(ctx context.Context, run id.ID) (r Run, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		if err := tx.Get(ctx, &r, `SELECT `+runColumns+` FROM runs WHERE id = ? {lock}`, run); err != nil {
			return err
		}
		if r.Status == RunPending {
			r.Status = RunRunning
			if _, err := tx.Exec(ctx, `UPDATE runs SET status = ? WHERE id = ?`, RunRunning, run); err != nil {
				return err
			}
		}
		return tx.handedOver(ctx, HandoverRun, run)
	})
	return r, err
}

// EndRun records a run's end. The first end counts.
func (s *Store) EndRun(ctx context.Context, run id.ID, status, reason string) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE runs SET status = ?, reason = ?, ended_at = ? WHERE id = ? AND ended_at IS NULL`,
			status, db.NullText(reason), tx.Now.UnixMilli(), run)
		return err
	})
}

// SetRunContact settles whom a run is about.
func (s *Store) SetRunContact(ctx context.Context, run, contact id.ID) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE runs SET contact = ? WHERE id = ?`, contact, run)
		return err
	})
}

// Statuses of a step of a run. StepDone, StepSkipped and StepFailed are ends.
const (
	StepRunning = "running"
	StepWaiting = "waiting"
	StepDone    = "done"
	StepSkipped = "skipped"
	StepFailed  = "failed"
)

// Step is a step of a run with what it got and gave.
type Step struct {
	Run       id.ID
	Step      string
	Position  int
	Kind      string
	Status    string
	Attempts  int
	Input     sql.NullString
	Output    sql.NullString
	Error     sql.NullString
	StartedAt sql.NullInt64 `db:"started_at"`
	EndedAt   sql.NullInt64 `db:"ended_at"`
}

const stepColumns = `run, step, position, kind, status, attempts, input, output, error, started_at, ended_at`

// Steps reads the steps a run has reached, in the order reached.
func (s *Store) Steps(ctx context.Context, run id.ID) (rows []Step, err error) {
	return rows, s.db.Read(ctx, &rows, `SELECT `+stepColumns+` FROM run_tasks WHERE run = ? ORDER BY position, started_at, step`, run)
}

// BeginStep records that a step is tried (once more) and returns it. A step that
// ended before is returned as it is and not tried again.
func (s *Store) BeginStep(ctx context.Context, run id.ID, step, kind, status, input string) (row Step, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		return tx.Get(ctx, &row, `INSERT INTO run_tasks (run, step, position, kind, status, attempts, input, started_at)
			VALUES (?, ?, (SELECT count(*) FROM run_tasks WHERE run = ?), ?, ?, 1, ?, ?)
			ON CONFLICT (run, step) DO UPDATE SET
				attempts = run_tasks.attempts + CASE WHEN run_tasks.ended_at IS NULL THEN 1 ELSE 0 END,
				status = CASE WHEN run_tasks.ended_at IS NULL THEN excluded.status ELSE run_tasks.status END,
				input = CASE WHEN run_tasks.ended_at IS NULL THEN excluded.input ELSE run_tasks.input END
			RETURNING `+stepColumns, run, step, run, kind, status, db.NullText(input), tx.Now.UnixMilli())
	})
	return row, err
}

// StepError notes why an attempt failed; the step goes on being tried.
func (s *Store) StepError(ctx context.Context, run id.ID, step, message string) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE run_tasks SET error = ? WHERE run = ? AND step = ? AND ended_at IS NULL`, message, run, step)
		return err
	})
}

// EndStep records a step's end. The first end counts; what failed attempts noted is
// forgotten.
func (s *Store) EndStep(ctx context.Context, run id.ID, step, status, output, message string) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE run_tasks SET status = ?, output = coalesce(?, output), error = ?, ended_at = ?
			WHERE run = ? AND step = ? AND ended_at IS NULL`, status, db.NullText(output), db.NullText(message), tx.Now.UnixMilli(), run, step)
		return err
	})
}
