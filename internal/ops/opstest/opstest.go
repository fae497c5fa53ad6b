// Package opstest has an installation for the tests of the operations and of the
// doors in front of them: a database with something of everything in it.
//
//	b := opstest.New(t)
//	s := b.Tell()
//	event, err := b.Events.Get(ctx, s.Identify)
package opstest

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/query"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/ops"
)

// Time is what the clock says.
var Time = time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)

// Plan is what Tell applies.
const Plan = `version: 1
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

// Sealer keeps secrets as they are.
type Sealer struct{}

// Seal is what was given.
func (Sealer) Seal(b []byte) ([]byte, error) { return b, nil }

// Open is what was given.
func (Sealer) Open(b []byte) ([]byte, error) { return b, nil }

// Bench is the operations over an SQLite store.
type Bench struct {
	*ops.Operations
	Store *store.Store
	DB    *db.DB

	t *testing.T
}

// New returns the operations over an empty store. The test is run in parallel.
func New(t *testing.T, change ...func(*ops.Options)) *Bench {
	t.Helper()
	t.Parallel()
	path := filepath.Join(t.TempDir(), "segue.db")
	now := func() time.Time { return Time }
	d, err := db.Open(t.Context(), db.Options{URL: "sqlite://" + path, Now: now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	st := store.New(d)
	o := ops.Options{
		Store: ops.Database{Store: st, Reader: query.New(d)}, Plans: &ops.Plans{Store: st, Sealer: Sealer{}}, Revisions: routing.NewCache(st), Temporal: ops.TemporalUI{Address: "http://ui/"}, Now: now,
	}
	for _, f := range change {
		f(&o)
	}
	all := ops.New(o)
	all.Workflows.Tokens = nil // they are chance
	return &Bench{Operations: all, Store: st, DB: d, t: t}
}

// Do executes SQL, for rows that no operation of the store makes alone.
func (b *Bench) Do(query string, args ...any) {
	b.t.Helper()
	require.NoError(b.t, b.DB.InTx(b.t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(b.t.Context(), query, args...)
		return err
	}))
}

// Name is the id of a part of the plan.
func (b *Bench) Name(kind plan.Kind, name string) id.ID {
	b.t.Helper()
	v, err := b.Store.NameID(b.t.Context(), kind, name)
	require.NoError(b.t, err)
	return v
}

// ApplyPlan applies Plan.
func (b *Bench) ApplyPlan() ops.PlanChanges {
	b.t.Helper()
	in := ops.PlanInput{File: "plan.yaml", Plan: Plan, Secrets: map[string]string{"WEB_KEY": "k", "OTHER": "not of the plan"}}
	out, err := b.Plans.Apply(b.t.Context(), in, "test")
	require.NoError(b.t, err)
	return out
}

// Replayed is a replay that runs and has done a page.
func (b *Bench) Replayed(p job.Page) id.ID {
	b.t.Helper()
	j, err := b.Store.CreateJob(b.t.Context(), job.New{Kind: job.Replay, Author: "test", Input: `{"before":"zzzzzzzzzzzz","type":"track"}`, Total: 100}, time.Minute)
	require.NoError(b.t, err)
	p.Job = j.ID
	_, err = b.Store.RecordPage(b.t.Context(), p)
	require.NoError(b.t, err)
	return j.ID
}

// Story is one of everything, as processing would have left it.
type Story struct {
	Identify, Plain, Refused                          id.ID // events
	Contact, Run, Distribution, Invitation, Mail, Tx1 id.ID
}

// Tell applies Plan and makes a story of it.
func (b *Bench) Tell() Story {
	b.t.Helper()
	t := b.t
	ctx := t.Context()
	b.ApplyPlan()
	web := b.Name(plan.KindSource, "web")
	stored, err := b.Store.StoreEvents(ctx, []store.NewEvent{
		{Source: web, Type: "identify", UserID: "ada", MessageID: "m1", Body: []byte(`{"type":"identify","userId":"ada","traits":{"email":"ada@example.com"}}`)},
		{Source: web, Type: "track", Name: "Seen", UserID: "bob", MessageID: "m2", Body: []byte(`{"type":"track","event":"Seen","userId":"bob"}`)},
		{Source: web, Type: "", MessageID: "m3", Refusal: "type is missing", Body: []byte(`{"x":1}`)},
	}, time.Minute)
	require.NoError(t, err)
	s := Story{Identify: stored[0].ID, Plain: stored[1].ID, Refused: stored[2].ID}
	keep, xm, dir := b.Name(plan.KindMapping, "keep"), b.Name(plan.KindDestination, "xm"), b.Name(plan.KindDirectory, "customers")
	require.NoError(t, b.Store.WriteDeliveries(ctx, []delivery.New{{Event: s.Identify, Mapping: keep, Destination: xm, Action: plan.UpsertContact,
		Status: delivery.Pending, Occurred: Time, Payload: []byte(`{"email":"ada@example.com"}`), Due: Time}}))
	require.NoError(t, b.Store.DropUnmatched(ctx, []id.ID{s.Plain}))
	s.Contact = b.DB.Next()
	b.Do(`INSERT INTO contacts (id, directory, ext_ref, email, phone, first_name, last_name, language, unsubscribed, embedded_data, stamps, created_at, updated_at)
		VALUES (?, ?, 'ada', 'ada@example.com', '+819012345678', 'Ada', '', 'EN', 0, '{"b":1,"a":2}', '{}', 1, 2)`, s.Contact, dir)
	for _, k := range (contact.Rules{Directory: dir, Match: []contact.Rule{contact.NewRule("ext_ref"), contact.NewRule("email")}}).
		InputKeys(&contact.Input{ExtRef: "ada", Email: "ada@example.com"}) {
		b.Do(`INSERT INTO contact_keys (key, directory, rule, contact) VALUES (?, ?, ?, ?)`, k.Key[:], dir, k.Rule, s.Contact)
	}
	require.NoError(t, b.Store.MarkDeliveries(ctx, []delivery.Mark{{Ref: delivery.Ref{Event: s.Identify, Mapping: keep}, Status: delivery.Done, Attempts: 1, Contact: s.Contact}}))
	b.Do(`INSERT INTO contact_changes (id, contact, event, at, cause, diff) VALUES (?, ?, ?, 5, 'event', '{"email":[null,"ada@example.com"]}')`, b.DB.Next(), s.Contact, s.Identify)
	s.Tx1 = b.DB.Next()
	b.Do(`INSERT INTO transactions (id, event, mapping, contact, list, date, data) VALUES (?, ?, ?, ?, ?, 77, '{"total":3}')`,
		s.Tx1, s.Identify, keep, s.Contact, b.Name(plan.KindList, "customers/everyone"))
	s.Run, s.Distribution, s.Invitation, s.Mail = b.DB.Next(), b.DB.Next(), b.DB.Next(), b.DB.Next()
	b.Do(`INSERT INTO runs (id, workflow, version, event, generation, status, contact, directory, fields, payload, created_at, ended_at)
		VALUES (?, ?, 1, ?, 0, 'done', ?, ?, '[{"name":"user","type":"string","state":"value","value":"ada"}]', x'7b7d', 5, 6)`,
		s.Run, b.Name(plan.KindWorkflow, "ask"), s.Identify, s.Contact, dir)
	b.Do(`INSERT INTO run_tasks (run, step, position, kind, status, attempts, output, started_at, ended_at) VALUES (?, 'ask', 0, 'distribute', 'done', 1, '{"sent":1}', 5, 6)`, s.Run)
	b.Do(`INSERT INTO distributions (id, run, step, directory, survey, channel, status, settings, created_at) VALUES (?, ?, 'ask', ?, 'nps', 'email', 'waiting', '{}', 5)`, s.Distribution, s.Run, dir)
	b.Do(`INSERT INTO invitations (id, distribution, run, contact, token, status, snapshot, created_at, sent_at, opens, response)
		VALUES (?, ?, ?, ?, 'secret-token', 'finished', '{}', 5, 6, 0, '{"status":"finished"}')`, s.Invitation, s.Distribution, s.Run, s.Contact)
	b.Do(`UPDATE invitations SET finished_at = 9`)
	b.Do(`INSERT INTO messages (invitation, kind, contact, status, counts, created_at, sent_at, attempts) VALUES (?, 'invitation', ?, 'sent', 1, 5, 6, 1)`, s.Invitation, s.Contact)
	b.Do(`INSERT INTO outbox (id, message_id, recipient, subject, text, html, headers, sent_at) VALUES (?, 'x', 'ada@example.com', 'Hi', ?, '<p>', '{"From":"a"}', 6)`,
		s.Mail, "Please: http://x.example/l/1. Or http://x.example/u/2, or (http://x.example/l/1)")
	return s
}
