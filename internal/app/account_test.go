package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/data/pgtest"
	"github.com/segue-xm/segue/internal/outside/qualtrics/standin"
)

// accountPlan delivers to a Qualtrics account whatever a mapping can, with the
// defaults of Segment's destination where there are some.
const accountPlan = `
version: 1
sources: [{name: web, write_keys: [a-write-key-for-tests]}]
directories: [{name: customers, default: true, merge_rules: [[ext_ref], [email]], mailing_lists: [everyone]}]
destinations:
  - {name: xm, type: directory, directory: customers}
  - {name: acme, type: qualtrics, datacenter: fra1, api_token: "TOKEN"}
mappings:
  - {name: people-here, source: web, destination: xm, action: upsert_contact}
  - {name: people, source: web, destination: acme, action: upsert_contact, fields: {directoryId: POOL_1}}
  - name: orders
    source: web
    destination: acme
    action: upsert_transaction
    fields: {directoryId: POOL_1, mailingListId: CG_1, transactionData: {total: {"@path": $.properties.total}}}
  - {name: start, source: web, destination: acme, action: start_workflow, when: type = "track" and event = "Tour", fields: {workflowUrl: "https://fra1.qualtrics.com/inbound-event/v1/events/json/triggers?urlTokenId=1"}}
  - {name: ask, source: web, destination: xm, action: start_workflow, workflow: feedback, when: type = "track" and event = "Ask"}
surveys: [{name: tour, survey_id: SV_1}]
workflows:
  - name: feedback
    fields: [{name: user, path: $.userId, type: string, required: true}]
    steps:
      - id: ask
        task: distribute
        with: {survey: tour, destination: acme, directory_id: POOL_1, mailing_list_id: CG_1, contact: {ext_ref: "{{ fields.user }}"}, subject: "How was it?", message: "{{ link.url }}", expires: 14d}
      - {id: answer, wait: {for: 10s, response: ask}}
`

// withAccount starts a Segue whose plan delivers to an account.
func withAccount(t *testing.T, token string, change func(*testing.T, *Options)) (*running, *standin.Account) {
	t.Helper()
	there := standin.New(standin.Options{Token: "TOKEN-1", Dedupe: true})
	server := httptest.NewServer(there)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "plan.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(accountPlan, "TOKEN", token, 1)), 0o600))
	s := startDev(t, func(o *Options) {
		change(t, o)
		o.Plan, o.QualtricsURL = file, server.URL
	})
	s.WriteKey = "a-write-key-for-tests"
	return s, there
}

// ask calls an operation of the API.
func (r *running) ask(method, path, body string) object {
	r.t.Helper()
	req, err := http.NewRequest(method, r.HTTP+"/api/"+path, strings.NewReader(body))
	require.NoError(r.t, err)
	req.Header.Set("Authorization", "Bearer "+r.AdminToken)
	res, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer res.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(res.Body)
	require.NoError(r.t, err)
	require.Equal(r.t, http.StatusOK, res.StatusCode, "%s: %s", path, text.String())
	var out object
	require.NoError(r.t, json.Unmarshal(text.Bytes(), &out))
	return out
}

// TestAccount_EveryAction_ReachesItOnce takes events the whole way: over HTTP,
// through Temporal, into the account, with the account away, its answers lost, and
// the operator's pause in between.
func TestAccount_EveryAction_ReachesItOnce(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*testing.T, *Options){
		"sqlite":   func(*testing.T, *Options) {},
		"postgres": func(t *testing.T, o *Options) { o.DatabaseURL = pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, there := withAccount(t, "TOKEN-1", change)
			everyAction(t, s, there)
		})
	}
}

func everyAction(t *testing.T, s *running, there *standin.Account) {
	t.Helper()
	require.Equal(t, true, s.ask("POST", "destinations/acme/test", "")["ok"])

	// Lost answers: what was done is found, not done again.
	lost := map[string]bool{}
	there.Fail(func(r *http.Request) standin.Fault {
		key := r.URL.Path
		if r.Method != http.MethodPost || !strings.HasPrefix(key, "/API/") || strings.HasSuffix(key, "/search") || lost[key] {
			return standin.Fault{}
		}
		lost[key] = true
		return standin.Fault{Lost: true}
	})
	send := func(n int, kind, rest string) {
		s.post("/v1/"+kind, fmt.Sprintf(`{"messageId":"%s-%d","userId":"u%d",%s}`, kind, n, n, rest))
	}
	send(1, "identify", `"traits":{"email":"u1@example.com","firstName":"Hana"}`)
	send(1, "track", `"event":"Transaction Created","timestamp":"2026-02-03T04:05:06Z","properties":{"total":12.5}`)
	s.post("/v1/track", `{"messageId":"start-1","userId":"u1","event":"Tour"}`)
	for _, id := range []string{"identify-1", "track-1", "start-1"} {
		s.list("events?message_id="+id, "events", having("status", "processed"))
	}
	there.Fail(nil)
	require.Len(t, there.Contacts(), 1)
	require.Equal(t, "Hana", there.Contacts()[0].FirstName)
	require.Len(t, there.Transactions(), 1)
	require.Equal(t, "12.5", there.Transactions()[0].Data["total"])
	require.Len(t, there.Starts(), 1)
	event := s.list("events?message_id=track-1", "events", some)[0]
	delivery := event["deliveries"].([]any)[0].(map[string]any)
	require.NotEmpty(t, delivery["result"].(map[string]any)["requests"], "what the account's support asks for")

	// Paused: nothing goes, nothing is lost.
	paused := s.ask("POST", "destinations/acme/pause", `{"note":"moving"}`)
	require.Equal(t, "paused", paused["status"])
	send(2, "identify", `"traits":{"email":"u2@example.com"}`)
	held := s.list("events?message_id=identify-2", "events", having("status", "retrying"))[0]
	require.Contains(t, fmt.Sprint(held["deliveries"]), "the destination is paused")
	require.Len(t, there.Contacts(), 1)
	s.ask("POST", "destinations/acme/resume", "")
	s.list("events?message_id=identify-2", "events", having("status", "processed"))
	require.Len(t, there.Contacts(), 2)

	// A survey that the account sends, and its answer on the run.
	s.post("/v1/track", `{"messageId":"ask-1","userId":"u1","event":"Ask"}`)
	run := s.list("runs", "runs", some)[0]
	s.list("invitations?run="+run["id"].(string), "invitations", having("status", "sent"))
	require.Len(t, there.Distributions(), 1)
	require.Equal(t, "${l://SurveyURL}", there.Distributions()[0].Message)
	require.Len(t, there.Contacts(), 2, "the person was there already")
	s.list("runs", "runs", having("status", "done"))
}

// TestAccount_AwayThenBack_EverythingArrives lets the account fail while events come.
func TestAccount_AwayThenBack_EverythingArrives(t *testing.T) {
	t.Parallel()
	s, there := withAccount(t, "TOKEN-1", func(*testing.T, *Options) {})
	there.Fail(func(*http.Request) standin.Fault { return standin.Fault{Status: 503} })
	const n = 60
	for i := range n {
		s.post("/v1/identify", fmt.Sprintf(`{"messageId":"m%d","userId":"u%d"}`, i, i))
	}
	s.eventually(func() bool {
		var d object
		s.get("destinations/acme", &d)
		return d["status"] == "failed"
	}, func() string { return "not failed" })
	require.Less(t, len(there.Requests()), n, "calls are stopped")
	there.Fail(nil)
	s.ask("POST", "destinations/acme/resume", "") // somebody knows that it is back
	s.eventually(func() bool { return len(there.Contacts()) == n }, func() string { return fmt.Sprint(len(there.Contacts()), " contacts") })
	s.eventually(func() bool {
		var d object
		s.get("destinations/acme", &d)
		return d["status"] == "ok" && len(d["waiting"].(map[string]any)) == 0
	}, func() string { return "not well again" })
	require.Len(t, there.Contacts(), n)
}

// TestAccount_TokenMended_GoesOn changes the token by a plan.
func TestAccount_TokenMended_GoesOn(t *testing.T) {
	t.Parallel()
	s, there := withAccount(t, "TOKEN-OLD", func(*testing.T, *Options) {})
	s.post("/v1/identify", `{"messageId":"m1","userId":"u1"}`)
	s.eventually(func() bool {
		var d object
		s.get("destinations/acme", &d)
		return d["status"] == "failed" && strings.Contains(fmt.Sprint(d["trouble"]), "DCD_7")
	}, func() string { return "no trouble" })
	verdict := s.ask("POST", "destinations/acme/test", "")
	require.Equal(t, false, verdict["ok"])
	require.Contains(t, verdict["problem"], "check both")
	require.Equal(t, true, s.ask("POST", "destinations/acme/test", `{"api_token":"TOKEN-1"}`)["ok"], "tried before it is saved")
	next := strings.Replace(accountPlan, "TOKEN", "TOKEN-1", 1)
	s.ask("POST", "plan/apply", fmt.Sprintf(`{"file":"plan.yaml","plan":%q}`, next))
	s.list("events?message_id=m1", "events", having("status", "processed"))
	require.Len(t, there.Contacts(), 1)
}

// TestAccount_KilledAtAnyMoment_NothingIsLostOrDoubled kills the process again and
// again while it delivers to an account that knows no idempotency: each contact and
// each transaction must be there once.
func TestAccount_KilledAtAnyMoment_NothingIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	there := standin.New(standin.Options{Token: "TOKEN-1"})
	server := httptest.NewServer(there)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "plan.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(accountPlan, "TOKEN", "TOKEN-1", 1)), 0o600))
	c := startChild(t, "dev", childOptions{Mode: Dev, DataDir: filepath.Join(dir, "data"), PlanFile: file, AdminToken: "admin", QualtricsURL: server.URL})
	s := &running{c.Addresses, t}
	s.WriteKey, s.AdminToken = "a-write-key-for-tests", "admin"

	const people = 40
	var calls []string
	for i := range people {
		calls = append(calls, fmt.Sprintf(`{"type":"identify","messageId":"who-%d","userId":"u%d","traits":{"email":"u%d@example.com"}}`, i, i, i))
	}
	s.post("/v1/batch", `{"batch":[`+strings.Join(calls, ",")+`]}`)
	kill := func(done func() int, enough int) {
		s.eventually(func() bool { return done() >= enough }, func() string { return fmt.Sprint(done(), " of ", enough) })
		c.kill()
		c.start(t)
	}
	contacts := func() int { return len(there.Contacts()) }
	for _, n := range []int{1, 20} {
		kill(contacts, n)
	}
	s.eventually(func() bool { return contacts() >= people }, func() string { return fmt.Sprint(contacts(), " contacts") })

	calls = nil
	for i := range people {
		calls = append(calls, fmt.Sprintf(`{"type":"track","messageId":"paid-%d","userId":"u%d","event":"Transaction Created","timestamp":"2026-02-03T04:05:06Z","traits":{"email":"u%d@example.com"},"properties":{"total":%d}}`, i, i, i, i))
	}
	s.post("/v1/batch", `{"batch":[`+strings.Join(calls, ",")+`]}`)
	transactions := func() int { return len(there.Transactions()) }
	for _, n := range []int{1, 20} {
		kill(transactions, n)
	}
	s.eventually(func() bool {
		var d object
		s.get("destinations/acme", &d)
		return len(d["waiting"].(map[string]any)) == 0
	}, func() string { return fmt.Sprint(transactions(), " transactions") })
	require.Len(t, there.Contacts(), people)
	require.Len(t, there.Transactions(), people)
	totals := map[string]bool{}
	for _, tx := range there.Transactions() {
		totals[tx.Data["total"]] = true
	}
	require.Len(t, totals, people, "each event's own")
}

// TestAccount_OneURLRefuses_OthersGoOn: that a workflow's URL wants another token says
// nothing of the account.
func TestAccount_OneURLRefuses_OthersGoOn(t *testing.T) {
	t.Parallel()
	s, there := withAccount(t, "TOKEN-1", func(*testing.T, *Options) {})
	there.Fail(func(r *http.Request) standin.Fault {
		if !strings.HasPrefix(r.URL.Path, "/API/") {
			return standin.Fault{Status: 401}
		}
		return standin.Fault{}
	})
	s.post("/v1/track", `{"messageId":"start-1","userId":"u1","event":"Tour"}`)
	event := s.list("events?message_id=start-1", "events", having("status", "retrying"))[0]
	require.Contains(t, fmt.Sprint(event["deliveries"]), "401")
	s.post("/v1/identify", `{"messageId":"m1","userId":"u1"}`)
	s.list("events?message_id=m1", "events", having("status", "processed"))
	var d object
	s.get("destinations/acme", &d)
	require.Equal(t, "ok", d["status"])
	require.Len(t, there.Contacts(), 1)
}
