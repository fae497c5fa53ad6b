package qualtrics

import (
	"context"
	"net/http"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
)

// User is whom a token belongs to.
type User struct {
	BrandID    string
	UserID     string
	UserName   string
	Datacenter string
	Notice     string // what the account wants to be noticed, such as a better host
}

// Whoami tests the token and says whose it is, as far as the account tells.
func (c *Client) Whoami(ctx context.Context) (User, error) {
	do, err := c.api("ask who the token belongs to", http.MethodGet, Reads, "/whoami")
	if err != nil {
		return User{}, err
	}
	a, err := c.do(ctx, do)
	if err != nil {
		return User{}, err
	}
	r := a.result()
	if r == nil {
		return User{}, replyError(do, a, "has no result")
	}
	return User{BrandID: textAt(r, "brandId"), UserID: textAt(r, "userId"), UserName: textAt(r, "userName"), Datacenter: textAt(r, "datacenter"), Notice: c.clean(a.notice)}, nil
}

// Directory is one of an account's directories.
type Directory struct {
	ID      string // POOL_…
	Name    string
	Default bool
}

// Directories lists all directories.
func (c *Client) Directories(ctx context.Context) ([]Directory, error) {
	// With the slash at the end, as Segment's destination calls it.
	do, err := c.api("list directories", http.MethodGet, Reads, "/directories/")
	if err != nil {
		return nil, err
	}
	var out []Directory
	err = c.pages(ctx, do, func(o *jsonvalue.Object) bool {
		standard, _ := o.Get("isDefault").(bool)
		out = append(out, Directory{ID: textAt(o, "directoryId"), Name: textAt(o, "name"), Default: standard})
		return true
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// contactBody is a contact as it is sent: what is not said is left out.
func contactBody(p mapping.Contact) *jsonvalue.Object {
	o := jsonvalue.NewObject(8)
	setText(o, "firstName", p.FirstName)
	setText(o, "lastName", p.LastName)
	setText(o, "phone", p.Phone)
	setText(o, "email", p.Email)
	setText(o, "extRef", p.ExtRef)
	if p.Unsubscribed != nil {
		o.Set("unsubscribed", *p.Unsubscribed)
	}
	setText(o, "language", p.Language)
	if p.EmbeddedData != nil {
		o.Set("embeddedData", p.EmbeddedData)
	}
	return o
}

func setText(o *jsonvalue.Object, key, v string) {
	if v != "" {
		o.Set(key, v)
	}
}

// CreateContact creates a contact or, where the directory merges duplicates,
// changes the one that matches. The id (CID_…) is "" when the account took the
// contact without naming it. The directory is an id; p.DirectoryID is not read.
func (c *Client) CreateContact(ctx context.Context, directory string, p mapping.Contact) (string, error) {
	do, err := c.api("create contact", http.MethodPost, ContactWrites, "/directories/{}/contacts", directory)
	if err != nil {
		return "", fieldOf("directoryId", err)
	}
	do.body, do.write = contactBody(p), true
	a, err := c.do(ctx, do)
	if err != nil {
		return "", err
	}
	return textAt(a.result(), "id"), nil
}

// UpdateContact changes what p says of a contact and leaves the rest. Doing it
// twice does no harm.
func (c *Client) UpdateContact(ctx context.Context, directory, contact string, p mapping.Contact) error {
	do, err := c.api("update contact", http.MethodPut, ContactWrites, "/directories/{}/contacts/{}", directory, contact)
	if err != nil {
		return err
	}
	do.body = contactBody(p)
	_, err = c.do(ctx, do)
	return err
}

// Criterion is one condition of a search: a field equals a value, whatever the
// letter case.
type Criterion struct {
	Field string // extRef, phone, email, firstName, lastName or language
	Value string
}

// Found is a contact that a search found.
type Found struct {
	ID           string
	FirstName    string
	LastName     string
	Email        string
	Phone        string
	ExtRef       string
	Language     string
	Unsubscribed *bool             // nil: not said
	EmbeddedData *jsonvalue.Object // nil: not asked for, or none
}

// maxCriteria is how many a search takes.
const maxCriteria = 5

// SearchContacts finds the contacts that meet all criteria, of which there must
// be 1 to 5: those of the first page, 100 at most. An account may find a new
// contact only after a while.
func (c *Client) SearchContacts(ctx context.Context, directory string, all ...Criterion) ([]Found, error) {
	return c.search(ctx, directory, "", all)
}

func (c *Client) search(ctx context.Context, directory, query string, all []Criterion) ([]Found, error) {
	if len(all) == 0 || len(all) > maxCriteria {
		return nil, fault.New(fault.Invalid, "search contacts: want 1 to %d criteria", maxCriteria)
	}
	do, err := c.api("search contacts", http.MethodPost, ContactSearch, "/directories/{}/contacts/search"+query, directory)
	if err != nil {
		return nil, fieldOf("directoryId", err)
	}
	do.body = object("filter", searchFilter(all))
	a, err := c.do(ctx, do)
	if err != nil {
		return nil, err
	}
	elements, ok := a.result().Get("elements").([]any)
	if !ok {
		return nil, replyError(do, a, "has no elements")
	}
	out := make([]Found, 0, len(elements))
	for _, e := range elements {
		o, _ := e.(*jsonvalue.Object)
		id := textAt(o, "id")
		if id == "" {
			return nil, replyError(do, a, "names a contact without an id")
		}
		f := Found{
			ID: id, FirstName: textAt(o, "firstName"), LastName: textAt(o, "lastName"), Email: textAt(o, "email"),
			Phone: textAt(o, "phoneNumber"), ExtRef: textAt(o, "externalDataReference"), Language: textAt(o, "language"),
		}
		if b, ok := o.Get("unsubscribed").(bool); ok {
			f.Unsubscribed = &b
		}
		f.EmbeddedData, _ = o.Get("embeddedData").(*jsonvalue.Object)
		out = append(out, f)
	}
	return out, nil
}

func searchFilter(all []Criterion) *jsonvalue.Object {
	filters := make([]any, len(all))
	for i, f := range all {
		filters[i] = object("filterType", f.Field, "comparison", "eq", "value", f.Value)
	}
	if len(filters) == 1 {
		return filters[0].(*jsonvalue.Object)
	}
	return object("conjunction", "and", "filters", filters)
}

// object makes an object of keys and values in turn.
func object(pairs ...any) *jsonvalue.Object {
	o := jsonvalue.NewObject(len(pairs) / 2)
	for i := 0; i < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

// fieldOf says which field of a payload an error is about.
func fieldOf(field string, err error) error { return fault.Field(field, "%s", fault.Public(err)) }
