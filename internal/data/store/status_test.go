package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/run"
)

func TestOneOf_NothingLeadsThere_IsNeverTrue(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		var n int
		require.NoError(t, s.db.ReadOne(t.Context(), &n, `SELECT count(*) FROM (SELECT 'pending' AS status) AS one WHERE status `+oneOf(distribution.Pending.Before())))
		require.Zero(t, n)
		require.NoError(t, s.db.ReadOne(t.Context(), &n, `SELECT count(*) FROM (SELECT 'sent' AS status) AS one WHERE status `+oneOf(distribution.Opened.Before())))
		require.Equal(t, 1, n)
	})
}

// status is a typed status with its table of legal moves.
type status[S any] interface {
	~string
	May(to S) bool
}

// moves puts the only row of a table into each status and does what leads to each
// other: it gets there where the rules let it, and else stays where it is.
func moves[S status[S]](t *testing.T, s *writable, table string, from []S, to map[S]func() error) {
	t.Helper()
	for _, before := range from {
		for after, do := range to {
			s.set(`UPDATE `+table+` SET status = ?`, before)
			require.NoError(t, do())
			want := before
			if before.May(after) {
				want = after
			}
			var got S
			require.NoError(t, s.db.ReadOne(t.Context(), &got, `SELECT status FROM `+table))
			require.Equal(t, want, got, "%s to %s", before, after)
		}
	}
}

// ask makes an invitation in a distribution.
func (s *writable) ask() (dist id.ID, inv distribution.Invitation) {
	s.t.Helper()
	s.apply(s.deliver(contact.Input{ExtRef: "u1", Email: "a@example.com"})...)
	var who id.ID
	require.NoError(s.t, s.db.ReadOne(s.t.Context(), &who, `SELECT id FROM contacts`))
	dist, v, err := s.Invite(s.t.Context(), distribution.New{Workflow: 1, Version: 1, Run: s.db.Next(), Step: "ask", Snapshot: "{}", Contact: who,
		Asked: distribution.Asked{Directory: s.dir.ID, Settings: "{}"}})
	require.NoError(s.t, err)
	inv, err = s.InvitationByID(s.t.Context(), v)
	require.NoError(s.t, err)
	return dist, inv
}

func TestInvitation_MovesAsTheRulesLetIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		_, inv := s.ask()
		end := func(to distribution.Status) func() error {
			return func() error { return s.EndInvitation(ctx, inv.ID, to, "the account says so") }
		}
		answer := func(finished bool) func() error {
			return func() error {
				_, _, err := s.RecordAnswer(ctx, distribution.Answer{Token: inv.Token, Finished: finished})
				return err
			}
		}
		_, err := s.Reserve(ctx, inv.ID, distribution.KindInvitation, distribution.Rule{})
		require.NoError(t, err)
		sent := func() error {
			s.set(`UPDATE messages SET status = ?`, distribution.MessageReserved)
			return s.MessageWasSent(ctx, inv.ID, distribution.KindInvitation, distribution.Then{})
		}
		moves(t, s, "invitations", distribution.Statuses(), map[distribution.Status]func() error{
			distribution.Sent:      sent,
			distribution.Opened:    func() error { return s.LinkOpened(ctx, inv.ID) },
			distribution.Started:   answer(false),
			distribution.Finished:  answer(true),
			distribution.Skipped:   end(distribution.Skipped),
			distribution.Failed:    end(distribution.Failed),
			distribution.Expired:   func() error { return s.ExpireInvitation(ctx, inv.ID) },
			distribution.Cancelled: end(distribution.Cancelled),
		})
	})
}

func TestRecordAnswer_OfWhatIsBeyondIt_SaysThatNothingChanged(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		_, inv := s.ask()
		report := func(a distribution.Answer) (distribution.Invitation, bool) {
			a.Token = inv.Token
			got, changed, err := s.RecordAnswer(t.Context(), a)
			require.NoError(t, err)
			return got, changed
		}
		_, changed := report(distribution.Answer{Finished: true, ResponseID: "R_1"})
		require.True(t, changed)
		for _, again := range []distribution.Answer{{}, {Finished: true, ResponseID: "R_2"}} {
			got, changed := report(again)
			require.False(t, changed)
			require.Equal(t, distribution.Finished, got.Status)
			require.Contains(t, got.Response, "R_1", "the first answer stays")
		}
	})
}

func TestMessageFailed_Reminder_LeavesTheInvitationAlone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		_, inv := s.ask()
		for _, kind := range []distribution.Kind{distribution.KindInvitation, distribution.KindReminder(1)} {
			r, err := s.Reserve(ctx, inv.ID, kind, distribution.Rule{})
			require.NoError(t, err)
			require.True(t, r.Verdict.OK, r.Verdict.Text)
		}
		require.NoError(t, s.MessageWasSent(ctx, inv.ID, distribution.KindInvitation, distribution.Then{}))
		require.NoError(t, s.MessageFailed(ctx, inv.ID, distribution.KindReminder(1), "no such mailbox", true))
		require.NoError(t, s.MessageFailed(ctx, inv.ID, distribution.KindInvitation, "no such mailbox", true))
		got, err := s.InvitationByID(ctx, inv.ID)
		require.NoError(t, err)
		require.Equal(t, distribution.Sent, got.Status)
	})
}

func TestMessage_MovesAsTheRulesLetIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		_, inv := s.ask()
		_, err := s.Reserve(ctx, inv.ID, distribution.KindInvitation, distribution.Rule{})
		require.NoError(t, err)
		moves(t, s, "messages", []distribution.MessageStatus{distribution.MessageReserved, distribution.MessageSent, distribution.MessageFailed},
			map[distribution.MessageStatus]func() error{
				distribution.MessageSent: func() error { return s.MessageWasSent(ctx, inv.ID, distribution.KindInvitation, distribution.Then{}) },
				distribution.MessageFailed: func() error {
					return s.MessageFailed(ctx, inv.ID, distribution.KindInvitation, "no such mailbox", true)
				},
			})
	})
}

func TestRun_MovesAsTheRulesLetIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		ref := s.deliver(contact.Input{ExtRef: "u1"})[0].Ref
		list, err := s.CreateRuns(ctx, []run.New{{Ref: ref, Workflow: 1, Version: 1, Directory: s.dir.ID, Status: run.Pending, Fields: "[]", Payload: []byte("{}")}}, time.Minute)
		require.NoError(t, err)
		to := map[run.Status]func() error{run.Running: func() error { _, err := s.BeginRun(ctx, list[0].Run); return err }}
		for _, end := range []run.Status{run.Done, run.Failed, run.NotStarted, run.Cancelled} {
			to[end] = func() error { return s.EndRun(ctx, list[0].Run, end, "") }
		}
		moves(t, s, "runs", run.Statuses(), to)
	})
}

func TestStep_MovesAsTheRulesLetIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		begin := func(status run.StepStatus) func() error {
			return func() error { _, err := s.BeginStep(ctx, 1, "wait", "wait", status, "{}"); return err }
		}
		require.NoError(t, begin(run.StepRunning)())
		to := map[run.StepStatus]func() error{run.StepRunning: begin(run.StepRunning), run.StepWaiting: begin(run.StepWaiting)}
		ends := []run.StepStatus{run.StepDone, run.StepSkipped, run.StepFailed}
		for _, end := range ends {
			to[end] = func() error { return s.EndStep(ctx, 1, "wait", end, "", "") }
		}
		moves(t, s, "run_tasks", append(run.OpenSteps(), ends...), to)
	})
}

func TestDelivery_MovesAsTheRulesLetIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		ref := s.deliver(contact.Input{ExtRef: "u1"})[0].Ref
		to := map[delivery.Status]func() error{
			delivery.Held: func() error {
				return s.HoldDeliveries(ctx, []delivery.Ref{ref}, "the destination is switched off", s.clock)
			},
		}
		for _, status := range []delivery.Status{delivery.Retrying, delivery.Done, delivery.Rejected, delivery.Cancelled} {
			to[status] = func() error { return s.MarkDeliveries(ctx, []delivery.Mark{{Ref: ref, Status: status, Due: s.clock}}) }
		}
		moves(t, s, "deliveries", append(delivery.OpenStatuses(), delivery.Done, delivery.Rejected, delivery.Cancelled), to)
	})
}
