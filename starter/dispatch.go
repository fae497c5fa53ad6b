package starter

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
)

const (
	// starts is how many starts of ProcessEvents are in flight at most.
	starts = 4
	// maxWaiting is how many accepted events this process remembers to dispatch.
	// What comes beyond it waits in the database for a sweeper.
	maxWaiting = 50_000
	// drain is for how long events that wait are still dispatched on Close. What is
	// left then, or when a start fails, waits for a sweeper.
	drain = 5 * time.Second
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
	until   time.Time // when closed: for how long to go on starting
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

// add remembers the accepted events of a commit. It never blocks.
func (d *dispatcher) add(events []accepted) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.waiting = append(d.waiting, events[:min(len(events), maxWaiting-len(d.waiting))]...)
	for n := 0; n < len(events); n += handover.MaxBatch {
		d.wake.Signal()
	}
}

// take waits for events and takes up to a batch; ok is false when the dispatcher
// is closed and done.
func (d *dispatcher) take() (batch []accepted, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.waiting) == 0 && !d.closed {
		d.wake.Wait()
	}
	if len(d.waiting) == 0 || d.closed && !time.Now().Before(d.until) {
		return nil, false
	}
	n := min(len(d.waiting), handover.MaxBatch)
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
			d.giveUp()
		}
	}
}

// giveUp ends the draining of a closed dispatcher: Temporal is away.
func (d *dispatcher) giveUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		d.until = time.Time{}
	}
}

func (d *dispatcher) close() {
	d.mu.Lock()
	if !d.closed {
		d.closed, d.until = true, time.Now().Add(drain)
		d.wake.Broadcast()
	}
	d.mu.Unlock()
	d.workers.Wait()
}
