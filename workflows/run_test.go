package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/workflows"
)

var aRun = handover.RunInput{Run: 77}

func local(step string) flow.Node {
	return flow.Node{ID: step, Kind: flow.KindTask, Task: "mail", Local: true}
}
func remote(step string) flow.Node { return flow.Node{ID: step, Kind: flow.KindTask, Task: "call"} }
func wait(step string) flow.Node   { return flow.Node{ID: step, Kind: flow.KindWait} }
func onward(n flow.Node) flow.Node { n.Continue = true; return n }

func program(steps ...flow.Node) activities.Program {
	return activities.Program{Status: "running", Steps: steps}
}

func TestRunWorkflow_Steps(t *testing.T) {
	t.Parallel()
	fork := flow.Node{ID: "fork", Kind: flow.KindBranch, Branches: [][]flow.Node{{local("left")}, {local("right"), {ID: "halt", Kind: flow.KindStop}}}}
	failed := activities.StepResult{Failed: true}
	for name, c := range map[string]struct {
		steps []flow.Node
		plays map[string]any
		calls []string // after BeginRun
	}{
		"in order, each judged when it is reached": {
			steps: []flow.Node{local("a"), remote("b")},
			calls: []string{"JudgeStep a", "mail a", "JudgeStep b", "call b", "EndRun done"},
		},
		"no step": {calls: []string{"EndRun done"}},
		"a skipped step is passed over": {
			steps: []flow.Node{local("a"), local("b")},
			plays: map[string]any{"JudgeStep a": activities.Judgement{Skip: true}},
			calls: []string{"JudgeStep a", "JudgeStep b", "mail b", "EndRun done"},
		},
		"a branch, and what comes after it": {
			steps: []flow.Node{fork, local("b")},
			plays: map[string]any{"JudgeStep fork": activities.Judgement{Branch: 0}},
			calls: []string{"JudgeStep fork", "JudgeStep left", "mail left", "JudgeStep b", "mail b", "EndRun done"},
		},
		"no way of a branch": {
			steps: []flow.Node{fork, local("b")},
			plays: map[string]any{"JudgeStep fork": activities.Judgement{Branch: -1}},
			calls: []string{"JudgeStep fork", "JudgeStep b", "mail b", "EndRun done"},
		},
		"a stop inside a branch ends the run": {
			steps: []flow.Node{fork, local("b")},
			plays: map[string]any{"JudgeStep fork": activities.Judgement{Branch: 1}, "JudgeStep halt": activities.Judgement{Stop: true}},
			calls: []string{"JudgeStep fork", "JudgeStep right", "mail right", "JudgeStep halt", "EndRun done"},
		},
		"a failure ends the run": {
			steps: []flow.Node{local("a"), local("b")},
			plays: map[string]any{"mail a": failed},
			calls: []string{"JudgeStep a", "mail a", "EndRun failed a"},
		},
		"a failure inside a branch ends the run and is named": {
			steps: []flow.Node{fork, local("b")},
			plays: map[string]any{"JudgeStep fork": activities.Judgement{Branch: 0}, "mail left": failed},
			calls: []string{"JudgeStep fork", "JudgeStep left", "mail left", "EndRun failed left"},
		},
		"a failure that may continue": {
			steps: []flow.Node{onward(local("a")), onward(remote("b")), local("c")},
			plays: map[string]any{"mail a": failed, "call b": failed},
			calls: []string{"JudgeStep a", "mail a", "JudgeStep b", "call b", "JudgeStep c", "mail c", "EndRun done"},
		},
		"what cannot be judged fails": {
			steps: []flow.Node{local("a"), local("b")},
			plays: map[string]any{"JudgeStep a": activities.Judgement{Failed: true}},
			calls: []string{"JudgeStep a", "EndRun failed a"},
		},
		"an error that no step accounts for ends the run too": {
			steps: []flow.Node{local("a"), local("b")},
			plays: map[string]any{"JudgeStep a": forGood},
			calls: []string{"JudgeStep a", "EndRun failed invalid"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.gives("BeginRun", program(c.steps...))
			for key, v := range c.plays {
				s.gives(key, v)
			}
			err := s.run(workflows.RunWorkflow, aRun)
			if name == "an error that no step accounts for ends the run too" {
				require.Error(t, err, "for operators to see")
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, c.calls, s.calls[1:])
		})
	}
}

func TestRunWorkflow_CannotBegin_EndsTheRun(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginRun", forGood)
	require.Error(t, s.run(workflows.RunWorkflow, aRun))
	require.Equal(t, []string{"BeginRun", "EndRun failed invalid"}, s.calls)
}

func TestRunWorkflow_RunThatEndedBefore_IsLeftAlone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginRun", activities.Program{Status: "failed"})
	require.NoError(t, s.run(workflows.RunWorkflow, aRun))
	require.Equal(t, []string{"BeginRun"}, s.calls)
	var end activities.RunEnd
	require.NoError(t, s.GetWorkflowResult(&end))
	require.Equal(t, run.Failed, end.Status)
}

func TestRunWorkflow_RemoteTask_IsTriedUntilItGivesUpItself(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginRun", program(remote("a")))
	// The test environment gives up after ten minutes, Temporal does not.
	s.gives("call a", forNow, forNow, forNow, forNow, forNow, forNow, forNow, forNow, activities.StepResult{Failed: true})
	require.NoError(t, s.run(workflows.RunWorkflow, aRun))
	require.Equal(t, "EndRun failed a", s.calls[len(s.calls)-1])
	require.Equal(t, []time.Duration{0, 0, 0, 0, 0, time.Minute, time.Minute, 2 * time.Minute, 4 * time.Minute}, s.when("call a"))
}

func TestRunWorkflow_Wait_EndsByTime(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginRun", program(wait("w"), local("a")))
	s.gives("JudgeStep w", activities.Judgement{Wait: 30 * 24 * time.Hour})
	s.signal(handover.SignalAnswered, time.Hour) // nobody waits for it
	require.NoError(t, s.run(workflows.RunWorkflow, aRun))
	require.Equal(t, []string{"BeginRun", "JudgeStep w", "EndWait w by time", "JudgeStep a", "mail a", "EndRun done"}, s.calls)
	require.Equal(t, []time.Duration{30 * 24 * time.Hour}, s.when("EndWait w by time"))
}

func TestRunWorkflow_WaitForAnswer_EndsWithIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	waiting := activities.Judgement{Wait: 48 * time.Hour, Response: true}
	there := waiting
	there.Answered = true
	s.gives("BeginRun", program(wait("w"), local("a")))
	s.gives("JudgeStep w", waiting, waiting, there)
	s.signal(handover.SignalAnswered, 10*time.Hour) // of another invitation
	s.signal(handover.SignalAnswered, 20*time.Hour)
	require.NoError(t, s.run(workflows.RunWorkflow, aRun))
	require.Equal(t, []time.Duration{0, 10 * time.Hour, 20 * time.Hour}, s.when("JudgeStep w"))
	require.Equal(t, []time.Duration{20 * time.Hour}, s.when("EndWait w by response"))
}

func TestRunWorkflow_WaitForAnswer_NoneComes_EndsByTime(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginRun", program(wait("w")))
	s.gives("JudgeStep w", activities.Judgement{Wait: 48 * time.Hour, Response: true})
	s.signal(handover.SignalAnswered, 47*time.Hour) // started only: the time is not prolonged
	require.NoError(t, s.run(workflows.RunWorkflow, aRun))
	require.Equal(t, []time.Duration{48 * time.Hour}, s.when("EndWait w by time"))
}

func TestRunWorkflow_WaitForAnswer_ThereAlready_DoesNotWait(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginRun", program(wait("w")))
	s.gives("JudgeStep w", activities.Judgement{Wait: 48 * time.Hour, Response: true, Answered: true})
	require.NoError(t, s.run(workflows.RunWorkflow, aRun))
	require.Equal(t, []time.Duration{0}, s.when("EndWait w by response"))
}

func TestRunWorkflow_WaitForAnswer_SignalCameBeforeTheWait_IsNotWaitedForTwice(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	waiting := activities.Judgement{Wait: 48 * time.Hour, Response: true}
	there := waiting
	there.Answered = true
	s.gives("BeginRun", program(wait("first"), wait("w")))
	s.gives("JudgeStep first", activities.Judgement{Wait: time.Hour})
	s.gives("JudgeStep w", waiting, there) // the answer is written right after the judgement
	s.signal(handover.SignalAnswered, time.Minute)
	require.NoError(t, s.run(workflows.RunWorkflow, aRun))
	require.Equal(t, []time.Duration{time.Hour}, s.when("EndWait w by response"))
}

func TestRunWorkflow_Cancelled_RunSaysSo(t *testing.T) {
	t.Parallel()
	for name, judged := range map[string]activities.Judgement{
		"plain wait":          {Wait: 48 * time.Hour},
		"wait for the answer": {Wait: 48 * time.Hour, Response: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.gives("BeginRun", program(wait("w"), local("a")))
			s.gives("JudgeStep w", judged)
			s.RegisterDelayedCallback(s.CancelWorkflow, time.Hour)
			require.NoError(t, s.run(workflows.RunWorkflow, aRun))
			require.Equal(t, []string{"BeginRun", "JudgeStep w", "EndRun cancelled"}, s.calls)
			require.Equal(t, []time.Duration{time.Hour}, s.when("EndRun cancelled"))
		})
	}
}

func TestRunWorkflow_CancelledWhileATaskIsTried_RunSaysSo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.gives("BeginRun", program(remote("a")))
	s.gives("call a", forNow)
	s.RegisterDelayedCallback(s.CancelWorkflow, 3*time.Minute)
	require.NoError(t, s.run(workflows.RunWorkflow, aRun))
	require.Equal(t, "EndRun cancelled", s.calls[len(s.calls)-1])
}

func TestRunWorkflow_Outcome_IsShownOnlyWhereTheNamespaceKnowsIt(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]bool{"known": true, "not known": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.gives("BeginRun", program())
			var shown []string
			done := temporal.NewSearchAttributes(workflows.AttributeOutcome.ValueSet("done"))
			s.OnUpsertTypedSearchAttributes(done).Return(nil).Run(func(mock.Arguments) { shown = append(shown, "done") }).Maybe()
			if known {
				require.NoError(t, s.SetTypedSearchAttributesOnStart(temporal.NewSearchAttributes(workflows.AttributeOutcome.ValueSet("running"))))
			}
			require.NoError(t, s.run(workflows.RunWorkflow, aRun))
			require.Equal(t, known, len(shown) == 1)
		})
	}
}
