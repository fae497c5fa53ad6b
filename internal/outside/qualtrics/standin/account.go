// Package standin is a stand-in for a Qualtrics account, for tests: a small
// directory, transactions, distributions and workflow URLs behind the part of API
// v3 that Segue calls, with faults at will. Where the real one's behaviour is not
// known it does what is hardest for its caller: it knows no idempotency key, and a
// repeated write writes again.
//
//	there := standin.New(standin.Options{Token: "T"})
//	server := httptest.NewServer(there)
//	there.Fault = func(r *http.Request) standin.Fault { return standin.Fault{Status: 503} }
package standin

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
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
	ID, Key, Contact, List, Date string
	Data                         map[string]string
}

// Distribution is an invitation to one person, or a reminder or thank-you to it.
type Distribution struct {
	ID, Parent, Kind, Survey, List, Lookup, Subject, Message, Status string
	Opened, Started, Finished                                        bool
	Sent                                                             time.Time
}

// Account is the stand-in. Safe for concurrent use.
type Account struct {
	o Options

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
	return &Account{o: o}
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

// ServeHTTP is the account's HTTP side.
func (a *Account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	a.requests = append(a.requests, r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), "/API/v3"))
	a.times = append(a.times, time.Now())
	var fault Fault
	if a.fault != nil {
		fault = a.fault(r)
	}
	status, result, problem := fault.Status, any(nil), [2]string{"", "as the test wants it"}
	if status == 0 {
		status, result, problem = a.answer(r, body)
	}
	a.n++
	request := fmt.Sprintf("req-%d", a.n)
	a.mu.Unlock()
	if fault.Lost {
		panic(http.ErrAbortHandler)
	}
	if fault.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(fault.RetryAfter.Seconds())))
	}
	meta := map[string]any{"httpStatus": fmt.Sprintf("%d - %s", status, http.StatusText(status)), "requestId": request}
	answer := map[string]any{"meta": meta}
	if status >= 300 {
		meta["error"] = map[string]any{"errorCode": problem[0], "errorMessage": problem[1]}
	} else if result != nil {
		answer["result"] = result
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// id makes an id with a prefix such as CID_.
func (a *Account) id(prefix string) string {
	a.n++
	return fmt.Sprintf("%s_%011d", prefix, a.n)
}

// answer does what is asked for: the status, the result, and the error's code and
// message.
func (a *Account) answer(r *http.Request, body []byte) (status int, result any, problem [2]string) {
	path, isAPI := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/"), "/API/v3")
	if !isAPI {
		a.starts = append(a.starts, string(body))
		return http.StatusAccepted, map[string]any{"eventId": a.id("EV")}, problem
	}
	switch token := r.Header.Get("X-API-TOKEN"); {
	case token == "":
		return http.StatusBadRequest, nil, [2]string{"ATP_2", "Expected authorization in headers, but none provided."}
	case token != a.o.Token:
		return http.StatusUnauthorized, nil, [2]string{"DCD_7", "Unrecognized X-API-TOKEN."}
	}
	var in map[string]any
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			return http.StatusBadRequest, nil, [2]string{"BAD_JSON", "The body is not JSON."}
		}
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case path == "/whoami":
		return http.StatusOK, map[string]any{"brandId": "acme", "userId": "UR_1", "userName": "aya@acme", "datacenter": a.o.Datacenter}, problem
	case path == "/directories":
		return http.StatusOK, list(map[string]any{"directoryId": "POOL_1", "name": "Customers", "isDefault": true}, map[string]any{"directoryId": "POOL_2", "name": "Staff"}), problem
	case parts[0] == "directories" && len(parts) > 2:
		return a.directory(r.Method, parts[2:], in)
	case parts[0] == "distributions":
		return a.distribution(r, parts[1:], in)
	}
	return http.StatusNotFound, nil, [2]string{"", "The requested resource does not exist."}
}

func list(elements ...any) map[string]any {
	if elements == nil {
		elements = []any{}
	}
	return map[string]any{"elements": elements, "nextPage": nil}
}

func text(o any, key string) string {
	m, _ := o.(map[string]any)
	s, _ := m[key].(string)
	return s
}
