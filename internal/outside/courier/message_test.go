package courier_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/outside/qualtrics/standin"
)

func TestMessage_InvitesRemindsAndThanksOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		run, inv := h.invited("ada")
		h.queue(inv, "invitation")
		for range 2 {
			h.deliver()
		}
		all := h.account.Distributions()
		require.Len(t, all, 1)
		require.Equal(t, "SV_1", all[0].Survey)
		require.Equal(t, "Hello ada", all[0].Subject)
		require.Equal(t, []string{"CG_1"}, h.account.Contacts()[0].Lists)
		require.Equal(t, "sent", string(h.invitation(inv).Status))

		h.pass(3 * 24 * time.Hour)
		h.queue(inv, "reminder-1")
		h.deliver()
		all = h.account.Distributions()
		require.Len(t, all, 2)
		require.Equal(t, all[0].ID, all[1].Parent)

		h.account.Respond(all[0].ID, true, true)
		h.pass(2 * time.Hour)
		h.drain(3 * time.Hour)
		require.Equal(t, "finished", string(h.invitation(inv).Status))
		require.Equal(t, []id.ID{run}, h.told, "who waits for the answer is told")
		all = h.account.Distributions()
		require.Len(t, all, 3)
		require.Equal(t, "Thank you, ada", all[2].Message)
	})
}

func TestMessage_LostAnswer_IsLookedForAndNotRepeated(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		lost := map[string]bool{}
		h.account.Fail(func(r *http.Request) standin.Fault {
			if r.Method != http.MethodPost || strings.HasSuffix(r.URL.Path, "/search") || lost[r.URL.Path] {
				return standin.Fault{}
			}
			lost[r.URL.Path] = true
			return standin.Fault{Lost: true}
		})
		// The account's clock is the real one.
		h.pass(time.Since(h.now()))
		_, inv := h.invited("ada")
		h.queue(inv, "invitation")
		h.drain(10 * time.Minute)
		require.Len(t, h.account.Contacts(), 1)
		require.Len(t, h.account.Distributions(), 1)
		require.Equal(t, "sent", string(h.invitation(inv).Status))
		h.pass(3 * 24 * time.Hour)
		h.queue(inv, "reminder-1")
		h.drain(10 * time.Minute)
		require.Len(t, h.account.Distributions(), 2)
		require.Len(t, lost, 3, "the person, the invitation and the reminder were each answered into the void")
	})
}

func TestMessage_OptedOutMeanwhile_IsNotSent(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		_, inv := h.invited("ada")
		h.queue(inv, "invitation")
		_, _, err := h.OptOut(t.Context(), h.invitation(inv).Token)
		require.NoError(t, err)
		require.True(t, h.deliver().Empty)
		require.Empty(t, h.account.Requests())
		require.Equal(t, "skipped", string(h.invitation(inv).Status))
	})
}

func TestMessage_AccountSkipsSomebody_SaysSo(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.settle(standin.Options{Token: "TOKEN-1", Dedupe: true})
		_, inv := h.invited("ada")
		h.queue(inv, "invitation")
		h.deliver()
		h.account.OptOut("ada")
		h.pass(time.Hour)
		h.drain(2 * time.Hour)
		require.Equal(t, "skipped", string(h.invitation(inv).Status))
		require.Equal(t, "the account says: Skipped", h.invitation(inv).Reason)
	})
}

func TestMessage_AccountSkipsSomebodyWhoHasOpened_TheAnswerStillCounts(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.settle(standin.Options{Token: "TOKEN-1", Dedupe: true})
		run, inv := h.invited("ada")
		h.queue(inv, "invitation")
		h.deliver()
		require.NoError(t, h.LinkOpened(t.Context(), inv))
		h.account.OptOut("ada")
		h.pass(time.Hour)
		h.drain(2 * time.Hour)
		require.Equal(t, "opened", string(h.invitation(inv).Status), "who opened it has got it")

		h.account.Respond(h.account.Distributions()[0].ID, true, true)
		h.pass(2 * time.Hour)
		h.drain(3 * time.Hour)
		require.Equal(t, "finished", string(h.invitation(inv).Status))
		require.Equal(t, []id.ID{run}, h.told)
	})
}
