package ops

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/store"
)

// Contact is one person of a directory.
type Contact struct {
	ID           id.ID             `json:"id"`
	Directory    string            `json:"directory"`
	ExtRef       string            `json:"ext_ref"`
	Email        string            `json:"email"`
	Phone        string            `json:"phone"`
	FirstName    string            `json:"first_name"`
	LastName     string            `json:"last_name"`
	Language     string            `json:"language"`
	Unsubscribed bool              `json:"unsubscribed"`
	EmbeddedData *jsonvalue.Object `json:"embedded_data"`
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`
}

// ContactFilter selects contacts; values are compared after normalising.
type ContactFilter struct {
	Directory string `json:"directory,omitempty" query:"directory" doc:"name or id of a directory; all when missing"`
	Email     string `json:"email,omitempty" query:"email" doc:"compared without case"`
	ExtRef    string `json:"ext_ref,omitempty" query:"ext_ref"`
	Phone     string `json:"phone,omitempty" query:"phone" doc:"compared as E.164, in the directory's region"`
}

// Transaction is one record of a contact.
type Transaction struct {
	ID          id.ID             `json:"id"`
	MailingList string            `json:"mailing_list"`
	Date        time.Time         `json:"date"`
	Data        *jsonvalue.Object `json:"data"`
	Event       id.ID             `json:"event"`
}

// Change is one change of a contact.
type Change struct {
	Contact id.ID             `json:"contact"`
	Event   id.ID             `json:"event,omitempty"`
	At      time.Time         `json:"at"`
	Cause   string            `json:"cause"`
	Diff    *jsonvalue.Object `json:"diff"` // field -> [before, after]
}

// ContactStore reads contacts.
type ContactStore interface {
	ListContacts(ctx context.Context, f store.ContactQuery, p store.Paging) ([]store.ContactRow, id.ID, error)
	ContactRow(ctx context.Context, contact id.ID) (store.ContactRow, error)
	ListContactChanges(ctx context.Context, contact id.ID, p store.Paging) ([]store.ChangeRow, id.ID, error)
	ListContactTransactions(ctx context.Context, contact id.ID, p store.Paging) ([]store.TransactionRow, id.ID, error)
}

// Contacts are what is asked about contacts.
type Contacts struct {
	Store ContactStore
	Names *Names
	Plans InForce
}

// List lists the contacts of one directory or of all.
func (c *Contacts) List(ctx context.Context, f ContactFilter, p Paging) (Page[Contact], error) {
	var none Page[Contact]
	at, err := p.paging()
	if err != nil {
		return none, err
	}
	scope, err := c.directories(ctx, f.Directory)
	if err != nil || len(scope) == 0 {
		return Page[Contact]{Items: []Contact{}}, err
	}
	rows, next, err := c.Store.ListContacts(ctx, store.ContactQuery{Directories: scope, ExtRef: f.ExtRef, Email: f.Email, Phone: f.Phone}, at)
	if err != nil {
		return none, err
	}
	n, err := c.Names.all(ctx)
	if err != nil {
		return none, err
	}
	return listPage(rows, next, func(r store.ContactRow) Contact { return showContact(n, r) }), nil
}

// directories is where to look for contacts: the directory asked for, or all.
func (c *Contacts) directories(ctx context.Context, nameOrID string) ([]store.ContactScope, error) {
	all, err := c.Names.Store.Names(ctx, plan.KindDirectory)
	if err != nil {
		return nil, err
	}
	one, err := c.Names.filter(ctx, plan.KindDirectory, nameOrID)
	if err != nil {
		return nil, err
	}
	_, p, err := c.Plans.Current(ctx)
	if err != nil {
		return nil, err
	}
	regions := map[string]string{}
	for _, d := range p.Directories {
		regions[d.Name] = d.PhoneRegion
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

// Get is one contact.
func (c *Contacts) Get(ctx context.Context, contact id.ID) (Contact, error) {
	row, err := c.Store.ContactRow(ctx, contact)
	if err != nil {
		return Contact{}, missing(err, "contact", contact)
	}
	n, err := c.Names.all(ctx)
	return showContact(n, row), err
}

// Changes lists what changed on a contact, and by which event.
func (c *Contacts) Changes(ctx context.Context, contact id.ID, p Paging) (Page[Change], error) {
	at, err := c.of(ctx, contact, p)
	if err != nil {
		return Page[Change]{}, err
	}
	rows, next, err := c.Store.ListContactChanges(ctx, contact, at)
	return listPage(rows, next, showChange), err
}

// of reads the bounds of a list that belongs to a contact, which must be
// there.
func (c *Contacts) of(ctx context.Context, contact id.ID, p Paging) (store.Paging, error) {
	at, err := p.paging()
	if err != nil {
		return at, err
	}
	_, err = c.Store.ContactRow(ctx, contact)
	return at, missing(err, "contact", contact)
}

func showChange(r store.ChangeRow) Change {
	return Change{Contact: r.Contact, Event: r.Event, At: instant(r.At), Cause: r.Cause, Diff: objectOrEmpty(r.Diff)}
}

// Transactions lists the transactions of a contact, latest date first.
func (c *Contacts) Transactions(ctx context.Context, contact id.ID, p Paging) (Page[Transaction], error) {
	at, err := c.of(ctx, contact, p)
	if err != nil {
		return Page[Transaction]{}, err
	}
	rows, next, err := c.Store.ListContactTransactions(ctx, contact, at)
	if err != nil {
		return Page[Transaction]{}, err
	}
	n, err := c.Names.all(ctx)
	return listPage(rows, next, func(r store.TransactionRow) Transaction { return showTransaction(n, r) }), err
}

func showTransaction(n names, r store.TransactionRow) Transaction {
	return Transaction{ID: r.ID, MailingList: n.of(r.List), Date: instant(r.Date), Data: objectOrEmpty(r.Data), Event: r.Event}
}
