package store

import (
	"context"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mail"
	"github.com/segue-xm/segue/internal/data/columns"
)

// Outbox is a sender of mails that keeps mails in the database instead of sending
// them: for trying Segue out without a mail server.
type Outbox struct{ *Store }

// Send keeps the message. The same message id twice is kept once.
func (o Outbox) Send(ctx context.Context, m mail.Message) error {
	if err := m.Validate(); err != nil {
		return err // as a mail server's client would
	}
	headers := jsonvalue.NewObject(4)
	headers.Set("From", m.From)
	if m.ReplyTo != "" {
		headers.Set("Reply-To", m.ReplyTo)
	}
	if m.UnsubscribeURL != "" {
		headers.Set("List-Unsubscribe", "<"+m.UnsubscribeURL+">")
		headers.Set("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	return o.Store.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO outbox (id, message_id, recipient, subject, text, html, headers, sent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (message_id) DO NOTHING`, o.db.Next(), m.ID, m.To, m.Subject, m.Text, m.HTML, jsonvalue.Text(headers), tx.Now.UnixMilli())
		return err
	})
}

// unsubscribe sets a contact's opt-out by hand: it counts as said now.
func (tx *Tx) unsubscribe(ctx context.Context, c id.ID) (changed bool, err error) {
	var row contactRow
	if err := tx.Get(ctx, &row, `SELECT `+columns.Contact+` FROM contacts WHERE id = ? {lock}`, c); err != nil {
		return false, err
	}
	yes := true
	out, err := tx.resolve(ctx, contact.Directory{ID: row.Directory}, []person{{
		in:   &contact.Input{ID: c, Unsubscribed: &yes, Stamp: contact.Stamp{At: tx.Now.UnixMilli()}},
		mode: contact.UpdateOnly, cause: ByOptOut,
	}})
	if err != nil {
		return false, err
	}
	return len(out[0].Changes) > 0, out[0].Err
}
