package activities_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/outside/courier"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
	"github.com/segue-xm/segue/internal/outside/qualtrics/standin"
)

// newCourier is a courier whose accounts are all the house's stand-in.
func newCourier(t *testing.T, h *house) *courier.Courier {
	t.Helper()
	server := httptest.NewServer(h.account)
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	require.NoError(t, err)
	secrets := func(context.Context) (map[string]string, error) { return nil, nil }
	return &courier.Courier{
		Store: h.Store, Revisions: h.cache, Answered: h.launched.answered, Now: h.now,
		Accounts: qualtrics.NewAccounts(secrets, to, h.now),
	}
}

func (h *house) acme() id.ID { return h.named(plan.KindDestination, "acme") }

func (h *house) deliverDue() delivery.Drained {
	h.t.Helper()
	out, err := h.effects.DeliverDue(h.t.Context(), handover.DeliverInput{Destination: h.acme()})
	require.NoError(h.t, err)
	return out
}

// drain does what the Deliver workflow does, for some time at most.
func (h *house) drain(most time.Duration) {
	h.t.Helper()
	for end := h.now().Add(most); h.now().Before(end); {
		out := h.deliverDue()
		if out.Empty {
			return
		}
		h.pass(max(out.Next, time.Millisecond))
	}
}

func remoteContact(user string) string {
	return fmt.Sprintf(`{"type":"group","userId":%q,"email":"%s@example.com"}`, user, user)
}

func remoteOrder(user string, total int) string {
	return fmt.Sprintf(`{"type":"screen","userId":%q,"timestamp":"2026-02-03T04:05:06Z","properties":{"total":%d}}`, user, total)
}

const remoteStart = `{"type":"page","name":"Start","userId":"ada"}`

// statuses counts the deliveries of events by status.
func (h *house) statuses(events []id.ID) map[string]int {
	h.t.Helper()
	out := map[string]int{}
	for _, d := range h.deliveries(events...) {
		out[string(d.Status)]++
	}
	return out
}

func TestDeliverDue_Remote_EachActionOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		events := h.process(remoteContact("ada"), remoteOrder("ada", 7), remoteStart)
		require.Equal(t, map[string]int{"pending": 3}, h.statuses(events))
		require.Empty(t, h.account.Requests(), "only the Deliver workflow calls the account")
		for range 2 {
			require.True(t, h.deliverDue().Empty)
		}
		require.Equal(t, map[string]int{"done": 3}, h.statuses(events))
		require.Len(t, h.account.Starts(), 1)
		require.JSONEq(t, `{"type":"page","userId":"ada"}`, h.account.Starts()[0])
		require.Len(t, h.account.Transactions(), 1)
		require.Equal(t, map[string]string{"total": "7"}, h.account.Transactions()[0].Data)
		require.Equal(t, time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC), h.account.Transactions()[0].Date)
		for _, d := range h.deliveries(events...) {
			require.Equal(t, 1, d.Attempts)
			require.Contains(t, d.Result, `"requests":["req-`, d.Action)
		}
	})
}

func TestPause_HoldsEverythingUntilResumed(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		waiting := h.process(remoteContact("ada"))
		for _, dest := range []string{"acme", "xm"} {
			for range 2 {
				require.NoError(t, h.PauseDestination(t.Context(), h.named(plan.KindDestination, dest), "Mika", "moving"))
			}
		}
		require.True(t, h.deliverDue().Empty)
		events := append(waiting, h.process(remoteContact("ben"), identify("cyd"))...)
		require.True(t, h.deliverDue().Empty)
		for _, d := range h.deliveries(events...) {
			require.Equal(t, delivery.Held, d.Status)
			require.Equal(t, "the destination is paused", d.Reason)
		}
		require.Empty(t, h.account.Requests())
		require.Empty(t, h.contacts())
		pauses, err := h.Pauses(t.Context())
		require.NoError(t, err)
		require.Len(t, pauses, 2)
		require.Equal(t, "Mika", pauses[0].By)

		for _, dest := range []string{"acme", "xm"} {
			v := h.named(plan.KindDestination, dest)
			require.NoError(t, h.ResumeDestination(t.Context(), v))
			_, err := h.ReleaseHeld(t.Context(), v, delivery.HeldUntil) // as a sweeper does
			require.NoError(t, err)
			out, err := h.effects.DeliverDue(t.Context(), handover.DeliverInput{Destination: v})
			require.NoError(t, err)
			require.True(t, out.Empty)
		}
		require.Equal(t, map[string]int{"done": 3}, h.statuses(events))
		require.Len(t, h.account.Contacts(), 2)
		require.Len(t, h.contacts(), 1)
	})
}

// invitedAt makes a run whose step has acme's account send the survey.
func (h *house) invitedAt(user string) invited {
	h.t.Helper()
	return h.invitedWith(h.plan(), user)
}

func (h *house) invitedWith(p *plan.Plan, user string) invited {
	h.t.Helper()
	p.Surveys[0].SurveyID = "SV_1"
	ask := &p.Workflows[0].Steps[2]
	for k, v := range map[string]any{
		"destination": "acme", "directory_id": "POOL_1", "mailing_list_id": "CG_1",
		"thanks": object(h.t, `{"subject":"Thanks","message":"Thank you, {{ fields.user }}"}`),
	} {
		ask.With.Set(k, v)
	}
	h.save(p)
	return h.invited(user)
}

func object(t *testing.T, text string) *jsonvalue.Object {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

func TestRemoteDistribution_InvitesRemindsAndThanksOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		v := h.invitedAt("ada")
		h.sent(v)
		for range 2 {
			h.deliverDue()
		}
		all := h.account.Distributions()
		require.Len(t, all, 1)
		require.Equal(t, "SV_1", all[0].Survey)
		require.Equal(t, "Hello ada", all[0].Subject)
		require.Equal(t, qualtrics.SurveyLink, all[0].Message)
		require.Equal(t, []string{"CG_1"}, h.account.Contacts()[0].Lists)
		require.Equal(t, "ada@example.com", h.account.Contacts()[0].Email)
		require.Equal(t, "sent", string(h.invitation(v).Status))
		require.Empty(t, h.mails(), "the account sends it, not we")

		h.pass(3 * 24 * time.Hour)
		for range 2 {
			h.sent(v)
			h.deliverDue()
		}
		all = h.account.Distributions()
		require.Len(t, all, 2)
		require.Equal(t, "Reminder", all[1].Kind)
		require.Equal(t, all[0].ID, all[1].Parent)

		h.account.Respond(all[0].ID, true, true)
		h.pass(2 * time.Hour)
		h.drain(3 * time.Hour)
		require.Equal(t, "finished", string(h.invitation(v).Status))
		require.Contains(t, h.invitation(v).Response, "R_"+all[0].ID)
		require.Equal(t, []id.ID{v.run}, h.launched.told, "who waits for the answer is told")
		require.Contains(t, h.step(v.run, "ask").Output, `"status":"finished"`)
		all = h.account.Distributions()
		require.Len(t, all, 3)
		require.Equal(t, "ThankYou", all[2].Kind)
		require.Equal(t, "Thank you, ada", all[2].Message)
		h.pass(20 * day)
		h.sent(v)
		require.True(t, h.deliverDue().Empty, "nothing is looked at for ever")
		require.Len(t, h.account.Distributions(), 3, "who has answered is not reminded")
	})
}

func TestRemoteDistribution_HeldForLong_RemindsAfterwards(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		v := h.invitedAt("ada")
		require.NoError(t, h.PauseDestination(t.Context(), h.acme(), "Mika", ""))
		h.sent(v)
		require.True(t, h.deliverDue().Empty)
		h.pass(5 * day)
		h.sent(v)
		require.NoError(t, h.ResumeDestination(t.Context(), h.acme()))
		h.drain(2 * day)
		h.sent(v)
		require.Len(t, h.account.Distributions(), 1, "the reminder counts from when the invitation went")
		h.pass(day)
		h.sent(v)
		h.drain(day)
		require.Len(t, h.account.Distributions(), 2)
		h.account.Respond(h.account.Distributions()[0].ID, true, true)
		h.drain(24 * time.Hour)
		require.Equal(t, "finished", string(h.invitation(v).Status), "what the account knows it by is still known")
		require.Len(t, h.account.Distributions(), 3)
	})
}

// Reminders that were due while the destination was paused do not come all at once.
func TestRemoteDistribution_PausedOverReminders_TheyKeepTheirDistance(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		p := h.plan()
		p.Workflows[0].Steps[2].With.Set("reminders", []any{object(t, `{"after":"1d"}`), object(t, `{"after":"2d"}`), object(t, `{"after":"3d"}`)})
		v := h.invitedWith(p, "ada")
		h.sent(v)
		h.drain(time.Minute)
		require.Len(t, h.account.Distributions(), 1)
		require.NoError(t, h.PauseDestination(t.Context(), h.acme(), "Mika", ""))
		for range 5 {
			h.pass(day)
			h.sent(v)
			h.deliverDue()
		}
		require.NoError(t, h.ResumeDestination(t.Context(), h.acme()))
		for n := 2; n <= 4; n++ {
			h.sent(v)
			h.drain(time.Hour)
			require.Len(t, h.account.Distributions(), n)
			h.pass(day)
		}
	})
}

func TestDeliverDue_Remote_PausedOverADoubt_StillLooks(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		lost := false
		h.account.Fail(func(r *http.Request) standin.Fault {
			if lost || r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/transactions") {
				return standin.Fault{}
			}
			lost = true
			return standin.Fault{Lost: true}
		})
		events := h.process(remoteOrder("ada", 7))
		h.deliverDue()
		require.NoError(t, h.PauseDestination(t.Context(), h.acme(), "Mika", ""))
		h.pass(time.Hour)
		require.True(t, h.deliverDue().Empty)
		require.Equal(t, delivery.Held, h.delivery(events[0]).Status)
		require.Contains(t, h.delivery(events[0]).Result, `"contact":"CID_`, "what is known stays known")
		require.NoError(t, h.ResumeDestination(t.Context(), h.acme()))
		_, err := h.ReleaseHeld(t.Context(), h.acme(), delivery.HeldUntil)
		require.NoError(t, err)
		h.drain(time.Hour)
		require.Len(t, h.account.Transactions(), 1)
		require.Len(t, h.account.Contacts(), 1)
	})
}
