package activities_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
	"github.com/segue-xm/segue/internal/outside/qualtrics/standin"
)

// accounts opens every account at the house's stand-in.
type accounts struct {
	h  *house
	to *url.URL
}

func newAccounts(t *testing.T, h *house) accounts {
	t.Helper()
	server := httptest.NewServer(h.account)
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	require.NoError(t, err)
	return accounts{h, to}
}

func (a accounts) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = a.to.Scheme, a.to.Host
	return http.DefaultTransport.RoundTrip(r)
}

func (a accounts) Open(_ context.Context, d *routing.Destination, state string) (activities.Account, error) {
	pace := qualtrics.NewPace(qualtrics.PaceOptions{Now: a.h.now})
	var s qualtrics.PaceState
	if state != "" {
		require.NoError(a.h.t, json.Unmarshal([]byte(state), &s))
	}
	pace.Resume(s)
	token, err := d.Def.APIToken.Resolve(func(string) (string, bool) { return "", false })
	require.NoError(a.h.t, err)
	c, err := qualtrics.New(qualtrics.Options{Datacenter: d.Def.Datacenter, APIToken: token, Transport: a, Pace: pace, Now: a.h.now})
	if err != nil {
		return nil, err
	}
	return openAccount{qualtrics.NewConnector(c), pace}, nil
}

type openAccount struct {
	*qualtrics.Connector
	pace *qualtrics.Pace
}

func (a openAccount) Links() (survey, optOut string) {
	return qualtrics.SurveyLink, qualtrics.OptOutLink
}

func (a openAccount) Pace() string {
	b, _ := json.Marshal(a.pace.State())
	return string(b)
}

func (h *house) acme() id.ID { return h.named(plan.KindDestination, "acme") }

func (h *house) deliverDue() activities.Drained {
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
		out[d.Status]++
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
		require.Equal(t, "2026-02-03 04:05:06", h.account.Transactions()[0].Date)
		for _, d := range h.deliveries(events...) {
			require.Equal(t, 1, d.Attempts)
			require.Contains(t, d.Result, `"requests":["req-`, d.Action)
		}
	})
}

func TestDeliverDue_Remote_LostAnswer_IsLookedForAndNotRepeated(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		lost := map[string]bool{}
		h.account.Fail(func(r *http.Request) standin.Fault {
			writes := strings.HasSuffix(r.URL.Path, "/contacts") || strings.HasSuffix(r.URL.Path, "/transactions") && r.Method == http.MethodPost
			if !writes || lost[r.URL.Path] {
				return standin.Fault{}
			}
			lost[r.URL.Path] = true
			return standin.Fault{Lost: true}
		})
		events := h.process(remoteContact("ada"))
		h.drain(time.Hour)
		events = append(events, h.process(remoteOrder("ada", 7))...)
		h.drain(time.Hour)
		require.Equal(t, map[string]int{"done": 2}, h.statuses(events))
		require.Len(t, h.account.Contacts(), 1)
		require.Len(t, h.account.Transactions(), 1)
		for _, d := range h.deliveries(events...) {
			require.Contains(t, d.Result, `"found_done":true`)
			require.Equal(t, 2, d.Attempts)
		}
	})
}

func TestDeliverDue_Remote_DiedInTheMiddle_NextAttemptLooks(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		events, refs := h.written(remoteContact("ada"))
		open, err := h.BeginAttempt(t.Context(), refs[0], 0)
		require.NoError(t, err)
		require.True(t, open)
		h.drain(2 * time.Minute) // the process died; nothing was there
		require.Equal(t, []string{
			"POST /directories/POOL_1/contacts/search?includeEmbedded=true", "POST /directories/POOL_1/contacts",
		}, h.account.Requests())
		require.Equal(t, 2, h.delivery(events[0]).Attempts)
		open, err = h.BeginAttempt(t.Context(), refs[0], h.delivery(events[0]).Attempts)
		require.NoError(t, err)
		require.False(t, open, "it has ended")
	})
}

func TestDeliverDue_Remote_HourOfOutage_IsFewCallsAndNoLoss(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.account.Fail(func(*http.Request) standin.Fault { return standin.Fault{Status: 503} })
		var bodies []string
		for i := range 40 {
			bodies = append(bodies, remoteContact(fmt.Sprint("u", i)))
		}
		events := h.process(bodies...)
		h.drain(time.Hour)
		during := len(h.account.Requests())
		require.Less(t, during, 45, "an hour away is not a storm")
		h.deliverDue() // one more probe
		rows, err := h.DestinationRows(t.Context())
		require.NoError(t, err)
		require.Contains(t, rows[0].Trouble, "does not answer")
		require.NotZero(t, rows[0].TroubleAt)
		holds, err := h.Holds(t.Context(), 1)
		require.NoError(t, err)
		require.NotNil(t, holds.On(h.acme(), "upsert_contact"), "nobody needs to look before")

		h.account.Fail(nil)
		h.drain(time.Hour)
		require.Equal(t, map[string]int{"done": 40}, h.statuses(events))
		require.Len(t, h.account.Contacts(), 40)
		rows, err = h.DestinationRows(t.Context())
		require.NoError(t, err)
		require.Empty(t, rows[0].Trouble)
	})
}

func TestDeliverDue_Remote_TokenRefused_WaitsForAnotherPlan(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		p := h.plan()
		p.Destinations[2].APIToken = "TOKEN-OLD"
		h.save(p)
		events := h.process(remoteContact("ada"), remoteContact("ben"), remoteStart)
		h.drain(time.Hour)
		h.pass(10 * 24 * time.Hour) // longer than any delivery's patience
		h.drain(time.Hour)
		require.Zero(t, h.statuses(events)["rejected"], "nothing is lost over a token")
		rows, err := h.DestinationRows(t.Context())
		require.NoError(t, err)
		require.Contains(t, rows[0].Trouble, "DCD_7")

		require.Positive(t, h.deliverDue().Next)
		h.save(h.plan())
		h.deliverDue() // at once, and not when the hold would end
		require.Equal(t, map[string]int{"done": 3}, h.statuses(events))
		require.Len(t, h.account.Contacts(), 2)
	})
}

func TestDeliverDue_Remote_LimitUsedUp_HoldsOneActionOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.account.Fail(func(r *http.Request) standin.Fault {
			if strings.HasSuffix(r.URL.Path, "/contacts") {
				return standin.Fault{Status: 429, RetryAfter: 10 * time.Minute}
			}
			return standin.Fault{}
		})
		events := h.process(remoteContact("ada"), remoteContact("ben"), remoteContact("cyd"), remoteStart)
		out := h.deliverDue()
		require.Equal(t, "done", h.delivery(events[3]).Status, "its limit is another")
		require.InDelta(t, 10*time.Minute, out.Next, float64(time.Second))
		calls := len(h.account.Requests())
		h.pass(9 * time.Minute)
		require.Positive(t, h.deliverDue().Next)
		require.Len(t, h.account.Requests(), calls, "not before it may")
		more := h.process(remoteStart)
		h.deliverDue()
		require.Equal(t, "done", h.delivery(more[0]).Status)
		h.account.Fail(nil)
		h.drain(time.Hour)
		require.Equal(t, map[string]int{"done": 4}, h.statuses(events))
	})
}

func TestDeliverDue_Remote_WhatCannotWork_IsRejectedAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.account.Fail(func(r *http.Request) standin.Fault {
			if r.ContentLength > 90 { // ben's
				return standin.Fault{Status: 400}
			}
			return standin.Fault{}
		})
		events := h.process(remoteContact("a"), remoteContact("ben-with-a-long-name"), remoteContact("c"))
		h.drain(time.Hour)
		require.Equal(t, map[string]int{"done": 2, "rejected": 1}, h.statuses(events))
		require.Contains(t, h.delivery(events[1]).Reason, "as the test wants it")
	})
}

func TestDeliverDue_Remote_ContactNotThereYet_IsWaitedForSomeMinutes(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		p := h.plan()
		for i := range p.Mappings {
			if p.Mappings[i].Name == "remote-orders" {
				p.Mappings[i].Mode = plan.ModeUpdateOnly
			}
		}
		h.save(p)
		events := h.process(remoteOrder("ada", 1), remoteOrder("nobody", 2))
		h.deliverDue()
		require.Equal(t, map[string]int{"retrying": 2}, h.statuses(events))
		h.process(`{"type":"group","userId":"ada"}`)
		h.drain(time.Hour)
		require.Equal(t, "done", h.delivery(events[0]).Status)
		require.Equal(t, "rejected", h.delivery(events[1]).Status)
		require.Contains(t, h.delivery(events[1]).Reason, "no contact matches")
	})
}

func TestDeliverDue_Remote_OnePerson_InTheOrderOfEvents(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.account = standin.New(standin.Options{Token: "TOKEN-1", Dedupe: true})
		h.effects.Accounts = newAccounts(t, h)
		var bodies []string
		for i := range 30 {
			bodies = append(bodies, fmt.Sprintf(`{"type":"group","userId":"ada","email":"ada%02d@example.com"}`, i))
		}
		h.process(bodies...)
		h.drain(time.Hour)
		require.Len(t, h.account.Contacts(), 1)
		require.Equal(t, "ada29@example.com", h.account.Contacts()[0].Email)
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
			require.Equal(t, string(delivery.Held), d.Status)
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
			_, err := h.ReleaseHeld(t.Context(), v, activities.HeldUntil) // as a sweeper does
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
func (h *house) invitedAt(user string) (run, dist id.ID) {
	h.t.Helper()
	p := h.plan()
	p.Surveys[0].SurveyID = "SV_1"
	ask := &p.Workflows[0].Steps[2]
	for k, v := range map[string]any{
		"destination": "acme", "directory_id": "POOL_1", "mailing_list_id": "CG_1",
		"thanks": object(h.t, `{"subject":"Thanks","message":"Thank you, {{ fields.user }}"}`),
	} {
		ask.With.Set(k, v)
	}
	h.save(p)
	dist = h.invited(user)
	d, err := h.DistributionByID(h.t.Context(), dist)
	require.NoError(h.t, err)
	return d.Run, dist
}

func object(t *testing.T, text string) *jsonvalue.Object {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

func TestRemoteDistribution_InvitesRemindsAndThanksOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		run, dist := h.invitedAt("ada")
		for range 2 {
			_, err := h.send(dist, "invitation")
			require.NoError(t, err)
		}
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
		require.Equal(t, "sent", string(h.invitation(dist).Status))
		require.Empty(t, h.mails(), "the account sends it, not we")

		h.pass(3 * 24 * time.Hour)
		for range 2 {
			_, err := h.send(dist, "reminder-1")
			require.NoError(t, err)
			h.deliverDue()
		}
		all = h.account.Distributions()
		require.Len(t, all, 2)
		require.Equal(t, "Reminder", all[1].Kind)
		require.Equal(t, all[0].ID, all[1].Parent)

		h.account.Respond(all[0].ID, true, true)
		h.pass(2 * time.Hour)
		h.drain(3 * time.Hour)
		require.Equal(t, "finished", string(h.invitation(dist).Status))
		require.Contains(t, h.invitation(dist).Response, "R_"+all[0].ID)
		require.Equal(t, []id.ID{run}, h.launched.told, "who waits for the answer is told")
		require.Contains(t, h.step(run, "ask").Output, `"status":"finished"`)
		all = h.account.Distributions()
		require.Len(t, all, 3)
		require.Equal(t, "ThankYou", all[2].Kind)
		require.Equal(t, "Thank you, ada", all[2].Message)
		_, err := h.send(dist, "reminder-2")
		require.NoError(t, err)
		require.True(t, h.deliverDue().Empty, "nothing is looked at for ever")
		require.Len(t, h.account.Distributions(), 3, "who has answered is not reminded")
	})
}

func TestRemoteDistribution_LostAnswer_IsLookedForAndNotRepeated(t *testing.T) {
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
		_, dist := h.invitedAt("ada")
		_, err := h.send(dist, "invitation")
		require.NoError(t, err)
		h.drain(10 * time.Minute)
		require.Len(t, h.account.Contacts(), 1)
		require.Len(t, h.account.Distributions(), 1)
		require.Equal(t, "sent", string(h.invitation(dist).Status))
		h.pass(3 * 24 * time.Hour)
		_, err = h.send(dist, "reminder-1")
		require.NoError(t, err)
		h.drain(10 * time.Minute)
		require.Len(t, h.account.Distributions(), 2)
		require.Len(t, lost, 3, "the person, the invitation and the reminder were each answered into the void")
	})
}

// An invitation that waits longer than its reminder is late: both are queued then.
func TestRemoteDistribution_HeldForLong_RemindsAfterwards(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		_, dist := h.invitedAt("ada")
		require.NoError(t, h.PauseDestination(t.Context(), h.acme(), "Mika", ""))
		for _, kind := range []distribution.Kind{"invitation", "reminder-1"} {
			_, err := h.send(dist, kind)
			require.NoError(t, err)
		}
		require.True(t, h.deliverDue().Empty)
		h.pass(5 * 24 * time.Hour)
		require.NoError(t, h.ResumeDestination(t.Context(), h.acme()))
		h.drain(2 * 24 * time.Hour)
		require.Len(t, h.account.Distributions(), 1, "the reminder counts from when the invitation went")
		h.drain(2 * 24 * time.Hour)
		require.Len(t, h.account.Distributions(), 2)
		h.account.Respond(h.account.Distributions()[0].ID, true, true)
		h.drain(24 * time.Hour)
		require.Equal(t, "finished", string(h.invitation(dist).Status), "what the account knows it by is still known")
		require.Len(t, h.account.Distributions(), 3)
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
		require.Equal(t, "held", h.delivery(events[0]).Status)
		require.Contains(t, h.delivery(events[0]).Result, `"contact":"CID_`, "what is known stays known")
		require.NoError(t, h.ResumeDestination(t.Context(), h.acme()))
		_, err := h.ReleaseHeld(t.Context(), h.acme(), activities.HeldUntil)
		require.NoError(t, err)
		h.drain(time.Hour)
		require.Len(t, h.account.Transactions(), 1)
		require.Len(t, h.account.Contacts(), 1)
	})
}

func TestBeginAttempt_ByTwo_IsGivenToOne(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		_, refs := h.written(remoteContact("ada"))
		due, err := h.RemoteDue(t.Context(), h.acme(), "upsert_contact", 10)
		require.NoError(t, err)
		require.Len(t, due, 1)
		for _, want := range []bool{true, false} {
			ours, err := h.BeginAttempt(t.Context(), refs[0], due[0].Attempts)
			require.NoError(t, err)
			require.Equal(t, want, ours)
		}
		due, err = h.RemoteDue(t.Context(), h.acme(), "upsert_contact", 10)
		require.NoError(t, err)
		require.Empty(t, due, "not before the attempt must be over")
	})
}

func TestRemoteDistribution_OptedOutMeanwhile_IsNotSent(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		_, dist := h.invitedAt("ada")
		_, err := h.send(dist, "invitation")
		require.NoError(t, err)
		inv, err := h.InvitationByID(t.Context(), h.invitation(dist).ID)
		require.NoError(t, err)
		_, _, err = h.OptOut(t.Context(), inv.Token)
		require.NoError(t, err)
		require.True(t, h.deliverDue().Empty)
		require.Empty(t, h.account.Requests())
		require.Equal(t, "skipped", string(h.invitation(dist).Status))
	})
}

func TestRemoteDistribution_AccountSkipsSomebody_SaysSo(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.account = standin.New(standin.Options{Token: "TOKEN-1", Dedupe: true})
		h.effects.Accounts = newAccounts(t, h)
		_, dist := h.invitedAt("ada")
		_, err := h.send(dist, "invitation")
		require.NoError(t, err)
		h.deliverDue()
		h.account.OptOut("ada")
		h.pass(time.Hour)
		h.drain(2 * time.Hour)
		require.Equal(t, "skipped", string(h.invitation(dist).Status))
		require.Equal(t, "the account says: Skipped", h.invitation(dist).Reason)
	})
}
