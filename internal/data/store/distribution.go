package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/data/db"
)

// Statuses of a distribution.
const (
	DistributionPending = "pending"
	DistributionSending = "sending"
	DistributionWaiting = "waiting" // sent; waits for reminders, answers or expiry
	DistributionDone    = "done"
)

// NewDistribution is a distribution to one contact with what its mails need.
type NewDistribution struct {
	Run         id.ID
	Step        string
	Directory   id.ID
	Destination id.ID // whose account sends it; 0: we do
	Survey      string
	Channel     string
	Settings    string // JSON
	Contact     id.ID
	Snapshot    string // JSON: contact, transaction, fields as they are now
	Expires     time.Time
}

// CreateDistribution makes a distribution with its invitation. One per run and
// step: a second call returns the first's ids.
func (s *Store) CreateDistribution(ctx context.Context, d NewDistribution, lease time.Duration) (dist, invitation id.ID, err error) {
	var random [16]byte
	rand.Read(random[:]) //nolint:errcheck // never fails (Go 1.24)
	token := distribution.Token(random)
	err = s.inTx(ctx, func(tx *Tx) error {
		dist, invitation = tx.s.db.Next(), tx.s.db.Next()
		now := tx.Now.UnixMilli()
		n, err := tx.Exec(ctx, `INSERT INTO distributions (id, run, step, directory, destination, survey, channel, status, settings, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, step) DO NOTHING`,
			dist, d.Run, d.Step, d.Directory, db.NullID(d.Destination), d.Survey, d.Channel, DistributionPending, d.Settings, now)
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
		return tx.handOver(ctx, HandoverDistribution, dist, lease)
	})
	return dist, invitation, err
}

func (tx *Tx) firstDistribution(ctx context.Context, d NewDistribution, dist, invitation *id.ID) error {
	if err := tx.Get(ctx, dist, `SELECT id FROM distributions WHERE run = ? AND step = ?`, d.Run, d.Step); err != nil {
		return err
	}
	return tx.Get(ctx, invitation, `SELECT id FROM invitations WHERE distribution = ? ORDER BY id LIMIT 1`, *dist)
}

// Distribution is a distribution as its workflow needs it.
type Distribution struct {
	ID          id.ID
	Run         id.ID
	Step        string
	Directory   id.ID
	Destination id.ID // whose account sends it; 0: we do
	Survey      string
	Channel     string
	Status      string
	Settings    string
	CreatedAt   int64 `db:"created_at"`
}

const distributionColumns = `id, run, step, directory, destination, survey, channel, status, settings, created_at`

// DistributionByID reads a distribution.
func (s *Store) DistributionByID(ctx context.Context, dist id.ID) (d Distribution, err error) {
	return d, s.db.ReadOne(ctx, &d, `SELECT `+distributionColumns+` FROM distributions WHERE id = ?`, dist)
}

// BeginDistribution marks a pending distribution as sending and its hand-over as
// done. Safe to call twice.
func (s *Store) BeginDistribution(ctx context.Context, dist id.ID) (d Distribution, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE distributions SET status = ? WHERE id = ? AND status = ?`, DistributionSending, dist, DistributionPending); err != nil {
			return err
		}
		if err := tx.handedOver(ctx, HandoverDistribution, dist); err != nil {
			return err
		}
		return tx.Get(ctx, &d, `SELECT `+distributionColumns+` FROM distributions WHERE id = ?`, dist)
	})
	return d, err
}

// SetDistributionStatus records how far a distribution is; done also notes when.
func (s *Store) SetDistributionStatus(ctx context.Context, dist id.ID, status string) error {
	return s.inTx(ctx, func(tx *Tx) error {
		var ended any
		if status == DistributionDone {
			ended = tx.Now.UnixMilli()
		}
		_, err := tx.Exec(ctx, `UPDATE distributions SET status = ?, ended_at = ? WHERE id = ? AND ended_at IS NULL`, status, ended, dist)
		return err
	})
}

// Unsent lists up to limit invitations of a distribution, after one, that have
// not had a message of this kind and may still get one.
func (s *Store) Unsent(ctx context.Context, dist id.ID, kind string, after id.ID, limit int) (ids []id.ID, err error) {
	return ids, s.db.Read(ctx, &ids, `SELECT id FROM invitations i WHERE distribution = ? AND id > ?
		AND status IN ('pending', 'sent', 'opened', 'started')
		AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.invitation = i.id AND m.kind = ? AND m.status <> 'reserved')
		ORDER BY id LIMIT ?`, dist, after, kind, limit)
}

// OpenInvitations counts the invitations of a distribution that may still be
// answered.
func (s *Store) OpenInvitations(ctx context.Context, dist id.ID) (n int, err error) {
	return n, s.db.ReadOne(ctx, &n, `SELECT count(*) FROM invitations WHERE distribution = ? AND status IN ('pending', 'sent', 'opened', 'started')`, dist)
}

// Invitation is an invitation with all it holds.
type Invitation struct {
	ID           id.ID
	Distribution id.ID
	Run          id.ID
	Contact      id.ID
	Token        string
	Status       distribution.Status
	Reason       sql.NullString
	Snapshot     string
	CreatedAt    int64         `db:"created_at"`
	SentAt       sql.NullInt64 `db:"sent_at"`
	OpenedAt     sql.NullInt64 `db:"opened_at"`
	Opens        int
	StartedAt    sql.NullInt64 `db:"started_at"`
	FinishedAt   sql.NullInt64 `db:"finished_at"`
	ExpiresAt    sql.NullInt64 `db:"expires_at"`
	Response     sql.NullString
}

const invitationColumns = `id, distribution, run, contact, token, status, reason, snapshot, created_at, sent_at, opened_at, opens, started_at, finished_at, expires_at, response`

// InvitationByToken finds the invitation behind a personal link.
func (s *Store) InvitationByToken(ctx context.Context, token string) (r Invitation, err error) {
	return r, s.db.ReadOne(ctx, &r, `SELECT `+invitationColumns+` FROM invitations WHERE token = ?`, token)
}

// Reservation is the right to send one message, or why there is none.
type Reservation struct {
	Invitation Invitation
	Verdict    distribution.Verdict
	Sent       bool      // this message went out before: nothing to do
	Since      time.Time // when this message was first reserved
	Email      string
	Language   string
}

// Rule is what a reservation is judged by.
type Rule struct {
	Messages        int           // at most this many …
	Per             time.Duration // … in any such span; 0 = no rule
	IgnoreFrequency bool
	List            id.ID // whose opt-outs count beside the directory's; 0 = none
}

// Reserve decides, at this moment, whether an invitation may get a message, and
// reserves it: the contact is locked, opt-outs, answers and expiry are looked at
// again, and for an invitation the frequency rule's window is counted and taken.
// Two reservations for one person never both take its last place. A second call
// for the same message returns the same reservation. An invitation that may not
// go out is recorded as skipped with the reason.
func (s *Store) Reserve(ctx context.Context, invitation id.ID, kind string, rule Rule) (r Reservation, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		r = Reservation{}
		inv := &r.Invitation
		if err := tx.Get(ctx, inv, `SELECT `+invitationColumns+` FROM invitations WHERE id = ?`, invitation); err != nil {
			return err
		}
		var c contactRow
		if err := tx.Get(ctx, &c, `SELECT `+contactColumns+` FROM contacts WHERE id = ? {lock}`, inv.Contact); err != nil {
			return err
		}
		// Again, under the lock: an answer or opt-out may have come in between.
		if err := tx.Get(ctx, inv, `SELECT `+invitationColumns+` FROM invitations WHERE id = ?`, invitation); err != nil {
			return err
		}
		r.Email, r.Language = c.Email, c.Language
		var before []struct {
			Status    string
			CreatedAt int64 `db:"created_at"`
		}
		if err := tx.Select(ctx, &before, `SELECT status, created_at FROM messages WHERE invitation = ? AND kind = ?`, invitation, kind); err != nil {
			return err
		}
		r.Since = tx.Now
		if len(before) == 1 {
			if before[0].Status != MessageReserved {
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
			invitation, kind, inv.Contact, MessageReserved, kind == distribution.KindInvitation, tx.Now.UnixMilli())
		return err
	})
	return r, err
}

func (tx *Tx) eligibility(ctx context.Context, c contactRow, inv Invitation, kind string, rule Rule) (distribution.Person, error) {
	in := distribution.Person{
		// Thanks are for those who have answered, whenever that was.
		Unsubscribed: c.Unsubscribed, Email: c.Email, Responded: inv.Status == distribution.Finished && kind != distribution.KindThanks, Now: tx.Now,
		Frequency: distribution.Window{Messages: rule.Messages, Per: rule.Per},
		// Reminders belong to an invitation that was counted already.
		IgnoreFrequency: rule.IgnoreFrequency || kind != distribution.KindInvitation,
	}
	if inv.ExpiresAt.Valid && kind != distribution.KindThanks {
		in.Expires = db.Instant(inv.ExpiresAt.Int64)
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
	err := tx.Select(ctx, &sent, `SELECT created_at FROM messages WHERE contact = ? AND created_at > ? AND counts AND status <> 'failed' AND invitation <> ?
		ORDER BY created_at`, inv.Contact, tx.Now.Add(-rule.Per).UnixMilli(), inv.ID)
	for _, at := range sent {
		in.Sent = append(in.Sent, db.Instant(at))
	}
	return in, err
}

// skip records that a message does not go. Only an invitation never sent becomes
// skipped by it; a reminder that is not due any more changes nothing else.
// A place that was reserved for it is freed.
func (tx *Tx) skip(ctx context.Context, inv Invitation, kind string, v distribution.Verdict) error {
	if _, err := tx.Exec(ctx, `UPDATE messages SET status = ?, error = ? WHERE invitation = ? AND kind = ? AND status = ?`,
		MessageFailed, v.Text, inv.ID, kind, MessageReserved); err != nil {
		return err
	}
	if kind != distribution.KindInvitation || inv.Status != distribution.Pending {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE invitations SET status = ?, reason = ? WHERE id = ?`, distribution.Skipped, v.Text, inv.ID)
	return err
}

// Statuses of a message.
const (
	MessageReserved = "reserved"
	MessageSent     = "sent"
	MessageFailed   = "failed" // for good; frees its place in the frequency rule
)

// MessageWasSent records that a message went out. Safe to call twice.
func (s *Store) MessageWasSent(ctx context.Context, invitation id.ID, kind string) error {
	return s.inTx(ctx, func(tx *Tx) error { return tx.messageWasSent(ctx, invitation, kind) })
}

func (tx *Tx) messageWasSent(ctx context.Context, invitation id.ID, kind string) error {
	if _, err := tx.Exec(ctx, `UPDATE messages SET status = ?, sent_at = ?, error = NULL WHERE invitation = ? AND kind = ? AND status = ?`,
		MessageSent, tx.Now.UnixMilli(), invitation, kind, MessageReserved); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE invitations SET status = CASE WHEN status = 'pending' THEN 'sent' ELSE status END, sent_at = coalesce(sent_at, ?) WHERE id = ?`,
		tx.Now.UnixMilli(), invitation)
	return err
}

// MessageFailed records why a message could not be sent. When it can never be,
// its place in the frequency rule is freed, and an invitation never sent fails.
func (s *Store) MessageFailed(ctx context.Context, invitation id.ID, kind, reason string, final bool) error {
	return s.inTx(ctx, func(tx *Tx) error {
		status := MessageReserved
		if final {
			status = MessageFailed
		}
		if _, err := tx.Exec(ctx, `UPDATE messages SET status = ?, error = ? WHERE invitation = ? AND kind = ? AND status = ?`,
			status, reason, invitation, kind, MessageReserved); err != nil || !final {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE invitations SET status = ?, reason = ? WHERE id = ? AND status = ?`, distribution.Failed, reason, invitation, distribution.Pending)
		return err
	})
}

// ExpireInvitations ends the invitations of a distribution that nobody finished.
func (s *Store) ExpireInvitations(ctx context.Context, dist id.ID) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE invitations SET status = ? WHERE distribution = ? AND status IN ('sent', 'opened', 'started')`, distribution.Expired, dist)
		return err
	})
}

// LinkOpened counts an opened personal link.
func (s *Store) LinkOpened(ctx context.Context, invitation id.ID) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE invitations SET opens = opens + 1, opened_at = coalesce(opened_at, ?),
			status = CASE WHEN status IN ('pending', 'sent') THEN 'opened' ELSE status END WHERE id = ?`, tx.Now.UnixMilli(), invitation)
		return err
	})
}

// Answer is what a survey reports about an invitation.
type Answer struct {
	Token      string
	Finished   bool
	ResponseID string
	Answers    *jsonvalue.Object
}

// RecordAnswer keeps a survey's report on the invitation and on the run's step.
// A finished answer stays: a later report changes nothing and changed is false.
// One that comes after the invitation expired still counts.
func (s *Store) RecordAnswer(ctx context.Context, a Answer) (inv Invitation, changed bool, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		changed = false
		if err := tx.Get(ctx, &inv, `SELECT `+invitationColumns+` FROM invitations WHERE token = ? {lock}`, a.Token); err != nil {
			return err
		}
		if inv.Status == distribution.Finished || !a.Finished && !inv.Status.May(distribution.Started) {
			return nil
		}
		changed = true
		now := tx.Now.UnixMilli()
		response := jsonvalue.NewObject(4)
		if a.Finished {
			inv.Status = distribution.Finished
			inv.FinishedAt = sql.NullInt64{Int64: now, Valid: true}
		} else {
			inv.Status = distribution.Started
		}
		response.Set("status", string(inv.Status))
		if a.ResponseID != "" {
			response.Set("response_id", a.ResponseID)
		}
		if a.Answers != nil {
			response.Set("answers", a.Answers)
		}
		response.Set("at", tx.Now.UTC().Format(time.RFC3339Nano))
		if _, err := tx.Exec(ctx, `UPDATE invitations SET status = ?, started_at = coalesce(started_at, ?), finished_at = ?, response = ? WHERE id = ?`,
			inv.Status, now, inv.FinishedAt, jsonvalue.Text(response), inv.ID); err != nil {
			return err
		}
		return tx.answerOnStep(ctx, inv, response)
	})
	return inv, changed, err
}

// answerOnStep shows the response on the step that sent the invitation, so that
// later steps can look at it.
func (tx *Tx) answerOnStep(ctx context.Context, inv Invitation, response *jsonvalue.Object) error {
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
func (s *Store) OptOut(ctx context.Context, token string) (inv Invitation, changed bool, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		if err := tx.Get(ctx, &inv, `SELECT `+invitationColumns+` FROM invitations WHERE token = ?`, token); err != nil {
			return err
		}
		changed, err = tx.unsubscribe(ctx, inv.Contact)
		return err
	})
	return inv, changed, err
}
