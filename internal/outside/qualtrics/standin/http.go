package standin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

// endpoints are what the account answers.
func (a *Account) endpoints() *http.ServeMux {
	m := http.NewServeMux()
	for pattern, do := range map[string]http.HandlerFunc{
		"GET " + wire.PathWhoami:              a.whoami,
		"GET " + wire.PathDirectories:         a.directories,
		"POST " + wire.PathContacts:           a.createContact,
		"GET " + wire.PathContact:             a.readContact,
		"PUT " + wire.PathContact:             a.updateContact,
		"POST " + wire.PathContactSearch:      a.search,
		"GET " + wire.PathContactTransactions: a.contactTransactions,
		"POST " + wire.PathTransactions:       a.createTransactions,
		"POST " + wire.PathListContacts:       a.enlist,
		"GET " + wire.PathDistributions:       a.distributionsOf,
		"POST " + wire.PathDistributions:      a.distribute,
		"POST " + wire.PathReminders:          a.followUp(wire.TypeReminder),
		"POST " + wire.PathThankYous:          a.followUp(wire.TypeThankYou),
		"GET " + wire.PathHistory:             a.history,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		m.HandleFunc(method+" "+wire.Base+path, a.signedIn(do))
	}
	m.HandleFunc(wire.Base+"/", a.signedIn(a.notFound))
	m.HandleFunc("/", a.startWorkflow)
	return m
}

// ServeHTTP is the account's HTTP side: one request at a time.
func (a *Account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), wire.Base))
	a.times = append(a.times, time.Now())
	var fault Fault
	if a.fault != nil {
		fault = a.fault(r)
	}
	if fault.Lost {
		a.serve(httptest.NewRecorder(), r, fault)
		panic(http.ErrAbortHandler)
	}
	a.serve(w, r, fault)
}

func (a *Account) serve(w http.ResponseWriter, r *http.Request, fault Fault) {
	if fault.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(fault.RetryAfter.Seconds())))
	}
	if fault.Status != 0 {
		a.refuse(w, fault.Status, "", "as the test wants it")
		return
	}
	if path := strings.TrimSuffix(r.URL.Path, "/"); strings.HasPrefix(path, wire.Base) {
		r.URL.Path = path // with and without the slash is the same
	}
	a.routes.ServeHTTP(w, r)
}

// signedIn lets those through who have the account's token, and whose body can be
// read.
func (a *Account) signedIn(do http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch token := r.Header.Get(wire.TokenHeader); {
		case token == "":
			a.refuse(w, http.StatusBadRequest, wire.CodeNoToken, "Expected authorization in headers, but none provided.")
			return
		case token != a.o.Token:
			a.refuse(w, http.StatusUnauthorized, wire.CodeUnknownToken, "Unrecognized X-API-TOKEN.")
			return
		}
		body, _ := io.ReadAll(r.Body)
		if len(body) > 0 && !json.Valid(body) {
			a.refuse(w, http.StatusBadRequest, "BAD_JSON", "The body is not JSON.")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		do(w, r)
	}
}

// asked is what a request says.
func asked[T any](r *http.Request) (v T) {
	body, _ := io.ReadAll(r.Body)
	_ = wire.Read(body, &v)
	return v
}

// meta is what an answer says of itself.
func (a *Account) meta(status int) wire.Meta {
	a.n++
	return wire.Meta{HTTPStatus: fmt.Sprintf("%d - %s", status, http.StatusText(status)), RequestID: wire.Text(fmt.Sprintf("req-%d", a.n))}
}

// answer answers with a result, or without when it is nil.
func (a *Account) answer(w http.ResponseWriter, status int, result any) {
	write(w, status, wire.Answer[any]{Result: result, Meta: a.meta(status)})
}

func (a *Account) refuse(w http.ResponseWriter, status int, code, message wire.Text) {
	meta := a.meta(status)
	meta.Error = wire.Problem{Code: code, Message: message}
	write(w, status, wire.Answer[any]{Meta: meta})
}

func (a *Account) notFound(w http.ResponseWriter, _ *http.Request) {
	a.refuse(w, http.StatusNotFound, "", "The requested resource does not exist.")
}

func write(w http.ResponseWriter, status int, answer wire.Answer[any]) {
	text, err := wire.Write(answer)
	if err != nil {
		panic(err) // it is made of our own shapes
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// page is a list on one page.
func page[T any](elements []T) wire.Page[T] {
	if elements == nil {
		elements = []T{}
	}
	return wire.Page[T]{Elements: elements}
}

// id makes an id with a prefix such as CID.
func (a *Account) id(prefix string) string {
	a.n++
	return fmt.Sprintf("%s_%011d", prefix, a.n)
}

func (a *Account) whoami(w http.ResponseWriter, _ *http.Request) {
	a.answer(w, http.StatusOK, wire.User{BrandID: "acme", UserID: "UR_1", UserName: "aya@acme", Datacenter: a.o.Datacenter})
}

// startWorkflow is any URL outside the API.
func (a *Account) startWorkflow(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.starts = append(a.starts, string(body))
	a.answer(w, http.StatusAccepted, map[string]string{"eventId": a.id("EV")})
}
