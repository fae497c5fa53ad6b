package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
)

func TestEndLeases_WhatWaits_IsClaimableAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		event := s.take("a")[0].ID
		dist, _, err := s.CreateDistribution(t.Context(), distribution.New{Run: s.db.Next(), Step: "ask", Directory: s.dir.ID, Settings: "{}", Snapshot: "{}"}, time.Minute)
		require.NoError(t, err)

		claim := func() (events, handovers []id.ID) {
			events, err := s.ClaimInbox(t.Context(), 10, time.Minute)
			require.NoError(t, err)
			list, err := s.ClaimHandovers(t.Context(), 10, time.Minute)
			require.NoError(t, err)
			for _, h := range list {
				handovers = append(handovers, h.ID)
			}
			return events, handovers
		}
		events, handovers := claim()
		require.Empty(t, events, "leased to who stored it")
		require.Empty(t, handovers)

		require.NoError(t, s.EndLeases(t.Context()))
		events, handovers = claim()
		require.Equal(t, []id.ID{event}, events)
		require.Equal(t, []id.ID{dist}, handovers)
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
