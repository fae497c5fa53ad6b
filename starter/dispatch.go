package starter

import (
	"context"
	"log/slog"
	"sync"

	"github.com/segue-xm/segue/internal/id"
	"github.com/segue-xm/segue/internal/launch"
)

const (
	// starts is how many starts of ProcessEvents are in flight at most.
	starts = 4
	// maxWaiting is how many accepted events this process remembers to dispatch.
	// What comes beyond it waits in the database for a sweeper.
	maxWaiting = 50_000
)

// dispatcher starts ProcessEvents for accepted events: at once when idle, in
// batches that grow by themselves while starts are in flight.
type dispatcher struct {
	launcher Launcher
	log      *slog.Logger
	metrics  *metrics

	mu      sync.Mutex
	wake    *sync.Cond
	waiting []accepted
	closed  bool
	workers sync.WaitGroup
}

type accepted struct {
	id     id.ID
	source string
}

func newDispatcher(l Launcher, log *slog.Logger, m *metrics) *dispatcher {
	d := &dispatcher{launcher: l, log: log, metrics: m}
	d.wake = sync.NewCond(&d.mu)
	for range starts {
		d.workers.Go(d.work)
	}
	return d
}

// add remembers an accepted event. It never blocks.
func (d *dispatcher) add(event id.ID, source string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || len(d.waiting) >= maxWaiting {
		return
	}
	d.waiting = append(d.waiting, accepted{event, source})
	d.wake.Signal()
}

// take waits for events and takes up to a batch; ok is false when the dispatcher
// is closed. What is left then is swept by whoever runs next.
func (d *dispatcher) take() (batch []accepted, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.waiting) == 0 && !d.closed {
		d.wake.Wait()
	}
	if d.closed {
		return nil, false
	}
	n := min(len(d.waiting), launch.MaxBatch)
	batch = append([]accepted(nil), d.waiting[:n]...)
	d.waiting = d.waiting[n:]
	if len(d.waiting) == 0 {
		d.waiting = nil // let the array go
	}
	return batch, true
}

func (d *dispatcher) work() {
	for {
		batch, ok := d.take()
		if !ok {
			return
		}
		ids := make([]id.ID, len(batch))
		source := batch[0].source
		for i, a := range batch {
			ids[i] = a.id
			if a.source != source {
				source = ""
			}
		}
		if err := d.launcher.ProcessEvents(context.Background(), ids, source); err != nil {
			d.metrics.startFailures.Inc()
			d.log.Warn("start of ProcessEvents failed, a sweeper will repeat it", "events", len(ids), "error", err)
		}
	}
}

func (d *dispatcher) close() {
	d.mu.Lock()
	d.closed = true
	d.wake.Broadcast()
	d.mu.Unlock()
	d.workers.Wait()
}
