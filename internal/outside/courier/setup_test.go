package courier_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/pgtest"
	"github.com/segue-xm/segue/internal/data/query"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/outside/courier"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
	"github.com/segue-xm/segue/internal/outside/qualtrics/standin"
)

// thePlan has a mapping for each action of an account.
const thePlan = `
version: 1
sources: [{name: web}]
directories: [{name: customers, default: true, merge_rules: [[ext_ref], [email]]}]
destinations:
  - {name: xm, type: directory, directory: customers}
  - {name: acme, type: qualtrics, datacenter: fra1, api_token: TOKEN-1}
mappings:
  - {name: own, source: web, destination: xm, action: upsert_contact, when: type = "identify"}
  - {name: people, source: web, destination: acme, action: upsert_contact, when: type = "group", fields: {directoryId: POOL_1}}
  - {name: orders, source: web, destination: acme, action: upsert_transaction, when: type = "screen", fields: {directoryId: POOL_1, mailingListId: CG_1}}
  - {name: starts, source: web, destination: acme, action: start_workflow, when: type = "page", fields: {workflowUrl: "https://fra1.qualtrics.com/triggers/x?t=1"}}
surveys: [{name: tour, survey_id: SV_1}]
`

// house is a courier on a real database, with a stand-in for its account and a clock
// that the test moves.
type house struct {
	*store.Store
	*query.Reader
	db        *db.DB
	t         *testing.T
	revisions *routing.Cache
	courier   *courier.Courier
	account   *standin.Account

	mu    sync.Mutex
	clock time.Time
	told  []id.ID // runs that were told of an answer
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

func (h *house) answered(_ context.Context, run id.ID) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, run)
	return nil
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
	h := &house{t: t, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	d, err := db.Open(t.Context(), db.Options{URL: url, Now: h.now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	h.db, h.Store, h.Reader = d, store.New(d), query.New(d)
	h.revisions = routing.NewCache(h.Store)
	h.save(h.plan())
	h.courier = &courier.Courier{Store: h.Store, Revisions: h.revisions, Answered: h.answered, Now: h.now}
	h.settle(standin.Options{Token: "TOKEN-1"})
	return h
}

// settle makes a new account, in place of the one there was.
func (h *house) settle(o standin.Options) {
	h.t.Helper()
	h.account = standin.New(o)
	server := httptest.NewServer(h.account)
	h.t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	require.NoError(h.t, err)
	secrets := func(context.Context) (map[string]string, error) { return nil, nil }
	h.courier.Accounts = qualtrics.NewAccounts(secrets, to, h.now)
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

func (h *house) acme() id.ID { return h.named(plan.KindDestination, "acme") }

// deliver is one round.
func (h *house) deliver() delivery.Drained {
	h.t.Helper()
	live, err := h.revisions.Current(h.t.Context())
	require.NoError(h.t, err)
	out, err := h.courier.Deliver(h.t.Context(), live.Revision, live.Destination(h.acme()))
	require.NoError(h.t, err)
	return out
}

// drain does rounds until nothing waits, for some time at most.
func (h *house) drain(most time.Duration) {
	h.t.Helper()
	for end := h.now().Add(most); h.now().Before(end); {
		out := h.deliver()
		if out.Empty {
			return
		}
		h.pass(max(out.Next, time.Millisecond))
	}
}

// work is what a mapping made of an event.
type work struct{ mapping, action, payload string }

func person(user string) work {
	return work{"people", plan.UpsertContact, fmt.Sprintf(`{"directoryId":"POOL_1","extRef":%q,"email":"%s@example.com"}`, user, user)}
}

func order(user string, total int) work {
	return work{"orders", plan.UpsertTransaction, fmt.Sprintf(
		`{"directoryId":"POOL_1","mailingListId":"CG_1","extRef":%q,"transactionDate":"2026-02-03T04:05:06Z","transactionData":{"total":%d}}`, user, total)}
}

var start = work{"starts", plan.StartWorkflow, `{"workflowUrl":"https://fra1.qualtrics.com/triggers/x?t=1","eventPayload":{"userId":"ada"}}`}

// waiting makes deliveries, each of an event of its own.
func (h *house) waiting(destination string, list ...work) []delivery.Ref {
	h.t.Helper()
	events := make([]store.NewEvent, len(list))
	for i := range events {
		h.n++
		events[i] = store.NewEvent{Source: h.named(plan.KindSource, "web"), Type: "track", MessageID: fmt.Sprint("m", h.n), Body: []byte(`{}`)}
	}
	accepted, err := h.StoreEvents(h.t.Context(), events, time.Minute)
	require.NoError(h.t, err)
	deliveries, refs := make([]delivery.New, len(list)), make([]delivery.Ref, len(list))
	for i, w := range list {
		refs[i] = delivery.Ref{Event: accepted[i].ID, Mapping: h.named(plan.KindMapping, w.mapping)}
		deliveries[i] = delivery.New{
			Event: refs[i].Event, Mapping: refs[i].Mapping, Destination: h.named(plan.KindDestination, destination), Action: w.action,
			Status: delivery.Pending, Occurred: h.now(), Payload: []byte(w.payload), Due: h.now(),
		}
	}
	require.NoError(h.t, h.WriteDeliveries(h.t.Context(), deliveries))
	return refs
}

// remote makes deliveries to the account.
func (h *house) remote(list ...work) []delivery.Ref { return h.waiting("acme", list...) }

func (h *house) row(r delivery.Ref) query.DeliveryRow {
	h.t.Helper()
	rows, err := h.DeliveryRows(h.t.Context(), []id.ID{r.Event}, true)
	require.NoError(h.t, err)
	require.Len(h.t, rows, 1)
	return rows[0]
}

// statuses counts deliveries by status.
func (h *house) statuses(refs []delivery.Ref) map[string]int {
	h.t.Helper()
	out := map[string]int{}
	for _, r := range refs {
		out[string(h.row(r).Status)]++
	}
	return out
}

// invited makes an invitation of somebody, which the account is to send.
func (h *house) invited(user string) (run, invitation id.ID) {
	h.t.Helper()
	ctx, dir, email := h.t.Context(), contact.Directory{ID: h.named(plan.KindDirectory, "customers")}, user+"@example.com"
	ref := h.waiting("xm", work{"own", plan.UpsertContact, `{}`})[0]
	in := &contact.Input{ExtRef: user, Email: email, Stamp: contact.Stamp{At: h.now().UnixMilli(), Event: ref.Event}}
	require.NoError(h.t, h.ApplyContacts(ctx, dir, []delivery.ContactEffect{{Ref: ref, Input: in, Mode: contact.Upsert}}))
	c, err := h.FindContact(ctx, dir, &contact.Input{ExtRef: user})
	require.NoError(h.t, err)

	const day = plan.Duration(24 * time.Hour)
	settings, err := distribution.Stored{SurveyID: "SV_1", Settings: distribution.Settings{
		Subject: "Hello {{ fields.user }}", Message: "{{ link.url }}", Reminders: []distribution.Reminder{{After: 3 * day}}, Expires: 14 * day,
		DirectoryID: "POOL_1", MailingListID: "CG_1", Thanks: &distribution.Thanks{Subject: "Thanks", Message: "Thank you, {{ fields.user }}"},
	}}.Text()
	require.NoError(h.t, err)
	run = h.db.Next()
	_, invitation, err = h.Invite(ctx, distribution.New{
		Workflow: 1, Version: 1, Run: run, Step: "ask", Contact: c,
		Asked:    distribution.Asked{Directory: dir.ID, Destination: h.acme(), Survey: "tour", Channel: "email", Settings: settings},
		Snapshot: fmt.Sprintf(`{"contact":{"ext_ref":%q,"email":%q},"fields":{"user":%q}}`, user, email, user),
	})
	require.NoError(h.t, err)
	return run, invitation
}

// queue has the account send a kind of message.
func (h *house) queue(invitation id.ID, kind distribution.Kind) {
	h.t.Helper()
	require.NoError(h.t, h.QueueMessages(h.t.Context(), h.acme(), kind, []id.ID{invitation}, h.now()))
}

func (h *house) invitation(v id.ID) distribution.Invitation {
	h.t.Helper()
	inv, err := h.InvitationByID(h.t.Context(), v)
	require.NoError(h.t, err)
	return inv
}
