package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/data/db"
)

// dueOf is what waits longest of an action, in the order of the index.
const dueOf = `SELECT event, mapping, unsure FROM delivery_queue WHERE destination = ? AND action = ? AND due_at <= ? ORDER BY due_at LIMIT ?`

// RemoteDue reads up to limit deliveries of one action that are due at a
// destination, the longest waiting first, in event order. Rows of a version that
// did not write the action count too.
func (s *Store) RemoteDue(ctx context.Context, destination id.ID, action string, limit int) (rows []delivery.Remote, err error) {
	now := s.db.Now().UnixMilli()
	return rows, s.db.Read(ctx, &rows, `SELECT d.event, d.mapping, d.destination, d.action, d.status, d.attempts, d.occurred_at, d.payload, coalesce(d.revision, e.revision) AS revision,
		e.source, e.message_id, e.accepted_at, coalesce(d.result, '') AS result, q.unsure
		FROM (SELECT * FROM (`+dueOf+`) AS own UNION ALL SELECT * FROM (`+dueOf+`) AS old) q
		JOIN deliveries d ON d.event = q.event AND d.mapping = q.mapping JOIN events e ON e.id = d.event
		WHERE d.action = ? ORDER BY d.event, d.mapping`, destination, action, now, limit, destination, "", now, limit, action)
}

// attemptTime is how long an attempt has until somebody else may make one.
const attemptTime = time.Minute

// BeginAttempt counts an attempt at a remote account before it is made: should its
// process die, the next one looks first. It is false when the delivery has ended, or
// when somebody else has begun an attempt since it was read with this many.
func (s *Store) BeginAttempt(ctx context.Context, r delivery.Ref, attempts int) (ours bool, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		n, err := tx.Exec(ctx, `UPDATE deliveries SET attempts = attempts + 1, updated_at = ? WHERE event = ? AND mapping = ? AND attempts = ?
			AND status `+openDelivery, tx.Now.UnixMilli(), r.Event, r.Mapping, attempts)
		if ours = n > 0; err != nil || !ours {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE delivery_queue SET unsure = ?, due_at = ? WHERE event = ? AND mapping = ?`, true, tx.Now.Add(attemptTime).UnixMilli(), r.Event, r.Mapping)
		return err
	})
	return ours, err
}

// messageAction is the action of a row of message_queue.
const messageAction = `CASE WHEN kind = '` + string(distribution.KindProgress) + `' THEN '` + distribution.ActionProgress + `' ELSE '` + distribution.ActionDistribute + `' END`

// DueActions lists what waits at a destination, by action.
func (s *Store) DueActions(ctx context.Context, destination id.ID) (due []delivery.Due, err error) {
	return due, s.db.Read(ctx, &due, `SELECT destination, action, min(due_at) AS due_at FROM delivery_queue WHERE destination = ? GROUP BY destination, action
		UNION ALL SELECT destination, `+messageAction+` AS action, min(due_at) AS due_at FROM message_queue WHERE destination = ? GROUP BY destination, `+messageAction, destination, destination)
}

// DueNow lists what is due now, at all destinations.
func (s *Store) DueNow(ctx context.Context) (due []delivery.Due, err error) {
	now := s.db.Now().UnixMilli()
	return due, s.db.Read(ctx, &due, `SELECT destination, action, min(due_at) AS due_at FROM delivery_queue WHERE due_at <= ? GROUP BY destination, action
		UNION ALL SELECT destination, `+messageAction+` AS action, min(due_at) AS due_at FROM message_queue WHERE due_at <= ? GROUP BY destination, `+messageAction, now, now)
}

// Holds reads the holds in force under a revision of the plan.
func (s *Store) Holds(ctx context.Context, revision int64) (list delivery.Holds, err error) {
	return list, s.db.Read(ctx, &list, `SELECT destination, action, until, revision, reason FROM destination_holds
		WHERE until > ? AND revision IN (0, ?) ORDER BY destination, action`, s.db.Now().UnixMilli(), revision)
}

// Pauses lists the paused destinations.
func (s *Store) Pauses(ctx context.Context) (list []delivery.Pause, err error) {
	return list, s.db.Read(ctx, &list, `SELECT destination, paused_at, coalesce(paused_by, '') AS paused_by, coalesce(pause_note, '') AS pause_note
		FROM destination_states WHERE paused_at IS NOT NULL`)
}

// PauseDestination pauses a destination; one that is paused already stays as it is.
func (s *Store) PauseDestination(ctx context.Context, destination id.ID, by, note string) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO destination_states (destination, paused_at, paused_by, pause_note) VALUES (?, ?, ?, ?)
			ON CONFLICT (destination) DO UPDATE SET paused_at = excluded.paused_at, paused_by = excluded.paused_by, pause_note = excluded.pause_note
			WHERE destination_states.paused_at IS NULL`, destination, tx.Now.UnixMilli(), by, db.NullText(note))
		return err
	})
}

// ResumeDestination ends a pause and all holds of a destination, and forgets that its
// account did not answer. Safe to call twice.
func (s *Store) ResumeDestination(ctx context.Context, destination id.ID) error {
	return s.inTx(ctx, func(tx *Tx) error {
		if err := tx.forgetBreaker(ctx, destination); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM destination_holds WHERE destination = ?`, destination); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE destination_states SET paused_at = NULL, paused_by = NULL, pause_note = NULL, trouble = NULL, trouble_at = NULL
			WHERE destination = ?`, destination)
		return err
	})
}

// forgetBreaker takes out of a pace how the account answered lately; its limits stay.
func (tx *Tx) forgetBreaker(ctx context.Context, destination id.ID) error {
	var pace sql.NullString
	err := tx.Get(ctx, &pace, `SELECT pace FROM destination_states WHERE destination = ?`, destination)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !pace.Valid {
		return nil
	}
	if err != nil {
		return err
	}
	o, err := jsonvalue.ParseObject([]byte(pace.String))
	if err != nil {
		return err
	}
	o.Delete("breaker")
	_, err = tx.Exec(ctx, `UPDATE destination_states SET pace = ? WHERE destination = ?`, jsonvalue.Text(o), destination)
	return err
}

// EndRound keeps what a round has learnt.
func (s *Store) EndRound(ctx context.Context, r delivery.Round) error {
	return s.inTx(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM destination_holds WHERE destination = ? AND until <= ?`, r.Destination, tx.Now.UnixMilli()); err != nil {
			return err
		}
		for _, h := range r.Holds {
			if _, err := tx.Exec(ctx, `INSERT INTO destination_holds (destination, action, until, revision, reason) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (destination, action) DO UPDATE SET until = excluded.until, revision = excluded.revision, reason = excluded.reason`,
				r.Destination, h.Action, h.UntilMillis, h.Revision, h.Reason); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO destination_states (destination, pace) VALUES (?, ?)
			ON CONFLICT (destination) DO UPDATE SET pace = excluded.pace`, r.Destination, db.NullText(r.Pace)); err != nil {
			return err
		}
		if r.Trouble == "" && !r.Answered {
			return nil
		}
		// A trouble that goes on keeps the time it began.
		_, err := tx.Exec(ctx, `UPDATE destination_states SET trouble_at = CASE WHEN ? = '' THEN NULL ELSE coalesce(trouble_at, ?) END, trouble = ?
			WHERE destination = ?`, r.Trouble, tx.Now.UnixMilli(), db.NullText(r.Trouble), r.Destination)
		return err
	})
}

// Pace is what EndRound kept of a destination's pace; "" when nothing.
func (s *Store) Pace(ctx context.Context, destination id.ID) (string, error) {
	var pace []string
	err := s.db.Read(ctx, &pace, `SELECT coalesce(pace, '') FROM destination_states WHERE destination = ?`, destination)
	if err != nil || len(pace) == 0 {
		return "", err
	}
	return pace[0], nil
}
