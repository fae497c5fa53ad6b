package cli

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// aJob is a job as the API answers it, in a status.
func aJob(status, more string) string {
	return `{"id": "1qk48tfd0100", "kind": "replay", "status": "` + status + `", "author": "api", "done": 1200, "total": 5000,
		"counts": {"events": 90, "new": 2}, "started_at": "2026-10-22T14:00:00Z", "replay": {"filter": {"source": "web"}, "dry_run": true}` + more + `}`
}

func answers(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func TestReplay_Waits_SaysWhatItCounted(t *testing.T) {
	t.Parallel()
	var asked string
	looks := 0
	url := server(t, map[string]http.HandlerFunc{
		"POST /api/replays": func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			asked = string(b)
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, aJob("running", ""))
		},
		"GET /api/jobs/1qk48tfd0100": func(w http.ResponseWriter, _ *http.Request) {
			looks++
			_, _ = io.WriteString(w, aJob("done", `, "ended_at": "2026-10-22T14:00:03Z", "report": {"rows": 2, "items": [], "deliveries": {"done": 1, "rejected": 1}}`))
		},
	})
	o := run(t, Program{}, "replay", "--source", "web", "--since", "2026-10-01", "--until", "2026-10-02T00:00:00Z", "--mapping", "keep", "--type", "track", "--name", "Tour",
		"--event", "1qk48tfd0101", "--dry-run", "--force", "--url", url)
	require.Equal(t, outcome{out: `● 1qk48tfd0100 done (replay, dry run): 1200 of 5000 looked at in 3s
  events       90
  new          2
  deliveries done: 1
  deliveries rejected: 1
`}, o)
	require.Equal(t, 1, looks)
	require.JSONEq(t, `{"dry_run": true, "force": true, "filter": {"source": "web", "since": "2026-10-01T00:00:00Z", "until": "2026-10-02T00:00:00Z", "mapping": "keep",
		"type": "track", "event": "Tour", "ids": ["1qk48tfd0101"]}}`, asked)
	o = run(t, Program{}, "replay", "--type", "track", "--no-wait", "--json", "--url", url)
	require.JSONEq(t, aJob("running", ""), o.out)
	require.Equal(t, 1, looks, "it did not wait")
	require.Equal(t, 2, run(t, Program{}, "replay", "--since", "yesterday", "--url", url).code)
}

func TestReplay_JobThatFails_Exits1(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"failed", "cancelled"} {
		url := server(t, map[string]http.HandlerFunc{"POST /api/replays": answers(aJob(status, `, "reason": "it makes no sense"`))})
		o := run(t, Program{}, "replay", "--type", "track", "--url", url)
		require.Equal(t, 1, o.code)
		require.Contains(t, o.out, "it makes no sense")
		require.Equal(t, "segue: the job 1qk48tfd0100 is "+status+"\n", o.err)
	}
}

func TestJobs_ListShowAndChange(t *testing.T) {
	t.Parallel()
	items := `{"items": [{"n": 1, "event": "1qk48tfd0101", "mapping": "keep", "outcome": "differs", "status": "done", "differs": ["email", "phone"]},
		{"n": 2, "event": "1qk48tfd0102", "mapping": "keep", "outcome": "new", "status": "pending", "now": "rejected", "now_reason": "no email"},
		{"n": 3, "event": "1qk48tfd0103", "outcome": "invalid", "reason": "type is missing"}], "next": "000000000003"}`
	url := server(t, map[string]http.HandlerFunc{
		"POST /api/jobs/search":                    answers(`{"jobs": [` + aJob("running", "") + `]}`),
		"GET /api/jobs/1qk48tfd0100":               answers(aJob("running", `, "report": {"rows": 4, "items": []}`)),
		"POST /api/jobs/1qk48tfd0100/items/search": answers(items),
		"POST /api/jobs/1qk48tfd0100/pause":        answers(aJob("paused", "")),
		"POST /api/jobs/1qk48tfd0100/resume":       answers(aJob("running", "")),
		"POST /api/jobs/1qk48tfd0100/cancel":       answers(aJob("cancelled", "")),
	})
	require.Equal(t, outcome{out: "◔ 1qk48tfd0100  replay, dry run  running  2026-10-22T14:00:00Z by api  1200 of 5000\n"}, run(t, Program{}, "jobs", "--url", url))
	require.JSONEq(t, `{"jobs": [`+aJob("running", "")+`]}`, run(t, Program{}, "jobs", "list", "--json", "--url", url).out)
	o := run(t, Program{}, "jobs", "show", "1qk48tfd0100", "--rows", "3", "--url", url)
	require.Equal(t, outcome{out: `◔ 1qk48tfd0100 running (replay, dry run): 1200 of 5000 looked at
  events       90
  new          2
1  differs  1qk48tfd0101  keep  done; differs: email, phone
2  new      1qk48tfd0102  keep  rejected: no email
3  invalid  1qk48tfd0103        type is missing
… there are more: see --rows and --outcome
`}, o)
	require.JSONEq(t, aJob("running", `, "report": {"rows": 4, "items": []}`), run(t, Program{}, "jobs", "show", "1qk48tfd0100", "--json", "--url", url).out)
	for verb, want := range map[string]string{"pause": "paused", "resume": "running", "cancel": "cancelled"} {
		o := run(t, Program{}, "jobs", verb, "1qk48tfd0100", "--url", url)
		require.Zero(t, o.code, o.err)
		require.Contains(t, o.out, "1qk48tfd0100 "+want)
		require.JSONEq(t, aJob(want, ""), run(t, Program{}, "jobs", verb, "1qk48tfd0100", "--json", "--url", url).out)
	}
	require.Equal(t, 2, run(t, Program{}, "jobs", "show", "nonsense", "--url", url).code)
	none := server(t, map[string]http.HandlerFunc{"POST /api/jobs/search": answers(`{"jobs": []}`)})
	require.Equal(t, "there is no job\n", run(t, Program{}, "jobs", "--url", none).out)
}

func TestMoment_TimesDaysAndAgo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-11-01T09:00:00Z": "2026-11-01T09:00:00Z", "2026-11-01T09:00:00+09:00": "2026-11-01T00:00:00Z", "2026-11-01": "2026-11-01T00:00:00Z",
		"36h": "2026-11-04T00:00:00Z", "3d": "2026-11-02T12:00:00Z",
	} {
		got, err := moment("since", text, now)
		require.NoError(t, err, text)
		require.Equal(t, want, got.UTC().Format(time.RFC3339), text)
	}
	for _, text := range []string{"yesterday", "-3h", "2026-13-01", strings.Repeat("9", 50) + "d"} {
		_, err := moment("since", text, now)
		require.ErrorContains(t, err, "since: ", text)
	}
	none, err := moment("since", "", now)
	require.NoError(t, err)
	require.Nil(t, none)
}

func FuzzMoment(f *testing.F) {
	for _, text := range []string{"", "36h", "3d", "2026-11-01", "2026-11-01T09:00:00+09:00", "-1h", "99999d", "d", "\x00"} {
		f.Add(text)
	}
	now := time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := moment("since", text, now)
		require.Equal(t, err != nil || text == "", got == nil)
	})
}
