package qualtrics

import (
	"context"
	"net/http"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

// User is whom a token belongs to.
type User struct {
	wire.User
	Notice string // what the account wants to be noticed, such as a better host
}

// Whoami tests the token and says whose it is, as far as the account tells.
func (c *Client) Whoami(ctx context.Context) (User, error) {
	do, err := c.reading("ask who the token belongs to", Reads, wire.PathWhoami)
	if err != nil {
		return User{}, err
	}
	a, err := c.do(ctx, do)
	if err != nil {
		return User{}, err
	}
	if !a.hasResult() {
		return User{}, replyError(do, a, "has no result")
	}
	return User{result[wire.User](a), c.clean(string(a.Meta.Notice))}, nil
}

// Directories lists all directories.
func (c *Client) Directories(ctx context.Context) ([]wire.Directory, error) {
	// With the slash at the end, as Segment's destination calls it.
	do, err := c.reading("list directories", Reads, wire.PathDirectories+"/")
	if err != nil {
		return nil, err
	}
	return all[wire.Directory](ctx, c, do)
}

// contactBody is a contact as it is sent: what is not said is left out.
func contactBody(p mapping.Contact) wire.Contact {
	return wire.Contact{
		FirstName: p.FirstName, LastName: p.LastName, Phone: p.Phone, Email: p.Email, ExtRef: p.ExtRef,
		Unsubscribed: p.Unsubscribed, Language: p.Language, EmbeddedData: wire.Values{Object: p.EmbeddedData},
	}
}

// CreateContact creates a contact or, where the directory merges duplicates,
// changes the one that matches. The id (CID_…) is "" when the account took the
// contact without naming it. The directory is an id; p.DirectoryID is not read.
func (c *Client) CreateContact(ctx context.Context, directory string, p mapping.Contact) (string, error) {
	do, err := c.api("create contact", http.MethodPost, ContactWrites, contactBody(p), wire.PathContacts, directory)
	if err != nil {
		return "", fieldOf("directoryId", err)
	}
	do.write = true
	a, err := c.do(ctx, do)
	if err != nil {
		return "", err
	}
	return result[wire.Created](a).ID, nil
}

// UpdateContact changes what p says of a contact and leaves the rest. Doing it
// twice does no harm.
func (c *Client) UpdateContact(ctx context.Context, directory, contact string, p mapping.Contact) error {
	do, err := c.api("update contact", http.MethodPut, ContactWrites, contactBody(p), wire.PathContact, directory, contact)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, do)
	return err
}

// AddToMailingList creates a contact in a directory and in one of its lists, or
// changes the one that matches. lookup (CGC_…) names the person within the list,
// for a distribution to one.
func (c *Client) AddToMailingList(ctx context.Context, directory, list string, p mapping.Contact) (contact, lookup string, err error) {
	do, err := c.api("add to mailing list", http.MethodPost, MailingListWrites, contactBody(p), wire.PathListContacts, directory, list)
	if err != nil {
		return "", "", err
	}
	do.write = true
	a, err := c.do(ctx, do)
	if err != nil {
		return "", "", err
	}
	r := result[wire.Enlisted](a)
	if r.LookupID == "" {
		return r.ID, "", replyError(do, a, "has no lookup id")
	}
	return r.ID, r.LookupID, nil
}

// LookupID is the id (CGC_…) by which a mailing list knows a contact, "" when they
// are not on it.
func (c *Client) LookupID(ctx context.Context, directory, contact, list string) (string, error) {
	do, err := c.reading("read contact", Reads, wire.PathContact, directory, contact)
	if err != nil {
		return "", err
	}
	a, err := c.do(ctx, do)
	if err != nil {
		return "", err
	}
	return result[wire.ContactRead](a).Lists[list].LookupID, nil
}

// Criterion is one condition of a search: a field equals a value, whatever the
// letter case.
type Criterion struct {
	Field string // extRef, phone, email, firstName, lastName or language
	Value string
}

// SearchContacts finds the contacts that meet all criteria, of which there must
// be 1 to 5: those of the first page, 100 at most. An account may find a new
// contact only after a while.
func (c *Client) SearchContacts(ctx context.Context, directory string, criteria ...Criterion) ([]wire.Found, error) {
	return c.search(ctx, directory, "", criteria)
}

func (c *Client) search(ctx context.Context, directory, query string, criteria []Criterion) ([]wire.Found, error) {
	if len(criteria) == 0 || len(criteria) > wire.MaxFilters {
		return nil, fault.New(fault.Invalid, "search contacts: want 1 to %d criteria", wire.MaxFilters)
	}
	do, err := c.api("search contacts", http.MethodPost, ContactSearch, wire.Search{Filter: searchFilter(criteria)}, wire.PathContactSearch+query, directory)
	if err != nil {
		return nil, fieldOf("directoryId", err)
	}
	a, err := c.do(ctx, do)
	if err != nil {
		return nil, err
	}
	found := result[wire.Page[wire.Found]](a).Elements
	if found == nil {
		return nil, replyError(do, a, "has no elements")
	}
	for _, f := range found {
		if f.ID == "" {
			return nil, replyError(do, a, "names a contact without an id")
		}
	}
	return found, nil
}

func searchFilter(criteria []Criterion) wire.Filter {
	filters := make([]wire.Filter, len(criteria))
	for i, c := range criteria {
		filters[i] = wire.Filter{Field: c.Field, Comparison: wire.Equal, Value: c.Value}
	}
	if len(filters) == 1 {
		return filters[0]
	}
	return wire.Filter{Conjunction: wire.And, Filters: filters}
}

// fieldOf says which field of a payload an error is about.
func fieldOf(field string, err error) error { return fault.Field(field, "%s", fault.Public(err)) }
