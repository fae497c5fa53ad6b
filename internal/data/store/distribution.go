package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/data/columns"
	"github.com/segue-xm/segue/internal/data/db"
)

// CreateDistribution makes a distribution with its invitation. One per run and
// step: a second call returns the first's ids.
func (s *Store) CreateDistribution(ctx context.Context, d distribution.New, lease time.Duration) (dist, invitation id.ID, err error) {
	var random [16]byte
	rand.Read(random[:]) //nolint:errcheck // never fails (Go 1.24)
	token := distribution.Token(random)
	err = s.inTx(ctx, func(tx *Tx) error {
		dist, invitation = tx.s.db.Next(), tx.s.db.Next()
		now := tx.Now.UnixMilli()
		n, err := tx.Exec(ctx, `INSERT INTO distributions (id, run, step, directory, destination, survey, channel, status, settings, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, step) DO NOTHING`,
			dist, d.Run, d.Step, d.Directory, db.NullID(d.Destination), d.Survey, d.Channel, distribution.StatePending, d.Settings, now)
		if err != nil {
			return err
		}
		if n == 0 {
			return tx.firstDistribution(ctx, d, &dist, &invitation)
		}
		var expires any
		if !d.Expires.IsZero() {
			expires = d.Expires.UnixMilli()
		}
		if _, err := tx.Exec(ctx, `INSERT INTO invitations (id, distribution, run, contact, token, status, snapshot, created_at, opens, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`, invitation, dist, d.Run, d.Contact, token, distribution.Pending, d.Snapshot, now, expires); err != nil {
			return err
		}
		return tx.handOver(ctx, handover.KindDistribution, dist, lease)
	})
	return dist, invitation, err
}

func (tx *Tx) firstDistribution(ctx context.Context, d distribution.New, dist, invitation *id.ID) error {
	if err := tx.Get(ctx, dist, `SELECT id FROM distributions WHERE run = ? AND step = ?`, d.Run, d.Step); err != nil {
		return err
	}
	return tx.Get(ctx, invitation, `SELECT id FROM invitations WHERE distribution = ? ORDER BY id LIMIT 1`, *dist)
}

// DistributionByID reads a distribution.
func (s *Store) DistributionByID(ctx context.Context, dist id.ID) (d distribution.Distribution, err error) {
	return d, s.db.ReadOne(ctx, &d, `SELECT `+columns.Distribution+` FROM distributions WHERE id = ?`, dist)
}

// BeginDistribution marks a pending distribution as sending and its hand-over as
// done. Safe to call twice.
func (s *Store) BeginDistribution(ctx context.Context, dist id.ID) (d distribution.Distribution, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE distributions SET status = ? WHERE id = ? AND status `+oneOf(distribution.StateSending.Before()), distribution.StateSending, dist); err != nil {
			return err
		}
		if err := tx.handedOver(ctx, handover.KindDistribution, dist); err != nil {
			return err
		}
		return tx.Get(ctx, &d, `SELECT `+columns.Distribution+` FROM distributions WHERE id = ?`, dist)
	})
	return d, err
}

// SetDistributionStatus records how far a distribution is; an end also notes when.
// One that is not let there stays as it is.
func (s *Store) SetDistributionStatus(ctx context.Context, dist id.ID, status distribution.State) error {
	return s.inTx(ctx, func(tx *Tx) error {
		var ended any
		if status.Ended() {
			ended = tx.Now.UnixMilli()
		}
		_, err := tx.Exec(ctx, `UPDATE distributions SET status = ?, ended_at = ? WHERE id = ? AND status `+oneOf(status.Before()), status, ended, dist)
		return err
	})
}

// openInvitation is the condition of an invitation to which more may be sent.
var openInvitation = oneOf(distribution.OpenStatuses())

// Unsent lists up to limit invitations of a distribution, after one, that have
// not had a message of this kind and may still get one.
func (s *Store) Unsent(ctx context.Context, dist id.ID, kind distribution.Kind, after id.ID, limit int) (ids []id.ID, err error) {
	return ids, s.db.Read(ctx, &ids, `SELECT id FROM invitations i WHERE distribution = ? AND id > ?
		AND status `+openInvitation+`
		AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.invitation = i.id AND m.kind = ? AND m.status <> ?)
		ORDER BY id LIMIT ?`, dist, after, kind, distribution.MessageReserved, limit)
}

// OpenInvitations counts the invitations of a distribution that may still be
// answered.
func (s *Store) OpenInvitations(ctx context.Context, dist id.ID) (n int, err error) {
	return n, s.db.ReadOne(ctx, &n, `SELECT count(*) FROM invitations WHERE distribution = ? AND status `+openInvitation, dist)
}

// InvitationByToken finds the invitation behind a personal link.
func (s *Store) InvitationByToken(ctx context.Context, token string) (r distribution.Invitation, err error) {
	return r, s.db.ReadOne(ctx, &r, `SELECT `+columns.Invitation+` FROM invitations WHERE token = ?`, token)
}

// Reserve decides, at this moment, whether an invitation may get a message, and
// reserves it: the contact is locked, opt-outs, answers and expiry are looked at
// again, and for an invitation the frequency rule's window is counted and taken.
// Two reservations for one person never both take its last place. A second call
// for the same message returns the same reservation. An invitation that may not
// go out is recorded as skipped with the reason.
func (s *Store) Reserve(ctx context.Context, invitation id.ID, kind distribution.Kind, rule distribution.Rule) (r distribution.Reservation, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		r = distribution.Reservation{}
		inv := &r.Invitation
		if err := tx.Get(ctx, inv, `SELECT `+columns.Invitation+` FROM invitations WHERE id = ?`, invitation); err != nil {
			return err
		}
		var c contactRow
		if err := tx.Get(ctx, &c, `SELECT `+columns.Contact+` FROM contacts WHERE id = ? {lock}`, inv.Contact); err != nil {
			return err
		}
		// Again, under the lock: an answer or opt-out may have come in between.
		if err := tx.Get(ctx, inv, `SELECT `+columns.Invitation+` FROM invitations WHERE id = ?`, invitation); err != nil {
			return err
		}
		r.Email, r.Language = c.Email, c.Language
		var before []struct {
			Status    distribution.MessageStatus
			CreatedAt int64 `db:"created_at"`
		}
		if err := tx.Select(ctx, &before, `SELECT status, created_at FROM messages WHERE invitation = ? AND kind = ?`, invitation, kind); err != nil {
			return err
		}
		r.Since = tx.Now
		if len(before) == 1 {
			if before[0].Status != distribution.MessageReserved {
				r.Sent = true
				return nil
			}
			r.Since = db.Instant(before[0].CreatedAt)
		}
		in, err := tx.eligibility(ctx, c, *inv, kind, rule)
		if err != nil {
			return err
		}
		if r.Verdict = distribution.Eligible(in); !r.Verdict.OK {
			return tx.skip(ctx, *inv, kind, r.Verdict)
		}
		_, err = tx.Exec(ctx, `INSERT INTO messages (invitation, kind, contact, status, counts, created_at, attempts) VALUES (?, ?, ?, ?, ?, ?, 1)
			ON CONFLICT (invitation, kind) DO UPDATE SET attempts = messages.attempts + 1`,
			invitation, kind, inv.Contact, distribution.MessageReserved, kind == distribution.KindInvitation, tx.Now.UnixMilli())
		return err
	})
	return r, err
}

func (tx *Tx) eligibility(ctx context.Context, c contactRow, inv distribution.Invitation, kind distribution.Kind, rule distribution.Rule) (distribution.Person, error) {
	in := distribution.Person{
		// Thanks are for those who have answered, whenever that was.
		Unsubscribed: c.Unsubscribed, Email: c.Email, Responded: inv.Status == distribution.Finished && kind != distribution.KindThanks, Now: tx.Now,
		Frequency: rule.Window,
		// Reminders belong to an invitation that was counted already.
		IgnoreFrequency: rule.IgnoreFrequency || kind != distribution.KindInvitation,
	}
	if kind != distribution.KindThanks {
		in.Expires = inv.Expires()
	}
	if rule.List != 0 {
		var n int
		if err := tx.Get(ctx, &n, `SELECT count(*) FROM list_members WHERE list = ? AND contact = ? AND opted_out`, rule.List, inv.Contact); err != nil {
			return in, err
		}
		in.ListOptedOut = n > 0
	}
	if in.IgnoreFrequency || rule.Per == 0 {
		return in, nil
	}
	var sent []int64
	err := tx.Select(ctx, &sent, `SELECT created_at FROM messages WHERE contact = ? AND created_at > ? AND counts AND status <> ? AND invitation <> ?
		ORDER BY created_at`, inv.Contact, tx.Now.Add(-rule.Per).UnixMilli(), distribution.MessageFailed, inv.ID)
	for _, at := range sent {
		in.Sent = append(in.Sent, db.Instant(at))
	}
	return in, err
}

// skip records that a message does not go. Only an invitation never sent becomes
// skipped by it; a reminder that is not due any more changes nothing else.
// A place that was reserved for it is freed.
func (tx *Tx) skip(ctx context.Context, inv distribution.Invitation, kind distribution.Kind, v distribution.Verdict) error {
	if _, err := tx.moveMessage(ctx, inv.ID, kind, distribution.MessageFailed, v.Text); err != nil {
		return err
	}
	if kind != distribution.KindInvitation || inv.Status != distribution.Pending {
		return nil
	}
	return tx.endInvitation(ctx, inv.ID, distribution.Skipped, v.Text)
}

// moveMessage gives a message its end, where the rules let it; a reason is why it
// did not go.
func (tx *Tx) moveMessage(ctx context.Context, invitation id.ID, kind distribution.Kind, to distribution.MessageStatus, reason string) (moved bool, err error) {
	var sent any
	if to == distribution.MessageSent {
		sent = tx.Now.UnixMilli()
	}
	n, err := tx.Exec(ctx, `UPDATE messages SET status = ?, sent_at = ?, error = ? WHERE invitation = ? AND kind = ? AND status `+oneOf(to.Before()),
		to, sent, db.NullText(reason), invitation, kind)
	return n > 0, err
}

// endInvitation ends an invitation for another reason than an answer, where the
// rules let it.
func (tx *Tx) endInvitation(ctx context.Context, invitation id.ID, to distribution.Status, reason string) error {
	_, err := tx.Exec(ctx, `UPDATE invitations SET status = ?, reason = ? WHERE id = ? AND status `+oneOf(to.Before()), to, reason, invitation)
	return err
}

// MessageWasSent records that a message went out. Safe to call twice.
func (s *Store) MessageWasSent(ctx context.Context, invitation id.ID, kind distribution.Kind) error {
	return s.inTx(ctx, func(tx *Tx) error { return tx.messageWasSent(ctx, invitation, kind) })
}

func (tx *Tx) messageWasSent(ctx context.Context, invitation id.ID, kind distribution.Kind) error {
	if _, err := tx.moveMessage(ctx, invitation, kind, distribution.MessageSent, ""); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE invitations SET status = CASE WHEN status `+oneOf(distribution.Sent.Before())+` THEN ? ELSE status END,
		sent_at = coalesce(sent_at, ?) WHERE id = ?`, distribution.Sent, tx.Now.UnixMilli(), invitation)
	return err
}

// MessageFailed records why a message could not be sent. When it can never be,
// its place in the frequency rule is freed, and an invitation never sent fails.
func (s *Store) MessageFailed(ctx context.Context, invitation id.ID, kind distribution.Kind, reason string, final bool) error {
	return s.inTx(ctx, func(tx *Tx) error {
		if !final {
			_, err := tx.Exec(ctx, `UPDATE messages SET error = ? WHERE invitation = ? AND kind = ? AND status = ?`,
				reason, invitation, kind, distribution.MessageReserved)
			return err
		}
		moved, err := tx.moveMessage(ctx, invitation, kind, distribution.MessageFailed, reason)
		if err != nil || !moved || kind != distribution.KindInvitation {
			return err
		}
		return tx.endInvitation(ctx, invitation, distribution.Failed, reason)
	})
}

// ExpireInvitations ends the invitations of a distribution that nobody finished.
func (s *Store) ExpireInvitations(ctx context.Context, dist id.ID) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE invitations SET status = ? WHERE distribution = ? AND status `+oneOf(distribution.Expired.Before()), distribution.Expired, dist)
		return err
	})
}

// LinkOpened counts an opened personal link.
func (s *Store) LinkOpened(ctx context.Context, invitation id.ID) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE invitations SET opens = opens + 1, opened_at = coalesce(opened_at, ?),
			status = CASE WHEN status `+oneOf(distribution.Opened.Before())+` THEN ? ELSE status END WHERE id = ?`,
			tx.Now.UnixMilli(), distribution.Opened, invitation)
		return err
	})
}

// RecordAnswer keeps a survey's report on the invitation and on the run's step.
// A report that the invitation is beyond changes nothing, and changed is false: a
// finished answer stays. One that comes after the invitation ended still counts.
func (s *Store) RecordAnswer(ctx context.Context, a distribution.Answer) (inv distribution.Invitation, changed bool, err error) {
	to := distribution.Started
	if a.Finished {
		to = distribution.Finished
	}
	err = s.inTx(ctx, func(tx *Tx) error {
		now := tx.Now.UnixMilli()
		response := jsonvalue.NewObject(4)
		response.Set("status", string(to))
		if a.ResponseID != "" {
			response.Set("response_id", a.ResponseID)
		}
		if a.Answers != nil {
			response.Set("answers", a.Answers)
		}
		response.Set("at", tx.Now.UTC().Format(time.RFC3339Nano))
		var finished any
		if a.Finished {
			finished = now
		}
		n, err := tx.Exec(ctx, `UPDATE invitations SET status = ?, started_at = coalesce(started_at, ?), finished_at = ?, response = ?
			WHERE token = ? AND status `+oneOf(to.Before()), to, now, finished, jsonvalue.Text(response), a.Token)
		if err != nil {
			return err
		}
		if err := tx.Get(ctx, &inv, `SELECT `+columns.Invitation+` FROM invitations WHERE token = ?`, a.Token); err != nil {
			return err
		}
		if changed = n > 0; !changed {
			return nil
		}
		return tx.answerOnStep(ctx, inv, response)
	})
	return inv, changed, err
}

// answerOnStep shows the response on the step that sent the invitation, so that
// later steps can look at it.
func (tx *Tx) answerOnStep(ctx context.Context, inv distribution.Invitation, response *jsonvalue.Object) error {
	var row struct {
		Step   string
		Output sql.NullString
	}
	err := tx.Get(ctx, &row, `SELECT t.step, t.output FROM run_tasks t JOIN distributions d ON d.run = t.run AND d.step = t.step WHERE d.id = ? `, inv.Distribution)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	out := jsonvalue.NewObject(2)
	if row.Output.Valid {
		if out, err = jsonvalue.ParseObject([]byte(row.Output.String)); err != nil {
			return err
		}
	}
	out.Set("response", response)
	_, err = tx.Exec(ctx, `UPDATE run_tasks SET output = ? WHERE run = ? AND step = ?`, jsonvalue.Text(out), inv.Run, row.Step)
	return err
}

// OptOut unsubscribes the person behind a personal link from the directory. Safe
// to call twice; changed is false when they were unsubscribed already.
func (s *Store) OptOut(ctx context.Context, token string) (inv distribution.Invitation, changed bool, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		if err := tx.Get(ctx, &inv, `SELECT `+columns.Invitation+` FROM invitations WHERE token = ?`, token); err != nil {
			return err
		}
		changed, err = tx.unsubscribe(ctx, inv.Contact)
		return err
	})
	return inv, changed, err
}
