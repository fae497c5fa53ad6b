package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/data/columns"
	"github.com/segue-xm/segue/internal/data/db"
)

var messageQueueTable = db.NewTable("message_queue", "destination bigint, invitation bigint, kind text, due_at bigint, tries bigint, unsure boolean")

// QueueMessages has messages of one kind sent by a remote account. Those that wait
// already are left alone.
func (s *Store) QueueMessages(ctx context.Context, destination id.ID, kind distribution.Kind, invitations []id.ID, due time.Time) error {
	rows := make([][]any, len(invitations))
	for i, v := range invitations {
		rows[i] = []any{destination, v, string(kind), due.UnixMilli(), 0, false}
	}
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Insert(ctx, messageQueueTable, rows, "ON CONFLICT DO NOTHING")
		return err
	})
}

// MessagesDue reads up to limit messages that are due at a destination, or looks
// (ActionProgress) that are, the longest waiting first.
func (s *Store) MessagesDue(ctx context.Context, destination id.ID, action string, limit int) (rows []distribution.QueuedMessage, err error) {
	return rows, s.db.Read(ctx, &rows, `SELECT q.invitation, q.kind, q.tries, q.unsure, coalesce(i.remote, '') AS remote,
		i.created_at, coalesce(i.expires_at, 0) AS expires_at, coalesce(i.sent_at, 0) AS sent_at, i.status
		FROM (SELECT invitation, kind, tries, unsure, due_at FROM message_queue WHERE destination = ? AND due_at <= ? AND `+messageAction+` = ? ORDER BY due_at LIMIT ?) q
		JOIN invitations i ON i.id = q.invitation ORDER BY q.due_at, q.invitation`, destination, s.db.Now().UnixMilli(), action, limit)
}

// BeginMessage counts an attempt to send a message before it is made, as
// BeginAttempt does.
func (s *Store) BeginMessage(ctx context.Context, invitation id.ID, kind distribution.Kind, tries int) (ours bool, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		n, err := tx.Exec(ctx, `UPDATE message_queue SET tries = tries + 1, unsure = ?, due_at = ? WHERE invitation = ? AND kind = ? AND tries = ?`,
			true, tx.Now.Add(attemptTime).UnixMilli(), invitation, kind, tries)
		ours = n > 0
		return err
	})
	return ours, err
}

// EndMessage keeps what an attempt has left. Safe to call twice.
func (s *Store) EndMessage(ctx context.Context, m distribution.MessageState) error {
	return s.inTx(ctx, func(tx *Tx) error { return tx.endMessage(ctx, m) })
}

func (tx *Tx) endMessage(ctx context.Context, m distribution.MessageState) error {
	var text sql.NullString
	if err := tx.Get(ctx, &text, `SELECT remote FROM invitations WHERE id = ? {lock}`, m.Invitation); err != nil {
		return err
	}
	var known distribution.Remote
	if text.Valid {
		if err := json.Unmarshal([]byte(text.String), &known); err != nil {
			return err
		}
	}
	remote, err := json.Marshal(known.With(m.Remote))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE invitations SET remote = ? WHERE id = ?`, string(remote), m.Invitation); err != nil {
		return err
	}
	if m.Done {
		if _, err := tx.Exec(ctx, `DELETE FROM message_queue WHERE invitation = ? AND kind = ?`, m.Invitation, m.Kind); err != nil {
			return err
		}
		return tx.next(ctx, m.Invitation, m.Kind, m.Next)
	}
	_, err = tx.Exec(ctx, `UPDATE message_queue SET due_at = ?, tries = ?, unsure = ? WHERE invitation = ? AND kind = ?`,
		m.Due.UnixMilli(), m.Tries, m.Unsure, m.Invitation, m.Kind)
	return err
}

// AccountSent records that a remote account has sent a message; after an invitation
// its progress is looked at from firstLook on. Safe to call twice.
func (s *Store) AccountSent(ctx context.Context, destination id.ID, m distribution.MessageState, firstLook time.Time) error {
	m.Done = true
	return s.inTx(ctx, func(tx *Tx) error {
		if err := tx.messageWasSent(ctx, m.Invitation, m.Kind, m.Next); err != nil {
			return err
		}
		if m.Kind == distribution.KindInvitation {
			row := []any{destination, m.Invitation, string(distribution.KindProgress), firstLook.UnixMilli(), 0, false}
			if _, err := tx.Insert(ctx, messageQueueTable, [][]any{row}, "ON CONFLICT DO NOTHING"); err != nil {
				return err
			}
		}
		return tx.endMessage(ctx, m)
	})
}

// EndInvitation ends an invitation for another reason than an answer, as an account
// reports it. What is reported of one that was opened changes nothing: who opened it
// has got it, whether a copy of the mail came back or they complained of it. Safe to
// call twice.
func (s *Store) EndInvitation(ctx context.Context, invitation id.ID, status distribution.Status, reason string) error {
	return s.inTx(ctx, func(tx *Tx) error { return tx.endInvitation(ctx, invitation, status, reason) })
}

// InvitationByID reads an invitation.
func (s *Store) InvitationByID(ctx context.Context, invitation id.ID) (r distribution.Invitation, err error) {
	return r, s.db.ReadOne(ctx, &r, `SELECT `+columns.Invitation+` FROM invitations WHERE id = ?`, invitation)
}
