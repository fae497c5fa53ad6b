package activities_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/replay"
	"github.com/segue-xm/segue/workflows"
)

// execute runs a job's workflow with its real activities, until it ends.
func (h *house) execute(v id.ID) {
	h.t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	workflows.Register(env)
	env.RegisterActivity(h.jobs())
	env.ExecuteWorkflow(workflows.Job, handover.JobInput{Job: v})
	require.True(h.t, env.IsWorkflowCompleted())
	require.NoError(h.t, env.GetWorkflowError())
}

// TestJob_ReplaysByForce_PausedInBetween_EachEffectOnce is the whole of a replay but
// for Temporal's server: some pages, a pause by somebody else, and the rest.
func TestJob_ReplaysByForce_PausedInBetween_EachEffectOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		const n = 250
		var bodies []string
		for i := range n {
			bodies = append(bodies, order(fmt.Sprint("u", i%20), i))
		}
		h.processIDs(h.take(bodies...))
		require.Equal(t, n, h.transactions())
		v := h.job(replay.Input{Force: true})
		require.Equal(t, job.Running, h.page(v))
		_, _, err := h.PauseJob(t.Context(), v)
		require.NoError(t, err)
		h.execute(v)
		require.Equal(t, []any{job.Paused, int64(100)}, []any{h.theJob(v).Status, h.theJob(v).Done})
		_, _, err = h.ResumeJob(t.Context(), v, time.Minute)
		require.NoError(t, err)
		h.execute(v)
		require.Equal(t, []any{job.Done, int64(n)}, []any{h.theJob(v).Status, h.theJob(v).Done})
		require.Equal(t, map[string]int{"events": n, "forced": n}, h.counts(h.theJob(v)))
		require.Equal(t, n, h.transactions())
		rows, err := h.JobDeliveries(t.Context(), v)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.Equal(t, n, rows[0].N)
	})
}
