package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/data/columns"
	"github.com/segue-xm/segue/internal/data/db"
)

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

// MessageWasSent records that a message went out, and what is next. Safe to call
// twice.
func (s *Store) MessageWasSent(ctx context.Context, invitation id.ID, kind distribution.Kind, next distribution.Then) error {
	return s.inTx(ctx, func(tx *Tx) error { return tx.messageWasSent(ctx, invitation, kind, next) })
}

func (tx *Tx) messageWasSent(ctx context.Context, invitation id.ID, kind distribution.Kind, next distribution.Then) error {
	moved, err := tx.moveMessage(ctx, invitation, kind, distribution.MessageSent, "")
	if err != nil || !moved {
		return err
	}
	var expires any
	if !next.Expires.IsZero() {
		expires = next.Expires.UnixMilli()
	}
	if _, err := tx.Exec(ctx, `UPDATE invitations SET status = CASE WHEN status `+oneOf(distribution.Sent.Before())+` THEN ? ELSE status END,
		sent_at = coalesce(sent_at, ?), expires_at = coalesce(expires_at, ?) WHERE id = ?`, distribution.Sent, tx.Now.UnixMilli(), expires, invitation); err != nil {
		return err
	}
	return tx.next(ctx, invitation, kind, next)
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

// ExpireInvitation ends an invitation that nobody finished in time, and what was next
// for it. Safe to call twice.
func (s *Store) ExpireInvitation(ctx context.Context, invitation id.ID) error {
	return s.inTx(ctx, func(tx *Tx) error {
		if err := tx.endInvitation(ctx, invitation, distribution.Expired, ""); err != nil {
			return err
		}
		return tx.nothingNext(ctx, invitation)
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
		if a.Finished {
			if err := tx.nothingNext(ctx, inv.ID); err != nil {
				return err
			}
		}
		return tx.answerOnStep(ctx, inv, response)
	})
	return inv, changed, err
}

// Responses are what people answered to the invitations of a run, by the step that
// sent them.
func (s *Store) Responses(ctx context.Context, run id.ID) (rows []distribution.StepResponse, err error) {
	return rows, s.db.Read(ctx, &rows, `SELECT coalesce(i.step, d.step) AS step, i.response FROM invitations i JOIN distributions d ON d.id = i.distribution
		WHERE i.run = ? AND i.response IS NOT NULL`, run)
}

// answerOnStep shows the response on the step that sent the invitation, so that
// later steps can look at it.
func (tx *Tx) answerOnStep(ctx context.Context, inv distribution.Invitation, response *jsonvalue.Object) error {
	var row struct {
		Step   string
		Output sql.NullString
	}
	err := tx.Get(ctx, &row, `SELECT t.step, t.output FROM run_tasks t JOIN distributions d ON d.id = ?
		WHERE t.run = ? AND t.step = coalesce(?, d.step)`, inv.Distribution, inv.Run, db.NullText(string(inv.Step)))
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
