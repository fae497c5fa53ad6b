// Package activities is what Segue's Temporal workflows do to the world: one
// struct per concern, its dependencies as fields, its interfaces declared here by
// their user. Every activity may run twice; each says in its comment why that does
// no harm.
//
// Inputs and outputs hold ids, kinds and statuses, never people: histories stay
// small and a person can be erased. What an activity works with it reads from the
// database by these ids.
package activities

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/routing"
)

// Revisions gives compiled plans.
type Revisions interface {
	// Revision is one revision, pinned.
	Revision(ctx context.Context, revision int64) (*routing.Table, error)
	// Current is the newest one: for what is live.
	Current(ctx context.Context) (*routing.Table, error)
}

// Launcher starts Temporal workflows for rows that were written, or tells them. Starting twice
// does no harm; a failed start is repeated by the sweepers.
type Launcher interface {
	StartRun(ctx context.Context, run id.ID, workflow string) error
	WakeDistribution(ctx context.Context, distribution id.ID) error
}

// HandoverLease is how long a written row may wait for its Temporal workflow
// before a sweeper starts it.
const HandoverLease = 30 * time.Second

// isolate runs do on all items and, when the data itself is to blame, splits them
// until the bad one stands alone, which single then deals with. What is only
// unavailable for now is returned: it is nobody's fault.
func isolate[T any](ctx context.Context, items []T, do func([]T) error, single func(T, error) error) error {
	if len(items) == 0 {
		return nil
	}
	err := fault.Guard(func() error { return do(items) })
	if err == nil {
		return nil
	}
	if k := fault.KindOf(err); k == fault.Unavailable || k == fault.RateLimited || ctx.Err() != nil {
		return err
	}
	if len(items) == 1 {
		return single(items[0], err)
	}
	half := len(items) / 2
	if err := isolate(ctx, items[:half], do, single); err != nil {
		return err
	}
	return isolate(ctx, items[half:], do, single)
}
