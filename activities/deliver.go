package activities

import (
	"context"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
)

// drainBatch is how many deliveries one call takes.
const drainBatch = 100

// DeliverDue tries the deliveries of a destination that are due. While the
// destination is switched off or paused they become held. Running it twice:
// deliveries that ended are not due any more; an effect on the built-in directory is
// written with its mark, one on a remote account is looked for before it is repeated.
func (a *Effects) DeliverDue(ctx context.Context, in handover.DeliverInput) (delivery.Drained, error) {
	defer alive(ctx)()
	live, err := a.Revisions.Current(ctx)
	if err != nil {
		return delivery.Drained{}, err
	}
	pauses, err := a.Deliveries.Pauses(ctx)
	if err != nil {
		return delivery.Drained{}, err
	}
	dest := live.Destination(in.Destination)
	off := dest.Off(delivery.Paused(pauses, in.Destination))
	if dest != nil && dest.Directory == nil && off == "" {
		return a.Courier.Deliver(ctx, live.Revision, dest)
	}
	due, err := a.Deliveries.DueDeliveries(ctx, in.Destination, drainBatch)
	switch {
	case err != nil:
	case len(due) == 0:
	case off != "":
		err = a.hold(ctx, due, off)
	default:
		err = a.Apply(ctx, due)
	}
	if err != nil {
		return delivery.Drained{}, err
	}
	return a.rest(ctx, in.Destination, len(due))
}

func (a *Effects) rest(ctx context.Context, destination id.ID, done int) (delivery.Drained, error) {
	next, err := a.Deliveries.NextDue(ctx, destination)
	if err != nil {
		return delivery.Drained{}, err
	}
	out := delivery.Drained{Done: done}
	switch {
	case next.IsZero() || next.Equal(delivery.HeldUntil):
		out.Empty = true
	default:
		out.Next = max(next.Sub(a.Now()), 0)
	}
	return out, nil
}

func (a *Effects) hold(ctx context.Context, due []delivery.Open, reason string) error {
	refs := make([]delivery.Ref, len(due))
	for i, d := range due {
		refs[i] = d.Ref()
	}
	return a.Deliveries.HoldDeliveries(ctx, refs, reason, delivery.HeldUntil)
}
