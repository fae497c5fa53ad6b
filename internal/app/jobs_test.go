package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/data/pgtest"
)

const replayPlan = `
version: 1
sources:
  - name: web
    write_keys: ["${SEGUE_DEMO_WRITE_KEY}"]
directories:
  - {name: customers, default: true, merge_rules: [[ext_ref]], mailing_lists: [everyone]}
destinations:
  - {name: xm, type: directory, directory: customers}
mappings:
  - {name: note, source: web, destination: xm, action: upsert_transaction, when: type = "track", fields: {transactionData: {n: {"@path": $.properties.n}}}}
  - {name: start, source: web, destination: xm, action: start_workflow, workflow: short, when: type = "track"}
workflows:
  - name: short
    fields: [{name: user, path: $.userId, type: string}]
    steps: [{id: end, stop: {reason: short}}]
`

// tell posts to the API.
func (r *running) tell(path, body string) (answer object) {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodPost, r.HTTP+"/api/"+path, strings.NewReader(body))
	require.NoError(r.t, err)
	req.Header.Set("Authorization", "Bearer "+r.AdminToken)
	res, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	require.Less(r.t, res.StatusCode, 300, "%s: %s", path, text)
	require.NoError(r.t, json.Unmarshal(text, &answer))
	return answer
}

// job waits until a job has this status.
func (r *running) job(id, status string) (j object) {
	r.t.Helper()
	r.eventually(func() bool {
		j = nil
		r.get("jobs/"+id, &j)
		return j["status"] == status
	}, func() string { return fmt.Sprint(j["status"], j["done"], j["reason"]) })
	return j
}

// TestReplay_KilledInTheMiddle_EachEffectOnce replays by force, kills the process
// after some pages, and counts: each event has the one transaction it had and one run
// more.
func TestReplay_KilledInTheMiddle_EachEffectOnce(t *testing.T) {
	const key = "wk_replayed_0123456789"
	t.Setenv("SEGUE_DEMO_WRITE_KEY", key)
	for name, url := range map[string]func(t *testing.T, dir string) string{
		"sqlite":   func(_ *testing.T, dir string) string { return "sqlite://" + filepath.Join(dir, "segue.db") },
		"postgres": func(t *testing.T, _ string) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "plan.yaml")
			require.NoError(t, os.WriteFile(file, []byte(replayPlan), 0o600))
			c := startChild(t, "segue", childOptions{Mode: Dev, DataDir: dir, DatabaseURL: url(t, dir), PlanFile: file})
			d := openTruth(t, c.options.DatabaseURL)
			const events, batch = 1000, 100
			for n := 0; n < events; n += batch {
				var items []string
				for i := n; i < n+batch; i++ {
					items = append(items, fmt.Sprintf(`{"type":"track","event":"Did","messageId":"r-%d","userId":"u-%d","properties":{"n":%d}}`, i, i%50, i))
				}
				_, err := delivered(t.Context(), http.DefaultClient, key, "/v1/batch", `{"batch":[`+strings.Join(items, ",")+`]}`, c.HTTP)
				require.NoError(t, err)
			}
			d.settled(3 * time.Minute)
			transactions := d.counts("SELECT data AS name, id AS n FROM transactions")
			require.Len(t, transactions, events)

			s := c.as(t)
			dry := s.job(s.tell("replays", `{"filter":{"source":"web"},"dry_run":true}`)["id"].(string), "done")
			require.Equal(t, map[string]any{"events": float64(events), "done": float64(2 * events)}, dry["counts"])
			require.Equal(t, events, d.number("SELECT count(*) FROM runs"), "a dry run writes nothing")

			job := s.tell("replays", `{"filter":{"source":"web"},"force":true}`)["id"].(string)
			until(t, time.Minute, func() (bool, string) {
				n := d.number("SELECT done FROM jobs ORDER BY id DESC LIMIT 1")
				return n >= 2*batch, fmt.Sprint(n)
			})
			c.kill()
			before := d.number("SELECT done FROM jobs ORDER BY id DESC LIMIT 1")
			c.start(t)
			done := c.as(t).job(job, "done")
			d.settled(3 * time.Minute)
			t.Logf("killed after %d of %d events", before, events)
			require.Equal(t, map[string]any{"events": float64(events), "forced": float64(2 * events)}, done["counts"])
			require.Equal(t, 2*events, d.number("SELECT count(*) FROM job_items WHERE outcome = 'forced'"))
			require.Equal(t, transactions, d.counts("SELECT data AS name, id AS n FROM transactions"), "the same rows")
			require.Equal(t, map[string]int64{"0": events, "1": events}, d.counts("SELECT CAST(generation AS text) AS name, count(*) AS n FROM runs WHERE status = 'done' GROUP BY generation"))
			require.Equal(t, events, d.number("SELECT count(*) FROM runs a JOIN runs b ON b.id = a.replay_of WHERE a.event = b.event"))
			require.Equal(t, map[string]int64{"done": 2 * events}, d.counts("SELECT status AS name, count(*) AS n FROM deliveries GROUP BY status"))
		})
	}
}

// replayed is a part of the story that histories are made of: everything is looked at
// once more, and nothing is done twice.
func (s *story) replayed() {
	s.t.Helper()
	for _, dry := range []string{"true", "false"} {
		done := s.job(s.tell("replays", `{"filter":{"source":"web"},"dry_run":`+dry+`}`)["id"].(string), "done")
		require.Positive(s.t, done["counts"].(map[string]any)["done"])
	}
}
