package standin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// directory answers below /directories/{id}.
func (a *Account) directory(method string, parts []string, in map[string]any) (status int, result any, problem [2]string) {
	switch where := strings.Join(parts, "/"); {
	case method == http.MethodPost && where == "contacts":
		return http.StatusOK, map[string]any{"id": a.upsert(in).ID}, problem
	case method == http.MethodPost && where == "contacts/search":
		return a.search(in)
	case method == http.MethodPut && len(parts) == 2 && parts[0] == "contacts":
		if c := a.contact(parts[1]); c != nil {
			c.fill(in)
			return http.StatusOK, nil, problem
		}
	case method == http.MethodGet && len(parts) == 2 && parts[0] == "contacts":
		if c := a.contact(parts[1]); c != nil {
			lists := map[string]any{}
			for _, l := range c.Lists {
				lists[l] = map[string]any{"contactLookupId": c.Lookup, "unsubscribed": false}
			}
			return http.StatusOK, map[string]any{"contactId": c.ID, "extRef": c.ExtRef, "mailingListMembership": lists}, problem
		}
	case method == http.MethodGet && len(parts) == 3 && parts[0] == "contacts" && parts[2] == "transactions":
		var all []any
		for _, t := range a.transactions {
			if t.Contact == parts[1] {
				all = append(all, map[string]any{"transactionId": t.ID, "contactId": t.Contact, "mailingListId": t.List, "transactionDate": t.Date, "data": t.Data})
			}
		}
		return http.StatusOK, list(all...), problem
	case method == http.MethodPost && where == "transactions":
		return a.write(in), a.created(in), problem
	case method == http.MethodPost && len(parts) == 3 && parts[0] == "mailinglists" && parts[2] == "contacts":
		c := a.upsert(in)
		if c.Lookup == "" {
			c.Lookup = a.id("CGC")
		}
		if !slices.Contains(c.Lists, parts[1]) {
			c.Lists = append(c.Lists, parts[1])
		}
		return http.StatusOK, map[string]any{"id": c.ID, "contactLookupId": c.Lookup}, problem
	}
	return http.StatusNotFound, nil, [2]string{"", "The requested resource does not exist."}
}

func (a *Account) contact(id string) *Contact {
	for _, c := range a.contacts {
		if c.ID == id {
			return c
		}
	}
	return nil
}

func (a *Account) upsert(in map[string]any) *Contact {
	if a.o.Dedupe {
		for _, c := range a.contacts {
			if ref := text(in, "extRef"); ref != "" && strings.EqualFold(c.ExtRef, ref) {
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

func (c *Contact) fill(in map[string]any) {
	for key, to := range map[string]*string{
		"extRef": &c.ExtRef, "email": &c.Email, "phone": &c.Phone, "firstName": &c.FirstName, "lastName": &c.LastName, "language": &c.Language,
	} {
		if v := text(in, key); v != "" {
			*to = v
		}
	}
	if v, ok := in["unsubscribed"].(bool); ok {
		c.Unsubscribed = v
	}
	data, _ := in["embeddedData"].(map[string]any)
	for k, v := range data {
		c.Data[k] = fmt.Sprint(v)
	}
}

func (a *Account) search(in map[string]any) (status int, result any, problem [2]string) {
	filter, _ := in["filter"].(map[string]any)
	filters, _ := filter["filters"].([]any)
	if filters == nil {
		filters = []any{filter}
	}
	var found []any
	for _, c := range a.contacts {
		has := map[string]string{"extRef": c.ExtRef, "email": c.Email, "phone": c.Phone, "firstName": c.FirstName, "lastName": c.LastName, "language": c.Language}
		if slices.ContainsFunc(filters, func(f any) bool {
			return !strings.EqualFold(has[text(f, "filterType")], strings.TrimSpace(text(f, "value")))
		}) {
			continue
		}
		found = append(found, map[string]any{"id": c.ID, "externalDataReference": c.ExtRef, "email": c.Email, "phoneNumber": c.Phone, "firstName": c.FirstName,
			"lastName": c.LastName, "language": c.Language, "unsubscribed": c.Unsubscribed, "embeddedData": c.Data})
	}
	return http.StatusOK, list(found...), problem
}

// write keeps the transactions of a request. It does not know a key again.
func (a *Account) write(in map[string]any) int {
	for key, v := range in {
		t := Transaction{ID: a.id("CTR"), Key: key, Contact: text(v, "contactId"), List: text(v, "mailingListId"), Date: text(v, "transactionDate"), Data: map[string]string{}}
		data, _ := v.(map[string]any)["data"].(map[string]any)
		for k, d := range data {
			t.Data[k] = fmt.Sprint(d)
		}
		if a.contact(t.Contact) != nil {
			a.transactions = append(a.transactions, t)
		}
	}
	return http.StatusOK
}

// created is the answer to a request that was written: the last transaction of each
// key, and those without a contact as unprocessed.
func (a *Account) created(in map[string]any) map[string]any {
	created, unprocessed := map[string]any{}, map[string]any{}
	for key := range in {
		unprocessed[key] = map[string]any{"error": "CONTACT_NOT_FOUND", "errorMessage": "there is no such contact"}
	}
	for _, t := range a.transactions {
		if _, ok := in[t.Key]; ok {
			created[t.Key] = map[string]any{"id": t.ID}
			delete(unprocessed, t.Key)
		}
	}
	return map[string]any{"createdTransactions": created, "unprocessedTransactions": unprocessed}
}
