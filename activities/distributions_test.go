package activities_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mail"
	"github.com/segue-xm/segue/internal/data/query"
)

const day = 24 * time.Hour

func TestDistribution_EachActivityTwice_HappensOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		v := h.invited("ada")
		for range 2 {
			s, err := h.dists.BeginDistribution(t.Context(), handover.DistributionInput{Distribution: v.dist})
			require.NoError(t, err)
			require.Equal(t, activities.Schedule{Standing: true}, s)
		}
		h.sent(v)
		require.Len(t, h.mails(), 1)
		require.Equal(t, "Hello ada", h.mails()[0].Subject)
		r, err := h.send(v)
		require.NoError(t, err)
		require.Equal(t, delivery.Drained{Next: 3 * day}, r, "the reminder")
		h.pass(3 * day)
		h.sent(v)
		require.Len(t, h.mails(), 2)
		r, err = h.send(v)
		require.NoError(t, err)
		require.Equal(t, delivery.Drained{Next: 11 * day}, r, "the end of the time to answer")
		h.pass(11 * day)
		h.sent(v)
		require.Equal(t, distribution.Expired, h.invitation(v).Status)
		r, err = h.send(v)
		require.NoError(t, err)
		require.Equal(t, delivery.Drained{Empty: true}, r)
		require.Len(t, h.mails(), 2, "who expired is left alone")
	})
}

func TestDistribution_OfAStep_HasThePeopleOfAllItsRuns(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ada, ben := h.invited("ada"), h.invited("ben")
		require.Equal(t, ada.dist, ben.dist)
		require.Equal(t, []id.ID{ada.dist}, h.launched.dists, "nobody is told again before it has looked")
		h.sent(ada)
		require.Len(t, h.mails(), 2)
		for _, f := range []query.DistributionQuery{{}, {Run: ben.run}, {Workflow: h.named("workflow", "feedback")}, {Survey: "tour"}} {
			rows, _, err := h.ListDistributions(t.Context(), f, query.Paging{Limit: 10})
			require.NoError(t, err)
			require.Len(t, rows, 1)
			require.Equal(t, "ask", rows[0].Step)
			require.Equal(t, distribution.StateStanding, rows[0].Status)
			require.Zero(t, rows[0].Run)
		}
		cyd := h.invited("cyd")
		require.Equal(t, []id.ID{ada.dist, cyd.dist}, h.launched.dists, "it had looked away")
		counts, err := h.DistributionCounts(t.Context(), []id.ID{ada.dist})
		require.NoError(t, err)
		require.Equal(t, []query.CountRow{{Distribution: ada.dist, Status: "pending", N: 1}, {Distribution: ada.dist, Status: "sent", N: 2, Sent: 2}}, counts)
	})
}

func TestDistribution_WorkflowChanges_InvitationsKeepWhatTheyAsk(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ada := h.invited("ada")
		p := h.plan()
		p.Workflows[0].Steps[2].With.Set("subject", "Well, {{ fields.user }}?")
		p.Workflows[0].Steps[2].With.Set("expires", "5d")
		h.save(p)
		ben := h.invited("ben")
		require.Equal(t, ada.dist, ben.dist)
		h.sent(ada)
		var subjects []string
		for _, m := range h.mails() {
			subjects = append(subjects, m.Subject)
		}
		require.ElementsMatch(t, []string{"Hello ada", "Well, ben?"}, subjects)
		h.pass(6 * day)
		h.sent(ada)
		require.Equal(t, distribution.Sent, h.invitation(ada).Status)
		require.Equal(t, distribution.Expired, h.invitation(ben).Status)
	})
}

func TestDistribution_SentLate_TimesCountFromThen(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		v := h.invited("ada")
		h.pass(20 * day) // longer than the time to answer
		h.sent(v)
		require.Equal(t, distribution.Sent, h.invitation(v).Status)
		require.Equal(t, h.now().Add(14*day).UnixMilli(), h.invitation(v).ExpiresAt.Int64)
		h.pass(2 * day)
		h.sent(v)
		require.Len(t, h.mails(), 1)
		h.pass(day)
		h.sent(v)
		require.Len(t, h.mails(), 2)
	})
}

func TestSendDue_BreaksOffBetweenMailAndMark_OneMail(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		v := h.invited("ada")
		outbox := h.dists.Mail
		h.dists.Mail = &broken{MailSender: outbox, takes: true, err: fault.New(fault.Unavailable, "the connection broke after the mail was taken")}
		_, err := h.send(v)
		require.Error(t, err)
		require.Equal(t, distribution.Pending, h.invitation(v).Status)
		require.Len(t, h.mails(), 1)
		h.dists.Mail = outbox
		h.pass(time.Minute)
		h.sent(v)
		require.Equal(t, distribution.Sent, h.invitation(v).Status)
		require.Len(t, h.mails(), 1, "the same Message-ID")
	})
}

func TestSendDue_MarkIsLost_OneMail(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		v := h.invited("ada")
		h.dists.Store = &unmarked{h.Store}
		_, err := h.send(v)
		require.Error(t, err)
		h.dists.Store = h.Store
		h.sent(v)
		require.Len(t, h.mails(), 1)
	})
}

// unmarked is a database that goes away before the mark.
type unmarked struct{ activities.DistributionStore }

func (unmarked) MessageWasSent(context.Context, id.ID, distribution.Kind, distribution.Then) error {
	return fault.New(fault.Unavailable, "gone")
}

func TestSendDue_CanNeverBeSent_FailsAloneAndFreesItsPlace(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		v := h.invited("ada")
		outbox := h.dists.Mail
		h.dists.Mail = &broken{MailSender: outbox, err: fault.New(fault.Invalid, "no such mailbox")}
		h.sent(v)
		require.Equal(t, distribution.Failed, h.invitation(v).Status)
		require.Equal(t, "no such mailbox", h.invitation(v).Reason)
		h.dists.Mail = outbox
		for range 2 { // the rule allows two
			v := h.invited("ada")
			h.sent(v)
			require.Equal(t, distribution.Sent, h.invitation(v).Status)
		}
	})
}

func TestSendDue_FrequencyRule_ConcurrentReservationsNeverExceedIt(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		var all []invited
		for range 8 {
			all = append(all, h.invited("ada"))
		}
		errs := make([]error, 3)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = h.send(all[0]) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs...))
		require.Len(t, h.mails(), 2)
		count := map[distribution.Status]int{}
		for _, v := range all {
			count[h.invitation(v).Status]++
		}
		require.Equal(t, map[distribution.Status]int{distribution.Sent: 2, distribution.Skipped: 6}, count)

		h.pass(31 * day)
		h.sent(h.invited("ada"))
		require.Len(t, h.mails(), 3, "the window moved on")
	})
}

func TestSendDue_OptOutAfterTheInvitation_NoReminder(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		v := h.invited("ada")
		_, changed, err := h.OptOut(t.Context(), h.token(v))
		require.NoError(t, err)
		require.True(t, changed)
		h.pass(3 * day)
		h.sent(v)
		require.Len(t, h.mails(), 1)
		h.pass(11 * day)
		h.sent(v)
		require.Equal(t, distribution.Expired, h.invitation(v).Status)
	})
}

func TestSendDue_Answered_NothingMore(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		v := h.invited("ada")
		_, _, err := h.RecordAnswer(t.Context(), distribution.Answer{Token: h.token(v), Finished: true})
		require.NoError(t, err)
		r, err := h.send(v)
		require.NoError(t, err)
		require.Equal(t, delivery.Drained{Empty: true}, r)
		h.pass(20 * day)
		h.sent(v)
		require.Len(t, h.mails(), 1)
		require.Equal(t, distribution.Finished, h.invitation(v).Status)
		require.Contains(t, h.step(v.run, "ask").Output, `"status":"finished"`)
	})
}

func TestSendDue_OneAddressIsSlow_OthersGoAndItIsTriedLater(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		var all []invited
		for i := range 20 {
			all = append(all, h.invited(fmt.Sprint("u", i)))
		}
		outbox := h.dists.Mail
		h.dists.Mail = &greylisting{MailSender: outbox, to: "u3@example.com"}
		r, err := h.send(all[0])
		require.NoError(t, err)
		require.Equal(t, 19, r.Done)
		require.Equal(t, 5*time.Second, r.Next)
		require.Equal(t, distribution.Pending, h.invitation(all[3]).Status)
		h.dists.Mail = outbox
		h.pass(5 * time.Second)
		h.sent(all[0])
		require.Len(t, h.mails(), 20)
	})
}

// spoilt is a database in which one invitation cannot be read.
type spoilt struct {
	activities.DistributionStore
	one id.ID
}

func (s *spoilt) Reserve(ctx context.Context, v id.ID, kind distribution.Kind, rule distribution.Rule) (distribution.Reservation, error) {
	if v == s.one {
		panic("an invitation like no other")
	}
	return s.DistributionStore.Reserve(ctx, v, kind, rule)
}

func TestSendDue_OneInvitationIsSpoilt_OthersGoAndItIsTriedLater(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		var all []invited
		for i := range 20 {
			all = append(all, h.invited(fmt.Sprint("u", i)))
		}
		h.dists.Store = &spoilt{h.Store, h.invitation(all[0]).ID}
		r, err := h.send(all[0])
		require.NoError(t, err)
		require.Equal(t, 19, r.Done)
		require.Positive(t, r.Next)
		h.dists.Store = h.Store
		h.pass(time.Minute)
		h.sent(all[0])
		require.Len(t, h.mails(), 20)
	})
}

func TestSendDue_SenderChosenForEachPerson_OneVersion(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		p := h.plan()
		p.Workflows[0].Steps[2].With.Set("reply_to", "care+{{ fields.user }}@example.com")
		h.save(p)
		ada, ben := h.invited("ada"), h.invited("ben")
		h.sent(ada)
		var replies []string
		for _, m := range h.mails() {
			o, err := jsonvalue.ParseObject([]byte(m.Headers))
			require.NoError(t, err)
			replies = append(replies, o.Get("Reply-To").(string))
		}
		require.ElementsMatch(t, []string{"care+ada@example.com", "care+ben@example.com"}, replies)
		one, err := h.InvitationByID(t.Context(), h.invitation(ada).ID)
		require.NoError(t, err)
		other, err := h.InvitationByID(t.Context(), h.invitation(ben).ID)
		require.NoError(t, err)
		a, err := h.AskedOf(t.Context(), one.ID)
		require.NoError(t, err)
		b, err := h.AskedOf(t.Context(), other.ID)
		require.NoError(t, err)
		require.Equal(t, a, b)
		require.NotContains(t, a.Settings, "care+")
	})
}

func TestSendDue_MailServerAway_FewAreTried(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		var all []invited
		for i := range 60 {
			all = append(all, h.invited(fmt.Sprint("u", i)))
		}
		away := &greylisting{MailSender: h.dists.Mail}
		h.dists.Mail = away
		_, err := h.send(all[0])
		require.Error(t, err, "Temporal tries again")
		require.LessOrEqual(t, away.refused, 40)
		h.dists.Mail = away.MailSender
		h.pass(time.Minute)
		h.sent(all[0])
		require.Len(t, h.mails(), 60)
	})
}

// greylisting is a mail server that takes nothing for an address for now; "" is all.
type greylisting struct {
	activities.MailSender
	to      string
	mu      sync.Mutex
	refused int
}

func (g *greylisting) Send(ctx context.Context, m mail.Message) error {
	if g.to == "" || m.To == g.to {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.refused++
		return fault.New(fault.Unavailable, "try later")
	}
	return g.MailSender.Send(ctx, m)
}
