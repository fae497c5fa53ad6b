package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/pgtest"
	"github.com/segue-xm/segue/internal/data/seal"
	"github.com/segue-xm/segue/internal/observe/traces/tracestest"
	"github.com/segue-xm/segue/internal/temporal/devserver"
)

// TestWatching_OneEvent_IsOneTraceOverStarterAndWorker, and both tell of it at /metrics.
// It sets variables, and so runs alone.
func TestWatching_OneEvent_IsOneTraceOverStarterAndWorker(t *testing.T) {
	collector := tracestest.New(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
	t.Setenv("SEGUE_DEMO_WRITE_KEY", "wk_watching_0123456789")
	server, err := devserver.Start(t.Context(), devserver.Options{Postgres: pgtest.URL(t), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		server.Stop(ctx)
	})
	file := filepath.Join(t.TempDir(), "plan.yaml")
	require.NoError(t, os.WriteFile(file, plan.Onboarding(), 0o600))
	o := Options{
		Mode: Starter, HTTPAddress: "127.0.0.1:0", TemporalAddress: server.Address(), DatabaseURL: pgtest.URL(t),
		EncryptionKey: seal.NewKey(), AdminToken: "watching", Plan: file, Logger: quiet(), Version: "1.2.3",
	}
	starter := start(t, o)
	o.Mode, o.WorkerAddress, o.Plan = Worker, "127.0.0.1:0", ""
	worker := start(t, o)

	const theirs = "4bf92f3577b34da6a3ce929d0e0e4736"
	req, err := http.NewRequest(http.MethodPost, starter.HTTP+"/v1/track", strings.NewReader(tour))
	require.NoError(t, err)
	req.SetBasicAuth("wk_watching_0123456789", "")
	req.Header.Set("Traceparent", "00-"+theirs+"-00f067aa0ba902b7-01")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)

	want := []string{
		"POST /v1/track", "commit", "database StoreEvents", "start ProcessEvents", "activity FilterEvents", "activity MapFields", "database WriteDeliveries",
		"activity StartRuns", "database CreateRuns", "start RunWorkflow", "activity BeginRun", "activity distribute", "database Invite",
		"message invitation", "database Reserve", "mail", "database MessageWasSent",
	}
	by := map[string]string{} // which process made a span
	starter.eventually(func() bool {
		for _, s := range collector.Spans() {
			if s.Trace == theirs {
				by[s.Name] = s.Service
			}
		}
		for _, name := range want {
			if by[name] == "" {
				return false
			}
		}
		return firsts(collector.Tree(theirs)) == 1 // all of it hangs together, once all of it has come
	}, func() string { return "\n" + collector.Tree(theirs) })
	for _, name := range want[:4] {
		require.Equal(t, "segue-starter", by[name], name)
	}
	for _, name := range want[4:] {
		require.Equal(t, "segue-worker", by[name], name)
	}
	for _, s := range collector.Spans() {
		for _, word := range []string{"hana", "u_42", "Hana", "tour-1"} {
			require.NotContains(t, s.Name+" "+s.Attributes+" "+s.Failure, word)
		}
	}

	pages := starter.metrics() + worker.metrics()
	for _, line := range []string{
		`segue_events_total{outcome="accepted"} 1`, `segue_activities_total{activity="MapFields",outcome="ok"} `, `segue_activities_total{activity="distribute",outcome="ok"} 1`,
		`segue_effects_total{kind="run",outcome="done"} 1`, `segue_messages_total{by="mail",kind="invitation",outcome="sent"} 1`,
		`segue_events_waiting 0`, `segue_destination_state{destination="`, `segue_temporal_up 1`, `temporal_request_total{`, `segue_database_transactions_total{outcome="ok"}`,
		`mode="worker",version="1.2.3"} 1`,
	} {
		require.Contains(t, pages, line)
	}
	docs, err := os.ReadFile("../../docs/metrics.md")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (segue_\w+) `).FindAllStringSubmatch(pages, -1) {
		require.Regexp(t, "\\| `"+m[1]+"[{`]", string(docs))
	}
}

// firsts counts the spans of a drawn trace that are below none.
func firsts(tree string) (n int) {
	for line := range strings.Lines(tree) {
		if !strings.HasPrefix(line, " ") {
			n++
		}
	}
	return n
}

// metrics is a process's page for Prometheus.
func (r *running) metrics() string {
	r.t.Helper()
	res, err := http.Get(r.HTTP + "/metrics")
	require.NoError(r.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	require.Equal(r.t, http.StatusOK, res.StatusCode)
	return string(text)
}
