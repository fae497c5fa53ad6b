package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
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
