package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/data/columns"
	"github.com/segue-xm/segue/internal/data/db"
)

// CreateJob makes a job that runs, to be handed to Temporal within the lease.
func (s *Store) CreateJob(ctx context.Context, n job.New, lease time.Duration) (j job.Job, err error) {
	made := s.db.Next()
	err = s.inTx(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO jobs (id, kind, status, author, input, cursor, pages, items, done, total, counts, created_at)
			VALUES (?, ?, ?, ?, ?, '', 0, 0, 0, ?, '{}', ?)`, made, n.Kind, job.Running, n.Author, n.Input, n.Total, tx.Now.UnixMilli()); err != nil {
			return err
		}
		if err := tx.handOver(ctx, handover.KindJob, made, lease); err != nil {
			return err
		}
		j, err = tx.job(ctx, made)
		return err
	})
	return j, err
}

func (tx *Tx) job(ctx context.Context, v id.ID) (j job.Job, err error) {
	return j, tx.Get(ctx, &j, `SELECT `+columns.Job+` FROM jobs WHERE id = ? {lock}`, v)
}

// BeginPage reads a job for its next page, and notes that its workflow runs. Safe to
// call twice.
func (s *Store) BeginPage(ctx context.Context, v id.ID) (j job.Job, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		if err := tx.handedOver(ctx, handover.KindJob, v); err != nil {
			return err
		}
		j, err = tx.job(ctx, v)
		return err
	})
	return j, err
}

// RecordPage records a page that wrote nothing else. The record of a page that was
// recorded before, or of a job that has ended, changes nothing; the job is returned as
// it is then.
func (s *Store) RecordPage(ctx context.Context, p job.Page) (j job.Job, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		_, j, err = tx.recordPage(ctx, p)
		return err
	})
	return j, err
}

var itemsTable = db.NewTable("job_items", "job bigint, n bigint, subject bigint, part bigint, outcome text, detail text")

// recordPage records a page with the rest of a transaction. first is false when the
// page was recorded before, or the job has ended meanwhile: then the transaction must
// write nothing else.
func (tx *Tx) recordPage(ctx context.Context, p job.Page) (first bool, j job.Job, err error) {
	if j, err = tx.job(ctx, p.Job); err != nil || j.Pages != p.Number || j.Status.Ended() {
		return false, j, err
	}
	counts := map[string]int{}
	if err := json.Unmarshal([]byte(j.Counts), &counts); err != nil {
		return false, j, fault.Wrap(fault.Invalid, err, "the job's counts cannot be read")
	}
	for word, n := range p.Counts {
		if n != 0 {
			counts[word] += n
		}
	}
	text, err := json.Marshal(counts)
	if err != nil {
		return false, j, err
	}
	rows := make([][]any, len(p.Items))
	for i, item := range p.Items {
		rows[i] = []any{p.Job, j.Items + int64(i) + 1, item.Subject, int64(item.Part), item.Outcome, db.NullText(item.Detail)}
	}
	if _, err := tx.Insert(ctx, itemsTable, rows, ""); err != nil {
		return false, j, err
	}
	if _, err := tx.Exec(ctx, `UPDATE jobs SET cursor = ?, pages = pages + 1, items = items + ?, done = done + ?, counts = ?, reason = NULL WHERE id = ?`,
		p.Cursor, len(p.Items), p.Done, string(text), p.Job); err != nil {
		return false, j, err
	}
	if p.Last {
		if _, err := tx.moveJob(ctx, p.Job, job.Done, ""); err != nil {
			return false, j, err
		}
	}
	j, err = tx.job(ctx, p.Job)
	return true, j, err
}

// PageFailed notes why a page could not be done, which is tried again.
func (s *Store) PageFailed(ctx context.Context, v id.ID, reason string) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE jobs SET reason = ? WHERE id = ? AND ended_at IS NULL`, reason, v)
		return err
	})
}

// EndJob ends a job that failed, or that somebody cancels. The first end counts;
// moved is false when this was not it.
func (s *Store) EndJob(ctx context.Context, v id.ID, status job.Status, reason string) (j job.Job, moved bool, err error) {
	return s.changeJob(ctx, v, status, reason, 0)
}

// PauseJob keeps a running job from beginning another page.
func (s *Store) PauseJob(ctx context.Context, v id.ID) (j job.Job, moved bool, err error) {
	return s.changeJob(ctx, v, job.Paused, "", 0)
}

// ResumeJob lets a paused job go on, to be handed to Temporal within the lease.
func (s *Store) ResumeJob(ctx context.Context, v id.ID, lease time.Duration) (j job.Job, moved bool, err error) {
	return s.changeJob(ctx, v, job.Running, "", lease)
}

func (s *Store) changeJob(ctx context.Context, v id.ID, to job.Status, reason string, lease time.Duration) (j job.Job, moved bool, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		if moved, err = tx.moveJob(ctx, v, to, reason); err != nil {
			return err
		}
		if moved && lease > 0 {
			if err := tx.handOver(ctx, handover.KindJob, v, lease); err != nil {
				return err
			}
		}
		if moved && to.Ended() {
			if err := tx.handedOver(ctx, handover.KindJob, v); err != nil {
				return err
			}
		}
		j, err = tx.job(ctx, v)
		return err
	})
	return j, moved, err
}

func (tx *Tx) moveJob(ctx context.Context, v id.ID, to job.Status, reason string) (moved bool, err error) {
	var ended any
	if to.Ended() {
		ended = tx.Now.UnixMilli()
	}
	n, err := tx.Exec(ctx, `UPDATE jobs SET status = ?, reason = ?, ended_at = ? WHERE id = ? AND status `+oneOf(to.Before()), to, db.NullText(reason), ended, v)
	return n > 0, err
}
