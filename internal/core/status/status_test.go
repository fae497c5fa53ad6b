package status_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/status"
	"github.com/segue-xm/segue/internal/core/status/statustest"
)

func TestTable_SaysWhatFollowsAndWhatCameBefore(t *testing.T) {
	t.Parallel()
	moves := status.Table[string]{{"asked", []string{"sent", "done"}}, {"sent", []string{"done"}}, {"done", nil}}
	statustest.Sound(t, moves, "asked")
	statustest.Forward(t, moves)
	require.True(t, moves.May("asked", "done"))
	require.False(t, moves.May("done", "sent"))
	require.False(t, moves.May("sent", "sent"), "staying is not a change")
	require.Equal(t, []string{"asked", "sent"}, moves.Before("done"))
	require.Empty(t, moves.Before("asked"))
	require.Equal(t, []string{"asked", "sent"}, moves.Open())
	require.True(t, moves.Ended("done"))
	require.False(t, moves.Ended("nonsense"))
}
