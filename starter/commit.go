package starter

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segue-xm/segue/internal/fault"
	"github.com/segue-xm/segue/internal/store"
)

const (
	// maxQueued is how many bytes of events may wait for a commit. Beyond it,
	// requests are refused with 429.
	maxQueued = 64 << 20
	// maxRequests is how many requests may wait.
	maxRequests = 16384
	// One commit takes requests until it has this many events or bytes.
	maxCommitEvents = 500
	maxCommitBytes  = 4 << 20
	// lease is how long a stored event may wait to be dispatched by this process
	// before a sweeper takes it.
	lease = 30 * time.Second
)

// errBusy is the answer to a request that finds the queue full.
var errBusy = &fault.Error{Kind: fault.RateLimited, Message: "more events than can be stored; come back", RetryAfter: time.Second}

// order is one request's events, waiting for a commit.
type order struct {
	events []store.NewEvent
	source string
	bytes  int64
	done   chan struct{}
	out    []store.Accepted
	err    error
}

// committer stores the events of many requests in one commit. There is no waiting
// for company: whoever comes while a commit runs goes into the next one.
type committer struct {
	events   Events
	dispatch *dispatcher
	metrics  *metrics
	queue    chan *order
	queued   atomic.Int64
	stop     sync.RWMutex // held for writing once, to close the queue
	closed   bool
	writers  sync.WaitGroup
}

func newCommitter(o Options, d *dispatcher, m *metrics) *committer {
	c := &committer{events: o.Events, dispatch: d, metrics: m, queue: make(chan *order, maxRequests)}
	for range max(o.Writers, 1) {
		c.writers.Go(c.write)
	}
	return c
}

func (c *committer) close() {
	c.stop.Lock()
	if !c.closed {
		c.closed = true
		close(c.queue)
	}
	c.stop.Unlock()
	c.writers.Wait()
}

// store puts events into the next commit and waits for it. The answer has one
// entry per event.
func (c *committer) store(source string, events []store.NewEvent) ([]store.Accepted, error) {
	if len(events) == 0 {
		return nil, nil
	}
	o := &order{events: events, source: source, done: make(chan struct{})}
	for i := range events {
		o.bytes += int64(len(events[i].Body)) + 256
	}
	if err := c.enqueue(o); err != nil {
		return nil, err
	}
	<-o.done
	return o.out, o.err
}

func (c *committer) enqueue(o *order) error {
	c.stop.RLock()
	defer c.stop.RUnlock()
	if c.closed {
		return &fault.Error{Kind: fault.Unavailable, Message: "shutting down", RetryAfter: time.Second}
	}
	if c.queued.Add(o.bytes) > maxQueued {
		c.queued.Add(-o.bytes)
		return errBusy
	}
	select {
	case c.queue <- o:
		return nil
	default:
		c.queued.Add(-o.bytes)
		return errBusy
	}
}

// write commits until the queue is closed and empty.
func (c *committer) write() {
	for first := range c.queue {
		batch := []*order{first}
		events, bytes := len(first.events), first.bytes
	more:
		for events < maxCommitEvents && bytes < maxCommitBytes {
			select {
			case o, ok := <-c.queue:
				if !ok {
					break more
				}
				batch = append(batch, o)
				events += len(o.events)
				bytes += o.bytes
			default:
				break more
			}
		}
		begin := time.Now()
		c.commit(batch)
		c.metrics.commits.Observe(time.Since(begin).Seconds())
		c.queued.Add(-bytes)
		for _, o := range batch {
			close(o.done)
		}
	}
}

// commit stores the events of a batch of requests. When the data itself is to
// blame, the batch is split until the bad event stands alone, and that is refused
// by itself.
func (c *committer) commit(batch []*order) {
	var all []store.NewEvent
	for _, o := range batch {
		all = append(all, o.events...)
	}
	out := make([]store.Accepted, len(all))
	err := c.storeAll(all, out)
	at := 0
	for _, o := range batch {
		o.out, o.err = out[at:at+len(o.events)], err
		at += len(o.events)
		if err == nil {
			c.settle(o)
		}
	}
}

// settle hands the newly accepted events of a request to the dispatcher.
func (c *committer) settle(o *order) {
	for i, a := range o.out {
		switch {
		case o.events[i].Refusal != "":
			c.metrics.events.WithLabelValues("invalid").Inc()
		case a.Duplicate:
			c.metrics.events.WithLabelValues("duplicate").Inc()
		default:
			c.metrics.events.WithLabelValues("accepted").Inc()
			c.dispatch.add(a.ID, o.source)
		}
	}
}

// commitTimeout bounds one commit: SDKs give up after about 10 seconds.
const commitTimeout = 8 * time.Second

func (c *committer) storeAll(events []store.NewEvent, out []store.Accepted) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	accepted, err := c.events.StoreEvents(ctx, events, lease)
	switch {
	case err == nil:
		copy(out, accepted)
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return &fault.Error{Kind: fault.Unavailable, Message: "the database does not answer in time", RetryAfter: time.Second}
	case fault.KindOf(err) == fault.Unavailable:
		return &fault.Error{Kind: fault.Unavailable, Message: "the database is not available", RetryAfter: time.Second}
	case len(events) > 1:
		half := len(events) / 2
		if err := c.storeAll(events[:half], out[:half]); err != nil {
			return err
		}
		return c.storeAll(events[half:], out[half:])
	case events[0].Refusal != "":
		return err
	}
	// Alone and still refused: keep it as that, with texts that any database holds.
	e := &events[0]
	e.Refusal = "the database cannot hold it: " + fault.Public(err)
	e.Type, e.Name, e.UserID, e.MessageID = plain(e.Type), plain(e.Name), plain(e.UserID), plain(e.MessageID)
	return c.storeAll(events, out)
}

// plain is a text without what a database may refuse.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")
}
