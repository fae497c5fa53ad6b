package starter

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/data/store"
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
	// commitTimeout bounds one commit: SDKs give up after about 10 seconds.
	commitTimeout = 8 * time.Second
	// maxWait is how long a request waits for its commit to begin. Whoever sent it
	// has given up by then and will come again.
	maxWait = 10 * time.Second
	// maxFailures is how many failed tries one commit may take to find the events
	// that are to blame.
	maxFailures = 64
	// lease is how long a stored event may wait to be dispatched by this process
	// before a sweeper takes it.
	lease = 30 * time.Second
)

// errBusy is the answer to a request that finds the queue full.
var errBusy = &fault.Error{Kind: fault.RateLimited, Message: "more events than can be stored; come back", RetryAfter: time.Second}

// later is the answer to a request that may work soon.
func later(message string) error {
	return &fault.Error{Kind: fault.Unavailable, Message: message, RetryAfter: time.Second}
}

// result is what became of one event.
type result struct {
	store.Accepted
	refusal string // why it was refused, at the door or by the database
	err     error  // why it is not stored
}

// order is one request's events, waiting for a commit.
type order struct {
	events []store.NewEvent
	source string
	bytes  int64
	since  time.Time
	traced context.Context // of the request; nil: nothing is traced
	done   chan struct{}
	out    []result
}

// wait waits for the commit. The answer has one entry per event; an error says
// that some were not stored.
func (o *order) wait() ([]result, error) {
	<-o.done
	for i := range o.out {
		if o.out[i].err != nil {
			return nil, o.out[i].err
		}
	}
	return o.out, nil
}

// fail ends an order without a commit.
func (o *order) fail(err error) {
	o.out = []result{{err: err}}
	close(o.done)
}

// committer stores the events of many requests in one commit. There is no waiting
// for company: whoever comes while a commit runs goes into the next one.
type committer struct {
	events   Events
	dispatch *dispatcher
	metrics  *metrics
	traces   Traces // nil: nothing is traced
	log      *slog.Logger
	queue    chan *order
	queued   atomic.Int64
	stop     sync.RWMutex // held for writing once, to close the queue
	closed   bool
	writers  sync.WaitGroup
}

func newCommitter(o Options, d *dispatcher, m *metrics) *committer {
	c := &committer{events: o.Events, dispatch: d, metrics: m, traces: o.Traces, log: o.Logger, queue: make(chan *order, maxRequests)}
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

// full reports whether there is no sense in reading another request.
func (c *committer) full() bool { return c.queued.Load() >= maxQueued || len(c.queue) == cap(c.queue) }

// enqueue puts the events of a request into the next commit. The caller must wait
// for it before what the events refer to is used again.
func (c *committer) enqueue(ctx context.Context, source string, events []store.NewEvent) (*order, error) {
	o := &order{events: events, source: source, since: time.Now(), done: make(chan struct{})}
	if c.traces != nil {
		o.traced = ctx
		mark := c.traces.Mark(ctx)
		for i := range events {
			events[i].Trace = mark
		}
	}
	if len(events) == 0 {
		close(o.done)
		return o, nil
	}
	for i := range events {
		o.bytes += int64(len(events[i].Body)) + 256
	}
	c.stop.RLock()
	defer c.stop.RUnlock()
	if c.closed {
		return nil, later("shutting down")
	}
	// One that is alone is taken however large it is: it would never be otherwise.
	if n := c.queued.Add(o.bytes); n > maxQueued && n > o.bytes {
		c.queued.Add(-o.bytes)
		return nil, errBusy
	}
	select {
	case c.queue <- o:
		return o, nil
	default:
		c.queued.Add(-o.bytes)
		return nil, errBusy
	}
}

// write commits until the queue is closed and empty.
func (c *committer) write() {
	var batch []*order
	for first := range c.queue {
		batch = append(batch[:0], first)
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
		c.commit(batch)
		c.queued.Add(-bytes)
		clear(batch)
	}
}

// commit stores the events of a batch of requests and answers them.
func (c *committer) commit(batch []*order) {
	begin := time.Now()
	live := batch[:0:0]
	n := 0
	for _, o := range batch {
		if begin.Sub(o.since) > maxWait {
			o.fail(later("the database was too slow; come back"))
			continue
		}
		live = append(live, o)
		n += len(o.events)
	}
	if n == 0 {
		return
	}
	all := live[0].events
	if len(live) > 1 {
		all = make([]store.NewEvent, 0, n)
		for _, o := range live {
			all = append(all, o.events...)
		}
	}
	out := make([]result, n)
	for i := range all {
		out[i].refusal = all[i].Refusal
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	ctx, end := c.follow(ctx, live)
	try := &attempt{committer: c, ctx: ctx}
	try.store(all, out)
	end()
	cancel()
	c.metrics.commits.Observe(time.Since(begin).Seconds())
	c.settle(live, out)
	for _, o := range live {
		o.out, out = out[:len(o.events)], out[len(o.events):]
		close(o.done)
	}
}

func nothing() {}

// follow has a commit traced, when its requests are.
func (c *committer) follow(ctx context.Context, batch []*order) (context.Context, func()) {
	if c.traces == nil {
		return ctx, nothing
	}
	requests := make([]context.Context, len(batch))
	for i, o := range batch {
		requests[i] = o.traced
	}
	return c.traces.Commit(ctx, requests)
}

// settle counts what became of events and hands the newly accepted ones to the
// dispatcher.
func (c *committer) settle(batch []*order, out []result) {
	fresh := make([]accepted, 0, len(out))
	var invalid, duplicate int
	for _, o := range batch {
		for _, r := range out[:len(o.events)] {
			switch {
			case r.err != nil:
			case r.refusal != "":
				invalid++
			case r.Duplicate:
				duplicate++
			default:
				fresh = append(fresh, accepted{r.ID, o.source})
			}
		}
		out = out[len(o.events):]
	}
	c.metrics.accepted.Add(float64(len(fresh)))
	c.metrics.invalid.Add(float64(invalid))
	c.metrics.duplicate.Add(float64(duplicate))
	if len(fresh) > 0 {
		c.dispatch.add(fresh)
	}
}

// attempt is one commit, which may take several tries.
type attempt struct {
	*committer
	ctx      context.Context
	failures int
}

// store stores events in one transaction. When that fails because of what is in
// them, they are divided until the bad one stands alone, and that is refused by
// itself. A failure that nobody is known to be to blame for (Internal) is looked
// for the same way, but such an event is not taken: it may be good.
func (a *attempt) store(events []store.NewEvent, out []result) {
	got, err := a.events.StoreEvents(a.ctx, events, lease)
	if err == nil {
		for i := range got {
			out[i].Accepted = got[i]
		}
		return
	}
	a.failures++
	invalid := fault.KindOf(err) == fault.Invalid
	switch answer := a.unavailable(err); {
	case answer != nil:
		a.log.Warn("events could not be stored, their senders are told to come back", "events", len(events), "error", err)
		for i := range out {
			out[i].err = answer
		}
	case len(events) > 1:
		half := len(events) / 2
		a.store(events[:half], out[:half])
		a.store(events[half:], out[half:])
	case invalid && out[0].refusal == "":
		out[0].refusal = "the database cannot hold it: " + fault.Public(err)
		a.store(refused(events[0], out[0].refusal), out)
	case invalid:
		// Not even that: then it is refused without a trace but this.
		a.log.Warn("a refused event could not be recorded", "source", events[0].Source, "reason", out[0].refusal, "error", err)
	default:
		a.log.Error("an event could not be stored", "source", events[0].Source, "error", err)
		out[0].err = err
	}
}

// unavailable is the answer to a failure for which no event is to blame, or nil.
func (a *attempt) unavailable(err error) error {
	var known *fault.Error
	switch {
	case a.ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		return later("the database does not answer in time")
	case !errors.As(err, &known), known.Kind == fault.Unavailable: // of the network or the driver, when it has no kind
		return later("the database is not available")
	case a.failures >= maxFailures:
		return later("the database refuses events")
	}
	return nil
}

// refused is an event as it is kept when the database cannot hold it, with texts
// that any database holds.
func refused(e store.NewEvent, reason string) []store.NewEvent {
	e.Refusal = cmp.Or(plain(reason), "refused")
	e.Type, e.Name, e.UserID, e.MessageID = plain(e.Type), plain(e.Name), plain(e.UserID), plain(e.MessageID)
	return []store.NewEvent{e}
}

// plain is a text without what a database may refuse.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")
}
