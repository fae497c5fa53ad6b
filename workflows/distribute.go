package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/handover"
)

// linger is how long a distribution with nothing in its queue waits for more: runs
// come in crowds, and being told is cheaper than being started.
const linger = 5 * time.Minute

// Distribute sends what is due in a standing distribution, invitations and reminders,
// ends what nobody answered in time, and waits for what is due later. It ends when its
// queue is empty; whoever puts somebody into it, or a sweeper, starts it again.
func Distribute(ctx workflow.Context, in handover.DistributionInput) error {
	var begun activities.Schedule
	if err := short(ctx, distributions.BeginDistribution, in, &begun); err != nil || begun.Ended {
		return err
	}
	if !begun.Standing {
		return distributeOne(ctx, in, begun)
	}
	return drainQueue(ctx, distributions.SendDue, in, linger)
}

// distributeOne is the workflow of a distribution of 0.1.0, which was one run's.
func distributeOne(ctx workflow.Context, in handover.DistributionInput, schedule activities.Schedule) error {
	start := workflow.Now(ctx)
	if err := send(ctx, in, distribution.KindInvitation); err != nil {
		return err
	}
	for i, after := range schedule.Reminders {
		settled, err := waitUntil(ctx, in, start.Add(after))
		if err != nil {
			return err
		}
		if settled {
			break
		}
		if err := send(ctx, in, distribution.KindReminder(i+1)); err != nil {
			return err
		}
	}
	if schedule.Expires > 0 {
		if _, err := waitUntil(ctx, in, start.Add(schedule.Expires)); err != nil {
			return err
		}
	}
	err := short(ctx, distributions.FinishDistribution, in, nil)
	drain(workflow.GetSignalChannel(ctx, handover.SignalAnswered))
	return err
}

func send(ctx workflow.Context, in handover.DistributionInput, kind distribution.Kind) error {
	return long(ctx, distributions.SendMessages, activities.SendInput{Distribution: in.Distribution, Kind: kind}, nil)
}

// waitUntil waits for a moment, or until nobody is left who could answer.
func waitUntil(ctx workflow.Context, in handover.DistributionInput, at time.Time) (settled bool, err error) {
	answered := workflow.GetSignalChannel(ctx, handover.SignalAnswered)
	for {
		var open int
		if err := short(ctx, distributions.Remaining, in, &open); err != nil || open == 0 {
			return true, err
		}
		left := at.Sub(workflow.Now(ctx))
		if left <= 0 {
			return false, nil
		}
		if !waitFor(ctx, answered, left) {
			return false, ctx.Err()
		}
	}
}
