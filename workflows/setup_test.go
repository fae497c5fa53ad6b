package workflows_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/workflows"
)

// stage is the SDK's test environment with activities that play a part and note
// that they were called. Time is skipped.
type stage struct {
	*testsuite.TestWorkflowEnvironment
	t     *testing.T
	start time.Time

	mu    sync.Mutex
	calls []string                            // name, or name and what it was about
	at    []time.Duration                     // since the start, one per call
	plays map[string]func(n int) (any, error) // by name or name and step: what the nth call (from 1) gives
	count map[string]int
}

func newStage(t *testing.T) *stage {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	s := &stage{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), t: t, plays: map[string]func(int) (any, error){}, count: map[string]int{}}
	s.SetTestTimeout(20 * time.Second)
	s.start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s.SetStartTime(s.start)
	workflows.Register(s.TestWorkflowEnvironment)
	act(s, "FilterEvents", func(in handover.Batch) string { return "" }, activities.Matched{})
	act(s, "MapFields", func(in activities.Matched) string { return "" }, activities.Mapped{})
	act(s, "UpsertContacts", func(in []delivery.Ref) string { return "" }, none{})
	act(s, "UpsertTransactions", func(in []delivery.Ref) string { return "" }, none{})
	act(s, "StartRuns", func(in []delivery.Ref) string { return "" }, none{})
	act(s, "DeliverDue", func(in handover.DeliverInput) string { return "" }, delivery.Drained{Empty: true})
	act(s, "NextPage", func(in handover.JobInput) string { return "" }, activities.JobPage{Status: "done"})
	act(s, "BeginRun", func(in handover.RunInput) string { return "" }, activities.Program{Status: "running"})
	act(s, "JudgeStep", func(in activities.StepInput) string { return string(in.Step) }, activities.Judgement{})
	act(s, "EndWait", func(in activities.WaitEnd) string { return string(in.Step) + " by " + in.By }, none{})
	act(s, "EndRun", func(in activities.RunEnd) string {
		text := string(in.Status)
		for _, v := range []string{string(in.Step), in.Problem} {
			if v != "" {
				text += " " + v
			}
		}
		return text
	}, none{})
	act(s, "mail", func(in activities.StepInput) string { return string(in.Step) }, activities.StepResult{})
	act(s, "call", func(in activities.StepInput) string { return string(in.Step) }, activities.StepResult{})
	act(s, "BeginDistribution", func(in handover.DistributionInput) string { return "" }, activities.Schedule{})
	act(s, "SendDue", func(in handover.DistributionInput) string { return "" }, delivery.Drained{Empty: true})
	act(s, "SendMessages", func(in activities.SendInput) string { return string(in.Kind) }, activities.Sent{})
	act(s, "Remaining", func(in handover.DistributionInput) string { return "" }, 1)
	act(s, "FinishDistribution", func(in handover.DistributionInput) string { return "" }, none{})
	return s
}

// none is the result of an activity that has none.
type none struct{}

// act registers an activity under its name; about says which call it was.
func act[I, O any](s *stage, name string, about func(I) string, usual O) {
	s.RegisterActivityWithOptions(func(ctx context.Context, in I) (O, error) {
		key := name
		if text := about(in); text != "" {
			key += " " + text
		}
		s.mu.Lock()
		s.calls, s.at = append(s.calls, key), append(s.at, s.Now().Sub(s.start))
		s.count[key]++
		n, play := s.count[key], s.plays[key]
		if play == nil {
			s.count[name+" "]++
			n, play = s.count[name+" "], s.plays[name]
		}
		s.mu.Unlock()
		if play == nil {
			return usual, nil
		}
		v, err := play(n)
		if v == nil {
			return usual, err
		}
		return v.(O), err
	}, activity.RegisterOptions{Name: name})
}

// plays says what calls give, one after the other; the last goes on.
func (s *stage) gives(key string, values ...any) {
	s.plays[key] = func(n int) (any, error) {
		v := values[min(n, len(values))-1]
		if err, ok := v.(error); ok {
			return nil, err
		}
		return v, nil
	}
}

// run executes a workflow, which must complete.
func (s *stage) run(workflow, in any) error {
	s.t.Helper()
	s.ExecuteWorkflow(workflow, in)
	require.True(s.t, s.IsWorkflowCompleted())
	return s.GetWorkflowError()
}

func (s *stage) times(key string) (n int) {
	for _, c := range s.calls {
		if c == key {
			n++
		}
	}
	return n
}

// when are the times of a call, since the start.
func (s *stage) when(key string) (at []time.Duration) {
	for i, c := range s.calls {
		if c == key {
			at = append(at, s.at[i].Round(time.Minute))
		}
	}
	return at
}

func (s *stage) signal(name string, after time.Duration) {
	s.RegisterDelayedCallback(func() { s.SignalWorkflow(name, nil) }, after)
}

// without drops calls whose name is one of these.
func without(calls []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(calls), func(c string) bool { return slices.Contains(names, c) })
}

// What an activity's error looks like once it crossed the worker's border.
var (
	forNow  = temporal.NewApplicationError("see the console: unavailable", "unavailable")
	forGood = temporal.NewNonRetryableApplicationError("see the console: invalid", "invalid", nil)
)
