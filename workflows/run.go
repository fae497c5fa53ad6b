package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/run"
)

// AttributeOutcome shows operators how a run ended.
var AttributeOutcome = temporal.NewSearchAttributeKeyKeyword(handover.AttributeOutcome)

// walk is the state of one RunWorkflow execution.
type walk struct {
	id       id.ID
	answered workflow.ReceiveChannel
	stopped  bool
	failedAt run.Path // the step that ended it
}

// RunWorkflow does the steps of one run, in order, each judged when it is reached.
// Whatever ends it, the run's row says so; an error that no step accounts for also
// fails the execution, for operators to see.
func RunWorkflow(ctx workflow.Context, in handover.RunInput) (activities.RunEnd, error) {
	end := activities.RunEnd{Run: in.Run, Status: run.Done}
	r := &walk{id: in.Run, answered: workflow.GetSignalChannel(ctx, handover.SignalAnswered)}
	var program activities.Program
	err := short(ctx, runs.BeginRun, in, &program)
	if err == nil && program.Status != run.Running {
		end.Status = program.Status // it ended before: the first end counts
		return end, outcome(ctx, end.Status)
	}
	if err == nil {
		err = r.steps(ctx, program.Steps)
	}
	switch {
	case temporal.IsCanceledError(err):
		end.Status, err = run.Cancelled, nil
		ctx, _ = workflow.NewDisconnectedContext(ctx)
	case err != nil:
		end.Status, end.Problem = run.Failed, problem(err)
	case r.failedAt != "":
		end.Status, end.Step = run.Failed, r.failedAt
	}
	ended := short(ctx, runs.EndRun, end, nil)
	drain(r.answered)
	if ended != nil {
		return end, ended
	}
	if err != nil {
		return end, err
	}
	return end, outcome(ctx, end.Status)
}

// outcome shows how a run ended where the namespace has the attribute: only then
// the execution was started with it, and setting an attribute that a namespace does
// not know would hold the execution for ever.
func outcome(ctx workflow.Context, status run.Status) error {
	if _, known := workflow.GetTypedSearchAttributes(ctx).GetKeyword(AttributeOutcome); !known {
		return nil
	}
	return workflow.UpsertTypedSearchAttributes(ctx, AttributeOutcome.ValueSet(string(status)))
}

// steps does the steps of one level until one ends the run.
func (r *walk) steps(ctx workflow.Context, nodes []flow.Node) error {
	for _, n := range nodes {
		in := activities.StepInput{Run: r.id, Step: run.Path(n.ID), Kind: kind(n)}
		var judged activities.Judgement
		if err := short(ctx, runs.JudgeStep, in, &judged); err != nil {
			return err
		}
		failed := judged.Failed
		var err error
		switch {
		case judged.Failed, judged.Skip:
		case judged.Stop:
			r.stopped = true
		case n.Kind == flow.KindWait:
			err = r.wait(ctx, in, judged)
		case n.Kind == flow.KindBranch:
			if judged.Branch >= 0 && judged.Branch < len(n.Branches) {
				err = r.steps(ctx, n.Branches[judged.Branch])
			}
		case n.Kind == flow.KindTask:
			failed, err = r.task(ctx, n, in)
		}
		if err != nil {
			return err
		}
		if failed && !n.Continue {
			r.failedAt = in.Step
		}
		if r.stopped || r.failedAt != "" {
			return nil
		}
	}
	return nil
}

// kind is what a step is called in its record: the task's kind, or its own.
func kind(n flow.Node) string {
	if n.Kind == flow.KindTask {
		return n.Task
	}
	return n.Kind
}

// task runs a step's task under the name of its kind.
func (r *walk) task(ctx workflow.Context, n flow.Node, in activities.StepInput) (failed bool, err error) {
	var out activities.StepResult
	if n.Local {
		err = short(ctx, n.Task, in, &out)
	} else {
		err = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, remoteTask), n.Task, in).Get(ctx, &out)
	}
	return out.Failed, err
}

// wait lets time pass. A wait for an answer is judged again whenever one comes.
func (r *walk) wait(ctx workflow.Context, in activities.StepInput, judged activities.Judgement) error {
	end := activities.WaitEnd{Run: in.Run, Step: in.Step, By: "time"}
	until := workflow.Now(ctx).Add(judged.Wait)
	for {
		if judged.Answered {
			end.By = "response"
			break
		}
		left := until.Sub(workflow.Now(ctx))
		if left <= 0 {
			break
		}
		if err := r.pause(ctx, left, judged.Response); err != nil {
			return err
		}
		if judged.Response && workflow.Now(ctx).Before(until) {
			if err := short(ctx, runs.JudgeStep, in, &judged); err != nil {
				return err
			}
		}
	}
	return short(ctx, runs.EndWait, end, nil)
}

func (r *walk) pause(ctx workflow.Context, d time.Duration, response bool) error {
	if !response {
		return workflow.Sleep(ctx, d)
	}
	waitFor(ctx, r.answered, d)
	return ctx.Err()
}
