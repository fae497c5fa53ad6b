package activities

import (
	"context"
	"slices"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/routing"
)

// Drained says how far a destination's queue was drained.
type Drained struct {
	Done  int           `json:"done"`
	Empty bool          `json:"empty,omitempty"` // nothing waits that time alone will make due
	Next  time.Duration `json:"next,omitempty"`  // until the next delivery is due
}

// drainBatch is how many deliveries one call takes.
const drainBatch = 100

// DeliverDue tries the deliveries of a destination that are due. While the
// destination is switched off or paused they become held. Running it twice:
// deliveries that ended are not due any more; an effect on the built-in directory is
// written with its mark, one on a remote account is looked for before it is repeated.
func (a *Effects) DeliverDue(ctx context.Context, in handover.DeliverInput) (Drained, error) {
	defer alive(ctx)()
	live, err := a.Revisions.Current(ctx)
	if err != nil {
		return Drained{}, err
	}
	pauses, err := a.Deliveries.Pauses(ctx)
	if err != nil {
		return Drained{}, err
	}
	dest := live.Destination(in.Destination)
	off := off(dest, pauses)
	if dest != nil && dest.Directory == nil && off == "" {
		return a.deliverRemote(ctx, live.Revision, dest)
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
		return Drained{}, err
	}
	return a.rest(ctx, in.Destination, len(due))
}

// off says why nothing goes to a destination for now; "" when it does. One that is
// not in the plan any more is not off: its deliveries are rejected.
func off(d *routing.Destination, pauses []delivery.Pause) string {
	switch {
	case d == nil:
		return ""
	case !d.Def.IsEnabled():
		return "the destination is switched off"
	case slices.ContainsFunc(pauses, func(p delivery.Pause) bool { return p.Destination == d.ID }):
		return "the destination is paused"
	}
	return ""
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

func (a *Effects) hold(ctx context.Context, due []delivery.Open, reason string) error {
	refs := make([]delivery.Ref, len(due))
	for i, d := range due {
		refs[i] = d.Ref()
	}
	return a.Deliveries.HoldDeliveries(ctx, refs, reason, HeldUntil)
}
