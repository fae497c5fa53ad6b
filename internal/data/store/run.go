package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/data/columns"
	"github.com/segue-xm/segue/internal/data/db"
)

var runsTable = db.NewTable("runs", "id bigint, workflow bigint, version bigint, event bigint, generation bigint, status text, contact bigint, "+
	"directory bigint, fields text, payload bytea, reason text, created_at bigint, ended_at bigint, job bigint, replay_of bigint")

// CreateRuns makes a run for each delivery and marks the delivery done, in one
// transaction, and returns the runs to start. A workflow has one run per event: a
// second call, or a second mapping to the same workflow, finds the first's. A delivery
// that is forced gets a run of the next generation, one for each replay.
func (s *Store) CreateRuns(ctx context.Context, list []run.New, lease time.Duration) (start []run.Start, err error) {
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
		var marks []delivery.Mark
		for _, r := range list {
			opening, ok := open[r.Ref]
			if !ok {
				continue
			}
			m := delivery.Mark{Ref: r.Ref, Action: plan.StartWorkflow, Attempts: opening.Attempts + 1, Status: delivery.Done, Contact: r.Contact}
			if r.Rejected != "" {
				m.Status, m.Reason = delivery.Rejected, r.Rejected
				marks = append(marks, m)
				continue
			}
			made, fresh, err := tx.createRun(ctx, r, opening)
			if err != nil {
				return err
			}
			m.Result = jsonvalue.NewObject(2)
			m.Result.Set("run", made.String())
			m.Result.Set("status", string(r.Status))
			if r.Reason != "" {
				m.Result.Set("reason", r.Reason)
			}
			marks = append(marks, m)
			if fresh && r.Status == run.Pending {
				start = append(start, run.Start{Run: made, Workflow: r.Workflow})
				if err := tx.handOver(ctx, handover.KindRun, made, lease); err != nil {
					return err
				}
			}
		}
		return tx.mark(ctx, marks)
	})
	return start, err
}

func (tx *Tx) createRun(ctx context.Context, r run.New, o delivery.Opening) (made id.ID, fresh bool, err error) {
	var last struct {
		ID         id.ID
		Generation int
		Job        id.ID
	}
	generation := 0
	if o.Forced {
		err := tx.Get(ctx, &last, `SELECT id, generation, job FROM runs WHERE workflow = ? AND event = ? ORDER BY generation DESC LIMIT 1`, r.Workflow, r.Event)
		switch {
		case errors.Is(err, sql.ErrNoRows): // it was rejected before it had a run, or done for another workflow
		case err != nil:
			return 0, false, err
		case last.Job == o.Job:
			return last.ID, false, nil // by another mapping to the same workflow
		default:
			generation = last.Generation + 1
		}
	}
	made = tx.s.db.Next()
	var ended any
	if r.Status == run.NotStarted {
		ended = tx.Now.UnixMilli()
	}
	n, err := tx.Insert(ctx, runsTable, [][]any{{made, r.Workflow, r.Version, r.Event, generation, string(r.Status), db.NullID(r.Contact), r.Directory, r.Fields, r.Payload,
		db.NullText(r.Reason), tx.Now.UnixMilli(), ended, db.NullID(o.Job), db.NullID(last.ID)}}, "ON CONFLICT (workflow, event, generation) DO NOTHING")
	if err != nil || n == 1 {
		return made, true, err
	}
	if o.Forced {
		return 0, false, db.ErrRace
	}
	err = tx.Get(ctx, &made, `SELECT id FROM runs WHERE workflow = ? AND event = ? AND generation = 0`, r.Workflow, r.Event)
	return made, false, err
}

func (tx *Tx) handOver(ctx context.Context, kind handover.Kind, v id.ID, lease time.Duration) error {
	_, err := tx.Exec(ctx, `INSERT INTO handovers (kind, id, lease_until, tries) VALUES (?, ?, ?, 0) ON CONFLICT DO NOTHING`,
		kind, v, tx.Now.Add(lease).UnixMilli())
	return err
}

// ClaimHandovers leases up to limit overdue hand-overs, each for twice as long as
// the last time.
func (s *Store) ClaimHandovers(ctx context.Context, limit int, lease time.Duration) ([]handover.Overdue, error) {
	var rows []handover.Overdue
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

func (tx *Tx) handedOver(ctx context.Context, kind handover.Kind, v id.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM handovers WHERE kind = ? AND id = ?`, kind, v)
	return err
}

// RunByID reads a run with its payload.
func (s *Store) RunByID(ctx context.Context, v id.ID) (r run.Run, err error) {
	return r, s.db.ReadOne(ctx, &r, `SELECT `+columns.Run+`, payload FROM runs WHERE id = ?`, v)
}

// BeginRun marks a pending run as running and its hand-over as done. Safe to call
// twice.
func (s *Store) BeginRun(ctx context.Context, v id.ID) (r run.Run, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE runs SET status = ? WHERE id = ? AND status `+oneOf(run.Running.Before()), run.Running, v); err != nil {
			return err
		}
		if err := tx.handedOver(ctx, handover.KindRun, v); err != nil {
			return err
		}
		return tx.Get(ctx, &r, `SELECT `+columns.Run+`, payload FROM runs WHERE id = ?`, v)
	})
	return r, err
}

// EndRun records a run's end. The first end counts.
func (s *Store) EndRun(ctx context.Context, v id.ID, status run.Status, reason string) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE runs SET status = ?, reason = ?, ended_at = ? WHERE id = ? AND status `+oneOf(status.Before()),
			status, db.NullText(reason), tx.Now.UnixMilli(), v)
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

// Steps reads the steps a run has reached, in the order reached.
func (s *Store) Steps(ctx context.Context, v id.ID) (rows []run.Step, err error) {
	return rows, s.db.Read(ctx, &rows, `SELECT `+columns.Step+` FROM run_tasks WHERE run = ? ORDER BY position, started_at, step`, v)
}

// BeginStep records that a step is tried (once more) and returns it. A step that
// ended before, or cannot become what is asked, is returned as it is.
func (s *Store) BeginStep(ctx context.Context, v id.ID, step run.Path, kind string, status run.StepStatus, input string) (row run.Step, err error) {
	may := `run_tasks.status ` + oneOf(append(status.Before(), status))
	err = s.inTx(ctx, func(tx *Tx) error {
		return tx.Get(ctx, &row, `INSERT INTO run_tasks (run, step, position, kind, status, attempts, input, started_at)
			VALUES (?, ?, (SELECT count(*) FROM run_tasks WHERE run = ?), ?, ?, 1, ?, ?)
			ON CONFLICT (run, step) DO UPDATE SET
				attempts = run_tasks.attempts + CASE WHEN `+may+` THEN 1 ELSE 0 END,
				status = CASE WHEN `+may+` THEN excluded.status ELSE run_tasks.status END,
				input = CASE WHEN `+may+` THEN excluded.input ELSE run_tasks.input END
			RETURNING `+columns.Step, v, step, v, kind, status, db.NullText(input), tx.Now.UnixMilli())
	})
	return row, err
}

// StepError notes why an attempt failed; the step goes on being tried.
func (s *Store) StepError(ctx context.Context, v id.ID, step run.Path, message string) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE run_tasks SET error = ? WHERE run = ? AND step = ? AND status `+oneOf(run.OpenSteps()), message, v, step)
		return err
	})
}

// EndStep records a step's end. The first end counts; what failed attempts noted is
// forgotten.
func (s *Store) EndStep(ctx context.Context, v id.ID, step run.Path, status run.StepStatus, output, message string) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE run_tasks SET status = ?, output = coalesce(?, output), error = ?, ended_at = ?
			WHERE run = ? AND step = ? AND status `+oneOf(status.Before()), status, db.NullText(output), db.NullText(message), tx.Now.UnixMilli(), v, step)
		return err
	})
}

// RunsUnderWay says whether a run of a workflow's version has not ended, or has an
// invitation for which something is still to be done: its reminders speak as the
// version has them.
func (s *Store) RunsUnderWay(ctx context.Context, workflow id.ID, version int64) (bool, error) {
	var n int
	err := s.db.ReadOne(ctx, &n, `SELECT CASE WHEN EXISTS (SELECT 1 FROM runs WHERE workflow = ? AND version = ? AND status `+oneOf(run.OpenStatuses())+`)
		OR EXISTS (SELECT 1 FROM distribution_versions v JOIN distributions d ON d.id = v.distribution
			JOIN distribution_queue q ON q.distribution = d.id JOIN invitations i ON i.id = q.invitation AND i.version = v.key
			WHERE d.workflow = ? AND v.version = ?) THEN 1 ELSE 0 END`, workflow, version, workflow, version)
	return n > 0, err
}
