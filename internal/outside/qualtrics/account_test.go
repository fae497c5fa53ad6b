package qualtrics_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
)

// frozen is the time at which tests stand still.
var frozen = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// reply is one scripted answer.
type reply struct {
	status int
	header map[string]string
	body   string // $RANDOM16 stands for the key that was sent
	reset  bool   // the connection is dropped instead
	hang   bool   // no answer until the request is given up
}

func ok(body string) reply { return reply{status: 200, body: body} }

// seen is one request as the account saw it.
type seen struct {
	method, scheme, host, path string
	header                     http.Header
	body                       any // the parsed JSON; Undefined when there was none
}

// account stands in for Qualtrics: a loopback server that answers by a script, in
// order, the last answer again and again.
type account struct {
	server   *httptest.Server
	mu       sync.Mutex
	script   []reply
	requests []seen
}

func newAccount(t testing.TB, script ...reply) *account {
	t.Helper()
	a := &account{script: script}
	a.server = httptest.NewServer(a)
	t.Cleanup(a.server.Close)
	return a
}

// RoundTrip makes an account a transport that leads every host to its server.
func (a *account) RoundTrip(req *http.Request) (*http.Response, error) {
	at := seen{method: req.Method, scheme: req.URL.Scheme, host: req.URL.Host, path: req.URL.RequestURI(), header: req.Header.Clone(), body: jsonvalue.Undefined{}}
	var text []byte
	if req.Body != nil {
		text, _ = io.ReadAll(req.Body)
		if v, err := jsonvalue.Parse(text); err == nil {
			at.body = v
		}
	}
	a.mu.Lock()
	a.requests = append(a.requests, at)
	a.mu.Unlock()
	to, err := url.Parse(a.server.URL + req.URL.RequestURI())
	if err != nil {
		return nil, err
	}
	there := req.Clone(req.Context())
	there.URL, there.Host, there.Body = to, to.Host, io.NopCloser(bytes.NewReader(text))
	there.ContentLength = int64(len(text))
	return (&http.Transport{DisableKeepAlives: true}).RoundTrip(there)
}

func (a *account) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	text, _ := io.ReadAll(req.Body)
	a.mu.Lock()
	r := a.script[0]
	if len(a.script) > 1 {
		a.script = a.script[1:]
	}
	a.mu.Unlock()
	switch {
	case r.hang:
		<-req.Context().Done()
		return
	case r.reset:
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
		return
	}
	w.Header()["Content-Type"] = nil // nothing is guessed
	for k, v := range r.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(r.status)
	if key := keyIn(text); key != "" {
		r.body = strings.ReplaceAll(r.body, "$RANDOM16", key)
	}
	io.WriteString(w, r.body)
}

// keyIn is the key of the transaction in a request, or "".
func keyIn(text []byte) string {
	o, err := jsonvalue.ParseObject(text)
	if err != nil || o.Len() != 1 || o.Has("filter") {
		return ""
	}
	return o.Keys()[0]
}

func (a *account) seen() []seen {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]seen(nil), a.requests...)
}

// paths are the methods and paths that were called.
func (a *account) paths() []string {
	var out []string
	for _, r := range a.seen() {
		out = append(out, r.method+" "+r.path)
	}
	return out
}

// client is a client of the account; change may set options.
func (a *account) client(t testing.TB, change ...func(*qualtrics.Options)) *qualtrics.Client {
	t.Helper()
	o := qualtrics.Options{Datacenter: "fra1", APIToken: "TOKEN-1", Transport: a, Now: func() time.Time { return frozen }}
	for _, c := range change {
		c(&o)
	}
	c, err := qualtrics.New(o)
	require.NoError(t, err)
	return c
}

func parsed(t testing.TB, text string) *jsonvalue.Object {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

func bg() context.Context { return context.Background() }
