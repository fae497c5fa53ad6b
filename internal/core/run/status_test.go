package run

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/status/statustest"
)

func TestStatus_Rules(t *testing.T) {
	t.Parallel()
	statustest.Sound(t, moves, Pending, NotStarted)
	statustest.Forward(t, moves)
	for _, c := range []struct {
		from, to Status
		may      bool
	}{
		{Pending, Running, true}, {Running, Done, true},
		{Pending, Failed, true}, {Pending, Cancelled, true}, // its workflow could not begin
		{Pending, Done, false}, // nothing is done that never ran
		{Running, Pending, false}, {Running, Running, false},
		{Running, NotStarted, false}, {NotStarted, Running, false},
		{Done, Failed, false}, {Failed, Done, false}, {Cancelled, Done, false}, // the first end counts
	} {
		require.Equal(t, c.may, c.from.May(c.to), "%s to %s", c.from, c.to)
	}
	require.Equal(t, []Status{Pending, Running}, Failed.Before())
	require.True(t, NotStarted.Ended())
	require.False(t, Running.Ended())
}

func TestStepStatus_Rules(t *testing.T) {
	t.Parallel()
	statustest.Sound(t, stepMoves, StepRunning)
	statustest.Forward(t, stepMoves)
	for _, c := range []struct {
		from, to StepStatus
		may      bool
	}{
		{StepRunning, StepWaiting, true}, {StepRunning, StepSkipped, true}, {StepWaiting, StepDone, true},
		{StepWaiting, StepRunning, false}, {StepWaiting, StepSkipped, false},
		{StepDone, StepFailed, false}, {StepFailed, StepDone, false}, {StepSkipped, StepDone, false},
	} {
		require.Equal(t, c.may, c.from.May(c.to), "%s to %s", c.from, c.to)
	}
	require.Equal(t, []StepStatus{StepRunning, StepWaiting}, OpenSteps())
	require.True(t, StepSkipped.Ended())
}
