package cli

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

const destinationsAnswer = `{"destinations": [
 {"id": "1qk48tfd0100", "name": "xm", "type": "directory", "directory": "customers", "status": "ok", "holds": [], "waiting": {}, "mappings": ["keep"]},
 {"id": "1qk48tfd0101", "name": "acme", "type": "qualtrics", "datacenter": "fra1", "status": "paused", "holds": [
   {"action": "upsert_contact", "until": "2026-10-22T14:10:00Z", "reason": "the account's limit is used up"}, {"until": "2026-10-22T14:05:00Z", "reason": "the token is refused"}],
  "paused": {"at": "2026-10-22T14:00:00Z", "by": "api", "note": "moving house"}, "trouble": {"since": "2026-10-22T13:50:00Z", "reason": "the token is refused"},
  "waiting": {"held": 3, "pending": 1, "retrying": 2}, "oldest_at": "2026-10-22T13:55:00Z", "mappings": ["crm"]},
 {"id": "1qk48tfd0102", "name": "later", "type": "qualtrics", "datacenter": "iad1", "status": "off", "holds": [], "waiting": {}, "mappings": []}
]}`

func TestDestinations_EachSaysHowItIsAndWhy(t *testing.T) {
	t.Parallel()
	url := server(t, map[string]http.HandlerFunc{
		"GET /api/destinations": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(destinationsAnswer)) },
	})
	for _, args := range [][]string{{"destinations"}, {"destinations", "list"}} {
		require.Equal(t, outcome{out: `● xm     ok      directory customers  nothing waits
◔ acme   paused  qualtrics fra1       1 pending, 2 retrying, 3 held, oldest of 2026-10-22T13:55:00Z
⊘ later  off     qualtrics iad1       nothing waits
acme: paused since 2026-10-22T14:00:00Z by api: moving house
acme: in trouble since 2026-10-22T13:50:00Z: the token is refused
acme: upsert contact waits until 2026-10-22T14:10:00Z: the account's limit is used up
acme: everything waits until 2026-10-22T14:05:00Z: the token is refused
later: switched off in the plan
`}, run(t, Program{}, append(args, "--url", url)...))
	}
	require.JSONEq(t, destinationsAnswer, run(t, Program{}, "destinations", "--json", "--url", url).out)
	require.Equal(t, "the plan has no destination\n", run(t, Program{}, "destinations", "--url", server(t, map[string]http.HandlerFunc{
		"GET /api/destinations": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"destinations":[]}`)) },
	})).out)
}

func TestDestinationTest_WhatDoesNotWork_Exits1(t *testing.T) {
	t.Parallel()
	url := server(t, map[string]http.HandlerFunc{
		"POST /api/destinations/{name}/test": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(map[string]string{
				"acme":      `{"ok": true, "account": "aya@acme", "request_id": "req-1"}`,
				"elsewhere": `{"ok": true, "account": "aya@acme", "notice": "the account is in data center fra1"}`,
				"a/b":       `{"ok": false, "problem": "the API token is unknown", "request_id": "req-2"}`,
			}[r.PathValue("name")]))
		},
	})
	require.Equal(t, outcome{out: "● acme works: aya@acme (request req-1)\n"}, run(t, Program{}, "destinations", "test", "acme", "--url", url))
	require.Equal(t, outcome{out: "● elsewhere works: aya@acme\n▲ the account is in data center fra1\n"}, run(t, Program{}, "destinations", "test", "elsewhere", "--url", url))
	require.Equal(t, outcome{err: "segue: a/b does not work: the API token is unknown (request req-2)\n", code: 1}, run(t, Program{}, "destinations", "test", "a/b", "--url", url))
	o := run(t, Program{}, "destinations", "test", "a/b", "--url", url, "--json")
	require.Equal(t, 1, o.code)
	require.JSONEq(t, `{"ok": false, "problem": "the API token is unknown", "request_id": "req-2"}`, o.out)
	require.Equal(t, 2, run(t, Program{}, "destinations", "test").code)
}

func TestDestinationPauseAndResume_SayHowItIsNow(t *testing.T) {
	t.Parallel()
	status := "ok"
	reply := func(w http.ResponseWriter) {
		_, _ = io.WriteString(w, `{"name": "acme", "type": "qualtrics", "datacenter": "fra1", "status": "`+status+`", "holds": [], "waiting": {}, "mappings": []}`)
	}
	var note string
	url := server(t, map[string]http.HandlerFunc{
		"POST /api/destinations/acme/pause": func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			note, status = string(b), "paused"
			reply(w)
		},
		"POST /api/destinations/acme/resume": func(w http.ResponseWriter, _ *http.Request) { status = "ok"; reply(w) },
	})
	require.Equal(t, outcome{out: "◔ acme  paused  qualtrics fra1  nothing waits\n"}, run(t, Program{}, "destinations", "pause", "acme", "--note", "moving house", "--url", url))
	require.JSONEq(t, `{"note": "moving house"}`, note)
	require.Equal(t, outcome{out: "● acme  ok  qualtrics fra1  nothing waits\n"}, run(t, Program{}, "destinations", "resume", "acme", "--url", url))
	require.Equal(t, 1, run(t, Program{}, "destinations", "pause", "nowhere", "--url", url).code)
}
