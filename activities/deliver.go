package activities

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/delivery"
	"github.com/segue-xm/segue/internal/id"
	"github.com/segue-xm/segue/internal/store"
)

// DeliverInput names the destination that a Deliver workflow drains.
type DeliverInput struct {
	Destination id.ID `json:"destination"`
}

// Drained says how far a destination's queue was drained.
type Drained struct {
	Done  int           `json:"done"`
	Empty bool          `json:"empty,omitempty"` // nothing waits that time alone will make due
	Next  time.Duration `json:"next,omitempty"`  // until the next delivery is due
}

// drainBatch is how many deliveries one call takes.
const drainBatch = 100

// DeliverDue tries the deliveries of a destination that are due. While the
// destination is switched off they become held. Running it twice: deliveries that
// ended are not due any more, and an effect is written with its mark.
func (a *Effects) DeliverDue(ctx context.Context, in DeliverInput) (Drained, error) {
	defer alive(ctx)()
	live, err := a.Revisions.Current(ctx)
	if err != nil {
		return Drained{}, err
	}
	due, err := a.Deliveries.DueDeliveries(ctx, in.Destination, drainBatch)
	if err != nil {
		return Drained{}, err
	}
	dest := live.Destination(in.Destination)
	switch {
	case len(due) == 0:
	case dest != nil && !dest.Def.IsEnabled():
		err = a.hold(ctx, due)
	default:
		err = a.Apply(ctx, due)
	}
	if err != nil {
		return Drained{}, err
	}
	return a.rest(ctx, in.Destination, len(due))
}

func (a *Effects) rest(ctx context.Context, destination id.ID, done int) (Drained, error) {
	next, err := a.Deliveries.NextDue(ctx, destination)
	if err != nil {
		return Drained{}, err
	}
	out := Drained{Done: done}
	switch {
	case next.IsZero() || next.Equal(HeldUntil):
		out.Empty = true
	default:
		out.Next = max(next.Sub(a.Now()), 0)
	}
	return out, nil
}

func (a *Effects) hold(ctx context.Context, due []store.OpenDelivery) error {
	marks := make([]store.Mark, len(due))
	for i, d := range due {
		marks[i] = store.Mark{Ref: d.Ref(), Status: delivery.Held, Attempts: d.Attempts, Reason: "the destination is switched off", Due: HeldUntil}
	}
	return a.Deliveries.MarkDeliveries(ctx, marks)
}
