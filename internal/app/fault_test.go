package app

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	_ "modernc.org/sqlite"

	"github.com/segue-xm/segue/internal/data/pgtest"
)

// clients post requests side by side and note what was acknowledged.
type clients struct {
	queue    chan request
	done     sync.WaitGroup
	again    atomic.Int64 // attempts beyond the first
	mu       sync.Mutex
	acked    map[string]bool
	failures []error
}

func startClients(ctx context.Context, n int, key string, bases ...string) *clients {
	c := &clients{queue: make(chan request, 100_000), acked: map[string]bool{}}
	client := &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: n}}
	for i := range n {
		c.done.Go(func() {
			// Each client begins with another address, so that all are used.
			mine := append(append([]string(nil), bases[i%len(bases):]...), bases[:i%len(bases)]...)
			for q := range c.queue {
				attempts, err := delivered(ctx, client, key, q.path, q.body, mine...)
				c.again.Add(int64(max(attempts-1, 0)))
				c.mu.Lock()
				if err != nil {
					c.failures = append(c.failures, err)
				} else {
					for _, id := range q.ids {
						c.acked[id] = true
					}
				}
				c.mu.Unlock()
			}
		})
	}
	return c
}

func (c *clients) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.acked)
}

// truth reads the database beside the process that uses it.
type truth struct {
	*sqlx.DB
	t *testing.T
}

func openTruth(t *testing.T, url string) truth {
	t.Helper()
	var db *sqlx.DB
	var err error
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		db, err = sqlx.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=query_only(true)")
	} else {
		db, err = sqlx.Open("pgx", url)
	}
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return truth{db, t}
}

func (d truth) number(query string) (n int) {
	d.t.Helper()
	require.NoError(d.t, d.Get(&n, query), query)
	return n
}

// unfinished are the queues and states that are empty when nothing is left to do.
var unfinished = []string{
	"inbox", "delivery_queue", "handovers", "deliveries WHERE status NOT IN ('done', 'rejected')", "runs WHERE ended_at IS NULL",
	"run_tasks WHERE ended_at IS NULL", "distribution_queue WHERE kind = 'invitation'", "invitations WHERE status = 'pending'",
	"messages WHERE status = 'reserved'",
}

// rest says what is left to do, "" when nothing is.
func (d truth) rest() string {
	d.t.Helper()
	var parts []string
	for _, what := range unfinished {
		if n := d.number("SELECT count(*) FROM " + what); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	return strings.Join(parts, ", ")
}

// settled waits until nothing is left to do.
func (d truth) settled(limit time.Duration) time.Duration {
	d.t.Helper()
	return until(d.t, limit, func() (bool, string) {
		rest := d.rest()
		return rest == "", rest
	})
}

// counts reads pairs of a text and a number.
func (d truth) counts(query string) map[string]int64 {
	d.t.Helper()
	var rows []struct {
		Name string
		N    int64
	}
	require.NoError(d.t, d.Select(&rows, query), query)
	m := map[string]int64{}
	for _, r := range rows {
		_, twice := m[r.Name]
		require.False(d.t, twice, "%s is there twice: %s", r.Name, query)
		m[r.Name] = r.N
	}
	return m
}

// holds checks that every event has had its effect, and once.
func (w *traffic) holds(t *testing.T, d truth, acked map[string]bool) {
	t.Helper()
	require.Len(t, acked, w.events, "acknowledged events")
	stored := d.counts("SELECT message_id AS name, id AS n FROM events WHERE refusal IS NULL")
	require.Len(t, stored, w.events, "stored events")
	for id := range acked {
		require.Contains(t, stored, id, "an acknowledged event is gone")
	}
	require.Equal(t, w.events, d.number("SELECT count(*) FROM event_keys"))

	require.Equal(t, map[string]int64{"done": int64(w.events - w.pages)}, d.counts("SELECT status AS name, count(*) AS n FROM deliveries GROUP BY status"))

	var contacts []struct{ Ref, Name, Data string }
	require.NoError(t, d.Select(&contacts, "SELECT ext_ref AS ref, first_name AS name, embedded_data AS data FROM contacts"))
	have := map[string]expected{}
	for _, c := range contacts {
		require.NotContains(t, have, c.Ref, "a person has two contacts")
		plan := ""
		if _, rest, ok := strings.Cut(c.Data, `"plan":"`); ok {
			plan, _, _ = strings.Cut(rest, `"`)
		}
		have[c.Ref] = expected{c.Name, plan, true}
	}
	want := map[string]expected{}
	for user, p := range w.people {
		if p.there {
			want[user] = *p
		}
	}
	require.Equal(t, want, have)
	require.Zero(t, d.number("SELECT count(*) FROM possible_duplicates"))

	require.Equal(t, len(w.orders), d.number("SELECT count(*) FROM transactions"))
	var transactions []struct {
		Data string
		Date int64
		User string
		Ref  string
	}
	require.NoError(t, d.Select(&transactions, `SELECT t.data, t.date, e.user_id AS "user", c.ext_ref AS ref FROM transactions t
		JOIN events e ON e.id = t.event JOIN contacts c ON c.id = t.contact`))
	dates := map[string]int64{}
	for _, tr := range transactions {
		_, rest, _ := strings.Cut(tr.Data, `"order_id":"`)
		order, _, _ := strings.Cut(rest, `"`)
		dates[order] = tr.Date
		require.Equal(t, tr.User, tr.Ref, "the transaction is on its buyer")
	}
	require.Equal(t, w.orders, dates)

	ends := d.counts("SELECT status AS name, count(*) AS n FROM runs GROUP BY status")
	require.Equal(t, map[string]int64{"done": int64(w.started), "not_started": int64(w.tours - w.started)}, ends)
	require.Equal(t, w.tours, d.number("SELECT count(DISTINCT event) FROM runs"))
	require.Equal(t, map[string]int64{"know": int64(w.started), "ask": int64(w.started)},
		d.counts("SELECT step AS name, count(*) AS n FROM run_tasks WHERE status = 'done' GROUP BY step"))

	sent := w.started - w.skipped
	require.Equal(t, 1, d.number("SELECT count(*) FROM distributions"), "it is the same step of all of them")
	require.Equal(t, w.started, d.number("SELECT count(*) FROM invitations"))
	invitations := map[string]int64{"sent": int64(sent)}
	if w.skipped > 0 {
		invitations["skipped"] = int64(w.skipped)
	}
	require.Equal(t, invitations, d.counts("SELECT status AS name, count(*) AS n FROM invitations GROUP BY status"))
	require.Equal(t, map[string]int64{"sent": int64(sent)}, d.counts("SELECT status AS name, count(*) AS n FROM messages GROUP BY status"))
	mails := map[string]int64{}
	for address, n := range w.mails {
		mails[address] = int64(n)
	}
	require.Equal(t, mails, d.counts("SELECT recipient AS name, count(*) AS n FROM outbox GROUP BY recipient"))
}

// TestRun_KilledAtAnyMoment_EveryEventHasItsEffectOnce posts events while the
// process is killed again and again, as by a power cut, and counts at the end.
func TestRun_KilledAtAnyMoment_EveryEventHasItsEffectOnce(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("SEGUE_FAULT_SEED"); text != "" {
		_, err := fmt.Sscan(text, &seed)
		require.NoError(t, err)
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		killed(t, seed, childOptions{Mode: Dev, DataDir: dir, DatabaseURL: "sqlite://" + filepath.Join(dir, "segue.db")}, 2000, 300, 8)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		killed(t, seed, childOptions{Mode: Dev, DataDir: t.TempDir(), DatabaseURL: pgtest.URL(t)}, 800, 120, 5)
	})
}

func killed(t *testing.T, seed uint64, o childOptions, events, people, kills int) {
	begin := time.Now()
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("SEGUE_FAULT_SEED=%d", seed)
	w := makeTraffic(r, events, people)
	c := startChild(t, "segue", o)
	d := openTruth(t, o.DatabaseURL)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	senders := startClients(ctx, 6, c.WriteKey, c.HTTP)

	// Killed while events are stored, while they are applied, while runs send mails.
	phases := []struct {
		name  string
		count func() int
		most  int // of the phase's effects between two kills
	}{
		{"stored", senders.count, events / kills},
		{"applied", func() int { return d.number("SELECT count(*) FROM deliveries WHERE status = 'done'") }, events / kills},
		{"mailed", func() int { return d.number("SELECT count(*) FROM outbox") }, (w.started - w.skipped) / kills},
	}
	var at []string
	next := 0
	for k := range kills {
		share := min(len(w.requests), (k+1)*len(w.requests)/max(kills-2, 1)) // all are sent by the last kills
		for ; next < share; next++ {
			senders.queue <- w.requests[next]
		}
		p := phases[k%len(phases)]
		goal := p.count() + 1 + r.IntN(p.most)
		until(t, 3*time.Minute, func() (bool, string) {
			n := p.count()
			over := k%len(phases) > 0 && senders.count() == w.events && d.rest() == ""
			return n >= goal || over || n == w.events, fmt.Sprintf("%d %s of %d, to do: %s", n, p.name, goal, d.rest())
		})
		c.kill()
		at = append(at, fmt.Sprintf("%d stored %d applied %d mailed", phases[0].count(), phases[1].count(), phases[2].count()))
		c.start(t)
	}
	for ; next < len(w.requests); next++ {
		senders.queue <- w.requests[next]
	}
	close(senders.queue)
	senders.done.Wait()
	require.Empty(t, senders.failures)
	took := d.settled(5 * time.Minute)
	w.holds(t, d, senders.acked)
	oneDistribute(t, c)
	t.Logf("%d events of %d people in %d requests, %d events sent twice, %d requests repeated after failures; all done %.1fs after the last acknowledgement, %.1fs in all; messages tried again: %d",
		w.events, people, len(w.requests), w.events/3, senders.again.Load(), took.Seconds(), time.Since(begin).Seconds(),
		d.number("SELECT coalesce(sum(attempts - 1), 0) FROM messages"))
	t.Logf("killed %d times, at %s", kills, strings.Join(at, "; "))
}

// oneDistribute requires that all runs' people were sent to by one workflow, whatever
// was killed meanwhile.
func oneDistribute(t *testing.T, c *child) {
	t.Helper()
	temporal, err := client.Dial(client.Options{HostPort: c.Temporal, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	defer temporal.Close()
	until(t, time.Minute, func() (bool, string) { // visibility is written late
		page, err := temporal.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: "WorkflowType = 'Distribute'"})
		require.NoError(t, err)
		ids := map[string]bool{}
		for _, e := range page.Executions {
			ids[e.Execution.WorkflowId] = true
		}
		t.Logf("%d executions of Distribute", len(page.Executions))
		require.LessOrEqual(t, len(ids), 1)
		return len(ids) == 1, "no Distribute to be seen"
	})
}

const waitingPlan = `
version: 1
sources:
  - name: web
    write_keys: ["${SEGUE_DEMO_WRITE_KEY}"]
directories:
  - name: customers
    default: true
    merge_rules: [[ext_ref]]
    mailing_lists: [everyone]
destinations:
  - {name: xm, type: directory, directory: customers}
mappings:
  - {name: start, source: web, destination: xm, action: start_workflow, workflow: patience, when: type = "track"}
workflows:
  - name: patience
    fields:
      - {name: user, path: $.userId, type: string, required: true}
    steps:
      - {id: rest, wait: {for: 4s}}
      - id: know
        task: update_contact
        with: {contact: {ext_ref: "{{ fields.user }}", first_name: Rested}}
`

// TestRun_KilledWhileARunWaits_TheRunGoesOn kills the process during a run's wait.
// The wait ends when it would have ended, and the steps after it are done.
func TestRun_KilledWhileARunWaits_TheRunGoesOn(t *testing.T) {
	const key = "wk_waiting_0123456789"
	t.Setenv("SEGUE_DEMO_WRITE_KEY", key)
	dir := t.TempDir()
	file := filepath.Join(dir, "plan.yaml")
	require.NoError(t, os.WriteFile(file, []byte(waitingPlan), 0o600))
	o := childOptions{Mode: Dev, DataDir: dir, DatabaseURL: "sqlite://" + filepath.Join(dir, "segue.db"), PlanFile: file}
	c := startChild(t, "segue", o)
	d := openTruth(t, o.DatabaseURL)
	_, err := delivered(t.Context(), http.DefaultClient, key, "/v1/track", `{"messageId":"w-1","userId":"u-1","event":"Slept"}`, c.HTTP)
	require.NoError(t, err)
	until(t, 30*time.Second, func() (bool, string) {
		return d.number("SELECT count(*) FROM run_tasks WHERE step = 'rest' AND status = 'waiting'") == 1, d.rest()
	})
	c.kill()
	require.Equal(t, 1, d.number("SELECT count(*) FROM run_tasks"), "nothing after the wait was begun")
	c.start(t)
	s := c.as(t)
	run := s.list("runs", "runs", having("status", "done"))[0]
	require.Equal(t, "done", run["status"])
	require.Equal(t, "Rested", s.list("contacts?ext_ref=u-1", "contacts", some)[0]["first_name"])
	var steps []struct {
		Step               string
		Attempts           int
		StartedAt, EndedAt int64
	}
	require.NoError(t, d.Select(&steps, "SELECT step, attempts, started_at AS startedat, ended_at AS endedat FROM run_tasks ORDER BY position"))
	require.Len(t, steps, 2)
	require.GreaterOrEqual(t, steps[0].EndedAt-steps[0].StartedAt, int64(3900), "the wait is as long as the plan says")
	require.Less(t, steps[0].EndedAt-steps[0].StartedAt, int64(20_000))
	require.Equal(t, 1, d.number("SELECT count(*) FROM contacts"))
	require.Empty(t, d.rest())
}
