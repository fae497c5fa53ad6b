package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/workflows"
)

var (
	aJob  = handover.JobInput{Job: 77}
	going = activities.JobPage{Status: job.Running}
)

func TestJob_PageAfterPage_UntilItIsDone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("NextPage", going, going, activities.JobPage{Status: job.Done})
	require.NoError(t, s.run(workflows.Job, aJob))
	require.Equal(t, 3, s.times("NextPage"))
}

func TestJob_PausedOrCancelled_EndsAfterThePage(t *testing.T) {
	t.Parallel()
	for _, status := range []job.Status{job.Paused, job.Cancelled, job.Failed} {
		s := newStage(t)
		s.gives("NextPage", going, activities.JobPage{Status: status})
		require.NoError(t, s.run(workflows.Job, aJob))
		require.Equal(t, 2, s.times("NextPage"), status)
	}
}

func TestJob_ResumedBeforeItHasEnded_GoesOn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("NextPage", activities.JobPage{Status: job.Paused}, going, activities.JobPage{Status: job.Done})
	s.signal(handover.SignalWake, 0)
	require.NoError(t, s.run(workflows.Job, aJob))
	require.Equal(t, 3, s.times("NextPage"))
}

func TestJob_PageFailsForNow_IsTriedUntilItWorks(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.plays["NextPage"] = func(int) (any, error) {
		if s.Now().Sub(s.start) < 2*time.Minute {
			return nil, forNow
		}
		return nil, nil
	}
	require.NoError(t, s.run(workflows.Job, aJob))
	require.Greater(t, s.times("NextPage"), 7, "half a minute apart at most")
}

func TestJob_LongLife_ContinuesAsNewWithItsInput(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("NextPage", going)
	err := s.run(workflows.Job, aJob)
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &again, "%v", err)
	require.Equal(t, "Job", again.WorkflowType.Name)
	require.Equal(t, 200, s.times("NextPage"))
	require.Contains(t, again.Input.String(), id.ID(77).String())
}
