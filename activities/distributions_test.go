package activities_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
)

func TestDistribution_EachActivityTwice_HappensOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		in := handover.DistributionInput{Distribution: h.invited("ada")}
		for range 2 {
			s, err := h.dists.BeginDistribution(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, activities.Schedule{Reminders: []time.Duration{72 * time.Hour}, Expires: 14 * 24 * time.Hour}, s)
		}
		for i := range 2 {
			sent, err := h.send(in.Distribution, distribution.KindInvitation)
			require.NoError(t, err)
			require.Equal(t, activities.Sent{Sent: 1 - i}, sent)
			n, err := h.dists.Remaining(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, 1, n)
		}
		require.Len(t, h.mails(), 1)
		require.Equal(t, "Hello ada", h.mails()[0].Subject)
		for range 2 {
			_, err := h.send(in.Distribution, distribution.KindReminder(1))
			require.NoError(t, err)
		}
		require.Len(t, h.mails(), 2)
		for range 2 {
			require.NoError(t, h.dists.FinishDistribution(t.Context(), in))
			require.Equal(t, distribution.Expired, h.invitation(in.Distribution).Status)
			n, err := h.dists.Remaining(t.Context(), in)
			require.NoError(t, err)
			require.Zero(t, n)
		}
		s, err := h.dists.BeginDistribution(t.Context(), in)
		require.NoError(t, err)
		require.True(t, s.Ended)
		_, err = h.send(in.Distribution, distribution.KindReminder(1))
		require.NoError(t, err)
		require.Len(t, h.mails(), 2, "who expired is left alone")
	})
}

func TestSendMessages_BreaksOffBetweenMailAndMark_OneMail(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		d := h.invited("ada")
		outbox := h.dists.Mail
		h.dists.Mail = &broken{MailSender: outbox, takes: true, err: fault.New(fault.Unavailable, "the connection broke after the mail was taken")}
		_, err := h.send(d, distribution.KindInvitation)
		require.Error(t, err)
		require.Equal(t, distribution.Pending, h.invitation(d).Status)
		require.Len(t, h.mails(), 1)
		h.dists.Mail = outbox
		sent, err := h.send(d, distribution.KindInvitation)
		require.NoError(t, err)
		require.Equal(t, 1, sent.Sent)
		require.Equal(t, distribution.Sent, h.invitation(d).Status)
		require.Len(t, h.mails(), 1, "the same Message-ID")
	})
}

func TestSendMessages_MarkIsLost_OneMail(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		d := h.invited("ada")
		h.dists.Store = &unmarked{h.Store}
		_, err := h.send(d, distribution.KindInvitation)
		require.Error(t, err)
		h.dists.Store = h.Store
		_, err = h.send(d, distribution.KindInvitation)
		require.NoError(t, err)
		require.Len(t, h.mails(), 1)
	})
}

// unmarked is a database that goes away before the mark.
type unmarked struct{ activities.DistributionStore }

func (unmarked) MessageWasSent(context.Context, id.ID, distribution.Kind) error {
	return fault.New(fault.Unavailable, "gone")
}

func TestSendMessages_CanNeverBeSent_FailsAloneAndFreesItsPlace(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		d := h.invited("ada")
		outbox := h.dists.Mail
		h.dists.Mail = &broken{MailSender: outbox, err: fault.New(fault.Invalid, "no such mailbox")}
		sent, err := h.send(d, distribution.KindInvitation)
		require.NoError(t, err)
		require.Equal(t, activities.Sent{Failed: 1}, sent)
		require.Equal(t, distribution.Failed, h.invitation(d).Status)
		require.Equal(t, "no such mailbox", h.invitation(d).Reason)
		h.dists.Mail = outbox
		for range 2 { // the rule allows two
			d := h.invited("ada")
			_, err := h.send(d, distribution.KindInvitation)
			require.NoError(t, err)
			require.Equal(t, distribution.Sent, h.invitation(d).Status)
		}
	})
}

func TestSendMessages_FrequencyRule_ConcurrentReservationsNeverExceedIt(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		var dists []id.ID
		for range 8 {
			dists = append(dists, h.invited("ada"))
		}
		errs := make([]error, len(dists))
		var wg sync.WaitGroup
		for i, d := range dists {
			wg.Go(func() { _, errs[i] = h.send(d, distribution.KindInvitation) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs...))
		require.Len(t, h.mails(), 2)
		count := map[distribution.Status]int{}
		for _, d := range dists {
			count[h.invitation(d).Status]++
		}
		require.Equal(t, map[distribution.Status]int{distribution.Sent: 2, distribution.Skipped: 6}, count)

		h.pass(31 * 24 * time.Hour)
		_, err := h.send(h.invited("ada"), distribution.KindInvitation)
		require.NoError(t, err)
		require.Len(t, h.mails(), 3, "the window moved on")
	})
}

func TestSendMessages_OptOutAfterTheInvitation_NoReminder(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		d := h.invited("ada")
		token := h.token(d)
		_, changed, err := h.OptOut(t.Context(), token)
		require.NoError(t, err)
		require.True(t, changed)
		sent, err := h.send(d, distribution.KindReminder(1))
		require.NoError(t, err)
		require.Equal(t, activities.Sent{Skipped: 1}, sent)
		require.Len(t, h.mails(), 1)
	})
}

func TestSendMessages_Answered_NoReminder(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		d := h.invited("ada")
		token := h.token(d)
		_, _, err := h.RecordAnswer(t.Context(), distribution.Answer{Token: token, Finished: true})
		require.NoError(t, err)
		sent, err := h.send(d, distribution.KindReminder(1))
		require.NoError(t, err)
		require.Zero(t, sent.Sent)
		n, err := h.dists.Remaining(t.Context(), handover.DistributionInput{Distribution: d})
		require.NoError(t, err)
		require.Zero(t, n)
		require.NoError(t, h.dists.FinishDistribution(t.Context(), handover.DistributionInput{Distribution: d}))
		require.Equal(t, distribution.Finished, h.invitation(d).Status)
	})
}

func TestSendMessages_FailsForNow_IsTriedAgain(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite://"+t.TempDir()+"/segue.db")
	d := h.invited("ada")
	h.dists.Mail = &broken{MailSender: h.dists.Mail, err: fault.New(fault.Unavailable, "try later")}
	_, err := h.send(d, distribution.KindInvitation)
	require.Error(t, err, "Temporal tries again")
	require.Equal(t, distribution.Pending, h.invitation(d).Status)
}
