package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/data/pgtest"
)

// running is a Segue in this process, asked as anybody would from outside.
type running struct {
	Addresses
	t *testing.T
}

// startDev runs everything in one process on its own data directory and free ports.
func startDev(t *testing.T, change func(*Options)) *running {
	t.Helper()
	o := Options{
		Mode: Dev, HTTPAddress: "127.0.0.1:0", DataDir: t.TempDir(), TemporalAddress: "127.0.0.1:0", TemporalUIAddress: "127.0.0.1:0",
		Out: io.Discard, Logger: slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if change != nil {
		change(&o)
	}
	return start(t, o)
}

func start(t *testing.T, o Options) *running {
	t.Helper()
	ready := make(chan Addresses, 1)
	o.Ready = func(a Addresses) { ready <- a }
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error("stop:", err)
		}
	})
	select {
	case a := <-ready:
		return &running{a, t}
	case err := <-ended:
		ended <- nil
		require.NoError(t, err)
	case <-time.After(time.Minute):
		t.Fatal("not ready in a minute")
	}
	return nil
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// post sends an event with the demo write key and wants it acknowledged.
func (r *running) post(path, body string) {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodPost, r.HTTP+path, strings.NewReader(body))
	require.NoError(r.t, err)
	req.SetBasicAuth(r.WriteKey, "")
	res, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	require.Equal(r.t, http.StatusOK, res.StatusCode, "%s", text)
	require.JSONEq(r.t, `{"success":true}`, string(text))
}

// get reads from the API.
func (r *running) get(path string, into any) {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodGet, r.HTTP+"/api/"+path, nil)
	require.NoError(r.t, err)
	req.Header.Set("Authorization", "Bearer "+r.AdminToken)
	res, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	require.Equal(r.t, http.StatusOK, res.StatusCode, "%s: %s", path, text)
	require.NoError(r.t, json.Unmarshal(text, into), "%s", text)
}

// object is what the API answers, read loosely as a script would.
type object map[string]any

// list asks a list until it holds what is wanted.
func (r *running) list(path, name string, enough func([]object) bool) []object {
	r.t.Helper()
	var items []object
	r.eventually(func() bool {
		var page map[string]json.RawMessage
		r.get(path, &page)
		items = nil
		require.NoError(r.t, json.Unmarshal(page[name], &items))
		return enough(items)
	}, func() string { b, _ := json.MarshalIndent(items, "", " "); return path + ": " + string(b) })
	return items
}

func (r *running) eventually(ok func() bool, state func() string) {
	r.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			r.t.Fatal("waited in vain; last seen ", state())
		}
		<-time.After(10 * time.Millisecond)
	}
}

func some(items []object) bool { return len(items) > 0 }

func having(key string, value any) func([]object) bool {
	return func(items []object) bool { return len(items) > 0 && items[0][key] == value }
}

const tour = `{"messageId":"tour-1","userId":"u_42","event":"Onboarding Tour Completed",
	"properties":{"steps_completed":5,"skipped":false},
	"context":{"traits":{"email":"hana.sato@example.com","firstName":"Hana","language":"ja"}}}`

// TestOnboarding_FromEventToAnswer is the whole story: one event, nothing else set
// up, becomes contact, run, invitation in the outbox, an answer in the built-in
// survey, and the response on the run.
func TestOnboarding_FromEventToAnswer(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*testing.T, *Options){
		"sqlite":   func(*testing.T, *Options) {},
		"postgres": func(t *testing.T, o *Options) { o.DatabaseURL = pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fromEventToAnswer(t, startDev(t, func(o *Options) { change(t, o) }))
		})
	}
}

func fromEventToAnswer(t *testing.T, s *running) {
	t.Helper()
	s.post("/v1/track", tour)

	event := s.list("events?message_id=tour-1", "events", having("status", "processed"))[0]
	require.Equal(t, "u_42", event["user_id"])
	run := s.list("runs?event="+event["id"].(string), "runs", having("status", "done"))[0]
	require.Equal(t, 5.0, run["fields"].(map[string]any)["steps"])

	contact := s.list("contacts?ext_ref=u_42", "contacts", some)[0]
	require.Equal(t, "hana.sato@example.com", contact["email"])

	mail := s.list("outbox", "mails", some)[0]
	require.Equal(t, "hana.sato@example.com", mail["to"])
	require.Contains(t, mail["subject"], "Hana")
	var link string
	for _, l := range mail["links"].([]any) {
		if strings.Contains(l.(string), "/l/") {
			link = l.(string)
		}
	}
	require.NotEmpty(t, link)

	res, err := http.Get(link)
	require.NoError(t, err)
	page, _ := io.ReadAll(res.Body)
	res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Contains(t, string(page), `lang="ja"`)
	res, err = http.PostForm(res.Request.URL.String(), url.Values{"rating": {"5"}, "comment": {"とても良かった"}})
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)

	invitation := s.list("invitations?run="+run["id"].(string), "invitations", having("status", "finished"))[0]
	answers := invitation["response"].(map[string]any)["answers"].(map[string]any)
	require.Equal(t, "とても良かった", answers["comment"])
	var whole object
	s.get("runs/"+run["id"].(string), &whole)
	b, _ := json.Marshal(whole)
	require.Contains(t, string(b), "とても良かった", "the response is on the run")
	distribution := s.list("distributions?run="+run["id"].(string), "distributions", having("status", "standing"))[0]
	require.Equal(t, "onboarding-feedback", distribution["workflow"])
	require.EqualValues(t, 1, distribution["counts"].(map[string]any)["finished"])

	// Told again, it changes nothing.
	s.post("/v1/track", tour)
	s.post("/v1/batch", fmt.Sprintf(`{"batch":[%s]}`, strings.Replace(tour, `{`, `{"type":"track",`, 1)))
	require.Len(t, s.list("outbox", "mails", some), 1)
	require.Len(t, s.list("events?source=web", "events", some), 1)
}

// TestWorkflowURL_Posted_StartsARun copies a workflow's URL as a person would and
// posts to it: any JSON starts a run, the same JSON again does not.
func TestWorkflowURL_Posted_StartsARun(t *testing.T) {
	t.Parallel()
	s := startDev(t, nil)
	url := s.list("workflows", "workflows", having("name", "onboarding-feedback"))[0]["urls"].([]any)[0].(string)
	require.Contains(t, url, s.HTTP+"/v1/workflows/")
	body := `{"userId":"u_7","properties":{"steps_completed":4},"context":{"traits":{"email":"ken@example.com"}}}`
	var first, again object
	for _, answer := range []*object{&first, &again} {
		res, err := http.Post(url, "application/json", strings.NewReader(body))
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, res.StatusCode)
		require.NoError(t, json.NewDecoder(res.Body).Decode(answer))
		res.Body.Close()
	}
	require.Equal(t, first["id"], again["id"], "an equal body is the same event")
	run := s.list("runs?event="+first["id"].(string), "runs", having("status", "done"))[0]
	require.Equal(t, "u_7", run["fields"].(map[string]any)["user"])
	s.list("outbox", "mails", having("to", "ken@example.com"))
}
