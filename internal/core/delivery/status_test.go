package delivery

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/status/statustest"
)

func TestStatus_Rules(t *testing.T) {
	t.Parallel()
	statustest.Sound(t, moves, Pending)
	for _, c := range []struct {
		from, to Status
		may      bool
	}{
		{Pending, Done, true}, {Retrying, Done, true}, {Held, Done, true},
		{Retrying, Held, true}, {Held, Retrying, true}, // a destination goes off and on
		{Retrying, Pending, false}, {Held, Pending, false},
		{Done, Retrying, false}, {Done, Held, false}, {Rejected, Done, false}, {Cancelled, Done, false},
	} {
		require.Equal(t, c.may, c.from.May(c.to), "%s to %s", c.from, c.to)
	}
}

func TestStatus_WhatIsOpen_MayBecomeAnythingButNew(t *testing.T) {
	t.Parallel()
	require.Equal(t, []Status{Pending, Retrying, Held}, OpenStatuses())
	for _, from := range OpenStatuses() {
		require.False(t, from.Ended())
		for _, to := range moves.All() {
			require.Equal(t, to != Pending && to != from, from.May(to), "%s to %s", from, to)
		}
	}
	for _, end := range []Status{Done, Rejected, Cancelled} {
		require.True(t, end.Ended())
	}
}
