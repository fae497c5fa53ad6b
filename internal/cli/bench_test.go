package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// benchServer takes events and has processed them when it was asked some times.
type benchServer struct {
	mu     sync.Mutex
	events map[string]bool // message ids
	users  map[string]int  // times asked for
	asked  int
	refuse int // requests to refuse first
}

func (b *benchServer) take(w http.ResponseWriter, r *http.Request) {
	var body struct {
		MessageID, UserID string
		Batch             []struct{ MessageID string }
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse > 0 {
		b.refuse--
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if body.MessageID != "" {
		b.events[body.MessageID] = true
		b.users[body.UserID] = 0
	}
	for _, e := range body.Batch {
		b.events[e.MessageID] = true
	}
}

func (b *benchServer) find(w http.ResponseWriter, r *http.Request) {
	var f map[string]any
	_ = json.NewDecoder(r.Body).Decode(&f)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if m, ok := f["message_id"].(string); ok && b.events[m] || f["status"] == "accepted" && b.asked < 3 {
		_, _ = w.Write([]byte(`{"events":[{"id":"1qk48tfd0100","status":"processed","deliveries":[{"mapping":"m"}]}]}`))
		return
	}
	_, _ = w.Write([]byte(`{"events":[]}`))
}

func (b *benchServer) contact(w http.ResponseWriter, r *http.Request) {
	var f map[string]string
	_ = json.NewDecoder(r.Body).Decode(&f)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users[f["ext_ref"]]++; b.users[f["ext_ref"]] > 2 {
		_, _ = w.Write([]byte(`{"contacts":[{"id":"1qk48tfd0100"}]}`))
		return
	}
	_, _ = w.Write([]byte(`{"contacts":[]}`))
}

func (b *benchServer) start(t *testing.T) string {
	b.events, b.users = map[string]bool{}, map[string]int{}
	return server(t, map[string]http.HandlerFunc{"POST /v1/": b.take, "POST /api/events/search": b.find, "POST /api/contacts/search": b.contact})
}

func TestBench_Loops_CountWhatWasAcknowledgedAndFinished(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"--events 250", "--events 250 --batch 100", "--events 250 --rate 5000", "--events 30 --rate 3000 --batch 7 --connections 1"} {
		b := benchServer{refuse: 3}
		url := b.start(t)
		o := run(t, Program{}, append(strings.Fields("bench --json --write-key k --connections 4 --url "+url), strings.Fields(args)...)...)
		require.Equal(t, 0, o.code, o.err)
		var r loadReport
		require.NoError(t, json.Unmarshal([]byte(o.out), &r))
		require.Len(t, b.events, r.Sent, args)
		require.Equal(t, r.Sent, r.Acknowledged)
		require.Equal(t, 3, r.Retried)
		require.True(t, r.Finished)
		require.Positive(t, r.FinishedPerSec)
		require.LessOrEqual(t, r.Latency.P50, r.Latency.Max)
		require.Empty(t, r.Note)
	}
}

func TestBench_Refused_Exits1(t *testing.T) {
	t.Parallel()
	url := server(t, map[string]http.HandlerFunc{"POST /v1/identify": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }})
	o := run(t, Program{}, "bench", "--events", "3", "--write-key", "k", "--url", url)
	require.Equal(t, 1, o.code)
	require.Contains(t, o.err, "segue: nothing was acknowledged: the server answered 401")
}

func TestBench_Idle_MeasuresUntilTheContactIsThere(t *testing.T) {
	t.Parallel()
	b := benchServer{}
	url := b.start(t)
	o := run(t, Program{}, "bench", "--idle", "3", "--write-key", "k", "--url", url, "--json")
	require.Equal(t, 0, o.code, o.err)
	var r idleReport
	require.NoError(t, json.Unmarshal([]byte(o.out), &r))
	require.Equal(t, 3, r.Events)
	require.Greater(t, r.Visible.P50, r.Acknowledged.P50)
	require.GreaterOrEqual(t, r.Visible.P50, 4.0, "two polls of 2 ms found nothing")
}

func TestGenerator_Events_AreTheSameEveryTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, track := range []bool{false, true} {
		g := newGenerator("run", 100, track, now)
		users := map[int]bool{}
		for i := range 1000 {
			e, err := jsonvalue.ParseObject(g.append(nil, i))
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("bench-run-%d", i), e.Get("messageId"))
			require.Equal(t, g.kind(), e.Get("type"))
			once := g.append(nil, i)
			require.Equal(t, once, g.append(nil, i))
			users[g.user(i)] = true
		}
		require.Len(t, users, 100)
		require.InDelta(t, 1000, len(g.append(nil, 5)), 200)
	}
}

func TestSummarize_NearestRank(t *testing.T) {
	t.Parallel()
	var d []time.Duration
	for i := range 100 {
		d = append(d, time.Duration(i+1)*time.Millisecond)
	}
	require.Equal(t, latencies{P50: 50, P95: 95, P99: 99, Max: 100}, summarize(d))
	require.Equal(t, latencies{P50: 1, P95: 1, P99: 1, Max: 1}, summarize(d[:1]))
	require.Equal(t, latencies{}, summarize(nil))
}
