package activities_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/activities/task/distribute"
	"github.com/segue-xm/segue/activities/task/updatecontact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/mail"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/pgtest"
	"github.com/segue-xm/segue/internal/data/query"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/outside/qualtrics/standin"
)

// thePlan has a mapping for each action and a workflow with each kind of step.
const thePlan = `
version: 1
sources: [{name: web}]
directories:
  - {name: customers, default: true, merge_rules: [[ext_ref], [email]], mailing_lists: [everyone], frequency: {per_contact: {messages: 2, per: 30d}}}
destinations:
  - {name: xm, type: directory, directory: customers}
  - {name: second, type: directory, directory: customers}
  - {name: acme, type: qualtrics, datacenter: fra1, api_token: TOKEN-1}
mappings:
  - {name: people, source: web, destination: xm, action: upsert_contact, when: type = "identify"}
  - name: orders
    source: web
    destination: xm
    action: upsert_transaction
    when: type = "track" and event = "Order Completed"
    fields:
      transactionDate: {"@path": "$.properties.date"}
      transactionData: {total: {"@path": "$.properties.total"}}
  - {name: tour, source: web, destination: xm, action: start_workflow, workflow: feedback, when: type = "track" and event = "Tour"}
  - {name: remote-people, source: web, destination: acme, action: upsert_contact, when: type = "group", fields: {directoryId: POOL_1, email: {"@path": $.email}}}
  - name: remote-orders
    source: web
    destination: acme
    action: upsert_transaction
    when: type = "screen"
    fields: {directoryId: POOL_1, mailingListId: CG_1, transactionData: {total: {"@path": $.properties.total}}}
  - {name: remote-starts, source: web, destination: acme, action: start_workflow, when: type = "page" and name = "Start", fields: {workflowUrl: "https://fra1.qualtrics.com/triggers/x?t=1"}}
  - {name: also, source: web, destination: second, action: upsert_contact, when: type = "identify" and userId = "both"}
surveys: [{name: tour}]
workflows:
  - name: feedback
    fields:
      - {name: user, path: $.userId, type: string, required: true}
      - {name: fine, path: $.properties.fine, type: boolean, default: true}
    when: fields.fine
    steps:
      - {id: know, task: update_contact, with: {contact: {ext_ref: "{{ fields.user }}", email: "{{ fields.user }}@example.com"}}}
      - {id: which, branch: [{when: "contact.email == 'nobody'", steps: [{id: never, stop: {}}]}, {steps: [{id: short, wait: {for: 1h}}]}]}
      - id: ask
        task: distribute
        when: "!contact.unsubscribed"
        with:
          survey: tour
          contact: {ext_ref: "{{ fields.user }}"}
          subject: "Hello {{ fields.user }}"
          message: "{{ link.url }}"
          reminders: [{after: 3d}]
          expires: 14d
      - {id: answer, wait: {for: 2d, response: ask}}
      - {id: odd, when: "contact.first_name > 3", wait: {for: 1h}}
      - {id: end, stop: {reason: over}}
`

// house is all activities on a real database, with a clock the test moves.
type house struct {
	*store.Store
	*query.Reader
	postgres bool
	t        *testing.T
	source   id.ID
	dir      id.ID
	events   *activities.Events
	effects  *activities.Effects
	runs     *activities.Runs
	dists    *activities.Distributions
	launched *launches
	cache    *routing.Cache
	account  *standin.Account

	mu    sync.Mutex
	clock time.Time
	n     int
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(d)
}

// launches notes what was started in Temporal.
type launches struct {
	mu    sync.Mutex
	runs  []id.ID
	dists []id.ID
	told  []id.ID // runs that were told of an answer
	err   error
}

func (l *launches) answered(_ context.Context, run id.ID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, run)
	return l.err
}

func (l *launches) StartRun(_ context.Context, run id.ID, _ string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.runs = append(l.runs, run)
	}
	return l.err
}

func (l *launches) WakeDistribution(_ context.Context, d id.ID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.dists = append(l.dists, d)
	}
	return l.err
}

// onBoth runs a test on both databases, each empty and its own.
func onBoth(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, "sqlite://"+filepath.Join(t.TempDir(), "segue.db")))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, pgtest.URL(t)))
	})
}

func open(t *testing.T, url string) *house {
	t.Helper()
	h := &house{t: t, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), launched: &launches{}}
	d, err := db.Open(t.Context(), db.Options{URL: url, Now: h.now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	s := store.New(d)
	h.Store, h.Reader, h.postgres = s, query.New(d), d.Postgres()
	h.save(h.plan())
	h.source, h.dir = h.named(plan.KindSource, "web"), h.named(plan.KindDirectory, "customers")

	h.cache = routing.NewCache(s)
	directory := &activities.Directory{Store: s, Revisions: h.cache}
	tasks := task.NewRegistry()
	task.Add(tasks, updatecontact.New(directory))
	task.Add(tasks, distribute.New(directory, directory))
	h.events = &activities.Events{Inbox: s, Revisions: h.cache, Now: h.now}
	h.runs = &activities.Runs{Store: s, Revisions: h.cache, Tasks: tasks, Launcher: h.launched, Now: h.now,
		Secrets: func(context.Context) (map[string]string, error) { return nil, nil }}
	h.account = standin.New(standin.Options{Token: "TOKEN-1"})
	h.dists = &activities.Distributions{Store: s, Revisions: h.cache, Mail: store.Outbox{Store: s}, From: "surveys@example.com",
		PublicURL: "https://segue.example.com", MailHost: "segue.example.com", Now: h.now}
	h.effects = &activities.Effects{Deliveries: s, Courier: newCourier(t, h), Revisions: h.cache, Runs: h.runs, Now: h.now}
	return h
}

type noSeal struct{}

func (noSeal) Seal(b []byte) ([]byte, error) { return b, nil }
func (noSeal) Open(b []byte) ([]byte, error) { return b, nil }

// plan is thePlan, to change before it is saved.
func (h *house) plan() *plan.Plan {
	h.t.Helper()
	doc, problems := plan.Parse("plan.yaml", []byte(thePlan))
	require.NoError(h.t, problems.Err())
	return doc.Plan
}

func (h *house) save(p *plan.Plan) {
	h.t.Helper()
	_, err := h.SavePlan(h.t.Context(), noSeal{}, p, nil, "test")
	require.NoError(h.t, err)
}

func (h *house) named(kind plan.Kind, name string) id.ID {
	h.t.Helper()
	v, err := h.NameID(h.t.Context(), kind, name)
	require.NoError(h.t, err)
	return v
}

// take stores events with these bodies.
func (h *house) take(bodies ...string) []id.ID {
	h.t.Helper()
	list := make([]store.NewEvent, len(bodies))
	for i, b := range bodies {
		h.n++
		list[i] = store.NewEvent{Source: h.source, Type: "track", MessageID: fmt.Sprint("m", h.n), Body: []byte(b)}
	}
	out, err := h.StoreEvents(h.t.Context(), list, time.Minute)
	require.NoError(h.t, err)
	ids := make([]id.ID, len(out))
	for i := range out {
		ids[i] = out[i].ID
	}
	return ids
}

// written does what comes before the effects.
func (h *house) written(bodies ...string) (events []id.ID, refs []delivery.Ref) {
	h.t.Helper()
	events = h.take(bodies...)
	matched, err := h.events.FilterEvents(h.t.Context(), handover.Batch{Events: events})
	require.NoError(h.t, err)
	_, err = h.events.MapFields(h.t.Context(), matched)
	require.NoError(h.t, err)
	return events, matched.Deliveries
}

// process does all that ProcessEvents does, each activity twice.
func (h *house) process(bodies ...string) []id.ID {
	h.t.Helper()
	events := h.take(bodies...)
	h.processIDs(events)
	return events
}

func (h *house) processIDs(events []id.ID) {
	h.t.Helper()
	ctx := h.t.Context()
	matched, err := h.events.FilterEvents(ctx, handover.Batch{Events: events})
	require.NoError(h.t, err)
	for range 2 {
		mapped, err := h.events.MapFields(ctx, matched)
		require.NoError(h.t, err)
		require.NoError(h.t, h.effects.UpsertContacts(ctx, mapped.Contacts))
		require.NoError(h.t, h.effects.UpsertTransactions(ctx, mapped.Transactions))
		require.NoError(h.t, h.effects.StartRuns(ctx, mapped.Runs))
	}
}

func (h *house) deliveries(events ...id.ID) []query.DeliveryRow {
	h.t.Helper()
	rows, err := h.DeliveryRows(h.t.Context(), events, true)
	require.NoError(h.t, err)
	return rows
}

// delivery is the only delivery of an event.
func (h *house) delivery(event id.ID) query.DeliveryRow {
	h.t.Helper()
	rows := h.deliveries(event)
	require.Len(h.t, rows, 1)
	return rows[0]
}

func (h *house) contacts() []query.ContactRow {
	h.t.Helper()
	rows, _, err := h.ListContacts(h.t.Context(), query.ContactQuery{Directories: []query.ContactScope{{Directory: h.dir}}}, query.Paging{Limit: 100})
	require.NoError(h.t, err)
	return rows
}

func (h *house) transactions() (n int) {
	h.t.Helper()
	for _, c := range h.contacts() {
		rows, _, err := h.ListContactTransactions(h.t.Context(), c.ID, query.Paging{Limit: 100})
		require.NoError(h.t, err)
		n += len(rows)
	}
	return n
}

func (h *house) listRuns() []run.Run {
	h.t.Helper()
	rows, _, err := h.ListRuns(h.t.Context(), query.RunQuery{}, query.Paging{Limit: 100})
	require.NoError(h.t, err)
	return rows
}

// run makes a run for a user and begins it.
func (h *house) run(user string) id.ID {
	h.t.Helper()
	event := h.process(fmt.Sprintf(`{"type":"track","event":"Tour","userId":%q}`, user))[0]
	rows, _, err := h.ListRuns(h.t.Context(), query.RunQuery{Event: event}, query.Paging{Limit: 10})
	require.NoError(h.t, err)
	require.Len(h.t, rows, 1)
	_, err = h.runs.BeginRun(h.t.Context(), handover.RunInput{Run: rows[0].ID})
	require.NoError(h.t, err)
	return rows[0].ID
}

func (h *house) step(v id.ID, step run.Path) run.Step {
	h.t.Helper()
	rows, err := h.StepRows(h.t.Context(), []id.ID{v})
	require.NoError(h.t, err)
	for _, r := range rows {
		if r.Step == step {
			return r
		}
	}
	return run.Step{}
}

func (h *house) status(run id.ID) run.Run {
	h.t.Helper()
	r, err := h.RunRow(h.t.Context(), run)
	require.NoError(h.t, err)
	return r
}

// invited is a run whose step has invited somebody.
type invited struct{ run, dist id.ID }

// invited makes a run for a user who is to be sent a survey.
func (h *house) invited(user string) invited {
	h.t.Helper()
	run := h.run(user)
	for _, s := range []activities.StepInput{{Run: run, Step: "know", Kind: "update_contact"}, {Run: run, Step: "ask", Kind: "distribute"}} {
		r, err := h.runs.RunTask(h.t.Context(), s)
		require.NoError(h.t, err)
		require.False(h.t, r.Failed, h.step(run, s.Step).Error)
		if r.Distribution != 0 {
			return invited{run, r.Distribution}
		}
	}
	require.Fail(h.t, "no distribution")
	return invited{}
}

// send sends what is due in a distribution, as an activity because it says that it
// lives.
func (h *house) send(v invited) (delivery.Drained, error) {
	h.t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(h.dists.SendDue)
	var sent delivery.Drained
	got, err := env.ExecuteActivity(h.dists.SendDue, handover.DistributionInput{Distribution: v.dist})
	if err == nil {
		err = got.Get(&sent)
	}
	return sent, err
}

// sent sends what is due, twice, and requires that the second time finds nothing.
func (h *house) sent(v invited) {
	h.t.Helper()
	_, err := h.send(v)
	require.NoError(h.t, err)
	again, err := h.send(v)
	require.NoError(h.t, err)
	require.Zero(h.t, again.Done)
}

func (h *house) mails() []query.MailRow {
	h.t.Helper()
	rows, _, err := h.ListOutbox(h.t.Context(), query.Paging{Limit: 100})
	require.NoError(h.t, err)
	return rows
}

func (h *house) invitation(v invited) query.InvitationRow {
	h.t.Helper()
	rows, _, err := h.ListInvitations(h.t.Context(), query.InvitationQuery{Run: v.run}, query.Paging{Limit: 10})
	require.NoError(h.t, err)
	require.Len(h.t, rows, 1)
	return rows[0]
}

// broken is a mail server that takes the mail and then fails, or fails at once.
type broken struct {
	activities.MailSender
	err   error
	takes bool
}

func (b *broken) Send(ctx context.Context, m mail.Message) error {
	if b.takes || b.err == nil {
		if err := b.MailSender.Send(ctx, m); err != nil {
			return err
		}
	}
	return b.err
}

// token is the personal link's of an invitation, which is sent.
func (h *house) token(v invited) string {
	h.t.Helper()
	h.sent(v)
	inv, err := h.InvitationByID(h.t.Context(), h.invitation(v).ID)
	require.NoError(h.t, err)
	return inv.Token
}
