package api

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/store"
)

var testTime = time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)

const testPlan = `version: 1
sources:
  - name: web
    write_keys: ["${WEB_KEY}"]
directories:
  - {name: customers, default: true, merge_rules: [[ext_ref], [email]], mailing_lists: [everyone], phone_region: JP}
destinations:
  - {name: xm, type: directory, directory: customers}
mappings:
  - {name: keep, source: web, destination: xm, action: upsert_contact, when: type = "identify"}
  - {name: pay, source: web, destination: xm, action: upsert_transaction}
workflows:
  - name: ask
    fields: [{name: user, path: $.userId, type: string}]
    steps: [{id: end, stop: {reason: tried}}]
`

// plainSealer keeps secrets as they are.
type plainSealer struct{}

func (plainSealer) Seal(b []byte) ([]byte, error) { return b, nil }
func (plainSealer) Open(b []byte) ([]byte, error) { return b, nil }

// testPlans is a PlanStore over the store.
type testPlans struct{ *store.Store }

func (p testPlans) Current(ctx context.Context) (int64, *plan.Plan, error) {
	rev, err := p.CurrentRevision(ctx)
	if err != nil || rev == 0 {
		return 0, nil, err
	}
	current, err := p.RevisionPlan(ctx, rev)
	return rev, current, err
}

func (p testPlans) Apply(ctx context.Context, next *plan.Plan, secrets map[string]string, author string) (int64, error) {
	return p.SavePlan(ctx, plainSealer{}, next, secrets, author)
}

func (p testPlans) Secrets(ctx context.Context) (map[string]string, error) {
	return p.Store.Secrets(ctx, plainSealer{})
}

// bench is a service over an SQLite store, behind its HTTP API.
type bench struct {
	*Service
	t   *testing.T
	db  *db.DB // for rows that no operation of the store makes alone
	app *fiber.App
	log bytes.Buffer
}

const token = "a-token"

func setup(t *testing.T, change ...func(*Options)) *bench {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "segue.db")
	now := func() time.Time { return testTime }
	d, err := db.Open(t.Context(), db.Options{URL: "sqlite://" + path, Now: now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	st := store.New(d)
	o := Options{Store: st, Plans: testPlans{st}, Secrets: testPlans{st}.Secrets, Revisions: routing.NewCache(st), TemporalUI: "http://ui/", Now: now}
	for _, f := range change {
		f(&o)
	}
	b := &bench{Service: New(o), t: t, db: d}
	b.app = fiber.New(fiber.Config{DisableStartupMessage: true, ErrorHandler: ErrorHandler(slog.New(slog.NewTextHandler(&b.log, nil)))})
	b.Register(b.app.Group("/api"), BearerAuth(Tokens("", token)))
	return b
}

func (b *bench) do(query string, args ...any) {
	b.t.Helper()
	require.NoError(b.t, b.db.InTx(b.t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(b.t.Context(), query, args...)
		return err
	}))
}

// request asks the API and returns status, body, and headers.
func (b *bench) request(method, path, body string) (int, string, http.Header) {
	b.t.Helper()
	r := httptest.NewRequest(method, "/api"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := b.app.Test(r, -1)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	return resp.StatusCode, string(text), resp.Header
}

// get asks for JSON that must be there.
func (b *bench) get(path string, to any) {
	b.t.Helper()
	status, body, _ := b.request("GET", path, "")
	require.Equal(b.t, 200, status, body)
	require.NoError(b.t, json.Unmarshal([]byte(body), to), body)
}

// problem asks for what must fail.
func (b *bench) problem(method, path, body string) Problem {
	b.t.Helper()
	status, text, header := b.request(method, path, body)
	require.Equal(b.t, "application/problem+json", header.Get("Content-Type"), text)
	var p Problem
	require.NoError(b.t, json.Unmarshal([]byte(text), &p))
	require.Equal(b.t, status, p.Status)
	require.NotEmpty(b.t, p.RequestID)
	require.Equal(b.t, header.Get("X-Request-Id"), p.RequestID)
	return p
}

// applyPlan applies the test plan over HTTP.
func (b *bench) applyPlan() PlanChanges {
	b.t.Helper()
	body, err := json.Marshal(PlanInput{File: "plan.yaml", Plan: testPlan, Secrets: map[string]string{"WEB_KEY": "k", "OTHER": "not of the plan"}})
	require.NoError(b.t, err)
	status, text, _ := b.request("POST", "/plan/apply", string(body))
	require.Equal(b.t, 200, status, text)
	var out PlanChanges
	require.NoError(b.t, json.Unmarshal([]byte(text), &out))
	return out
}

func (b *bench) name(kind plan.Kind, name string) id.ID {
	b.t.Helper()
	v, err := b.Store.NameID(b.t.Context(), kind, name)
	require.NoError(b.t, err)
	return v
}

// story is one of everything, as processing would have left it.
type story struct {
	identify, plain, refused                          id.ID
	contact, run, distribution, invitation, mail, tx1 id.ID
}

func (b *bench) tell() story {
	t := b.t
	ctx := t.Context()
	b.applyPlan()
	web := b.name(plan.KindSource, "web")
	stored, err := b.Store.StoreEvents(ctx, []store.NewEvent{
		{Source: web, Type: "identify", UserID: "ada", MessageID: "m1", Body: []byte(`{"type":"identify","userId":"ada","traits":{"email":"ada@example.com"}}`)},
		{Source: web, Type: "track", Name: "Seen", UserID: "bob", MessageID: "m2", Body: []byte(`{"type":"track","event":"Seen","userId":"bob"}`)},
		{Source: web, Type: "", MessageID: "m3", Refusal: "type is missing", Body: []byte(`{"x":1}`)},
	}, time.Minute)
	require.NoError(t, err)
	s := story{identify: stored[0].ID, plain: stored[1].ID, refused: stored[2].ID}
	keep, xm, dir := b.name(plan.KindMapping, "keep"), b.name(plan.KindDestination, "xm"), b.name(plan.KindDirectory, "customers")
	require.NoError(t, b.Store.WriteDeliveries(ctx, []delivery.New{{Event: s.identify, Mapping: keep, Destination: xm, Action: plan.UpsertContact,
		Status: delivery.Pending, Occurred: testTime, Payload: []byte(`{"email":"ada@example.com"}`), Due: testTime}}))
	require.NoError(t, b.Store.DropUnmatched(ctx, []id.ID{s.plain}))
	s.contact = b.db.Next()
	b.do(`INSERT INTO contacts (id, directory, ext_ref, email, phone, first_name, last_name, language, unsubscribed, embedded_data, stamps, created_at, updated_at)
		VALUES (?, ?, 'ada', 'ada@example.com', '+819012345678', 'Ada', '', 'EN', 0, '{"b":1,"a":2}', '{}', 1, 2)`, s.contact, dir)
	for _, k := range (contact.Rules{Directory: dir, Match: []contact.Rule{contact.NewRule("ext_ref"), contact.NewRule("email")}}).
		InputKeys(&contact.Input{ExtRef: "ada", Email: "ada@example.com"}) {
		b.do(`INSERT INTO contact_keys (key, directory, rule, contact) VALUES (?, ?, ?, ?)`, k.Key[:], dir, k.Rule, s.contact)
	}
	require.NoError(t, b.Store.MarkDeliveries(ctx, []delivery.Mark{{Ref: delivery.Ref{Event: s.identify, Mapping: keep}, Status: delivery.Done, Attempts: 1, Contact: s.contact}}))
	b.do(`INSERT INTO contact_changes (id, contact, event, at, cause, diff) VALUES (?, ?, ?, 5, 'event', '{"email":[null,"ada@example.com"]}')`, b.db.Next(), s.contact, s.identify)
	s.tx1 = b.db.Next()
	b.do(`INSERT INTO transactions (id, event, mapping, contact, list, date, data) VALUES (?, ?, ?, ?, ?, 77, '{"total":3}')`,
		s.tx1, s.identify, keep, s.contact, b.name(plan.KindList, "customers/everyone"))
	s.run, s.distribution, s.invitation, s.mail = b.db.Next(), b.db.Next(), b.db.Next(), b.db.Next()
	b.do(`INSERT INTO runs (id, workflow, version, event, generation, status, contact, directory, fields, payload, created_at, ended_at)
		VALUES (?, ?, 1, ?, 0, 'done', ?, ?, '[{"name":"user","type":"string","state":"value","value":"ada"}]', x'7b7d', 5, 6)`,
		s.run, b.name(plan.KindWorkflow, "ask"), s.identify, s.contact, dir)
	b.do(`INSERT INTO run_tasks (run, step, position, kind, status, attempts, output, started_at, ended_at) VALUES (?, 'ask', 0, 'distribute', 'done', 1, '{"sent":1}', 5, 6)`, s.run)
	b.do(`INSERT INTO distributions (id, run, step, directory, survey, channel, status, settings, created_at) VALUES (?, ?, 'ask', ?, 'nps', 'email', 'waiting', '{}', 5)`, s.distribution, s.run, dir)
	b.do(`INSERT INTO invitations (id, distribution, run, contact, token, status, snapshot, created_at, sent_at, opens, response)
		VALUES (?, ?, ?, ?, 'secret-token', 'finished', '{}', 5, 6, 0, '{"status":"finished"}')`, s.invitation, s.distribution, s.run, s.contact)
	b.do(`UPDATE invitations SET finished_at = 9`)
	b.do(`INSERT INTO messages (invitation, kind, contact, status, counts, created_at, sent_at, attempts) VALUES (?, 'invitation', ?, 'sent', 1, 5, 6, 1)`, s.invitation, s.contact)
	b.do(`INSERT INTO outbox (id, message_id, recipient, subject, text, html, headers, sent_at) VALUES (?, 'x', 'ada@example.com', 'Hi', ?, '<p>', '{"From":"a"}', 6)`,
		s.mail, "Please: http://x.example/l/1. Or http://x.example/u/2, or (http://x.example/l/1)")
	return s
}
