package courier

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
)

const (
	// roundTime is after how long a round lets its caller look around.
	roundTime = time.Minute
	// idleTime is the same once an action has nothing due.
	idleTime = 5 * time.Second
	// batch is how much of an action is read at once: little, so that a pause is seen
	// soon.
	batch = 20
	// mendWait is after how long an account that refuses our credentials is asked
	// again without anybody having changed the plan.
	mendWait = 5 * time.Minute
	// writeTime is how long what was learnt has to be written when the process is
	// about to stop.
	writeTime = 5 * time.Second
)

// round is one Deliver.
type round struct {
	*Courier
	dest     *routing.Destination
	revision int64
	account  Account

	mu       sync.Mutex
	ends     time.Time
	holds    []delivery.Hold // in force
	made     []delivery.Hold // of them, by this round
	done     int
	answered bool
	trouble  string
}

// Deliver does one round of what is due at a remote destination, under a revision of
// the plan, and says when the next one should be. Doing it twice: what has ended is not
// due any more, and what may have taken effect is looked for before it is repeated.
func (c *Courier) Deliver(ctx context.Context, revision int64, dest *routing.Destination) (delivery.Drained, error) {
	r := &round{Courier: c, dest: dest, revision: revision, ends: time.Now().Add(roundTime)}
	holds, err := c.Store.Holds(ctx, revision)
	if err != nil {
		return delivery.Drained{}, err
	}
	for _, h := range holds {
		if h.Destination == dest.ID {
			r.holds = append(r.holds, h)
		}
	}
	if r.holdOn("") == nil {
		if err := r.run(ctx); err != nil {
			return delivery.Drained{}, err
		}
	}
	return r.rest(ctx)
}

// run opens the account, runs the streams and keeps what they have learnt.
func (r *round) run(ctx context.Context) error {
	pace, err := r.Store.Pace(ctx, r.dest.ID)
	if err != nil {
		return err
	}
	if r.account, err = r.Accounts.Open(ctx, r.dest, pace); err != nil {
		if !fault.KindOf(err).Final() {
			return err
		}
		r.hold("", mendWait, r.revision, fault.Words(err))
		return r.keep(ctx, pace)
	}
	err = r.streams(ctx)
	return cmp.Or(err, r.keep(ctx, r.account.Pace()))
}

// keep writes what the round has learnt.
func (r *round) keep(ctx context.Context, pace string) error {
	ctx, cancel := mustWrite(ctx)
	defer cancel()
	return r.Store.EndRound(ctx, delivery.Round{Destination: r.dest.ID, Pace: pace, Holds: r.made, Answered: r.answered, Trouble: r.trouble})
}

// mustWrite is a context for what is written also when the process is about to stop:
// what was learnt is not learnt twice, and not knowing an outcome would cost a look.
func mustWrite(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), writeTime)
}

// streams runs a stream for each action, all at the same time.
func (r *round) streams(ctx context.Context) error {
	takes := map[string]func(ctx context.Context, action string) (some bool, err error){
		plan.UpsertContact:            r.deliverSome,
		plan.UpsertTransaction:        r.deliverSome,
		plan.StartWorkflow:            r.deliverSome,
		distribution.ActionDistribute: r.sendSome,
		distribution.ActionProgress:   r.lookAtSome,
	}
	var all sync.WaitGroup
	failed := make(chan error, len(takes))
	for action, take := range takes {
		all.Go(func() { failed <- r.stream(ctx, action, take) })
	}
	all.Wait()
	close(failed)
	var first error
	for err := range failed {
		first = cmp.Or(first, err)
	}
	return first
}

// stream takes what is due of one action until nothing is, the action is held, or the
// round is over.
func (r *round) stream(ctx context.Context, action string, take func(context.Context, string) (bool, error)) error {
	for !r.over(ctx) && r.holdOn(action) == nil {
		if some, err := take(ctx, action); err != nil || !some {
			r.idle()
			return err
		}
	}
	return nil
}

// idle says that an action has nothing due. The round ends soon after, so that what
// comes for this action meanwhile does not wait for the others' work.
func (r *round) idle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if soon := time.Now().Add(idleTime); soon.Before(r.ends) {
		r.ends = soon
	}
}

func (r *round) over(ctx context.Context) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return ctx.Err() != nil || !time.Now().Before(r.ends)
}

// turnedOff reports whether the destination was switched off, paused or changed
// meanwhile. The round ends then: the next one sees how it is now.
func (r *round) turnedOff(ctx context.Context) (bool, error) {
	live, err := r.Revisions.Current(ctx)
	if err != nil {
		return false, err
	}
	pauses, err := r.Store.Pauses(ctx)
	if err != nil || live.Revision == r.revision && r.dest.Off(delivery.Paused(pauses, r.dest.ID)) == "" {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends = time.Time{}
	return true, nil
}

// rest says how long the caller may wait.
func (r *round) rest(ctx context.Context) (delivery.Drained, error) {
	waiting, err := r.Store.DueActions(ctx, r.dest.ID)
	if err != nil {
		return delivery.Drained{}, err
	}
	out := delivery.Drained{Done: r.done, Empty: true}
	for _, w := range waiting {
		at := w.Time()
		if h := r.holdOn(w.Action); h != nil && h.Until().After(at) {
			at = h.Until()
		}
		if !at.Before(delivery.HeldUntil) {
			continue
		}
		if wait := max(at.Sub(r.Now()), 0); out.Empty || wait < out.Next {
			out.Empty, out.Next = false, wait
		}
	}
	return out, nil
}
