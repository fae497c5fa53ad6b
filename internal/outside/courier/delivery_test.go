package courier_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/outside/qualtrics/standin"
)

func TestDeliver_EachActionOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		refs := h.remote(person("ada"), order("ada", 7), start)
		for range 2 {
			require.True(t, h.deliver().Empty)
		}
		require.Equal(t, map[string]int{"done": 3}, h.statuses(refs))
		require.Len(t, h.account.Starts(), 1)
		require.JSONEq(t, `{"userId":"ada"}`, h.account.Starts()[0])
		require.Len(t, h.account.Transactions(), 1)
		for _, r := range refs {
			require.Equal(t, 1, h.row(r).Attempts)
			require.Contains(t, h.row(r).Result, `"requests":["req-`)
		}
	})
}

func TestDeliver_LostAnswer_IsLookedForAndNotRepeated(t *testing.T) {
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
		refs := h.remote(person("ada"))
		h.drain(time.Hour)
		refs = append(refs, h.remote(order("ada", 7))...)
		h.drain(time.Hour)
		require.Equal(t, map[string]int{"done": 2}, h.statuses(refs))
		require.Len(t, h.account.Contacts(), 1)
		require.Len(t, h.account.Transactions(), 1)
		for _, r := range refs {
			require.Contains(t, h.row(r).Result, `"found_done":true`)
			require.Equal(t, 2, h.row(r).Attempts)
		}
	})
}

func TestDeliver_DiedInTheMiddle_NextAttemptLooks(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		refs := h.remote(person("ada"))
		open, err := h.BeginAttempt(t.Context(), refs[0], 0)
		require.NoError(t, err)
		require.True(t, open)
		h.drain(2 * time.Minute) // the process died; nothing was there
		require.Equal(t, []string{
			"POST /directories/POOL_1/contacts/search?includeEmbedded=true", "POST /directories/POOL_1/contacts",
		}, h.account.Requests())
		require.Equal(t, 2, h.row(refs[0]).Attempts)
		open, err = h.BeginAttempt(t.Context(), refs[0], h.row(refs[0]).Attempts)
		require.NoError(t, err)
		require.False(t, open, "it has ended")
	})
}

func TestDeliver_HourOfOutage_IsFewCallsAndNoLoss(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.account.Fail(func(*http.Request) standin.Fault { return standin.Fault{Status: 503} })
		var people []work
		for i := range 40 {
			people = append(people, person(fmt.Sprint("u", i)))
		}
		refs := h.remote(people...)
		h.drain(time.Hour)
		during := len(h.account.Requests())
		require.Less(t, during, 45, "an hour away is not a storm")
		h.deliver() // one more probe
		rows, err := h.DestinationRows(t.Context())
		require.NoError(t, err)
		require.Contains(t, rows[0].Trouble, "does not answer")
		require.NotZero(t, rows[0].TroubleAt)
		holds, err := h.Holds(t.Context(), 1)
		require.NoError(t, err)
		require.NotNil(t, holds.On(h.acme(), "upsert_contact"), "nobody needs to look before")

		h.account.Fail(nil)
		h.drain(time.Hour)
		require.Equal(t, map[string]int{"done": 40}, h.statuses(refs))
		require.Len(t, h.account.Contacts(), 40)
		rows, err = h.DestinationRows(t.Context())
		require.NoError(t, err)
		require.Empty(t, rows[0].Trouble)
	})
}

func TestDeliver_TokenRefused_WaitsForAnotherPlan(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		p := h.plan()
		p.Destinations[1].APIToken = "TOKEN-OLD"
		h.save(p)
		refs := h.remote(person("ada"), person("ben"), start)
		h.drain(time.Hour)
		h.pass(10 * 24 * time.Hour) // longer than any delivery's patience
		h.drain(time.Hour)
		require.Zero(t, h.statuses(refs)["rejected"], "nothing is lost over a token")
		rows, err := h.DestinationRows(t.Context())
		require.NoError(t, err)
		require.Contains(t, rows[0].Trouble, "DCD_7")

		require.Positive(t, h.deliver().Next)
		h.save(h.plan())
		h.deliver() // at once, and not when the hold would end
		require.Equal(t, map[string]int{"done": 3}, h.statuses(refs))
		require.Len(t, h.account.Contacts(), 2)
	})
}

func TestDeliver_LimitUsedUp_HoldsOneActionOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.account.Fail(func(r *http.Request) standin.Fault {
			if strings.HasSuffix(r.URL.Path, "/contacts") {
				return standin.Fault{Status: 429, RetryAfter: 10 * time.Minute}
			}
			return standin.Fault{}
		})
		refs := h.remote(person("ada"), person("ben"), person("cyd"), start)
		out := h.deliver()
		require.Equal(t, delivery.Done, h.row(refs[3]).Status, "its limit is another")
		require.InDelta(t, 10*time.Minute, out.Next, float64(time.Second))
		calls := len(h.account.Requests())
		h.pass(9 * time.Minute)
		require.Positive(t, h.deliver().Next)
		require.Len(t, h.account.Requests(), calls, "not before it may")
		more := h.remote(start)
		h.deliver()
		require.Equal(t, delivery.Done, h.row(more[0]).Status)
		h.account.Fail(nil)
		h.drain(time.Hour)
		require.Equal(t, map[string]int{"done": 4}, h.statuses(refs))
	})
}

func TestDeliver_WhatCannotWork_IsRejectedAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.account.Fail(func(r *http.Request) standin.Fault {
			if r.ContentLength > 60 { // ben's
				return standin.Fault{Status: 400}
			}
			return standin.Fault{}
		})
		refs := h.remote(person("a"), person("ben-with-a-long-name"), person("c"))
		h.drain(time.Hour)
		require.Equal(t, map[string]int{"done": 2, "rejected": 1}, h.statuses(refs))
		require.Contains(t, h.row(refs[1]).Reason, "as the test wants it")
	})
}

func TestDeliver_ContactNotThereYet_IsWaitedForSomeMinutes(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		p := h.plan()
		for i := range p.Mappings {
			if p.Mappings[i].Name == "orders" {
				p.Mappings[i].Mode = plan.ModeUpdateOnly
			}
		}
		h.save(p)
		refs := h.remote(order("ada", 1), order("nobody", 2))
		h.deliver()
		require.Equal(t, map[string]int{"retrying": 2}, h.statuses(refs))
		h.remote(work{"people", plan.UpsertContact, `{"directoryId":"POOL_1","extRef":"ada"}`})
		h.drain(time.Hour)
		require.Equal(t, delivery.Done, h.row(refs[0]).Status)
		require.Equal(t, delivery.Rejected, h.row(refs[1]).Status)
		require.Contains(t, h.row(refs[1]).Reason, "no contact matches")
	})
}

func TestDeliver_OnePerson_InTheOrderOfEvents(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.settle(standin.Options{Token: "TOKEN-1", Dedupe: true})
		var list []work
		for i := range 30 {
			list = append(list, work{"people", plan.UpsertContact, fmt.Sprintf(`{"directoryId":"POOL_1","extRef":"ada","email":"ada%02d@example.com"}`, i)})
		}
		h.remote(list...)
		h.drain(time.Hour)
		require.Len(t, h.account.Contacts(), 1)
		require.Equal(t, "ada29@example.com", h.account.Contacts()[0].Email)
	})
}

func TestBeginAttempt_ByTwo_IsGivenToOne(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		refs := h.remote(person("ada"))
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
