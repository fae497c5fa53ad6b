package worker

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
)

// Backlog is where hand-overs that did not arrive are found.
type Backlog interface {
	ClaimInbox(ctx context.Context, limit int, lease time.Duration) ([]id.ID, error)
	ClaimDistributions(ctx context.Context, lease time.Duration) ([]id.ID, error)
	AdoptDistributions(ctx context.Context, limit int) (int, error)
	ClaimHandovers(ctx context.Context, limit int, lease time.Duration) ([]handover.Overdue, error)
	DueNow(ctx context.Context) ([]delivery.Due, error)
	Holds(ctx context.Context, revision int64) (delivery.Holds, error)
	Pauses(ctx context.Context) ([]delivery.Pause, error)
	ReleaseHeld(ctx context.Context, destination id.ID, held time.Time) (int64, error)
	EnsurePartitions(ctx context.Context) error
}

// Launcher starts Temporal workflows.
type Launcher interface {
	ProcessEvents(ctx context.Context, events []id.ID, source string) error
	StartRun(ctx context.Context, run id.ID, workflow string) error
	WakeDistribution(ctx context.Context, distribution id.ID) error
	StartJob(ctx context.Context, job id.ID, kind string) error
	WakeDelivery(ctx context.Context, destination id.ID) error
}

// Sweeper repeats hand-overs to Temporal whose lease ran out: event to
// ProcessEvents, run to RunWorkflow, due invitation to Distribute, job to Job, queued
// delivery to Deliver. Any number of sweepers may run; a claim is given to one of them.
type Sweeper struct {
	Backlog   Backlog
	Launcher  Launcher
	Revisions activities.Revisions
	Logger    *slog.Logger
	Every     time.Duration // default a second
}

const (
	sweepLease = 30 * time.Second
	sweepLimit = 20 * handover.MaxBatch
	// slow is from when on a round counts as slow: the sweeper then rests twice as
	// long as it took, so that it never is what keeps Temporal busy.
	slow = time.Second
)

// Run sweeps until ctx ends.
func (s *Sweeper) Run(ctx context.Context) {
	every := s.Every
	if every == 0 {
		every = time.Second
	}
	partitions := time.NewTicker(time.Hour)
	defer partitions.Stop()
	rest := every
	for {
		select {
		case <-ctx.Done():
			return
		case <-partitions.C:
			s.report(ctx, "make partitions", s.Backlog.EnsurePartitions(ctx))
			continue
		case <-time.After(rest):
		}
		begin := time.Now()
		err := s.Once(ctx)
		s.report(ctx, "sweep", err)
		rest = pause(every, time.Since(begin), err)
	}
}

// pause is how long the sweeper rests after a round.
func pause(every, took time.Duration, err error) time.Duration {
	if err == nil && took <= slow {
		return every
	}
	return max(every, min(2*took+every, sweepLease))
}

func (s *Sweeper) report(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		s.Logger.WarnContext(ctx, "a round failed, will try again", "round", what, "error", err)
	}
}

// Once makes one round. It stops at the first failed start: what was claimed comes
// back when its lease runs out.
func (s *Sweeper) Once(ctx context.Context) error {
	for _, sweep := range []func(context.Context) error{s.events, s.handovers, s.distributions, s.held, s.deliveries, s.adopt} {
		if err := sweep(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sweeper) events(ctx context.Context) error {
	for {
		ids, err := s.Backlog.ClaimInbox(ctx, sweepLimit, sweepLease)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := s.launchAll(ctx, ids); err != nil {
			return err
		}
		if len(ids) < sweepLimit {
			return nil
		}
	}
}

// launchAll starts batches of events.
func (s *Sweeper) launchAll(ctx context.Context, ids []id.ID) error {
	batches := slices.Collect(slices.Chunk(ids, handover.MaxBatch))
	return each(batches, func(batch []id.ID) error { return s.Launcher.ProcessEvents(ctx, batch, "") })
}

// each does something for all items, a few at a time, until one fails: the rest
// would most likely wait in vain too, and their leases bring them back.
func each[T any](items []T, do func(T) error) error {
	const parallel = 4
	var wg sync.WaitGroup
	var once sync.Once
	var failed error
	var stopped atomic.Bool
	slots := make(chan struct{}, parallel)
	for _, item := range items {
		slots <- struct{}{}
		if stopped.Load() {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := do(item); err != nil {
				once.Do(func() { failed = err })
				stopped.Store(true)
			}
		})
	}
	wg.Wait()
	return failed
}

func (s *Sweeper) handovers(ctx context.Context) error {
	list, err := s.Backlog.ClaimHandovers(ctx, sweepLimit, sweepLease)
	if err != nil {
		return err
	}
	return each(list, func(h handover.Overdue) error {
		switch h.Kind {
		case handover.KindDistribution:
			return s.Launcher.WakeDistribution(ctx, h.ID)
		case handover.KindJob:
			return s.Launcher.StartJob(ctx, h.ID, "")
		}
		return s.Launcher.StartRun(ctx, h.ID, "")
	})
}

// adoptLimit is how many distributions of single runs one round adopts.
const adoptLimit = 100

// adopt puts what 0.1.0 left into standing distributions, some in each round.
func (s *Sweeper) adopt(ctx context.Context) error {
	n, err := s.Backlog.AdoptDistributions(ctx, adoptLimit)
	if n > 0 {
		s.Logger.InfoContext(ctx, "distributions of single runs were put into those of their steps", "distributions", n)
	}
	return err
}

// distributions wakes those that are asleep though something is due.
func (s *Sweeper) distributions(ctx context.Context) error {
	due, err := s.Backlog.ClaimDistributions(ctx, sweepLease)
	if err != nil {
		return err
	}
	return each(due, func(d id.ID) error { return s.Launcher.WakeDistribution(ctx, d) })
}

// held makes the deliveries of destinations that were switched on again, or
// resumed, due.
func (s *Sweeper) held(ctx context.Context) error {
	live, err := s.Revisions.Current(ctx)
	if err != nil || live == nil {
		return err
	}
	pauses, err := s.Backlog.Pauses(ctx)
	if err != nil {
		return err
	}
	for _, d := range live.Destinations() {
		if d.Off(delivery.Paused(pauses, d.ID)) != "" {
			continue
		}
		if n, err := s.Backlog.ReleaseHeld(ctx, d.ID, delivery.HeldUntil); err != nil {
			return err
		} else if n > 0 {
			s.Logger.InfoContext(ctx, "held deliveries go out", "destination", d.Def.Name, "deliveries", n)
		}
	}
	return nil
}

// deliveries wakes the destinations that have something due that is not held back.
func (s *Sweeper) deliveries(ctx context.Context) error {
	due, err := s.Backlog.DueNow(ctx)
	if err != nil || len(due) == 0 {
		return err
	}
	live, err := s.Revisions.Current(ctx)
	if err != nil || live == nil {
		return err
	}
	holds, err := s.Backlog.Holds(ctx, live.Revision)
	if err != nil {
		return err
	}
	pauses, err := s.Backlog.Pauses(ctx)
	if err != nil {
		return err
	}
	woken := map[id.ID]bool{}
	for _, d := range due {
		if woken[d.Destination] || holds.On(d.Destination, d.Action) != nil {
			continue
		}
		// Deliveries to a destination that is off are due until they are held; messages
		// just wait, also for a destination that is not there any more.
		dest := live.Destination(d.Destination)
		if distribution.IsAction(d.Action) && (dest == nil || dest.Directory != nil || dest.Off(delivery.Paused(pauses, dest.ID)) != "") {
			continue
		}
		woken[d.Destination] = true
		if err := s.Launcher.WakeDelivery(ctx, d.Destination); err != nil {
			return err
		}
	}
	return nil
}
