package launch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
)

const (
	// queueWorkers is how many queued starts are in flight at most.
	queueWorkers = 8
	// queueLimit is how many starts are remembered. What comes beyond it waits in
	// the database for a sweeper.
	queueLimit = 20_000
)

// Starts is what a Queue hands on to.
type Starts interface {
	StartRun(ctx context.Context, run id.ID, workflow string) error
	WakeDistribution(ctx context.Context, distribution id.ID) error
}

// Queue takes starts of runs, and the waking of distributions, and makes them in the background:
// an activity that wrote a thousand runs need not wait for a thousand starts. A
// start that fails, or is lost with the process, is repeated by a sweeper.
type Queue struct {
	to    Starts
	lease time.Duration
	log   *slog.Logger

	mu      sync.Mutex
	wake    *sync.Cond
	waiting []queued
	closed  bool
	workers sync.WaitGroup
}

// queued is a start and when it was asked for.
type queued struct {
	at    time.Time
	start func(context.Context) error
}

// NewQueue returns a running queue. What waits longer than lease is dropped: a
// sweeper has it by then, and starting it again would only add to the load.
func NewQueue(to Starts, lease time.Duration, log *slog.Logger) *Queue {
	q := &Queue{to: to, lease: lease, log: log}
	q.wake = sync.NewCond(&q.mu)
	for range queueWorkers {
		q.workers.Go(q.work)
	}
	return q
}

// StartRun queues the start of a run; it never fails and never blocks.
func (q *Queue) StartRun(_ context.Context, run id.ID, workflow string) error {
	q.add(func(ctx context.Context) error { return q.to.StartRun(ctx, run, workflow) })
	return nil
}

// WakeDistribution queues the waking of a distribution; it never fails and never
// blocks.
func (q *Queue) WakeDistribution(_ context.Context, distribution id.ID) error {
	q.add(func(ctx context.Context) error { return q.to.WakeDistribution(ctx, distribution) })
	return nil
}

func (q *Queue) add(start func(context.Context) error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.waiting) >= queueLimit {
		return
	}
	q.waiting = append(q.waiting, queued{time.Now(), start})
	q.wake.Signal()
}

func (q *Queue) work() {
	for {
		q.mu.Lock()
		for len(q.waiting) == 0 && !q.closed {
			q.wake.Wait()
		}
		if q.closed {
			q.mu.Unlock()
			return
		}
		next := q.waiting[0]
		q.waiting[0] = queued{}
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
		if time.Since(next.at) > q.lease {
			continue
		}
		if err := next.start(context.Background()); err != nil {
			q.log.Warn("a start failed, a sweeper will repeat it", "error", err)
		}
	}
}

// Close stops the queue and waits for the starts under way. What still waits is
// swept by whoever runs next.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.wake.Broadcast()
	q.mu.Unlock()
	q.workers.Wait()
}
