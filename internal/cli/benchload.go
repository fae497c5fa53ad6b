package cli

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/segue-xm/segue/internal/client"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/ops"
)

// load sends generated events over many connections. It uses fasthttp, as it
// shares the machine with what it measures.
type load struct {
	http     *fasthttp.Client
	url      string
	auth     string
	gen      generator
	batch    int
	rate     float64 // events per second; 0: closed loop
	events   int     // in all; 0: until the time is over
	end      time.Time
	start    time.Time
	next     atomic.Int64 // the next request
	failures sync.Once
	failure  string
}

// tally is what one connection counted.
type tally struct {
	sent, acknowledged, retried, failed int
	took                                []time.Duration // per acknowledged request
}

func newLoad(url, key string, connections int) *load {
	return &load{
		url: url, auth: "Basic " + base64.StdEncoding.EncodeToString([]byte(key+":")),
		http: &fasthttp.Client{
			MaxConnsPerHost: connections, MaxIdleConnDuration: time.Minute, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
			NoDefaultUserAgentHeader: true, DisablePathNormalizing: true, MaxIdemponentCallAttempts: 1,
		},
	}
}

// connection sends requests one after the other until there are no more.
func (l *load) connection(ctx context.Context) (t tally) {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.SetRequestURI(l.url)
	req.Header.SetContentType("application/json")
	req.Header.Set("Authorization", l.auth)
	var body []byte
	for ctx.Err() == nil {
		first := int(l.next.Add(1)-1) * l.batch
		n := l.batch
		if l.events > 0 {
			n = min(n, l.events-first)
		}
		if n <= 0 {
			return t
		}
		due := time.Now()
		if l.rate > 0 {
			due = l.start.Add(time.Duration(float64(first) / l.rate * float64(time.Second)))
		}
		if l.events == 0 && due.After(l.end) {
			return t
		}
		if wait := time.Until(due); wait > 0 && sleep(ctx, wait) != nil {
			return t
		}
		body = l.body(body[:0], first, n)
		req.SetBodyRaw(body)
		t.sent += n
		retried, err := l.acknowledge(ctx, req, res)
		t.retried += retried
		if err != nil {
			t.failed += n
			l.failures.Do(func() { l.failure = err.Error() })
			continue
		}
		t.acknowledged += n
		t.took = append(t.took, time.Since(due))
	}
	return t
}

// body is one request's: an event for its own call, or a batch.
func (l *load) body(dst []byte, first, n int) []byte {
	if l.batch == 1 {
		return l.gen.append(dst, first)
	}
	dst = append(dst, `{"batch":[`...)
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = l.gen.append(dst, first+i)
	}
	return append(dst, "]}"...)
}

const benchTries = 20

// acknowledge sends a request until it is acknowledged or refused for good.
func (l *load) acknowledge(ctx context.Context, req *fasthttp.Request, res *fasthttp.Response) (retried int, err error) {
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := l.http.Do(req, res)
		status := res.StatusCode()
		switch {
		case err == nil && status < 300:
			return retried, nil
		case err == nil && (status == fasthttp.StatusTooManyRequests || status >= 500):
			err = fmt.Errorf("the server answered %d", status)
			wait = max(wait, retryAfter(string(res.Header.Peek("Retry-After"))))
		case err == nil:
			return retried, refusedBatch{status: status, detail: detail(status, res.Body())}
		}
		if retried++; retried >= benchTries {
			return retried, err
		}
		if err := sleep(ctx, wait); err != nil {
			return retried, err
		}
	}
}

// runLoad puts on load, waits until it is worked off, and reports.
func (c *benchCommand) runLoad(ctx context.Context, p *Program, server *client.Client, key string) error {
	l := newLoad(c.tracking("batch"), key, c.Connections)
	l.gen = newGenerator(benchRun(), c.Users, c.Runs, time.Now())
	if c.Batch == 1 {
		l.url = c.tracking(l.gen.kind())
	}
	l.batch, l.rate, l.events = c.Batch, c.Rate, c.Events
	fmt.Fprintf(p.Err, "sending to %s\n", l.url)
	l.start = time.Now()
	l.end = l.start.Add(c.Duration)
	r := loadReport{Loop: "closed", OfferedPerSec: c.Rate, Connections: c.Connections, Batch: c.Batch, Kind: l.gen.kind(), EventBytes: len(l.gen.append(nil, 0))}
	if c.Rate > 0 {
		r.Loop = "open"
	}
	l.send(ctx, &r)
	if r.Acknowledged == 0 {
		return fmt.Errorf("nothing was acknowledged: %s", r.FirstFailure)
	}
	fmt.Fprintf(p.Err, "acknowledged %d; waiting until they are processed\n", r.Acknowledged)
	err := c.awaitFinish(ctx, server, l, &r)
	if err := errors.Join(err, c.report(p, r)); err != nil {
		return err
	}
	if r.Failed > 0 || !r.Finished {
		return errors.New("not all events were acknowledged and finished")
	}
	return nil
}

func benchRun() string { return strings.ToLower(rand.Text()[:8]) }

func (l *load) send(ctx context.Context, r *loadReport) {
	tallies := make([]tally, r.Connections)
	var all sync.WaitGroup
	for i := range tallies {
		all.Go(func() { tallies[i] = l.connection(ctx) })
	}
	all.Wait()
	r.SendSeconds = time.Since(l.start).Seconds()
	var took []time.Duration
	for _, t := range tallies {
		r.Sent += t.sent
		r.Acknowledged += t.acknowledged
		r.Retried += t.retried
		r.Failed += t.failed
		took = append(took, t.took...)
	}
	slices.Sort(took)
	r.FirstFailure = l.failure
	r.AckPerSec = float64(r.Acknowledged) / r.SendSeconds
	r.Latency = summarize(took)
}

// awaitFinish waits until no event waits and a sample of those sent is found
// processed; with runs, until no run is under way and every invitation has gone. Work that was there
// before counts too: measure on a server that has none.
func (c *benchCommand) awaitFinish(ctx context.Context, server *client.Client, l *load, r *loadReport) error {
	ctx, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	var found ops.Event
	waits := []func() (bool, error){
		func() (bool, error) {
			return none(server.Events(ctx, ops.EventFilter{Status: segment.Accepted}, ops.Paging{Limit: 1}))
		},
	}
	if c.Runs {
		for _, open := range []ops.RunFilter{{Status: "pending"}, {Status: "running"}} {
			waits = append(waits, func() (bool, error) {
				return none(server.Runs(ctx, open, ops.Paging{Limit: 1}))
			})
		}
		waits = append(waits, func() (bool, error) {
			return none(server.Invitations(ctx, ops.InvitationFilter{Status: distribution.Pending}, ops.Paging{Limit: 1}))
		})
	}
	var finished time.Time
	err := poll(ctx, 50*time.Millisecond, func() (bool, error) {
		for _, wait := range waits {
			if done, err := wait(); !done || err != nil {
				return false, passing(err)
			}
		}
		finished = time.Now()
		return true, nil
	})
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		return err
	}
	for k := range benchSamples {
		i := k * (r.Sent - 1) / (benchSamples - 1)
		page, err := server.Events(ctx, ops.EventFilter{MessageID: l.gen.messageID(i)}, ops.Paging{Limit: 1})
		if err != nil {
			return err
		}
		if len(page.Items) == 0 {
			if r.Failed > 0 {
				continue // it may be one of these
			}
			return fmt.Errorf("event %s was acknowledged and is not there", l.gen.messageID(i))
		}
		if found = page.Items[0]; found.Status != segment.Processed {
			r.Note = "event " + found.ID.String() + " of the sample is " + string(found.Status)
		}
	}
	r.Finished = true
	r.FinishSeconds = finished.Sub(l.start).Seconds()
	r.FinishedPerSec = float64(r.Acknowledged) / r.FinishSeconds
	if len(found.Deliveries) == 0 && r.Note == "" {
		r.Note = "the events of the sample have no delivery: does the plan have a mapping for " + strconv.Quote(r.Kind) + "?"
	}
	return nil
}

func none[T any](p ops.Page[T], err error) (bool, error) { return len(p.Items) == 0, err }

// passing drops the errors of a server that is busy.
func passing(err error) error {
	if k := fault.KindOf(err); err != nil && (k == fault.Unavailable || k == fault.RateLimited) {
		return nil
	}
	return err
}
