package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/run"
)

func TestEndLeases_WhatWaits_IsClaimableAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		event := s.take("a")[0].ID
		dist, _ := s.ask()
		ours, err := s.ClaimDistribution(t.Context(), dist, time.Minute)
		require.NoError(t, err)
		require.True(t, ours)
		ref := s.deliver(contact.Input{ExtRef: "u2"})[0].Ref
		runs, err := s.CreateRuns(t.Context(), []run.New{{Ref: ref, Workflow: 1, Version: 1, Directory: s.dir.ID, Status: run.Pending, Fields: "[]", Payload: []byte("{}")}}, time.Minute)
		require.NoError(t, err)

		claim := func() (events, handovers []id.ID) {
			events, err := s.ClaimInbox(t.Context(), 10, time.Minute)
			require.NoError(t, err)
			list, err := s.ClaimHandovers(t.Context(), 10, time.Minute)
			require.NoError(t, err)
			for _, h := range list {
				handovers = append(handovers, h.ID)
			}
			dists, err := s.ClaimDistributions(t.Context(), time.Minute)
			require.NoError(t, err)
			handovers = append(handovers, dists...)
			return events, handovers
		}
		events, handovers := claim()
		require.Empty(t, events, "leased to who stored it")
		require.Empty(t, handovers)

		require.NoError(t, s.EndLeases(t.Context()))
		events, handovers = claim()
		require.Contains(t, events, event)
		require.Equal(t, []id.ID{runs[0].Run, dist}, handovers)
		events, handovers = claim()
		require.Empty(t, events, "leased again to who claimed it")
		require.Empty(t, handovers)
	})
}

func TestPending_DeliveriesWrittenAndNotTried_AreNamed(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		waiting := s.take("a")[0].ID
		two := s.deliver(contact.Input{ExtRef: "u1"}, contact.Input{ExtRef: "u2"})
		s.apply(two[0])
		refs, err := s.Pending(t.Context(), []id.ID{waiting, two[0].Event, two[1].Event})
		require.NoError(t, err)
		require.Equal(t, []delivery.Ref{two[1].Ref}, refs)
	})
}

// 150 people and 150 runs are released at once: no run is before a contact.
func TestDueDeliveries_MoreThanAPage_ContactsBeforeRuns(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		var list []delivery.New
		for i := range 300 {
			action := plan.StartWorkflow
			if i >= 150 {
				action = plan.UpsertContact
			}
			list = append(list, delivery.New{Event: s.take(fmt.Sprint("d", i))[0].ID, Mapping: s.mapped, Destination: s.dest,
				Action: action, Status: delivery.Pending, Occurred: s.clock, Due: s.clock.Add(-time.Duration(300-i) * time.Second)})
		}
		require.NoError(t, s.WriteDeliveries(t.Context(), list))
		var seen []string
		for range 3 {
			due, err := s.DueDeliveries(t.Context(), s.dest, 100)
			require.NoError(t, err)
			require.Len(t, due, 100)
			var marks []delivery.Mark
			actions := map[string]int{}
			for _, d := range due {
				actions[d.Action]++
				marks = append(marks, delivery.Mark{Ref: d.Ref(), Status: delivery.Done})
			}
			seen = append(seen, fmt.Sprint(actions[plan.UpsertContact], " ", actions[plan.StartWorkflow]))
			require.NoError(t, s.MarkDeliveries(t.Context(), marks))
		}
		require.Equal(t, []string{"100 0", "50 50", "0 100"}, seen)
	})
}
