package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	sdk "go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/temporal/launch"
	"github.com/segue-xm/segue/workflows"
)

// storyPlan reaches every way through the workflows. HOOK is a web service.
const storyPlan = `
version: 1
sources: [{name: web, write_keys: [a-write-key-for-tests]}]
directories:
  - {name: customers, default: true, merge_rules: [[ext_ref], [email]], mailing_lists: [everyone]}
destinations:
  - {name: xm, type: directory, directory: customers}
  - {name: later, type: directory, directory: customers, enabled: false}
mappings:
  - {name: people, source: web, destination: xm, action: upsert_contact, when: type = "identify"}
  - {name: held, source: web, destination: later, action: upsert_contact, when: type = "identify" and traits.held = true}
  - name: orders
    source: web
    destination: xm
    action: upsert_transaction
    when: type = "track" and event = "Order Completed"
    fields:
      transactionDate: {"@path": "$.properties.date"}
      transactionData: {item: {"@path": "$.properties.item"}}
  - {name: tour, source: web, destination: xm, action: start_workflow, workflow: feedback, when: type = "track" and event = "Tour"}
surveys: [{name: tour}]
workflows:
  - name: feedback
    fields:
      - {name: user, path: $.userId, type: string, required: true}
      - {name: patience, path: $.properties.patience, type: string, default: ""}
    steps:
      - {id: hook, task: web_service, on_failure: continue, with: {url: "HOOK", body: {who: "{{ contact.email }}"}}}
      - {id: odd, when: "contact.first_name > 3", on_failure: continue, task: update_contact, with: {contact: {ext_ref: "{{ fields.user }}"}}}
      - id: ask
        task: distribute
        when: contact.email != "kaputt-4711@@"
        with:
          survey: tour
          contact: {ext_ref: "{{ fields.user }}"}
          subject: "{{ contact.first_name }}, how was it?"
          message: "{{ contact.first_name }} {{ contact.last_name }} {{ link.url }}"
          reminders: [{after: 1s}]
          expires: 1h
      - {id: answer, wait: {for: 1h, response: ask}}
      - id: which
        branch:
          - {when: "steps.answer.ended_by == 'response'", steps: [{id: short, wait: {for: 1s}}]}
          - {steps: [{id: end, stop: {reason: no answer}}]}
`

// person is somebody whose data must not be found in Temporal.
type person struct{ user, email, first, last, phone, city, item, comment string }

var persons = []person{
	{"u-geheim-42", "hana.sato.9f3@example.com", "花子ちゃん", "佐藤さん", "+81 90 1234 5678", "横浜市港北区", "赤いバッグ", "とても良かったです、また来ます"},
	{"u-geheim-43", "zoe.quixote.7b1@example.org", "Zoë-Léontine", "O'Quixötic <&>", "+49 1577 7654321", "Würselen-Ost", "Müsli & \"Tee\"", "Rücken tut weh, sonst prima"},
	{"u-geheim-44", "fatima.5e2@example.net", "فاطمة الزهراء", "Объедкова", "+7 912 555-44-33", "Йошкар-Ола", "самовар", "شكرا جزيلا 🙏🏽"},
}

// words are the pieces to look for.
func (p person) words() []string {
	return []string{p.user, p.email, strings.Split(p.email, "@")[0], p.first, p.last, p.phone, strings.ReplaceAll(p.phone, " ", ""), p.city, p.item, p.comment}
}

// track is a track call of a person.
func (p person) track(event, messageID string, properties map[string]any) string {
	return mustJSON(map[string]any{"messageId": messageID, "userId": p.user, "event": event, "properties": properties,
		"context": map[string]any{"traits": p.traits(), "ip": "203.0.113.77"}})
}

func (p person) traits() map[string]any {
	return map[string]any{"email": p.email, "firstName": p.first, "lastName": p.last, "phone": p.phone, "address": map[string]any{"city": p.city}}
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// hook is a web service that is unkind in its own ways, and repeats what it was told.
func hook(t *testing.T) string {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch calls.Add(1) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.WriteHeader(http.StatusTeapot)
		}
		fmt.Fprintf(w, "we know %s well", body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// story is a Segue with a client of its own to Temporal.
type story struct {
	*running
	client client.Client
	dir    string
	plan   string
}

func tell(t *testing.T) *story {
	t.Helper()
	dir := t.TempDir()
	s := &story{dir: dir, plan: strings.Replace(storyPlan, "HOOK", hook(t), 1)}
	file := filepath.Join(dir, "plan.yaml")
	require.NoError(t, os.WriteFile(file, []byte(s.plan), 0o600))
	s.running = startDev(t, func(o *Options) {
		o.DataDir, o.Plan, o.AllowPrivate = filepath.Join(dir, "data"), file, []string{"127.0.0.0/8"}
	})
	s.WriteKey = "a-write-key-for-tests"
	var err error
	s.client, err = client.Dial(client.Options{HostPort: s.Temporal, Identity: "segue-test", Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	t.Cleanup(s.client.Close)
	return s
}

// event is the id of an event by its message id, once it has this status.
func (s *story) event(messageID, status string) string {
	s.t.Helper()
	return s.list("events?message_id="+messageID, "events", having("status", status))[0]["id"].(string)
}

// firstRun is the run of an event, once it has this status.
func (s *story) firstRun(event, status string) string {
	s.t.Helper()
	return s.list("runs?event="+event, "runs", having("status", status))[0]["id"].(string)
}

// link is the nth mail's personal link of this kind, to a person.
func (s *story) link(to, kind string) string {
	s.t.Helper()
	mails := s.list("outbox", "mails", func(m []object) bool {
		for _, x := range m {
			if x["to"] == to {
				return true
			}
		}
		return false
	})
	for _, m := range mails {
		if m["to"] != to {
			continue
		}
		text := m["text"].(string) + " " + m["html"].(string)
		if i := strings.Index(text, s.HTTP+"/"+kind+"/"); i >= 0 {
			return strings.FieldsFunc(text[i:], func(r rune) bool { return strings.ContainsRune(" \n\"<>'", r) })[0]
		}
	}
	s.t.Fatalf("no %s link to %s", kind, to)
	return ""
}

func (s *story) answer(p person) {
	s.t.Helper()
	res, err := http.Get(s.link(p.email, "l"))
	require.NoError(s.t, err)
	res.Body.Close()
	res, err = http.PostForm(res.Request.URL.String(), url.Values{"rating": {"4"}, "comment": {p.comment}})
	require.NoError(s.t, err)
	res.Body.Close()
	require.Equal(s.t, http.StatusOK, res.StatusCode)
}

// histories are all histories of the namespace, by "<type> <workflow id> <run id>",
// with what lists and descriptions say of the executions.
func (s *story) histories() (all map[string]*historypb.History, about []proto.Message) {
	s.t.Helper()
	ctx := s.t.Context()
	all = map[string]*historypb.History{}
	list, err := s.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
	require.NoError(s.t, err)
	require.Empty(s.t, list.NextPageToken)
	for _, e := range list.Executions {
		h := &historypb.History{}
		events := s.client.GetWorkflowHistory(ctx, e.Execution.WorkflowId, e.Execution.RunId, false, 0)
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(s.t, err)
			h.Events = append(h.Events, event)
		}
		all[e.Type.Name+" "+e.Execution.WorkflowId+" "+e.Execution.RunId] = h
		d, err := s.client.DescribeWorkflowExecution(ctx, e.Execution.WorkflowId, e.Execution.RunId)
		require.NoError(s.t, err)
		about = append(about, e, d)
	}
	return all, about
}

// TestHistories_HoldNoPersonalData runs people through everything and then looks
// for them in all that Temporal keeps. It also keeps the histories it made.
func TestHistories_HoldNoPersonalData(t *testing.T) {
	t.Parallel()
	s := tell(t)
	hana, zoe, fatima := persons[0], persons[1], persons[2]

	// All at once, with held and rejected deliveries in between.
	var calls []string
	for i, p := range persons {
		calls = append(calls, mustJSON(map[string]any{"type": "identify", "messageId": fmt.Sprint("who-", i), "userId": p.user, "traits": p.traits()}))
		for j, date := range []string{"2026-01-02T03:04:05Z", "kein Datum: " + p.city} {
			calls = append(calls, strings.Replace(p.track("Order Completed", fmt.Sprintf("order-%d-%d", i, j), map[string]any{"item": p.item, "date": date}), "{", `{"type":"track",`, 1))
		}
	}
	s.post("/v1/batch", `{"batch":[`+strings.Join(calls, ",")+`]}`)
	batch := s.event("who-0", "processed")
	s.event("order-1-0", "processed")
	s.event("order-1-1", "failed")
	s.post("/v1/identify", mustJSON(map[string]any{"messageId": "held-1", "userId": fatima.user, "traits": map[string]any{"held": true, "lastName": fatima.last}}))

	// One answers at once, one after the reminder, one opts out and is cancelled.
	runs := map[person]string{}
	for i, p := range persons {
		message := fmt.Sprint("tour-", i)
		s.post("/v1/track", p.track("Tour", message, map[string]any{"comment": p.comment}))
		runs[p] = s.firstRun(s.event(message, "processed"), "running")
		s.link(p.email, "l") // the hook's answers come in this order
	}
	s.answer(hana)
	res, err := http.Post(s.link(fatima.email, "u"), "application/x-www-form-urlencoded", nil)
	require.NoError(t, err)
	res.Body.Close()
	s.list("outbox", "mails", func(mails []object) bool { // her invitation and her reminder
		n := 0
		for _, m := range mails {
			if m["to"] == zoe.email {
				n++
			}
		}
		return n == 2
	})
	s.answer(zoe)
	for _, p := range []person{hana, zoe} {
		s.list("runs?status=done", "runs", some)
		s.eventually(func() bool { var r object; s.get("runs/"+runs[p], &r); return r["status"] == "done" }, func() string { return runs[p] })
	}
	require.NoError(t, s.client.CancelWorkflow(t.Context(), "run/"+runs[fatima], ""))
	s.eventually(func() bool { var r object; s.get("runs/"+runs[fatima], &r); return r["status"] == "cancelled" }, func() string { return runs[fatima] })

	// What was held goes out; a run waits for somebody whom nobody knows.
	s.post("/v1/track", strings.ReplaceAll(hana.track("Tour", "tour-unknown", nil), hana.user, "u-geheim-nobody-"+strings.Repeat("x", 400)))
	s.event("tour-unknown", "processed")
	s.apply(strings.Replace(s.plan, "enabled: false", "enabled: true", 1))
	s.event("held-1", "processed")
	s.replayed()

	var all map[string]*historypb.History
	var about []proto.Message
	s.eventually(func() bool { // visibility is written late
		all, about = s.histories()
		kinds := map[string]int{}
		for name, h := range all {
			kind := strings.Fields(name)[0]
			kinds[kind]++
			if completed(h) {
				kinds[kind+" completed"]++
			}
		}
		return kinds["ProcessEvents completed"] >= 5 && kinds["RunWorkflow"] >= 4 && kinds["RunWorkflow completed"] >= 3 &&
			kinds["Distribute"] == 1 && kinds["Deliver completed"] >= 1 && kinds["Job completed"] >= 2
	}, func() string { return fmt.Sprint(len(all)) })

	needles := map[string]bool{"203.0.113.77": true, "kein datum": true, "u-geheim": true, "we know": true}
	for _, p := range persons {
		for _, w := range p.words() {
			for _, v := range spellings(w) {
				needles[v] = true
			}
		}
	}
	sawEvent, sawWorkflow := false, false
	look := func(what string, m proto.Message) {
		hay := haystack(t, m)
		for n := range needles {
			require.False(t, bytes.Contains(hay, []byte(n)), "%q is in %s", n, what)
		}
		sawEvent = sawEvent || bytes.Contains(hay, []byte(batch))
		sawWorkflow = sawWorkflow || bytes.Contains(hay, []byte("feedback · run"))
		named(t, what, m)
	}
	for name, h := range all {
		look(name, h)
	}
	for _, m := range about {
		look(fmt.Sprintf("%T", m), m)
	}
	require.True(t, sawEvent && sawWorkflow, "the search finds what is there")

	replayer := sdk.NewWorkflowReplayer()
	workflows.Register(replayer)
	for name, h := range all {
		require.NoError(t, replayer.ReplayWorkflowHistory(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), h), name)
	}
	if *keep != "" {
		s.keep(filepath.Join(historiesDir, *keep), all, runs, batch)
	}
}

// apply puts a plan in force over the API.
func (s *story) apply(plan string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.HTTP+"/api/plan/apply", strings.NewReader(mustJSON(map[string]any{"plan": plan})))
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+s.AdminToken)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	require.Equal(s.t, http.StatusOK, res.StatusCode, "%s", text)
}

// keep writes one history of each way through the workflows. What a release has
// left is not written again: the directory must be new.
func (s *story) keep(dir string, all map[string]*historypb.History, runs map[person]string, batch string) {
	s.t.Helper()
	require.NoError(s.t, os.Mkdir(dir, 0o755))
	host, _ := os.Hostname()
	clean := strings.NewReplacer(s.HTTP, "https://segue.example.com", host+":", "sticky:")
	for name, h := range all {
		kind, rest, _ := strings.Cut(name, " ")
		file := ""
		switch {
		case strings.Contains(rest, "run/"+runs[persons[0]]):
			file = "run-answered"
		case strings.Contains(rest, "run/"+runs[persons[2]]):
			file = "run-cancelled"
		case kind == "RunWorkflow" && !strings.Contains(rest, runs[persons[1]]):
			file = "run-awaits-contact"
		case kind == "ProcessEvents" && mentions(h, batch):
			file = "process-events-batch"
		case kind == "ProcessEvents" && len(h.Events) > 8:
			file = "process-events-single"
		case kind == "Distribute" && count(h, "Signaled") > 0:
			file = "distribute-standing"
		case kind == "Deliver":
			file = "deliver-drained"
		case kind == "Job":
			file = "job-replayed"
		}
		if file == "" || !completed(h) && file != "run-awaits-contact" && file != "distribute-standing" {
			continue
		}
		h = proto.CloneOf(h)
		scrub(h.ProtoReflect(), clean.Replace)
		b, err := protojson.MarshalOptions{Indent: " "}.Marshal(h)
		require.NoError(s.t, err)
		var even bytes.Buffer // protojson varies its spaces
		require.NoError(s.t, json.Indent(&even, b, "", " "))
		require.NoError(s.t, os.WriteFile(filepath.Join(dir, file+".json"), append(even.Bytes(), '\n'), 0o644))
	}
	require.FileExists(s.t, filepath.Join(dir, "distribute-standing.json"), "remove %s and tell the story again", dir)
}

// TestBatches_ThatShareEvents_EachEventIsProcessedOnce: were a batch's id made
// from a part of its events, an acknowledged event of another could be lost.
func TestBatches_ThatShareEvents_EachEventIsProcessedOnce(t *testing.T) {
	t.Parallel()
	s := tell(t)
	d, err := db.Open(t.Context(), db.Options{URL: "sqlite://" + filepath.Join(s.dir, "data", "segue.db")})
	require.NoError(t, err)
	defer d.Close()
	kept := store.New(d)
	source, err := kept.NameID(t.Context(), plan.KindSource, "web")
	require.NoError(t, err)
	const n = 60
	events := make([]store.NewEvent, n)
	for i := range events {
		p := persons[i%3]
		body := p.track("Order Completed", fmt.Sprint("shared-", i), map[string]any{"item": p.item})
		events[i] = store.NewEvent{Source: source, Type: "track", Name: "Order Completed", MessageID: fmt.Sprint("shared-", i), Body: []byte(strings.Replace(body, "{", `{"type":"track",`, 1))}
	}
	stored, err := kept.StoreEvents(t.Context(), events, time.Hour) // no sweeper takes them meanwhile
	require.NoError(t, err)
	ids := make([]id.ID, n)
	for i := range stored {
		ids[i] = stored[i].ID
	}
	l := &launch.Launcher{Client: s.client}
	l.HasAttributes.Store(true)
	var wg sync.WaitGroup
	for i := 0; i < n; i += 5 { // each shares its first event with others, and most of the rest
		for _, size := range []int{1, 5, 10, 20} {
			wg.Go(func() {
				if err := l.ProcessEvents(context.WithoutCancel(t.Context()), ids[i:min(i+size, n)], "web"); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	for i := range n {
		s.event(fmt.Sprint("shared-", i), "processed")
	}
	total := 0
	contacts := s.list("contacts", "contacts", func(c []object) bool { return len(c) == 3 })
	for _, c := range contacts {
		var page struct{ Transactions []object }
		s.get("contacts/"+c["id"].(string)+"/transactions?limit=500", &page)
		total += len(page.Transactions)
	}
	require.Equal(t, n, total)
}
