package console

import (
	"encoding/json"
	"net/url"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/ops"
)

// ContactsView is the list of contacts.
type ContactsView struct {
	Directory, Email, ExtRef, Phone string
	Rows                            []ContactRow
	Pager                           Pager
	Empty                           Empty
}

// ContactRow is one contact of the list.
type ContactRow struct {
	ops.Contact
	Link, Name   string
	Subscription Mark
}

// personFilters name a person and so never stand in an address.
var personFilters = []string{"email", "ext_ref", "phone"}

func (c *Console) contacts(r *request) error {
	for _, name := range personFilters {
		if r.query(name) != "" {
			return r.see(c.contactAddress(r.query))
		}
	}
	f := ops.ContactFilter{Directory: r.query("directory")}
	if text, ok := c.searches.open(r.query("q")); ok {
		var person map[string]string
		if json.Unmarshal(text, &person) == nil {
			f.Email, f.ExtRef, f.Phone = person["email"], person["ext_ref"], person["phone"]
		}
	}
	page, err := c.ops.Contacts.List(r.context(), f, ops.Paging{Cursor: r.query("cursor")})
	if err != nil {
		return err
	}
	v := r.view
	filters := url.Values{}
	for _, name := range []string{"directory", "q"} {
		if t := r.query(name); t != "" {
			filters.Set(name, t)
		}
	}
	view := ContactsView{
		Directory: f.Directory, Email: f.Email, ExtRef: f.ExtRef, Phone: f.Phone,
		Pager: v.pager("/contacts", filters, r.query("cursor"), page.Next),
		Empty: v.Empty("contacts", len(filters) > 0, "/contacts"),
	}
	for _, k := range page.Items {
		view.Rows = append(view.Rows, v.contactRow(k))
	}
	return show(r, "contacts", v.T("nav.contacts"), view)
}

func (c *Console) searchContacts(r *request) error { return r.see(c.contactAddress(r.form)) }

func (c *Console) contactAddress(get func(string) string) string {
	q, person := url.Values{}, map[string]string{}
	for _, name := range personFilters {
		if t := get(name); t != "" {
			person[name] = t
		}
	}
	if d := get("directory"); d != "" {
		q.Set("directory", d)
	}
	return address("/contacts", c.withPerson(q, person))
}

func (v *View) contactRow(k ops.Contact) ContactRow {
	return ContactRow{Contact: k, Link: "/contacts/" + k.ID.String(), Name: v.contactName(k), Subscription: v.subscription(k)}
}

func (v *View) contactName(k ops.Contact) string {
	return first(personName(k), k.Email, k.ExtRef, k.Phone, k.ID.String())
}

func (v *View) subscription(k ops.Contact) Mark {
	if k.Unsubscribed {
		return v.Status("unsubscribed")
	}
	return v.Status("subscribed")
}

// ContactView is the page about one contact.
type ContactView struct {
	ops.Contact
	Name         string
	Subscription Mark
	Fields       []ContactField
	Embedded     []ContactField
	Changes      []ChangeRow
	ChangesPager Pager
	Transactions []TransactionRow
	TransPager   Pager
	Invitations  []InvitationRow
	Runs         []RunRow
}

// ContactField is one value known about a contact, and which change set it as
// far back as the loaded changes go.
type ContactField struct {
	Name, Text string
	SetAt      Stamp
	SetBy      string
	Event      id.ID
}

// ChangeRow is one change of a contact.
type ChangeRow struct {
	ops.Change
	CauseText string
	Lines     []ChangeLine
}

// TransactionRow is one transaction of a contact.
type TransactionRow struct {
	ops.Transaction
	Line string
	Tree Node
}

func (c *Console) contact(r *request) error {
	contact, err := r.id()
	if err != nil {
		return err
	}
	ctx, v := r.context(), r.view
	k, err := c.ops.Contacts.Get(ctx, contact)
	if err != nil {
		return err
	}
	changes, err := c.ops.Contacts.Changes(ctx, contact, ops.Paging{Cursor: r.query("changes")})
	if err != nil {
		return err
	}
	transactions, err := c.ops.Contacts.Transactions(ctx, contact, ops.Paging{Cursor: r.query("transactions"), Limit: 20})
	if err != nil {
		return err
	}
	invitations, err := c.ops.Invitations.List(ctx, ops.InvitationFilter{Contact: contact.String()}, ops.Paging{})
	if err != nil {
		return err
	}
	runs, err := c.ops.Runs.List(ctx, ops.RunFilter{Contact: contact.String()}, ops.Paging{Limit: 20})
	if err != nil {
		return err
	}
	view := ContactView{Contact: k, Name: v.contactName(k), Subscription: v.subscription(k)}
	for _, change := range changes.Items {
		view.Changes = append(view.Changes, ChangeRow{Change: change, CauseText: v.Cause(change.Cause), Lines: changeLines(change.Diff)})
	}
	for _, t := range transactions.Items {
		view.Transactions = append(view.Transactions, TransactionRow{Transaction: t, Line: v.Line(t.Data), Tree: v.ObjectTree("$", t.Data)})
	}
	for _, i := range invitations.Items {
		view.Invitations = append(view.Invitations, v.invitationRow(i))
	}
	for _, run := range runs.Items {
		view.Runs = append(view.Runs, v.runRow(run))
	}
	path := "/contacts/" + contact.String()
	view.ChangesPager = v.partPager(path, "changes", r.query("changes"), changes.Next)
	view.TransPager = v.partPager(path, "transactions", r.query("transactions"), transactions.Next)
	view.Fields, view.Embedded = v.contactFields(k, changes.Items)
	return show(r, "contact", view.Name, view)
}

// partPager pages one list of a page that has several.
func (v *View) partPager(path, name, cursor, next string) Pager {
	p := v.pager(path, nil, cursor, "")
	if next != "" {
		p.Older = address(path, url.Values{name: {next}}) + "#" + name
	}
	return p
}

func (v *View) contactFields(k ops.Contact, changes []ops.Change) (fields, embedded []ContactField) {
	for _, f := range [][2]string{
		{"ext_ref", k.ExtRef}, {"email", k.Email}, {"phone", k.Phone},
		{"last_name", k.LastName}, {"first_name", k.FirstName}, {"language", k.Language},
	} {
		fields = append(fields, v.contactField(f[0], f[0], f[1], changes))
	}
	if k.EmbeddedData != nil {
		for name, value := range k.EmbeddedData.All() {
			embedded = append(embedded, v.contactField(name, embeddedPrefix+name, plainText(value), changes))
		}
	}
	return fields, embedded
}

// embeddedPrefix stands before an embedded key in a change.
const embeddedPrefix = "embedded_data."

// contactField finds the newest change that set a field; key is its name there.
func (v *View) contactField(name, key, text string, changes []ops.Change) ContactField {
	f := ContactField{Name: name, Text: text}
	for _, change := range changes {
		if !change.Diff.Has(key) { // a nil diff has nothing
			continue
		}
		f.SetAt, f.SetBy, f.Event = v.Time(change.At), v.Cause(change.Cause), change.Event
		break
	}
	return f
}
