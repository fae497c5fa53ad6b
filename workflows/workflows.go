// Package workflows is the order of things and nothing else: Temporal workflows
// that call activities by ids and wait. They evaluate no condition, read no clock
// but Temporal's, and hold no personal data, so that old histories replay whatever
// becomes of libraries and plans.
//
//	ProcessEvents  1 to 100 stored events: filter, map, apply, start runs
//	RunWorkflow    the steps of one run; waits are timers
//	Distribute     one standing distribution: sends, reminds and expires what is due
//	Deliver        one destination: drains what is remote or was left over
//	Job            one job: page after page, until it is done, paused or cancelled
package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/handover"
)

// Activities are called through nil pointers: only their names matter here.
var (
	events        *activities.Events
	effects       *activities.Effects
	runs          *activities.Runs
	distributions *activities.Distributions
	jobs          *activities.Jobs
)

// Register makes the workflows known to a worker, under the names by which they are
// handed over.
func Register(r interface {
	RegisterWorkflowWithOptions(w any, o workflow.RegisterOptions)
}) {
	for name, w := range map[string]any{
		handover.ProcessEvents: ProcessEvents, handover.RunWorkflow: RunWorkflow, handover.Distribute: Distribute, handover.Deliver: Deliver, handover.Job: Job,
	} {
		r.RegisterWorkflowWithOptions(w, workflow.RegisterOptions{Name: name})
	}
}

// Outcome counts what ProcessEvents did.
type Outcome struct {
	Unmatched    int `json:"unmatched"`
	Contacts     int `json:"contacts"`
	Transactions int `json:"transactions"`
	Runs         int `json:"runs"`
	Queued       int `json:"queued,omitempty"`
	Rejected     int `json:"rejected,omitempty"`
}

// ProcessEvents does for a batch of stored events what their mappings ask for.
func ProcessEvents(ctx workflow.Context, batch handover.Batch) (Outcome, error) {
	var matched activities.Matched
	if err := short(ctx, events.FilterEvents, batch, &matched); err != nil {
		return Outcome{}, err
	}
	out := Outcome{Unmatched: matched.Unmatched}
	if len(matched.Deliveries) == 0 {
		return out, nil
	}
	var mapped activities.Mapped
	if err := short(ctx, events.MapFields, matched, &mapped); err != nil {
		return out, err
	}
	out.Contacts, out.Transactions, out.Runs = len(mapped.Contacts), len(mapped.Transactions), len(mapped.Runs)
	out.Queued, out.Rejected = mapped.Queued, mapped.Rejected
	if out.Contacts > 0 {
		if err := short(ctx, effects.UpsertContacts, mapped.Contacts, nil); err != nil {
			return out, err
		}
	}
	if out.Transactions > 0 {
		if err := short(ctx, effects.UpsertTransactions, mapped.Transactions, nil); err != nil {
			return out, err
		}
	}
	if out.Runs > 0 {
		if err := short(ctx, effects.StartRuns, mapped.Runs, nil); err != nil {
			return out, err
		}
	}
	return out, nil
}

// drainRounds bounds a Deliver execution's history.
const drainRounds = 200

// Deliver drains a destination's queue, one batch after the other, and waits for
// what is due later. It ends when nothing more will become due by itself; whoever
// puts something into the queue, or a sweeper, starts it again.
func Deliver(ctx workflow.Context, in handover.DeliverInput) error {
	return drainQueue(ctx, effects.DeliverDue, in, 0)
}

// drainQueue lets an activity take what is due in a queue, again and again, and waits
// in between: for the next thing to be due, or to be told of more. An empty queue is
// waited at for as long as lingers says.
func drainQueue(ctx workflow.Context, activity, in any, lingers time.Duration) error {
	wake := workflow.GetSignalChannel(ctx, handover.SignalWake)
	for range drainRounds {
		var r delivery.Drained
		if err := long(ctx, activity, in, &r); err != nil {
			return err
		}
		switch {
		case r.Empty && !drain(wake) && !waitForMore(ctx, wake, lingers):
			return ctx.Err()
		case r.Next > 0:
			waitFor(ctx, wake, r.Next)
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() { // signals make it long too
			break
		}
	}
	drain(wake) // the next execution looks at the queue first thing
	return workflow.NewContinueAsNewError(ctx, workflow.GetInfo(ctx).WorkflowType.Name, in)
}
