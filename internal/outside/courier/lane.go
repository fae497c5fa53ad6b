package courier

import (
	"cmp"
	"context"
	"hash/fnv"
	"sync"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
)

// lanes is how many deliveries of one action are under way at once. Those about one
// person share a lane, so that they arrive in the order of their events.
const lanes = 8

// deliverSome takes some deliveries of an action that are due; some reports whether
// there were any.
func (r *round) deliverSome(ctx context.Context, action string) (some bool, err error) {
	due, err := r.Store.RemoteDue(ctx, r.dest.ID, action, batch)
	if err != nil || len(due) == 0 {
		return false, err
	}
	if stop, err := r.turnedOff(ctx); stop || err != nil {
		return true, err
	}
	return true, r.inLanes(ctx, due)
}

func (r *round) inLanes(ctx context.Context, due []delivery.Remote) error {
	var queues [lanes][]delivery.Remote
	for i, d := range due {
		n := laneOf(d, i)
		queues[n] = append(queues[n], d)
	}
	var all sync.WaitGroup
	var failed [lanes]error
	for n, queue := range queues {
		all.Go(func() { failed[n] = r.oneByOne(ctx, queue) })
	}
	all.Wait()
	return cmp.Or(failed[:]...)
}

func (r *round) oneByOne(ctx context.Context, queue []delivery.Remote) error {
	for _, d := range queue {
		if ctx.Err() != nil || r.holdOn(d.Action) != nil {
			return nil // they stay due
		}
		if err := r.try(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// laneOf is the lane of a delivery: by whom it is about, when the payload says so.
func laneOf(d delivery.Remote, otherwise int) int {
	payload, err := jsonvalue.ParseObject(d.Payload)
	if err != nil || d.Action == plan.StartWorkflow {
		return otherwise % lanes
	}
	p := mapping.ContactOf(payload)
	who := cmp.Or(p.ExtRef, p.Email, p.Phone)
	if who == "" {
		return otherwise % lanes
	}
	h := fnv.New32a()
	h.Write([]byte(who)) //nolint:errcheck // never fails
	return int(h.Sum32() % lanes)
}
