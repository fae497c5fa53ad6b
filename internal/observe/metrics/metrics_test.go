package metrics

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	sdk "go.temporal.io/sdk/worker"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/mail"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/outside/courier"
	"github.com/segue-xm/segue/worker"
)

// page is the metrics of a process, as Prometheus reads them.
type page struct {
	*Metrics
	t        *testing.T
	registry *prometheus.Registry
}

func setup(t *testing.T) *page {
	r := prometheus.NewRegistry()
	return &page{New(r, About{Version: "1.2.3", Mode: "worker"}), t, r}
}

var emptyLabel = regexp.MustCompile(`,?[a-z_]+=""`)

// lines are those of a metric without the ones that are 0, and without labels that say
// nothing.
func (p *page) lines(name string) []string {
	p.t.Helper()
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(p.t, 200, answer.Code, answer.Body)
	var out []string
	for line := range strings.Lines(answer.Body.String()) {
		if strings.HasPrefix(line, name) && !strings.HasSuffix(line, " 0\n") {
			out = append(out, strings.ReplaceAll(emptyLabel.ReplaceAllString(strings.TrimSpace(line), ""), "{,", "{"))
		}
	}
	return out
}

func TestNew_SaysWhichProcessThisIs(t *testing.T) {
	t.Parallel()
	require.Regexp(t, `^segue_build_info\{go_version="go[^"]+",mode="worker",version="1.2.3"\} 1$`, setup(t).lines("segue_build_info")[0])
}

func TestActivities_AreCountedByHowTheyEnded_ByPanicToo(t *testing.T) {
	t.Parallel()
	p := setup(t)
	for _, end := range []func() error{
		func() error { return nil },
		func() error { return fault.New(fault.Unavailable, "hana@example.com is away") },
		func() error { return context.Canceled },
		func() error { panic("hana@example.com") },
	} {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
		env := suite.NewTestActivityEnvironment()
		env.SetWorkerOptions(sdk.Options{Interceptors: []interceptor.WorkerInterceptor{p.Activities()}})
		do := func(context.Context) error { return end() }
		env.RegisterActivityWithOptions(do, activity.RegisterOptions{Name: "Do"})
		_, _ = env.ExecuteLocalActivity(do)
	}
	require.Equal(t, []string{
		`segue_activities_total{activity="Do",outcome="cancelled"} 1`, `segue_activities_total{activity="Do",outcome="ok"} 1`,
		`segue_activities_total{activity="Do",outcome="panic"} 1`, `segue_activities_total{activity="Do",outcome="unavailable"} 1`,
	}, p.lines("segue_activities_total"))
	require.Equal(t, []string{`segue_activity_seconds_count{activity="Do"} 4`}, p.lines("segue_activity_seconds_count"))
}

func TestMarked_IsByWhatIsMade(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.Marked([]delivery.Mark{
		{Action: plan.UpsertContact, Status: delivery.Done}, {Action: plan.UpsertContact, Status: delivery.Done},
		{Action: plan.StartWorkflow, Status: delivery.Rejected}, {Action: plan.UpsertTransaction, Status: delivery.Retrying},
	})
	require.Equal(t, []string{
		`segue_effects_total{kind="contact",outcome="done"} 2`, `segue_effects_total{kind="run",outcome="rejected"} 1`,
		`segue_effects_total{kind="transaction",outcome="retrying"} 1`,
	}, p.lines("segue_effects_total"))
}

// fakeAccount answers what it is told to.
type fakeAccount struct {
	courier.Account
	o delivery.Outcome
}

func (a *fakeAccount) Open(context.Context, *routing.Destination, string) (courier.Account, error) {
	return a, nil
}
func (a *fakeAccount) Deliver(context.Context, delivery.Attempt) delivery.Outcome { return a.o }
func (a *fakeAccount) Send(context.Context, distribution.Outgoing) (distribution.Remote, delivery.Outcome) {
	return distribution.Remote{Survey: "s"}, a.o
}
func (a *fakeAccount) Progress(context.Context, distribution.Remote) (distribution.Progress, delivery.Outcome) {
	return distribution.Progress{Opened: true}, a.o
}

func TestAccounts_AttemptsAreCountedByActionAndOutcome(t *testing.T) {
	t.Parallel()
	p := setup(t)
	ctx, f := t.Context(), &fakeAccount{}
	a, err := p.Accounts(f).Open(ctx, &routing.Destination{Def: plan.Destination{Name: "acme"}}, "")
	require.NoError(t, err)
	a.Deliver(ctx, delivery.Attempt{Action: plan.UpsertContact})
	f.o = delivery.Outcome{Err: fault.New(fault.RateLimited, "later"), Untried: true}
	a.Deliver(ctx, delivery.Attempt{Action: plan.UpsertContact})
	f.o = delivery.Outcome{Err: fault.New(fault.Unauthorized, "no"), Refused: true}
	learnt, o := a.Send(ctx, distribution.Outgoing{})
	require.Equal(t, "s", learnt.Survey)
	require.True(t, o.Refused)
	f.o = delivery.Outcome{Err: fault.New(fault.Unavailable, "away")}
	seen, _ := a.Progress(ctx, distribution.Remote{})
	require.True(t, seen.Opened)
	require.Equal(t, []string{
		`segue_account_attempts_total{action="distribute",destination="acme",outcome="refused"} 1`,
		`segue_account_attempts_total{action="progress",destination="acme",outcome="unavailable"} 1`,
		`segue_account_attempts_total{action="upsert_contact",destination="acme",outcome="held"} 1`,
		`segue_account_attempts_total{action="upsert_contact",destination="acme",outcome="ok"} 1`,
	}, p.lines("segue_account_attempts_total"))
	require.Equal(t, []string{`segue_account_attempt_seconds_count{destination="acme"} 4`}, p.lines("segue_account_attempt_seconds_count"))
}

// fakeStore takes every note, or none.
type fakeStore struct {
	activities.DistributionStore
	ok  bool
	err error
}

func (s *fakeStore) Reserve(context.Context, id.ID, distribution.Kind, distribution.Rule) (distribution.Reservation, error) {
	return distribution.Reservation{Verdict: distribution.Verdict{OK: s.ok}}, s.err
}

func (s *fakeStore) MessageWasSent(context.Context, id.ID, distribution.Kind, distribution.Then) error {
	return s.err
}

func (s *fakeStore) MessageFailed(context.Context, id.ID, distribution.Kind, string, bool) error {
	return s.err
}

func (s *fakeStore) EndInvitation(context.Context, id.ID, distribution.Status, string) error {
	return s.err
}

// fakeCourierStore is a fakeStore of the courier's.
type fakeCourierStore struct {
	courier.Store
	fake *fakeStore
}

func (s fakeCourierStore) Reserve(ctx context.Context, v id.ID, k distribution.Kind, r distribution.Rule) (distribution.Reservation, error) {
	return s.fake.Reserve(ctx, v, k, r)
}

func (s fakeCourierStore) MessageFailed(ctx context.Context, v id.ID, k distribution.Kind, reason string, final bool) error {
	return s.fake.MessageFailed(ctx, v, k, reason, final)
}

func (s fakeCourierStore) AccountSent(context.Context, id.ID, distribution.MessageState, time.Time) error {
	return s.fake.err
}

func TestMessages_AreCountedOnceRecorded_RemindersAsOneKind(t *testing.T) {
	t.Parallel()
	p := setup(t)
	ctx, f := t.Context(), &fakeStore{ok: true}
	mails, accounts := p.Distributions(f), p.Courier(fakeCourierStore{fake: f})
	all := func() {
		_, _ = mails.Reserve(ctx, 1, distribution.KindInvitation, distribution.Rule{})
		_ = mails.MessageWasSent(ctx, 1, distribution.KindReminder(1), distribution.Then{})
		_ = mails.MessageWasSent(ctx, 1, distribution.KindReminder(2), distribution.Then{})
		_ = mails.MessageFailed(ctx, 1, distribution.KindInvitation, "hana@example.com", true)
		_ = mails.MessageFailed(ctx, 1, distribution.KindInvitation, "hana@example.com", false)
		_ = mails.EndInvitation(ctx, 1, distribution.Failed, "hana@example.com")
		_, _ = accounts.Reserve(ctx, 1, distribution.KindThanks, distribution.Rule{})
		_ = accounts.AccountSent(ctx, 1, distribution.MessageState{Kind: distribution.KindThanks}, time.Time{})
		_ = accounts.MessageFailed(ctx, 1, distribution.KindThanks, "hana@example.com", true)
	}
	f.err = errors.New("the database is away")
	all()
	require.Empty(t, p.lines("segue_messages_total"), "what is not recorded comes again")
	f.err = nil
	all()
	f.ok = false
	_, _ = mails.Reserve(ctx, 1, distribution.KindInvitation, distribution.Rule{})
	_, _ = accounts.Reserve(ctx, 1, distribution.KindThanks, distribution.Rule{})
	require.Equal(t, []string{
		`segue_messages_total{by="account",kind="thanks",outcome="failed"} 1`, `segue_messages_total{by="account",kind="thanks",outcome="sent"} 1`,
		`segue_messages_total{by="account",kind="thanks",outcome="skipped"} 1`,
		`segue_messages_total{by="mail",kind="invitation",outcome="failed"} 2`, `segue_messages_total{by="mail",kind="invitation",outcome="retrying"} 1`,
		`segue_messages_total{by="mail",kind="invitation",outcome="skipped"} 1`, `segue_messages_total{by="mail",kind="reminder",outcome="sent"} 2`,
	}, p.lines("segue_messages_total"))
}

type failingMail struct{ err error }

func (m failingMail) Send(context.Context, mail.Message) error { return m.err }

func TestMail_IsTimedByOutcome(t *testing.T) {
	t.Parallel()
	p := setup(t)
	require.NoError(t, p.Mail(failingMail{}).Send(t.Context(), mail.Message{}))
	require.Error(t, p.Mail(failingMail{fault.New(fault.Invalid, "no such address")}).Send(t.Context(), mail.Message{}))
	require.Equal(t, []string{`segue_mail_seconds_count{outcome="invalid"} 1`, `segue_mail_seconds_count{outcome="ok"} 1`}, p.lines("segue_mail_seconds_count"))
}

// fakeBacklog finds something of everything.
type fakeBacklog struct{ worker.Backlog }

func (fakeBacklog) ClaimInbox(context.Context, int, time.Duration) ([]id.ID, error) {
	return []id.ID{1, 2, 3}, nil
}
func (fakeBacklog) ClaimDistributions(context.Context, time.Duration) ([]id.ID, error) {
	return []id.ID{1}, nil
}
func (fakeBacklog) ClaimHandovers(context.Context, int, time.Duration) ([]handover.Overdue, error) {
	return []handover.Overdue{{Kind: handover.KindRun}, {Kind: handover.KindRun}, {Kind: handover.KindJob}}, nil
}
func (fakeBacklog) AdoptDistributions(context.Context, int) (int, error) { return 4, nil }
func (fakeBacklog) DueNow(context.Context) ([]delivery.Due, error) {
	return make([]delivery.Due, 2), nil
}
func (fakeBacklog) ReleaseHeld(context.Context, id.ID, time.Time) (int64, error) {
	return 5, nil
}

func TestBacklog_FindsAreCountedByKind(t *testing.T) {
	t.Parallel()
	p := setup(t)
	ctx, b := t.Context(), p.Backlog(fakeBacklog{})
	_, _ = b.ClaimInbox(ctx, 9, 0)
	_, _ = b.ClaimDistributions(ctx, 0)
	_, _ = b.ClaimHandovers(ctx, 9, 0)
	_, _ = b.AdoptDistributions(ctx, 9)
	_, _ = b.DueNow(ctx)
	_, _ = b.ReleaseHeld(ctx, 1, time.Time{})
	require.Equal(t, []string{
		`segue_swept_total{kind="adopted"} 4`, `segue_swept_total{kind="distribution"} 1`, `segue_swept_total{kind="event"} 3`,
		`segue_swept_total{kind="held"} 5`, `segue_swept_total{kind="job"} 1`, `segue_swept_total{kind="queue"} 2`, `segue_swept_total{kind="run"} 2`,
	}, p.lines("segue_swept_total"))
}

func TestTransaction_RepeatsAndEndsAreCounted(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.Transaction(db.Transaction{Took: time.Second, Waited: time.Millisecond, Tries: 3})
	p.Transaction(db.Transaction{Tries: 1, Err: fault.New(fault.Unavailable, "away")})
	p.Pools(func() (sql.DBStats, sql.DBStats) {
		return sql.DBStats{InUse: 2, MaxOpenConnections: 8}, sql.DBStats{WaitCount: 3}
	})
	require.Equal(t, []string{`segue_database_repeats_total 2`}, p.lines("segue_database_repeats_total"))
	require.Equal(t, []string{`segue_database_transaction_seconds_sum 1`}, p.lines("segue_database_transaction_seconds_sum"))
	require.Equal(t, []string{`segue_database_transactions_total{outcome="ok"} 1`, `segue_database_transactions_total{outcome="unavailable"} 1`}, p.lines("segue_database_transactions_total"))
	require.Equal(t, []string{`segue_database_connections{pool="write",state="used"} 2`}, p.lines("segue_database_connections{"))
	require.Equal(t, []string{`segue_database_connection_waits_total{pool="read"} 3`}, p.lines("segue_database_connection_waits_total"))
}

func TestTemporal_TagsOfOneNameMayDiffer_UnknownOnesAreDropped(t *testing.T) {
	t.Parallel()
	p := setup(t)
	h := p.Temporal().WithTags(map[string]string{"namespace": "default", "workflow_type": "none"})
	h.Counter("temporal_request").Inc(2)
	h.WithTags(map[string]string{"operation": "StartWorkflowExecution", "task_queue": "q"}).Counter("temporal_request").Inc(3)
	p.Temporal().WithTags(map[string]string{"operation": "StartWorkflowExecution"}).Counter("temporal_request").Inc(1)
	h.WithTags(map[string]string{"poller_type": "workflow_task"}).Gauge("temporal_num_pollers").Update(5)
	h.Timer("temporal_request_latency").Record(time.Second)
	require.Equal(t, []string{`temporal_request_total{} 2`, `temporal_request_total{operation="StartWorkflowExecution"} 4`}, p.lines("temporal_request_total"))
	require.Equal(t, []string{`temporal_num_pollers{poller_type="workflow_task"} 5`}, p.lines("temporal_num_pollers"))
	require.Equal(t, []string{`temporal_request_latency_seconds_sum{} 1`}, p.lines("temporal_request_latency_seconds_sum"))
}
