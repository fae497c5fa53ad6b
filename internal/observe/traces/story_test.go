package traces

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	sdk "go.temporal.io/sdk/worker"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/activities/task/builtin"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/pgtest"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/doors/kit"
	"github.com/segue-xm/segue/internal/observe/traces/tracestest"
	"github.com/segue-xm/segue/starter"
	"github.com/segue-xm/segue/worker"
	"github.com/segue-xm/segue/workflows"
)

const storyPlan = `
version: 1
sources: [{name: web, write_keys: [wk-web]}]
directories: [{name: customers, default: true, merge_rules: [[ext_ref]]}]
destinations: [{name: xm, type: directory, directory: customers}]
mappings:
  - {name: people, source: web, destination: xm, action: upsert_contact, when: type = "track", fields: {extRef: {"@path": $.userId}, email: {"@path": $.context.traits.email}}}
  - {name: tour, source: web, destination: xm, action: start_workflow, workflow: feedback, when: type = "track"}
surveys: [{name: tour}]
workflows:
  - name: feedback
    fields: [{name: user, path: $.userId, type: string}]
    steps:
      - {id: pause, wait: {for: 48h}}
      - {id: ask, task: distribute, with: {survey: tour, contact: {ext_ref: "{{ fields.user }}"}, subject: Hello, message: "{{ link.url }}"}}
`

// story is a Segue whose Temporal is the SDK's test environment: what is started waits
// until the test lets it run.
type story struct {
	*Traces
	t         *testing.T
	store     *store.Store
	collector *tracestest.Collector
	url       string
	served    worker.Options

	mu      sync.Mutex
	clock   time.Time
	waiting []started
}

// started is a workflow with the header it was started with.
type started struct {
	workflow, in any
	header       *commonpb.Header
}

// Set puts a field into the header.
func (s started) Set(key string, value *commonpb.Payload) { s.header.Fields[key] = value }

func (s *story) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

func (s *story) start(ctx context.Context, workflow, in any) error {
	w := started{workflow, in, &commonpb.Header{Fields: map[string]*commonpb.Payload{}}}
	for _, p := range s.Propagators() {
		require.NoError(s.t, p.Inject(ctx, w))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, w)
	return nil
}

func (s *story) ProcessEvents(ctx context.Context, events []id.ID, _ string) error {
	return s.start(ctx, workflows.ProcessEvents, handover.Batch{Events: events})
}

func (s *story) StartRun(ctx context.Context, run id.ID, _ string) error {
	return s.start(ctx, workflows.RunWorkflow, handover.RunInput{Run: run})
}

func (s *story) WakeDistribution(ctx context.Context, d id.ID) error {
	return s.start(ctx, workflows.Distribute, handover.DistributionInput{Distribution: d})
}

func (s *story) WakeDelivery(context.Context, id.ID) error { return nil }

func (s *story) StartJob(context.Context, id.ID, string) error { return nil }

// runAll lets what waits run, one after the other, until nothing does, and returns how
// many that were.
func (s *story) runAll() (n int) {
	for {
		s.mu.Lock()
		if len(s.waiting) == 0 {
			s.mu.Unlock()
			return n
		}
		w := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.mu.Unlock()
		n++
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
		env := suite.NewTestWorkflowEnvironment()
		env.SetTestTimeout(30 * time.Second)
		env.SetContextPropagators(s.Propagators())
		env.SetHeader(w.header)
		env.SetWorkerOptions(sdk.Options{Interceptors: s.Activities()})
		workflows.Register(env)
		worker.Register(env, s.served)
		env.ExecuteWorkflow(w.workflow, w.in)
		require.True(s.t, env.IsWorkflowCompleted())
		require.NoError(s.t, env.GetWorkflowError())
	}
}

func tell(t *testing.T, url string) *story {
	t.Helper()
	s := &story{t: t, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), collector: tracestest.New(t)}
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(s.collector.URL))
	require.NoError(t, err)
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	s.Traces = New(provider)

	d, err := db.Open(t.Context(), db.Options{URL: url, Now: s.now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	s.store = store.New(d)
	doc, problems := plan.Parse("plan.yaml", []byte(storyPlan))
	require.NoError(t, problems.Err())
	_, err = s.store.SavePlan(t.Context(), noSeal{}, doc.Plan, nil, "test")
	require.NoError(t, err)
	none := func(context.Context) (map[string]string, error) { return nil, nil }

	cache, launcher := routing.NewCache(s.store), s.Launcher(s, s.store)
	directory := &activities.Directory{Store: s.store, Revisions: cache}
	runs := &activities.Runs{Store: s.store, Revisions: cache, Tasks: builtin.Registry(builtin.Deps{Contacts: directory, Distributions: directory, Now: s.now}),
		Launcher: launcher, Secrets: none, Now: s.now}
	s.served = worker.Options{
		Events:  &activities.Events{Inbox: s.store, Revisions: cache, Now: s.now},
		Effects: &activities.Effects{Deliveries: s.store, Revisions: cache, Runs: runs, Now: s.now}, Runs: runs, Jobs: &activities.Jobs{},
		Distributions: &activities.Distributions{Store: s.store, Revisions: cache, Mail: s.Mail(store.Outbox{Store: s.store}), From: "surveys@example.com",
			PublicURL: "https://segue.example.com", MailHost: "segue.example.com", Now: s.now, Follow: s.Message(s.store)},
	}
	quiet := slog.New(slog.DiscardHandler)
	access, err := starter.NewAccess(t.Context(), s.store, none, quiet)
	require.NoError(t, err)
	door := starter.New(starter.Options{Events: s.store, Access: access, Launcher: launcher, Traces: s.Ingest(), Logger: quiet, Now: s.now})
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ErrorHandler: kit.ErrorHandler(quiet)})
	door.Register(app)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		res, err := app.Test(r, -1)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}))
	t.Cleanup(func() { server.Close(); door.Close() })
	s.url = server.URL
	return s
}

type noSeal struct{}

func (noSeal) Seal(b []byte) ([]byte, error) { return b, nil }
func (noSeal) Open(b []byte) ([]byte, error) { return b, nil }

const person = "hana.sato@example.com"

// post sends an event about a user, with a traceparent unless it is "", and waits for
// its start.
func (s *story) post(user, traceparent string) {
	s.t.Helper()
	before := s.started()
	body := fmt.Sprintf(`{"userId":%q,"event":"Tour","context":{"traits":{"email":%q}}}`, user, person)
	req, err := http.NewRequest(http.MethodPost, s.url+"/v1/track", strings.NewReader(body))
	require.NoError(s.t, err)
	req.SetBasicAuth("wk-web", "")
	if traceparent != "" {
		req.Header.Set("Traceparent", traceparent)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	res.Body.Close()
	require.Equal(s.t, http.StatusOK, res.StatusCode)
	require.Eventually(s.t, func() bool { return s.started() > before }, 10*time.Second, time.Millisecond)
}

// started counts what waits to run.
func (s *story) started() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting)
}

func onBoth(t *testing.T, test func(t *testing.T, s *story)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, tell(t, "sqlite://"+filepath.Join(t.TempDir(), "segue.db")))
	})
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, tell(t, pgtest.URL(t))) })
}

const (
	theirs      = "4bf92f3577b34da6a3ce929d0e0e4736"
	traceparent = "00-" + theirs + "-00f067aa0ba902b7-01"
)

// TestTrace_OfALoneEvent_IsOne: from the request of somebody who traces, over the
// processes that have a part in it, to the mail two days later.
func TestTrace_OfALoneEvent_IsOne(t *testing.T) {
	onBoth(t, func(t *testing.T, s *story) {
		s.post("u1", traceparent)
		require.Equal(t, 3, s.runAll())
		require.Equal(t, strings.TrimLeft(`
POST /v1/track
  commit
    database StoreEvents
  message invitation
    database MessageWasSent
    database Reserve
    mail
      database Send
  start ProcessEvents
    activity FilterEvents
    activity MapFields
      database WriteDeliveries
    activity StartRuns
      database CreateRuns
    activity UpsertContacts
      database ApplyContacts
  start RunWorkflow
    activity BeginRun
      database BeginRun
    activity EndRun
      database EndRun
    activity EndWait
      database EndStep
    activity JudgeStep
    activity JudgeStep
      database BeginStep
    activity distribute
      database BeginStep
      database ClaimDistribution
      database EndStep
      database Invite
      database SetRunContact
`, "\n"), s.collector.Tree(theirs))

		var message, round tracestest.Span
		for _, span := range s.collector.Spans() {
			require.NotContains(t, span.Attributes+span.Failure+span.Name, person)
			require.NotContains(t, span.Attributes, "u1")
			switch span.Name {
			case "message invitation":
				message = span
			case "activity SendDue":
				round = span
			}
		}
		require.NotEqual(t, theirs, round.Trace, "it works for whoever is in the queue")
		require.Equal(t, []string{round.Trace + "-" + round.ID}, message.Links)
	})
}

// TestTrace_OfABatch_IsTheFirstsAndLinkedWithTheOthers: and what becomes of each event
// is in its own.
func TestTrace_OfABatch_IsTheFirstsAndLinkedWithTheOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, s *story) {
		other := strings.Replace(theirs, "4b", "5c", 1)
		s.post("u1", traceparent)
		s.post("u2", strings.Replace(traceparent, "4b", "5c", 1))
		s.post("u3", strings.Replace(strings.Replace(traceparent, "4b", "6d", 1), "-01", "-00", 1)) // its sender does not record it
		s.mu.Lock()
		s.waiting = nil // the starts are lost
		s.clock = s.clock.Add(time.Minute)
		s.mu.Unlock()
		lost, err := s.store.ClaimInbox(t.Context(), 100, time.Minute)
		require.NoError(t, err)
		require.Len(t, lost, 3)
		require.NoError(t, s.Launcher(s, s.store).ProcessEvents(t.Context(), lost, "")) // as a sweeper does
		s.runAll()

		named := map[string][]tracestest.Span{}
		for _, span := range s.collector.Spans() {
			named[span.Name+" in "+span.Trace] = append(named[span.Name+" in "+span.Trace], span)
		}
		batch, own := named["start ProcessEvents in "+theirs], named["start ProcessEvents in "+other]
		require.Len(t, batch, 2, "the first that was lost, and the sweeper's")
		require.Len(t, own, 2)
		both := batch[1]
		if len(both.Links) == 0 {
			both = batch[0]
		}
		require.Equal(t, []string{other + "-" + requestOf(named, other)}, both.Links)
		var back []string
		for _, o := range own {
			back = append(back, o.Links...)
		}
		require.Equal(t, []string{theirs + "-" + both.ID}, back)
		require.Len(t, named["activity StartRuns in "+theirs], 1)
		require.Empty(t, named["activity StartRuns in "+other])
		for _, trace := range []string{theirs, other} {
			require.Len(t, named["activity BeginRun in "+trace], 1, "a run is in its event's")
			require.Len(t, named["mail in "+trace], 1, "so is its mail")
		}
		for name := range named {
			require.NotRegexp(t, `^(activity (BeginRun|StartRuns)|start RunWorkflow) in [^45]`, name, "who is not recorded is in no trace")
		}
	})
}

func requestOf(named map[string][]tracestest.Span, trace string) string {
	return named["POST /v1/track in "+trace][0].ID
}

// TestTrace_WithoutASendersTrace_BeginsWithTheRequest.
func TestTrace_WithoutASendersTrace_BeginsWithTheRequest(t *testing.T) {
	t.Parallel()
	s := tell(t, "sqlite://"+filepath.Join(t.TempDir(), "segue.db"))
	s.post("u1", "")
	s.post("u2", "00-not-a-trace")
	first := map[string]int{}
	for _, span := range s.collector.Spans() {
		if span.Parent == "" {
			first[span.Name]++
		}
	}
	require.Equal(t, map[string]int{"POST /v1/track": 2}, first)
}
