// Package standin is a stand-in for a Qualtrics account, for tests: a small
// directory, transactions, distributions and workflow URLs behind the part of API
// v3 that Segue calls, with faults at will. Where the real one's behaviour is not
// known it does what is hardest for its caller: it knows no idempotency key, and a
// repeated write writes again.
//
//	there := standin.New(standin.Options{Token: "T"})
//	server := httptest.NewServer(there)
//	there.Fail(func(r *http.Request) standin.Fault { return standin.Fault{Status: 503} })
package standin

import (
	"maps"
	"net/http"
	"sync"
	"time"
)

// Options are what the account is like.
type Options struct {
	Token      string
	Datacenter string // default fra1
	// Dedupe: a created contact that has the extRef of another changes that one, as
	// in a directory that merges duplicates.
	Dedupe bool
}

// Fault is what goes wrong with a request; the zero value is nothing.
type Fault struct {
	Status     int           // answered instead of doing anything
	RetryAfter time.Duration // said beside Status
	// Lost: what was asked for is done, and the answer never arrives.
	Lost bool
}

// Contact is one person.
type Contact struct {
	ID, Lookup, ExtRef, Email, Phone, FirstName, LastName, Language string
	Unsubscribed                                                    bool
	Data                                                            map[string]string
	Lists                                                           []string
}

// Transaction is one of a contact's.
type Transaction struct {
	ID, Key, Contact, List string
	Date                   time.Time
	Data                   map[string]string
}

// Distribution is an invitation to one person, or a reminder or thank-you to it.
type Distribution struct {
	ID, Parent, Kind, Survey, List, Lookup, Subject, Message, Status string
	Opened, Started, Finished                                        bool
	Sent                                                             time.Time
}

// Account is the stand-in. Safe for concurrent use.
type Account struct {
	o      Options
	routes *http.ServeMux

	mu            sync.Mutex
	n             int
	fault         func(*http.Request) Fault
	requests      []string
	times         []time.Time
	contacts      []*Contact
	transactions  []Transaction
	distributions []*Distribution
	starts        []string
}

// New returns an empty account.
func New(o Options) *Account {
	if o.Datacenter == "" {
		o.Datacenter = "fra1"
	}
	a := &Account{o: o}
	a.routes = a.endpoints()
	return a
}

// Fail sets what goes wrong with requests from now on; nil is nothing. It is called
// for one request at a time.
func (a *Account) Fail(fault func(*http.Request) Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault = fault
}

// Requests are the methods and paths asked for so far, failed ones among them.
func (a *Account) Requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.requests...)
}

// Times are when they arrived.
func (a *Account) Times() []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]time.Time(nil), a.times...)
}

// Contacts are the people there are.
func (a *Account) Contacts() []Contact {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]Contact, len(a.contacts))
	for i, c := range a.contacts {
		out[i] = *c
		out[i].Data = maps.Clone(c.Data)
	}
	return out
}

// Transactions are the transactions there are.
func (a *Account) Transactions() []Transaction {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Transaction(nil), a.transactions...)
}

// Distributions are the invitations, reminders and thank-yous there are.
func (a *Account) Distributions() []Distribution {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]Distribution, len(a.distributions))
	for i, d := range a.distributions {
		out[i] = *d
	}
	return out
}

// Starts are the bodies that workflow URLs were given.
func (a *Account) Starts() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.starts...)
}

// Respond lets the person of an invitation open, start or finish the survey.
func (a *Account) Respond(distribution string, started, finished bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, d := range a.distributions {
		if d.ID == distribution {
			d.Opened, d.Started, d.Finished = true, started || finished, finished
		}
	}
}

// OptOut unsubscribes the person with an external reference.
func (a *Account) OptOut(extRef string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.contacts {
		if c.ExtRef == extRef {
			c.Unsubscribed = true
		}
	}
}
