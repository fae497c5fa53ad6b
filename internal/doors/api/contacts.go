package api

import (
	"context"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/store"
)

// Contacts lists the contacts of one directory or of all.
func (s *Service) Contacts(ctx context.Context, f ContactFilter, p Paging) (Page[Contact], error) {
	var none Page[Contact]
	at, err := p.paging()
	if err != nil {
		return none, err
	}
	scope, err := s.directories(ctx, f.Directory)
	if err != nil || len(scope) == 0 {
		return Page[Contact]{Items: []Contact{}}, err
	}
	rows, next, err := s.Store.ListContacts(ctx, store.ContactQuery{Directories: scope, ExtRef: f.ExtRef, Email: f.Email, Phone: f.Phone}, at)
	if err != nil {
		return none, err
	}
	n, err := s.names(ctx)
	if err != nil {
		return none, err
	}
	return listPage(rows, next, func(r store.ContactRow) Contact { return showContact(n, r) }), nil
}

// directories is where to look for contacts: the directory asked for, or all.
func (s *Service) directories(ctx context.Context, nameOrID string) ([]store.ContactScope, error) {
	all, err := s.Store.Names(ctx, plan.KindDirectory)
	if err != nil {
		return nil, err
	}
	one, err := s.named(ctx, plan.KindDirectory, nameOrID)
	if err != nil {
		return nil, err
	}
	_, p, err := s.Plans.Current(ctx)
	if err != nil {
		return nil, err
	}
	regions := map[string]string{}
	if p != nil {
		for _, d := range p.Directories {
			regions[d.Name] = d.PhoneRegion
		}
	}
	var scope []store.ContactScope
	for v, name := range all {
		if one == 0 || one == v {
			scope = append(scope, store.ContactScope{Directory: v, Region: regions[name]})
		}
	}
	return scope, nil
}

func showContact(n names, r store.ContactRow) Contact {
	return Contact{
		ID: r.ID, Directory: n.of(r.Directory), ExtRef: r.ExtRef, Email: r.Email, Phone: r.Phone, FirstName: r.FirstName, LastName: r.LastName,
		Language: r.Language, Unsubscribed: r.Unsubscribed, EmbeddedData: objectOrEmpty(r.EmbeddedData),
		CreatedAt: instant(r.CreatedAt), UpdatedAt: instant(r.UpdatedAt),
	}
}

// Contact is one contact.
func (s *Service) Contact(ctx context.Context, contact id.ID) (Contact, error) {
	row, err := s.Store.ContactRow(ctx, contact)
	if err != nil {
		return Contact{}, missing(err, "contact", contact)
	}
	n, err := s.names(ctx)
	return showContact(n, row), err
}

// missing says what it is that is not there.
func missing(err error, what string, v id.ID) error {
	if fault.KindOf(err) == fault.NotFound {
		return fault.New(fault.NotFound, "there is no %s %s", what, v)
	}
	return err
}

// Changes lists what changed on a contact, and by which event.
func (s *Service) Changes(ctx context.Context, contact id.ID, p Paging) (Page[Change], error) {
	at, err := s.ofContact(ctx, contact, p)
	if err != nil {
		return Page[Change]{}, err
	}
	rows, next, err := s.Store.ListContactChanges(ctx, contact, at)
	return listPage(rows, next, showChange), err
}

// ofContact reads the bounds of a list that belongs to a contact, which must be
// there.
func (s *Service) ofContact(ctx context.Context, contact id.ID, p Paging) (store.Paging, error) {
	at, err := p.paging()
	if err != nil {
		return at, err
	}
	_, err = s.Store.ContactRow(ctx, contact)
	return at, missing(err, "contact", contact)
}

func showChange(r store.ChangeRow) Change {
	return Change{Contact: r.Contact, Event: r.Event, At: instant(r.At), Cause: r.Cause, Diff: objectOrEmpty(r.Diff)}
}

// Transactions lists the transactions of a contact, latest date first.
func (s *Service) Transactions(ctx context.Context, contact id.ID, p Paging) (Page[Transaction], error) {
	at, err := s.ofContact(ctx, contact, p)
	if err != nil {
		return Page[Transaction]{}, err
	}
	rows, next, err := s.Store.ListContactTransactions(ctx, contact, at)
	if err != nil {
		return Page[Transaction]{}, err
	}
	n, err := s.names(ctx)
	return listPage(rows, next, func(r store.TransactionRow) Transaction {
		return Transaction{ID: r.ID, MailingList: n.of(r.List), Date: instant(r.Date), Data: objectOrEmpty(r.Data), Event: r.Event}
	}), err
}
