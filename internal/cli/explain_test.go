package cli

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

const whyAnswer = `{
 "event": {"id": "1qk48tfd0100", "key": "1qk48tfd0100", "source": "web", "message_id": "m-42", "type": "track", "event": "Tour Completed", "user_id": "u_42",
  "status": "failed", "accepted_at": "2026-10-22T14:03:07.412Z", "revision": 128, "deliveries": []},
 "body": {}, "raw": "{}",
 "mappings": [
  {"mapping": "tour", "destination": "xm", "action": "start_workflow", "matched": true, "filter": "type = \"track\"",
   "clauses": {"outcome": "true", "text": "type = \"track\"", "path": "type", "operator": "=", "expected": "\"track\"", "seen": "\"track\""},
   "delivery": {"mapping": "tour", "status": "done", "attempts": 1, "updated_at": "2026-10-22T14:03:07Z"}},
  {"mapping": "orders", "destination": "xm", "action": "upsert_transaction", "matched": true, "filter": "",
   "fields": [{"field": "transactionDate", "directive": "@path", "path": "$.properties.when", "raw": "13/45/2026", "result": "13/45/2026"}, {"field": "email", "directive": "@path", "path": "$.traits.email", "raw": null, "result": null, "missing": true}],
   "delivery": {"mapping": "orders", "status": "rejected", "reason": "transactionDate: not a date", "attempts": 1, "updated_at": "2026-10-22T14:03:07Z"}},
  {"mapping": "pro", "destination": "xm", "action": "upsert_contact", "matched": false, "filter": "x",
   "clauses": {"outcome": "false", "text": "x", "join": "and", "children": [
     {"outcome": "true", "text": "type = \"track\"", "path": "type", "seen": "\"track\""},
     {"outcome": "false", "text": "properties.plan = \"pro\"", "path": "properties.plan", "missing": true},
     {"outcome": "not_judged", "text": "contains(email, \"@\")", "path": "email"}]}},
  {"mapping": "crm", "destination": "acme", "action": "upsert_contact", "matched": true, "filter": "",
   "delivery": {"mapping": "crm", "destination": "acme", "status": "retrying", "reason": "503 from fra1", "attempts": 3, "updated_at": "2026-10-22T14:03:07Z", "next_attempt": "2026-10-22T14:10:00Z",
    "hold": {"until": "2026-10-22T14:10:00Z", "reason": "the account's limit is used up"}, "result": {"requests": ["req-1", "req-2"]}}},
  {"mapping": "crm2", "destination": "acme", "action": "upsert_contact", "matched": true, "filter": "",
   "delivery": {"mapping": "crm2", "destination": "acme", "status": "held", "reason": "the destination is paused", "attempts": 0, "updated_at": "2026-10-22T14:03:07Z",
    "paused": {"at": "2026-10-22T14:00:00Z", "by": "console", "note": "moving house"}}},
  {"mapping": "old", "destination": "xm", "action": "upsert_contact", "matched": false, "off": "switched off", "filter": ""}
 ],
 "changes": [{"contact": "1qk48tfd0101", "at": "2026-10-22T14:03:07Z", "cause": "event", "diff": {"plan": ["free", "pro"]}}],
 "runs": [{"id": "1qk48tfd0102", "workflow": "feedback", "version": 3, "status": "running", "fields": {}, "field_states": [], "steps": [
   {"id": "know", "kind": "update_contact", "status": "done", "attempts": 2}, {"id": "pause", "kind": "wait", "status": "waiting", "attempts": 1}]}],
 "temporal_url": "http://ui/x"
}`

const whyWanted = `1qk48tfd0100  track "Tour Completed"  ✕ failed
source web · message m-42 · user u_42 · accepted 2026-10-22T14:03:07.412Z · revision 128
├─ mappings: 6 looked at, 4 matched, 1 not, 1 off
│  ├─ ● tour  start workflow → xm  done, 1 attempt
│  │  └─ when
│  │     └─ ✓ type = "track"  saw "track"
│  ├─ ✕ orders  upsert transaction → xm  rejected, 1 attempt
│  │  ├─ transactionDate: not a date
│  │  ├─ when: takes every event
│  │  └─ fields
│  │     ├─ transactionDate ← $.properties.when = "13/45/2026"
│  │     └─ email ← $.traits.email: nothing there
│  ├─ ⊘ pro  upsert contact → xm  does not match
│  │  └─ when
│  │     └─ ✕ all of
│  │        ├─ ✓ type = "track"  saw "track"
│  │        ├─ ✕ properties.plan = "pro"  saw nothing at properties.plan
│  │        └─ – contains(email, "@")  (not judged: the answer was known)
│  ├─ ◔ crm  upsert contact → acme  retrying, 3 attempts
│  │  ├─ 503 from fra1
│  │  ├─ next attempt 2026-10-22T14:10:00Z
│  │  ├─ acme: everything waits until 2026-10-22T14:10:00Z: the account's limit is used up
│  │  ├─ when: takes every event
│  │  └─ result {"requests":["req-1","req-2"]}
│  ├─ ◔ crm2  upsert contact → acme  held, 0 attempts
│  │  ├─ the destination is paused
│  │  ├─ acme: paused since 2026-10-22T14:00:00Z by console: moving house
│  │  └─ when: takes every event
│  └─ ⊘ old  upsert contact → xm  off: switched off
├─ changed
│  └─ contact 1qk48tfd0101
│     └─ plan: "free" → "pro"
└─ runs
   └─ ◔ 1qk48tfd0102  feedback version 3, running
      ├─ ● know  update_contact, done after 2 attempts
      └─ ◔ pause  wait, waiting
Temporal: http://ui/x
`

func TestExplain_IDOrMessageID_ShowsTheSame(t *testing.T) {
	t.Parallel()
	url := server(t, map[string]http.HandlerFunc{
		"GET /api/events/{id}/why": func(w http.ResponseWriter, r *http.Request) {
			if r.PathValue("id") != "1qk48tfd0100" {
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte(`{"kind":"not_found","detail":"there is no event"}`))
				return
			}
			_, _ = w.Write([]byte(whyAnswer))
		},
		"POST /api/events/search": func(w http.ResponseWriter, r *http.Request) {
			var f map[string]any
			_ = json.NewDecoder(r.Body).Decode(&f)
			events := map[any]string{"m-42": `{"id":"1qk48tfd0100"}`, "both": `{"id":"1qk48tfd0100"},{"id":"1qk48tfd0101"}`, "zzzzzzzzzzzz": `{"id":"1qk48tfd0100"}`, "000000000000": `{"id":"1qk48tfd0100"}`}
			_, _ = w.Write([]byte(`{"events":[` + events[f["message_id"]] + `]}`))
		},
	})
	for _, event := range []string{"1qk48tfd0100", "m-42", "000000000000", "zzzzzzzzzzzz"} {
		require.Equal(t, outcome{out: whyWanted}, run(t, Program{}, "explain", "--event", event, "--url", url))
	}
	o := run(t, Program{}, "explain", "--event", "m-42", "--url", url, "--json")
	var v struct{ Mappings []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(o.out), &v))
	require.Equal(t, "switched off", v.Mappings[5]["off"])
	require.Equal(t, 1, run(t, Program{}, "explain", "--event", "nothing", "--url", url).code)
	require.Equal(t, 2, run(t, Program{}, "explain", "--event", "both", "--url", url).code)
}
