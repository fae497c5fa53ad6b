package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/workflows"
)

var (
	batch = handover.Batch{Events: []id.ID{1, 2, 3}}
	refs  = []delivery.Ref{{Event: 1, Mapping: 9}}
)

func TestProcessEvents_Order_AndWhatIsSkipped(t *testing.T) {
	t.Parallel()
	matched := activities.Matched{Deliveries: refs, Unmatched: 2}
	for name, c := range map[string]struct {
		matched activities.Matched
		mapped  activities.Mapped
		calls   []string
		out     workflows.Outcome
	}{
		"nothing matches": {activities.Matched{Unmatched: 3}, activities.Mapped{}, []string{"FilterEvents"}, workflows.Outcome{Unmatched: 3}},
		"everything": {matched, activities.Mapped{Contacts: refs, Transactions: refs, Runs: refs, Queued: 1, Rejected: 1},
			[]string{"FilterEvents", "MapFields", "UpsertContacts", "UpsertTransactions", "StartRuns"},
			workflows.Outcome{Unmatched: 2, Contacts: 1, Transactions: 1, Runs: 1, Queued: 1, Rejected: 1}},
		"only runs":         {matched, activities.Mapped{Runs: refs}, []string{"FilterEvents", "MapFields", "StartRuns"}, workflows.Outcome{Unmatched: 2, Runs: 1}},
		"only transactions": {matched, activities.Mapped{Transactions: refs}, []string{"FilterEvents", "MapFields", "UpsertTransactions"}, workflows.Outcome{Unmatched: 2, Transactions: 1}},
		"all rejected":      {matched, activities.Mapped{Rejected: 1}, []string{"FilterEvents", "MapFields"}, workflows.Outcome{Unmatched: 2, Rejected: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.gives("FilterEvents", c.matched)
			s.gives("MapFields", c.mapped)
			require.NoError(t, s.run(workflows.ProcessEvents, batch))
			require.Equal(t, c.calls, s.calls)
			var out workflows.Outcome
			require.NoError(t, s.GetWorkflowResult(&out))
			require.Equal(t, c.out, out)
		})
	}
}

func TestProcessEvents_DatabaseAway_LocalTriesThenRegularUntilItIsBack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("FilterEvents", forNow, forNow, forNow, forNow, forNow, forNow, forNow, forNow, activities.Matched{Unmatched: 3})
	var local, regular int
	s.SetOnLocalActivityCompletedListener(func(*activity.Info, converter.EncodedValue, error) { local++ })
	s.SetOnActivityCompletedListener(func(*activity.Info, converter.EncodedValue, error) { regular++ })
	require.NoError(t, s.run(workflows.ProcessEvents, batch))
	require.Equal(t, 9, s.times("FilterEvents"))
	require.Equal(t, 3, local, "a few tries at once")
	require.Equal(t, 1, regular, "then one that Temporal keeps trying")
	require.Greater(t, s.at[8], 30*time.Second, "the regular one waits longer and longer")
}

func TestProcessEvents_WhatCanNeverWork_FailsAtOnceWithItsKind(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("FilterEvents", activities.Matched{Deliveries: refs})
	s.gives("MapFields", forGood)
	err := s.run(workflows.ProcessEvents, batch)
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, "invalid", app.Type())
	require.Equal(t, []string{"FilterEvents", "MapFields"}, s.calls)
}

func TestDeliver_DrainsUntilEmpty(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("DeliverDue", delivery.Drained{Done: 100}, delivery.Drained{Done: 100}, delivery.Drained{Done: 1, Empty: true})
	require.NoError(t, s.run(workflows.Deliver, handover.DeliverInput{Destination: 5}))
	require.Equal(t, 3, s.times("DeliverDue"))
}

func TestDeliver_WaitsForTheNextDue(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("DeliverDue", delivery.Drained{Next: time.Hour}, delivery.Drained{Next: 2 * time.Hour}, delivery.Drained{Empty: true})
	require.NoError(t, s.run(workflows.Deliver, handover.DeliverInput{Destination: 5}))
	require.Equal(t, []time.Duration{0, time.Hour, 3 * time.Hour}, s.when("DeliverDue"))
}

func TestDeliver_WakeEndsTheWait(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("DeliverDue", delivery.Drained{Next: time.Hour}, delivery.Drained{Empty: true})
	s.signal(handover.SignalWake, 10*time.Minute)
	require.NoError(t, s.run(workflows.Deliver, handover.DeliverInput{Destination: 5}))
	require.Equal(t, []time.Duration{0, 10 * time.Minute}, s.when("DeliverDue"))
}

func TestDeliver_WokenWhileEmpty_LooksAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.signal(handover.SignalWake, 0)
	require.NoError(t, s.run(workflows.Deliver, handover.DeliverInput{Destination: 5}))
	require.Equal(t, 2, s.times("DeliverDue"))
}

func TestDeliver_LongLife_ContinuesAsNewWithItsInput(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("DeliverDue", delivery.Drained{Done: 100})
	err := s.run(workflows.Deliver, handover.DeliverInput{Destination: 5})
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &again, "%v", err)
	require.Equal(t, "Deliver", again.WorkflowType.Name)
	require.Equal(t, 200, s.times("DeliverDue"))
	require.Contains(t, again.Input.String(), id.ID(5).String())
}
