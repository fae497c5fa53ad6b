package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
)

// shortLocal is for short SQL on the built-in store: run in the workflow's own
// process, without a round trip to Temporal. A few tries, within one workflow task.
var shortLocal = workflow.LocalActivityOptions{
	ScheduleToCloseTimeout: 20 * time.Second,
	StartToCloseTimeout:    10 * time.Second,
	RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 50 * time.Millisecond, MaximumInterval: time.Second, MaximumAttempts: 3},
}

// shortRegular is what becomes of a short call that keeps failing: the same
// function as a regular activity, so that a database's outage is waited out by
// Temporal and does not hold a workflow task. It is tried until it works; what can
// never work says so itself.
var shortRegular = workflow.ActivityOptions{
	StartToCloseTimeout: time.Minute,
	RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
}

// longTask is for what leaves the machine or takes many steps: mails, calls,
// draining a queue. Heartbeats show
// that its process lives, whatever it waits for.
var longTask = workflow.ActivityOptions{
	StartToCloseTimeout: 30 * time.Minute,
	HeartbeatTimeout:    30 * time.Second,
	RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 5 * time.Minute},
}

// remoteTask is for a step's task that leaves the machine. The activity itself
// ends the step when patience is over.
var remoteTask = workflow.ActivityOptions{
	StartToCloseTimeout: 5 * time.Minute,
	RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 5 * time.Minute},
}

// jobPage is for one page of long work. Events that come meanwhile go before it, and
// it is tried again until it works: what can never work ends the job by itself.
var jobPage = workflow.ActivityOptions{
	StartToCloseTimeout: 5 * time.Minute,
	HeartbeatTimeout:    30 * time.Second,
	RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
	Priority:            temporal.Priority{PriorityKey: handover.JobPriority},
}

// short runs an activity locally and, when that keeps failing for now, as a regular
// one.
func short(ctx workflow.Context, activity, in, out any) error {
	err := workflow.ExecuteLocalActivity(workflow.WithLocalActivityOptions(ctx, shortLocal), activity, in).Get(ctx, out)
	if err == nil || final(err) || temporal.IsCanceledError(err) {
		return err
	}
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, shortRegular), activity, in).Get(ctx, out)
}

// long runs an activity that may take its time.
func long(ctx workflow.Context, activity, in, out any) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longTask), activity, in).Get(ctx, out)
}

// final reports whether an activity said that trying again cannot help.
func final(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.NonRetryable()
}

// problem is the kind of an error, which is all that histories hold of it.
func problem(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Type()
	}
	return fault.Internal.String()
}

// waitFor waits for a signal on ch, at most d; it reports whether one came. Signals
// that came together count as one.
func waitFor(ctx workflow.Context, ch workflow.ReceiveChannel, d time.Duration) (signalled bool) {
	timer, cancel := workflow.WithCancel(ctx)
	defer cancel()
	workflow.NewSelector(ctx).
		AddFuture(workflow.NewTimer(timer, d), func(workflow.Future) {}).
		AddReceive(ch, func(c workflow.ReceiveChannel, _ bool) { signalled = drain(c) }).
		Select(ctx)
	return signalled
}

// waitForMore waits for a signal at an empty queue, where lingering is asked for.
func waitForMore(ctx workflow.Context, ch workflow.ReceiveChannel, d time.Duration) bool {
	return d > 0 && (waitFor(ctx, ch, d) || drain(ch))
}

// drain takes all signals that are there, and reports whether there was one. Taken
// before an execution ends, they are not reported as forgotten.
func drain(ch workflow.ReceiveChannel) (some bool) {
	for ch.ReceiveAsync(nil) {
		some = true
	}
	return some
}
