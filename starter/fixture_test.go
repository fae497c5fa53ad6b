package starter_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/pgtest"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/doors/kit"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/starter"
)

// fixture is a starter behind a real listener, on a store of its own.
type fixture struct {
	*starter.Starter
	t        *testing.T
	store    *store.Store
	postgres bool
	events   *watched
	access   *starter.Access
	launcher *launches
	metrics  *prometheus.Registry
	url      string
	client   *http.Client
	clock    atomic.Int64
	log      *lines
}

// start is when a fixture's clock stands at first; it moves by hand only.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func setup(t *testing.T, change ...func(*starter.Options)) *fixture {
	t.Helper()
	return setupOn(t, "sqlite://"+filepath.Join(t.TempDir(), "segue.db"), change...)
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, setup(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, setupOn(t, pgtest.URL(t))) })
}

func setupOn(t *testing.T, url string, change ...func(*starter.Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, launcher: newLaunches(), metrics: prometheus.NewRegistry(), log: &lines{},
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}}
	f.clock.Store(start.UnixMilli())
	d, err := db.Open(t.Context(), db.Options{URL: url, Now: f.now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	f.store, f.postgres = store.New(d), d.Postgres()
	f.events = &watched{Store: f.store}
	f.save(f.plan())

	log := slog.New(slog.NewTextHandler(f.log, nil))
	ctx, stop := context.WithCancel(context.Background())
	f.access, err = starter.NewAccess(ctx, f.store, f.secrets, log)
	require.NoError(t, err)
	o := starter.Options{Events: f.events, Access: f.access, Launcher: f.launcher, Metrics: f.metrics, Logger: log, Now: f.now}
	for _, c := range change {
		c(&o)
	}
	f.Starter = starter.New(o)
	app := fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: 17 << 20, DisablePreParseMultipartForm: true, ErrorHandler: kit.ErrorHandler(log)})
	f.Register(app)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f.url = "http://" + listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(f.log)
		}
		f.launcher.free()
		f.client.CloseIdleConnections()
		f.Close()
		stop()
		require.NoError(t, app.ShutdownWithTimeout(5*time.Second))
		require.NoError(t, <-served)
	})
	return f
}

func (f *fixture) now() time.Time { return time.UnixMilli(f.clock.Load()).UTC() }

func (f *fixture) pass(d time.Duration) { f.clock.Add(d.Milliseconds()) }

// The secrets of the plan below.
const (
	webKey   = "wk-web"
	shopKey  = "wk-shop"
	oldKey   = "wk-shop-old"
	secret   = "whsec-new"
	lapsing  = "whsec-old"
	recorded = "whsec-recorded" // signs the recorded deliveries
	unsigned = "mail"           // a source without a webhook secret
)

func (f *fixture) plan() *plan.Plan {
	return &plan.Plan{
		Version: 1,
		Sources: []plan.Source{
			{Name: "web", WriteKeys: []plan.Secret{webKey}, WebhookSecrets: []plan.Secret{recorded}},
			{Name: "店舗 2", WriteKeys: []plan.Secret{shopKey, oldKey}, WebhookSecrets: []plan.Secret{lapsing, secret}},
			{Name: unsigned},
		},
		Workflows: []plan.Workflow{{Name: "ask", Steps: []plan.Step{{ID: "end", Stop: &plan.Stop{}}}}},
	}
}

type plainSealer struct{}

func (plainSealer) Seal(b []byte) ([]byte, error) { return b, nil }
func (plainSealer) Open(b []byte) ([]byte, error) { return b, nil }

func (f *fixture) save(p *plan.Plan) {
	f.t.Helper()
	_, err := f.store.SavePlan(f.t.Context(), plainSealer{}, p, p.ExtractLiterals(), "test")
	require.NoError(f.t, err)
}

func (f *fixture) secrets(ctx context.Context) (map[string]string, error) {
	return f.store.Secrets(ctx, plainSealer{})
}

func (f *fixture) named(kind plan.Kind, name string) id.ID {
	f.t.Helper()
	v, err := f.store.NameID(f.t.Context(), kind, name)
	require.NoError(f.t, err)
	return v
}

// token is of the URL of the workflow "ask".
func (f *fixture) token() string {
	f.t.Helper()
	tokens, err := f.store.WorkflowTokens(f.t.Context(), plainSealer{}, f.named(plan.KindWorkflow, "ask"))
	require.NoError(f.t, err)
	require.Len(f.t, tokens, 1)
	return tokens[0]
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) problem(t *testing.T) ops.Problem {
	t.Helper()
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), a.body)
	var p ops.Problem
	require.NoError(t, json.Unmarshal([]byte(a.body), &p))
	require.Equal(t, a.status, p.Status)
	return p
}

// send sends a request; header is name, value, name, value.
func (f *fixture) send(method, path, body string, header ...string) answer {
	f.t.Helper()
	a, err := f.try(method, path, body, header...)
	require.NoError(f.t, err)
	return a
}

// try is send for goroutines of a test.
func (f *fixture) try(method, path, body string, header ...string) (answer, error) {
	r, err := http.NewRequest(method, f.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := f.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(text)}, err
}

// post sends with the write key of the source "web".
func (f *fixture) post(path, body string, header ...string) answer {
	f.t.Helper()
	return f.send(http.MethodPost, path, body, append([]string{"Authorization", basic(webKey + ":")}, header...)...)
}

func (f *fixture) taken(a answer) {
	f.t.Helper()
	require.Equal(f.t, http.StatusOK, a.status, a.body)
	require.Equal(f.t, `{"success":true}`, a.body)
	require.Equal(f.t, "application/json", a.header.Get("Content-Type"))
}

// stored are all events, oldest first.
func (f *fixture) stored() []store.EventRow {
	f.t.Helper()
	rows, _, err := f.store.ListEvents(f.t.Context(), store.EventQuery{}, store.Paging{Limit: 500})
	require.NoError(f.t, err)
	slices.Reverse(rows)
	return rows
}

func (f *fixture) body(v id.ID) string {
	f.t.Helper()
	b, err := f.store.EventBody(f.t.Context(), v)
	require.NoError(f.t, err)
	return string(b)
}

// counted is a metric's value.
func (f *fixture) counted(name string, label ...string) float64 {
	f.t.Helper()
	families, err := f.metrics.Gather()
	require.NoError(f.t, err)
	for _, m := range families {
		if m.GetName() != name {
			continue
		}
		for _, v := range m.GetMetric() {
			if len(label) == 0 || v.GetLabel()[0].GetValue() == label[0] {
				return v.GetCounter().GetValue() + v.GetGauge().GetValue()
			}
		}
	}
	return 0
}

func (f *fixture) eventually(what string, ok func() bool) { eventually(f.t, what, ok) }

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 10*time.Second, time.Millisecond, what)
}

func gzipped(t testing.TB, body string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, body)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}

func signed(body, secret string) string { return segment.Sign([]byte(body), secret) }

// watched is a store whose commits a test sees, holds up and lets fail.
type watched struct {
	*store.Store
	mu      sync.Mutex
	commits [][]store.NewEvent
	before  func(events []store.NewEvent) error // called before each commit
}

func (w *watched) StoreEvents(ctx context.Context, events []store.NewEvent, lease time.Duration) ([]store.Accepted, error) {
	w.mu.Lock()
	w.commits = append(w.commits, events)
	before := w.before
	w.mu.Unlock()
	if before != nil {
		if err := before(events); err != nil {
			return nil, err
		}
	}
	return w.Store.StoreEvents(ctx, events, lease)
}

func (w *watched) hook(before func(events []store.NewEvent) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before, w.commits = before, nil
}

// sizes are how many events each commit had.
func (w *watched) sizes() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]int, len(w.commits))
	for i, c := range w.commits {
		out[i] = len(c)
	}
	return out
}

// launches is a launcher that remembers and can be held up.
type launches struct {
	mu      sync.Mutex
	batches [][]id.ID
	sources []string
	fail    error
	hold    chan struct{} // when not nil, starts wait until it is closed
}

func newLaunches() *launches { return &launches{} }

func (l *launches) ProcessEvents(_ context.Context, events []id.ID, source string) error {
	l.mu.Lock()
	l.batches, l.sources = append(l.batches, events), append(l.sources, source)
	hold, fail := l.hold, l.fail
	l.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return fail
}

func (l *launches) held() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hold = make(chan struct{})
}

func (l *launches) free() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hold != nil {
		close(l.hold)
		l.hold = nil
	}
}

// started are the events of all starts so far.
func (l *launches) started() (all []id.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.batches {
		all = append(all, b...)
	}
	return all
}

// lines is what was logged.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
