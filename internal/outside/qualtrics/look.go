package qualtrics

import (
	"context"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

// Looking before repeating. An account gives its callers no key to know a write
// by, so an effect is known by what it would have left: a contact, or a
// transaction, that holds all that was to be written. What an account does not let
// us look at is written again: twice is better than never.

// holding is a contact that has all identifiers and holds everything p says, or
// "".
func (c *Connector) holding(ctx context.Context, p mapping.Contact) (string, error) {
	by := identifiers(p)
	if len(by) == 0 {
		return "", nil
	}
	found, err := c.client.search(ctx, p.DirectoryID, "?includeEmbedded=true", by)
	if err != nil {
		return "", passing(err)
	}
	for _, f := range found {
		if holds(f, p) {
			return f.ID, nil
		}
	}
	return "", nil
}

// holds reports whether a contact that was found has everything that p says.
func holds(f wire.Found, p mapping.Contact) bool {
	for _, v := range []struct{ said, is string }{
		{p.FirstName, f.FirstName}, {p.LastName, f.LastName}, {p.Language, f.Language},
		{p.Email, f.Email}, {p.Phone, string(f.Phone)}, {p.ExtRef, string(f.ExtRef)},
	} {
		// The account trims and does not tell letter cases apart when it searches.
		if v.said != "" && !strings.EqualFold(strings.TrimSpace(v.said), strings.TrimSpace(v.is)) {
			return false
		}
	}
	if p.Unsubscribed != nil && (f.Unsubscribed == nil || *f.Unsubscribed != *p.Unsubscribed) {
		return false
	}
	return contains(p.EmbeddedData, f.EmbeddedData.Object)
}

// written is the id of a contact's transaction that says what t says, or "". Two
// events with the same data in the same second cannot be told apart.
func (c *Connector) written(ctx context.Context, directory string, t wire.Transaction) (id string, err error) {
	want := transactionData(t.Data)
	err = c.client.ContactTransactions(ctx, directory, t.ContactID, func(is wire.Transaction) bool {
		if is.MailingListID == t.MailingListID && is.Date.Unix() == t.Date.Unix() &&
			is.Data.Len() == want.Len() && contains(want.Object, is.Data.Object) {
			id = is.ID
			return false
		}
		return true
	})
	return id, passing(err)
}

// contains reports whether all of said is in is, as text: an account keeps every
// value as one.
func contains(said, is *jsonvalue.Object) bool {
	for k, v := range said.All() {
		if v != nil && asText(v) != asText(is.Get(k)) {
			return false
		}
	}
	return true
}

func asText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return jsonvalue.Text(v)
}

// passing keeps an error that may pass. One that never will must not keep the
// effect from happening; if the account is to blame, the write says so itself.
func passing(err error) error {
	if fault.KindOf(err).Final() {
		return nil
	}
	return err
}
