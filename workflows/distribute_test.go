package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/workflows"
)

const day = 24 * time.Hour

var aDistribution = handover.DistributionInput{Distribution: 88}

func TestDistribute_SendsWhatIsDue_WaitsAndIsWoken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginDistribution", activities.Schedule{Standing: true})
	s.plays["SendDue"] = func(n int) (any, error) {
		return []delivery.Drained{{Next: 3 * day}, {Next: 2 * day}, {}, {Next: 11 * day}, {Empty: true}}[n-1], nil
	}
	s.signal(handover.SignalWake, day)
	require.NoError(t, s.run(workflows.Distribute, aDistribution))
	require.Equal(t, []time.Duration{0, day, 3 * day, 3 * day, 14 * day}, s.when("SendDue"))
}

func TestDistribute_EmptyQueue_LingersForMore(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginDistribution", activities.Schedule{Standing: true})
	s.gives("SendDue", delivery.Drained{Empty: true})
	s.signal(handover.SignalWake, 4*time.Minute)
	require.NoError(t, s.run(workflows.Distribute, aDistribution))
	require.Equal(t, []time.Duration{0, 4 * time.Minute}, s.when("SendDue"))
	require.Equal(t, 9*time.Minute, s.Now().Sub(s.start))
}

func TestDistribute_ManyRounds_GoesOnAsNew(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginDistribution", activities.Schedule{Standing: true})
	s.gives("SendDue", delivery.Drained{Next: time.Second})
	err := s.run(workflows.Distribute, aDistribution)
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &again)
	require.Equal(t, handover.Distribute, again.WorkflowType.Name)
	require.Equal(t, 200, s.times("SendDue"))
}

func TestDistribute_MailServerAway_IsTriedUntilItIsBack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginDistribution", activities.Schedule{Standing: true})
	s.plays["SendDue"] = func(int) (any, error) {
		if s.Now().Sub(s.start) < 4*time.Minute {
			return nil, forNow
		}
		return delivery.Drained{Empty: true}, nil
	}
	require.NoError(t, s.run(workflows.Distribute, aDistribution))
	require.Less(t, s.times("SendDue"), 12)
}

// What follows is the workflow of 0.1.0, whose executions are still to end.

func (s *stage) sends() []string {
	return without(s.calls, "Remaining")
}

func TestDistributeOfOneRun_InvitationAtOnce_RemindersAtTheirTimes_ThenExpiry(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginDistribution", activities.Schedule{Reminders: []time.Duration{3 * day, 7 * day}, Expires: 14 * day})
	require.NoError(t, s.run(workflows.Distribute, aDistribution))
	require.Equal(t, []string{"BeginDistribution", "SendMessages invitation", "SendMessages reminder-1", "SendMessages reminder-2", "FinishDistribution"}, s.sends())
	require.Equal(t, []time.Duration{0}, s.when("SendMessages invitation"))
	require.Equal(t, []time.Duration{3 * day}, s.when("SendMessages reminder-1"))
	require.Equal(t, []time.Duration{7 * day}, s.when("SendMessages reminder-2"))
	require.Equal(t, []time.Duration{14 * day}, s.when("FinishDistribution"))
}

func TestDistributeOfOneRun_Answered_EndsWithoutFurtherReminders(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginDistribution", activities.Schedule{Reminders: []time.Duration{3 * day, 7 * day}, Expires: 14 * day})
	s.plays["Remaining"] = func(int) (any, error) {
		if s.Now().Sub(s.start) >= 4*day {
			return 0, nil
		}
		return 1, nil
	}
	s.signal(handover.SignalAnswered, 2*day) // started only: somebody is still open
	s.signal(handover.SignalAnswered, 4*day)
	require.NoError(t, s.run(workflows.Distribute, aDistribution))
	require.Equal(t, []string{"BeginDistribution", "SendMessages invitation", "SendMessages reminder-1", "FinishDistribution"}, s.sends())
	require.Equal(t, []time.Duration{3 * day}, s.when("SendMessages reminder-1"), "the signal before did not move it")
	require.Equal(t, []time.Duration{4 * day}, s.when("FinishDistribution"))
}

func TestDistributeOfOneRun_NobodyIsOpenAfterTheInvitation_EndsAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginDistribution", activities.Schedule{Reminders: []time.Duration{3 * day}, Expires: 14 * day})
	s.gives("Remaining", 0)
	require.NoError(t, s.run(workflows.Distribute, aDistribution))
	require.Equal(t, []time.Duration{0}, s.when("FinishDistribution"))
	require.Zero(t, s.times("SendMessages reminder-1"))
}

func TestDistributeOfOneRun_NothingToWaitFor_EndsAfterTheInvitation(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	require.NoError(t, s.run(workflows.Distribute, aDistribution))
	require.Equal(t, []string{"BeginDistribution", "SendMessages invitation", "FinishDistribution"}, s.calls)
}

func TestDistribute_Ended_IsLeftAlone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginDistribution", activities.Schedule{Ended: true})
	require.NoError(t, s.run(workflows.Distribute, aDistribution))
	require.Equal(t, []string{"BeginDistribution"}, s.calls)
}

func TestDistributeOfOneRun_MailServerAwayForAWhile_RemindersKeepTheirTimes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginDistribution", activities.Schedule{Reminders: []time.Duration{3 * day}, Expires: 14 * day})
	s.plays["SendMessages invitation"] = func(int) (any, error) {
		if s.Now().Sub(s.start) < 4*time.Minute {
			return nil, forNow
		}
		return nil, nil
	}
	require.NoError(t, s.run(workflows.Distribute, aDistribution))
	require.Equal(t, []time.Duration{3 * day}, s.when("SendMessages reminder-1"))
	require.Equal(t, []time.Duration{14 * day}, s.when("FinishDistribution"))
}
