package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/pgtest"
	"github.com/segue-xm/segue/internal/data/seal"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/temporal/devserver"
)

// ask reads a path of a process and wants it well.
func (c *child) ask(t *testing.T, path string) string {
	t.Helper()
	res, err := http.Get(c.HTTP + path)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, "%s%s: %s", c.name, path, text)
	return string(text)
}

// well asks a process what a load balancer, an orchestrator and Prometheus ask.
func (c *child) well(t *testing.T) {
	t.Helper()
	require.JSONEq(t, `{"status":"ok"}`, c.ask(t, "/healthz"))
	var ready struct {
		Ready bool
		Parts []struct{ Name, Status string }
	}
	require.NoError(t, json.Unmarshal([]byte(c.ask(t, "/readyz")), &ready))
	require.True(t, ready.Ready)
	for _, p := range ready.Parts {
		require.Equal(t, "ok", p.Status, "%s: %s", c.name, p.Name)
	}
	require.Contains(t, c.ask(t, "/metrics"), "go_goroutines")
}

// apply puts a plan in force over the API.
func (c *child) apply(t *testing.T, text []byte, secrets map[string]string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"plan": string(text), "secrets": secrets})
	require.NoError(t, err)
	req, err := http.NewRequest(http.MethodPost, c.HTTP+"/api/plan/apply", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+c.options.AdminToken)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	require.Equal(t, http.StatusOK, res.StatusCode, "%s", answer)
}

// TestTopology_StarterAndWorkerKilled_TheOthersDoEverythingOnce is production in
// small: Temporal and Segue on PostgreSQL, two starters and two workers as
// processes of their own, of which one each dies in the middle.
func TestTopology_StarterAndWorkerKilled_TheOthersDoEverythingOnce(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	server, err := devserver.Start(t.Context(), devserver.Options{
		Postgres: pgtest.URL(t), Logger: slog.New(slog.DiscardHandler), // it reports every caller that was killed
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		server.Stop(ctx)
	})
	temporal := time.Since(begin)

	o := childOptions{TemporalAddress: server.Address(), DatabaseURL: pgtest.URL(t), EncryptionKey: seal.NewKey(), AdminToken: store.NewToken(), DataDir: t.TempDir()}
	var all []*child
	for i, mode := range []Mode{Starter, Starter, Worker, Worker} {
		o.Mode = mode
		all = append(all, startChild(t, fmt.Sprintf("%s %d", mode, i%2+1), o))
	}
	starters, workers := all[:2], all[2:]
	for _, c := range all {
		c.well(t)
	}
	up := time.Since(begin)

	const key = "wk_topology_0123456789"
	starters[0].apply(t, plan.Onboarding(), map[string]string{"SEGUE_DEMO_WRITE_KEY": key})
	ctx, cancel := context.WithTimeout(context.Background(), 2*3*time.Minute)
	defer cancel()
	const people = 80
	w := makeTraffic(rand.New(rand.NewPCG(1, 2)), 600, people)
	senders := startClients(ctx, 4, key, starters[1].HTTP, starters[0].HTTP)
	half := len(w.requests) / 2
	for _, q := range w.requests[:half] {
		senders.queue <- q
	}
	d := openTruth(t, o.DatabaseURL)
	until(t, 30*time.Second, func() (bool, string) {
		n := d.number("SELECT count(*) FROM outbox")
		return n >= 5, fmt.Sprintf("%d mails, to do: %s", n, d.rest())
	})
	workers[0].kill()
	for _, q := range w.requests[half:] {
		senders.queue <- q
	}
	acked := senders.count()
	until(t, 30*time.Second, func() (bool, string) {
		return senders.count() >= acked+20, fmt.Sprintf("%d acknowledged of %d", senders.count(), w.events)
	})
	starters[0].kill()
	rest := d.rest()
	close(senders.queue)
	senders.done.Wait()
	require.Empty(t, senders.failures)
	took := d.settled(3 * time.Minute)
	w.holds(t, d, senders.acked)

	for _, c := range []*child{starters[1], workers[1]} {
		c.well(t)
	}
	require.Contains(t, starters[1].ask(t, "/metrics"), `segue_events_total{outcome="accepted"}`)
	starters[1].as(t).list("runs?limit=1", "runs", some)
	t.Logf("%d events in %d requests, %d repeated after failures; when the second process was killed: %s; all done %.1fs after the last acknowledgement; Temporal up after %.1fs, all five after %.1fs, %.1fs in all",
		w.events, len(w.requests), senders.again.Load(), rest, took.Seconds(), temporal.Seconds(), up.Seconds(), time.Since(begin).Seconds())
}
