package starter_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/starter"
)

// wire stands between a client and a starter. It notes what is said, and loses
// answers: the starter has done what was asked, and the client never hears of it.
type wire struct {
	url string

	lose []int // which answers to POST are lost, from 0

	mu    sync.Mutex
	said  []exchange
	count int // of POSTs
}

// exchange is a request as it came and what it got.
type exchange struct {
	method, path string
	header       http.Header
	status       int
}

// wire is a line to the fixture that loses these answers to POST, from 0.
func (f *fixture) wire(lose ...int) *wire {
	f.t.Helper()
	to, err := url.Parse(f.url)
	require.NoError(f.t, err)
	w := &wire{lose: lose}
	s := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:      f.client.Transport,
		ModifyResponse: w.note,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:       log.New(io.Discard, "", 0),
	})
	f.t.Cleanup(s.Close)
	w.url = s.URL
	return w
}

func (w *wire) note(res *http.Response) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, exchange{res.Request.Method, res.Request.URL.Path, res.Request.Header.Clone(), res.StatusCode})
	if res.Request.Method != http.MethodPost {
		return nil
	}
	w.count++
	if slices.Contains(w.lose, w.count-1) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// posts are the requests that carried events, in their order.
func (w *wire) posts() []exchange {
	return w.of(func(e exchange) bool { return e.method == http.MethodPost && e.path != "/v1/m" })
}

func (w *wire) of(which func(exchange) bool) (out []exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.said {
		if which(e) {
			out = append(out, e)
		}
	}
	return out
}

func statuses(list []exchange) (out []int) {
	for _, e := range list {
		out = append(out, e.status)
	}
	return out
}

// retries are the X-Retry-Count of requests, "" where there is none.
func retries(list []exchange) (out []string) {
	for _, e := range list {
		out = append(out, e.header.Get("X-Retry-Count"))
	}
	return out
}

// types are those of all stored events, sorted.
func (f *fixture) types() (out []string) {
	f.t.Helper()
	for _, r := range f.stored() {
		require.Equal(f.t, segment.Accepted, r.Status, r.Refusal)
		out = append(out, r.Type)
	}
	slices.Sort(out)
	return out
}

// messages are the message ids of all stored events.
func (f *fixture) messages() (out []string) {
	f.t.Helper()
	for _, r := range f.stored() {
		out = append(out, r.MessageID)
	}
	return out
}

// inTime waits longer than eventually: browsers and SDKs take their time.
func (f *fixture) inTime(what string, ok func() bool) {
	f.t.Helper()
	require.Eventually(f.t, ok, time.Minute, 10*time.Millisecond, what)
}

func (f *fixture) arrived(n int) func() bool { return func() bool { return len(f.stored()) >= n } }

// sixCalls are the types of the Tracking API, sorted.
var sixCalls = []string{"alias", "group", "identify", "page", "screen", "track"}

// setupLarge is a fixture that one request can fill.
func setupLarge(t *testing.T) *fixture {
	t.Helper()
	return setup(t, func(o *starter.Options) { o.Webhooks = segment.Limits{Bytes: 80 << 20, EventBytes: 80 << 20} })
}

// full makes a setupLarge say 429 until free is called. Nothing of it is stored.
func (f *fixture) full() (free func()) {
	f.t.Helper()
	let, begun := make(chan struct{}), make(chan struct{})
	var once sync.Once
	f.events.hook(func([]store.NewEvent) (err error) {
		once.Do(func() {
			close(begun)
			<-let
			err = fault.New(fault.Unavailable, "it only was in the way")
		})
		return err
	})
	body := `{"type":"page","userId":"u","messageId":"large","x":"` + strings.Repeat("x", 66<<20) + `"}`
	sent := f.answers(1, func(int) (answer, error) {
		return f.try(http.MethodPost, hookPath(shop), gzipped(f.t, body), "Content-Encoding", "gzip", "X-Signature", signed(body, secret))
	})
	<-begun
	freed := sync.OnceFunc(func() {
		close(let)
		require.Equal(f.t, http.StatusServiceUnavailable, (<-sent).status)
	})
	f.t.Cleanup(freed)
	return freed
}
