package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/checks"
)

// TestTasks_ValidateKnowsWhatRuns holds the command line's check of plan files to
// the tasks that a process really has.
func TestTasks_ValidateKnowsWhatRuns(t *testing.T) {
	t.Parallel()
	p := &process{o: Options{}.withDefaults()}
	require.NoError(t, p.buildTasks())
	require.ElementsMatch(t, checks.BuiltInTasks().Kinds(), p.tasks.Kinds())
}
