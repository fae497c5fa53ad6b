package traces

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	sdk "go.temporal.io/sdk/worker"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/observe/traces/tracestest"
	"github.com/segue-xm/segue/internal/outside/courier"
)

// TestStart_AsTheStandardVariablesSay sets variables, and so runs alone.
func TestStart_AsTheStandardVariablesSay(t *testing.T) {
	c := tracestest.New(t)
	quiet := Options{Service: "segue-test", Version: "1.2.3", Logger: slog.New(slog.DiscardHandler)}
	for name, v := range map[string]struct {
		env     map[string]string
		on      bool
		problem string
		service string
	}{
		"nothing is set":         {nil, false, "", ""},
		"an endpoint":            {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}, true, "", "segue-test"},
		"one for traces":         {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": c.URL + "/v1/traces"}, true, "", "segue-test"},
		"a name":                 {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_SERVICE_NAME": "mine"}, true, "", "mine"},
		"sampled away":           {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_TRACES_SAMPLER": "always_off"}, true, "", ""},
		"grpc":                   {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, true, "", ""},
		"switched off":           {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_SDK_DISABLED": "TRUE"}, false, "", ""},
		"no traces":              {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_TRACES_EXPORTER": "none"}, false, "", ""},
		"a protocol we have not": {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, false, "OTEL_EXPORTER_OTLP_PROTOCOL", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for k, val := range v.env {
				t.Setenv(k, val)
			}
			before := len(c.Spans())
			got, err := Start(t.Context(), quiet)
			if v.problem != "" {
				require.ErrorContains(t, err, v.problem)
				require.Equal(t, fault.Invalid, fault.KindOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, v.on, got != nil)
			if got == nil {
				got.Stop(t.Context()) // nothing is there to stop
				return
			}
			_, end := got.start(t.Context(), name)
			end(nil)
			stop, cancel := context.WithCancel(t.Context())
			if v.env["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc" {
				cancel() // nobody is there to take it
			}
			defer cancel()
			got.Stop(stop)
			sent := c.Spans()[before:]
			if v.service == "" {
				require.Empty(t, sent)
				return
			}
			require.Len(t, sent, 1)
			require.Equal(t, v.service, sent[0].Service)
		})
	}
}

func TestNil_ChangesNothing(t *testing.T) {
	t.Parallel()
	var t0 *Traces
	m, a, l := store.Outbox{}, &oneAccount{}, &story{}
	require.Nil(t, t0.Ingest())
	require.Nil(t, t0.Propagators())
	require.Nil(t, t0.Activities())
	require.Nil(t, t0.Calls())
	require.Nil(t, t0.Message(nil))
	require.Equal(t, m, t0.Mail(m))
	require.Same(t, a, t0.Accounts(a, nil))
	require.Same(t, l, t0.Launcher(l, nil))
}

// recorded is traces whose spans are seen at once.
func recorded(t *testing.T) (*Traces, *tracetest.InMemoryExporter) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	p := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	t.Cleanup(func() { _ = p.Shutdown(context.Background()) })
	return New(p), spans
}

// oneAccount answers what it is told to.
type oneAccount struct {
	courier.Account
	o delivery.Outcome
}

func (a *oneAccount) Open(context.Context, *routing.Destination, string) (courier.Account, error) {
	return a, nil
}
func (a *oneAccount) Deliver(context.Context, delivery.Attempt) delivery.Outcome { return a.o }
func (a *oneAccount) Send(context.Context, distribution.Outgoing) (distribution.Remote, delivery.Outcome) {
	return distribution.Remote{}, a.o
}
func (a *oneAccount) Progress(context.Context, distribution.Remote) (distribution.Progress, delivery.Outcome) {
	return distribution.Progress{}, a.o
}

// oneTrace is what is kept of everything.
type oneTrace struct{ mark []byte }

func (k oneTrace) EventTraces(_ context.Context, events []id.ID) ([]store.TracedEvent, error) {
	return []store.TracedEvent{{Event: events[0], Trace: k.mark}}, nil
}
func (k oneTrace) RunTrace(context.Context, id.ID) ([]byte, error)        { return k.mark, nil }
func (k oneTrace) InvitationTrace(context.Context, id.ID) ([]byte, error) { return k.mark, nil }

func TestAccounts_AttemptsAreInTheTraceOfTheirEvent(t *testing.T) {
	t.Parallel()
	tr, spans := recorded(t)
	ctx, request := tr.tracer.Start(t.Context(), "request")
	kept := oneTrace{mark(request.SpanContext())}
	ctx, round := tr.tracer.Start(trace.ContextWithSpanContext(ctx, trace.SpanContext{}), "round")
	a, err := tr.Accounts(&oneAccount{o: delivery.Outcome{Err: fault.New(fault.Unavailable, person), RequestIDs: []string{"r-1"}}}, kept).
		Open(ctx, &routing.Destination{Def: plan.Destination{Name: "acme"}}, "")
	require.NoError(t, err)
	a.Deliver(ctx, delivery.Attempt{Event: 1, Action: plan.UpsertContact})
	_, _ = a.Send(ctx, distribution.Outgoing{Invitation: 1})
	_, _ = a.Progress(ctx, distribution.Remote{})
	got := spans.GetSpans()
	require.Len(t, got, 3)
	for i, name := range []string{"account upsert_contact", "account distribute", "account progress"} {
		s := got[i]
		require.Equal(t, name, s.Name)
		require.Equal(t, "unavailable", s.Status.Description, "the kind, and no words")
		if i == 2 {
			require.Equal(t, round.SpanContext().SpanID(), s.Parent.SpanID(), "a look is the round's")
			continue
		}
		require.Equal(t, request.SpanContext().SpanID(), s.Parent.SpanID())
		require.Len(t, s.Links, 1)
		require.Equal(t, round.SpanContext().SpanID(), s.Links[0].SpanContext.SpanID())
	}
}

func TestCommit_OfManyRequests_IsTheFirstsAndLinkedWithTheOthers(t *testing.T) {
	t.Parallel()
	tr, spans := recorded(t)
	first, one := tr.tracer.Start(t.Context(), "first")
	second, other := tr.tracer.Start(t.Context(), "second")
	ctx, end := tr.Ingest().Commit(t.Context(), []context.Context{t.Context(), first, second})
	require.Equal(t, one.SpanContext().TraceID(), trace.SpanContextFromContext(ctx).TraceID())
	end()
	other.End()
	got := spans.GetSpans()
	require.Equal(t, "commit", got[0].Name)
	require.Equal(t, other.SpanContext().SpanID(), got[0].Links[0].SpanContext.SpanID())
	require.Equal(t, got[0].SpanContext.SpanID(), got[1].Links[0].SpanContext.SpanID())

	none, end := tr.Ingest().Commit(t.Context(), []context.Context{t.Context()})
	end()
	require.Equal(t, t.Context(), none, "nobody is recorded")
}

func TestCalls_TheServiceCanGoOn_AndNothingSaysWhere(t *testing.T) {
	t.Parallel()
	var got string
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Traceparent") }))
	t.Cleanup(service.Close)
	tr, spans := recorded(t)
	c := http.Client{Transport: tr.Calls()(http.DefaultTransport)}
	call := func(ctx context.Context) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, service.URL+"/"+person, nil)
		require.NoError(t, err)
		res, err := c.Do(req)
		require.NoError(t, err)
		res.Body.Close()
		require.Empty(t, req.Header, "the caller's request is its own")
	}
	call(t.Context())
	require.Empty(t, got)
	ctx, span := tr.tracer.Start(t.Context(), "task")
	call(ctx)
	s := spans.GetSpans()[0]
	require.Equal(t, "call POST", s.Name)
	require.Equal(t, span.SpanContext().SpanID(), s.Parent.SpanID())
	require.Equal(t, "00-"+s.SpanContext.TraceID().String()+"-"+s.SpanContext.SpanID().String()+"-01", got)
	for _, a := range s.Attributes {
		require.NotContains(t, a.Value.String(), person)
	}
}

// header is one of Temporal's, as a reader.
type header map[string]*commonpb.Payload

func (h header) Get(key string) (*commonpb.Payload, bool) { p, ok := h[key]; return p, ok }
func (h header) ForEachKey(func(string, *commonpb.Payload) error) error {
	return nil
}

func TestPropagator_AHeaderThatCannotBeRead_StopsNothing(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]header{
		"none": {}, "empty": {headerKey: {}}, "another's": {headerKey: {Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`[1]`)}},
		"no trace": {headerKey: {Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`{"traceparent":"x"}`)}},
	} {
		ctx, err := propagator{}.Extract(t.Context(), h)
		require.NoError(t, err, name)
		require.False(t, trace.SpanContextFromContext(ctx).IsValid(), name)
	}
}

func TestActivities_OfNobodyWhoIsTraced_HaveNoSpan_APanicsEnds(t *testing.T) {
	t.Parallel()
	tr, spans := recorded(t)
	run := func(do func(context.Context) error, ctx context.Context) {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
		env := suite.NewTestActivityEnvironment()
		env.SetContextPropagators(tr.Propagators())
		env.SetWorkerOptions(sdk.Options{Interceptors: tr.Activities()})
		w := started{header: &commonpb.Header{Fields: map[string]*commonpb.Payload{}}}
		require.NoError(t, propagator{}.Inject(ctx, w))
		env.SetHeader(w.header)
		env.RegisterActivityWithOptions(do, activity.RegisterOptions{Name: "Do"})
		_, _ = env.ExecuteActivity(do)
	}
	run(func(context.Context) error { return nil }, t.Context())
	require.Empty(t, spans.GetSpans())
	ctx, _ := tr.tracer.Start(t.Context(), "event")
	run(func(context.Context) error { panic(person) }, ctx)
	run(func(context.Context) error { return fault.New(fault.Conflict, person) }, ctx)
	got := spans.GetSpans()
	require.Len(t, got, 2)
	require.Equal(t, "conflict", got[1].Status.Description)
	require.Contains(t, got[0].Attributes, attributePanic)
}

func FuzzMarked(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(make([]byte, markSize))
	f.Add([]byte("0123456789abcdef01234567\x01"))
	f.Add([]byte("0123456789abcdef01234567\x01 and more"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := marked(b)
		if again := mark(c); again != nil {
			require.Equal(t, b, again, "what is kept is read as it was")
		}
	})
}
