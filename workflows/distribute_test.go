package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/workflows"
)

const day = 24 * time.Hour

var aDistribution = handover.DistributionInput{Distribution: 88}

func (s *stage) sends() []string {
	return without(s.calls, "Remaining")
}

func TestDistribute_InvitationAtOnce_RemindersAtTheirTimes_ThenExpiry(t *testing.T) {
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

func TestDistribute_Answered_EndsWithoutFurtherReminders(t *testing.T) {
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

func TestDistribute_NobodyIsOpenAfterTheInvitation_EndsAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginDistribution", activities.Schedule{Reminders: []time.Duration{3 * day}, Expires: 14 * day})
	s.gives("Remaining", 0)
	require.NoError(t, s.run(workflows.Distribute, aDistribution))
	require.Equal(t, []time.Duration{0}, s.when("FinishDistribution"))
	require.Zero(t, s.times("SendMessages reminder-1"))
}

func TestDistribute_NothingToWaitFor_EndsAfterTheInvitation(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	require.NoError(t, s.run(workflows.Distribute, aDistribution))
	require.Equal(t, []string{"BeginDistribution", "SendMessages invitation", "FinishDistribution"}, s.calls)
}

func TestDistribute_EndedBefore_IsLeftAlone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginDistribution", activities.Schedule{Ended: true})
	require.NoError(t, s.run(workflows.Distribute, aDistribution))
	require.Equal(t, []string{"BeginDistribution"}, s.calls)
}

func TestDistribute_MailServerAwayForAWhile_RemindersKeepTheirTimes(t *testing.T) {
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
