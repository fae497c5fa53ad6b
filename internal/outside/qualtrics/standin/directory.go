package standin

import (
	"net/http"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

func (a *Account) directories(w http.ResponseWriter, _ *http.Request) {
	a.answer(w, http.StatusOK, page([]wire.Directory{{ID: "POOL_1", Name: "Customers", Default: true}, {ID: "POOL_2", Name: "Staff"}}))
}

func (a *Account) createContact(w http.ResponseWriter, r *http.Request) {
	a.answer(w, http.StatusOK, wire.Created{ID: a.upsert(asked[wire.Contact](r)).ID})
}

func (a *Account) readContact(w http.ResponseWriter, r *http.Request) {
	c := a.contact(r.PathValue("contact"))
	if c == nil {
		a.notFound(w, r)
		return
	}
	lists := map[string]wire.Member{}
	for _, l := range c.Lists {
		lists[l] = wire.Member{LookupID: c.Lookup}
	}
	a.answer(w, http.StatusOK, wire.ContactRead{ID: c.ID, ExtRef: c.ExtRef, Lists: lists})
}

func (a *Account) updateContact(w http.ResponseWriter, r *http.Request) {
	c := a.contact(r.PathValue("contact"))
	if c == nil {
		a.notFound(w, r)
		return
	}
	c.fill(asked[wire.Contact](r))
	a.answer(w, http.StatusOK, nil)
}

func (a *Account) enlist(w http.ResponseWriter, r *http.Request) {
	c, list := a.upsert(asked[wire.Contact](r)), r.PathValue("list")
	if c.Lookup == "" {
		c.Lookup = a.id("CGC")
	}
	if !slices.Contains(c.Lists, list) {
		c.Lists = append(c.Lists, list)
	}
	a.answer(w, http.StatusOK, wire.Enlisted{ID: c.ID, LookupID: c.Lookup})
}

func (a *Account) contact(id string) *Contact {
	for _, c := range a.contacts {
		if c.ID == id {
			return c
		}
	}
	return nil
}

func (a *Account) upsert(in wire.Contact) *Contact {
	if a.o.Dedupe && in.ExtRef != "" {
		for _, c := range a.contacts {
			if strings.EqualFold(c.ExtRef, in.ExtRef) {
				c.fill(in)
				return c
			}
		}
	}
	c := &Contact{ID: a.id("CID"), Data: map[string]string{}}
	c.fill(in)
	a.contacts = append(a.contacts, c)
	return c
}

func (c *Contact) fill(in wire.Contact) {
	for _, f := range []struct {
		to   *string
		said string
	}{
		{&c.ExtRef, in.ExtRef}, {&c.Email, in.Email}, {&c.Phone, in.Phone},
		{&c.FirstName, in.FirstName}, {&c.LastName, in.LastName}, {&c.Language, in.Language},
	} {
		if f.said != "" {
			*f.to = f.said
		}
	}
	if in.Unsubscribed != nil {
		c.Unsubscribed = *in.Unsubscribed
	}
	for k, v := range in.EmbeddedData.All() {
		c.Data[k] = asText(v)
	}
}

// asText is a value as an account keeps it.
func asText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return jsonvalue.Text(v)
}

// values are kept texts as they are answered.
func values(texts map[string]string) wire.Values {
	o := jsonvalue.NewObject(len(texts))
	for k, v := range texts {
		o.Set(k, v)
	}
	return wire.Values{Object: o}
}

func (a *Account) search(w http.ResponseWriter, r *http.Request) {
	filter := asked[wire.Search](r).Filter
	filters := filter.Filters
	if filters == nil {
		filters = []wire.Filter{filter}
	}
	var found []wire.Found
	for _, c := range a.contacts {
		if slices.ContainsFunc(filters, func(f wire.Filter) bool { return !c.has(f) }) {
			continue
		}
		found = append(found, wire.Found{
			ID: c.ID, ExtRef: wire.Text(c.ExtRef), Email: c.Email, Phone: wire.Text(c.Phone), FirstName: c.FirstName, LastName: c.LastName,
			Language: c.Language, Unsubscribed: &c.Unsubscribed, EmbeddedData: values(c.Data),
		})
	}
	a.answer(w, http.StatusOK, page(found))
}

func (c *Contact) has(f wire.Filter) bool {
	is := map[string]string{"extRef": c.ExtRef, "email": c.Email, "phone": c.Phone, "firstName": c.FirstName, "lastName": c.LastName, "language": c.Language}
	return strings.EqualFold(is[f.Field], strings.TrimSpace(f.Value))
}

func (a *Account) contactTransactions(w http.ResponseWriter, r *http.Request) {
	var all []wire.Transaction
	for _, t := range a.transactions {
		if t.Contact == r.PathValue("contact") {
			all = append(all, wire.Transaction{ID: t.ID, ContactID: t.Contact, MailingListID: t.List, Date: wire.Date{Time: t.Date}, Data: values(t.Data)})
		}
	}
	a.answer(w, http.StatusOK, page(all))
}

// createTransactions keeps the transactions of a request; it does not know a key
// again.
func (a *Account) createTransactions(w http.ResponseWriter, r *http.Request) {
	out := wire.Written{Created: map[string]wire.Created{}, Unprocessed: map[string]wire.Unprocessed{}}
	for key, in := range asked[map[string]wire.Transaction](r) {
		if a.contact(in.ContactID) == nil {
			out.Unprocessed[key] = wire.Unprocessed{Code: "CONTACT_NOT_FOUND", Message: "there is no such contact"}
			continue
		}
		t := Transaction{
			ID: a.id("CTR"), Key: key, Contact: in.ContactID, List: in.MailingListID,
			Date: in.Date.Time, Data: map[string]string{},
		}
		for k, v := range in.Data.All() {
			t.Data[k] = asText(v)
		}
		a.transactions = append(a.transactions, t)
		out.Created[key] = wire.Created{ID: t.ID}
	}
	a.answer(w, http.StatusOK, out)
}
