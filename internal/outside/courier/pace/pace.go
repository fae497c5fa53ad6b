// Package pace keeps the calls to one account within its limits, and stops them while
// the account does not answer: a throttle and a breaker around every call.
//
//	p := pace.New(pace.Options{Limits: limits, Answered: answered})
//	err := p.Run(ctx, "reads", call)
//
// It knows no account. What it has learnt travels as its State.
package pace

import (
	"context"
	"errors"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Options set a pace.
type Options struct {
	Limits Limits // required: those of the account
	// Answered reports whether a call that failed was answered by the account, so that
	// it is there, whatever it said. Required.
	Answered func(error) bool

	Share    float64       // of the account's limits; default 1
	Patience time.Duration // how long a call may wait for its turn before it fails; default 2 s
	Failures int           // in a row until calls are stopped; default 5
	Pause    time.Duration // for which they are stopped at first; default 5 s
	MaxPause time.Duration // default 5 min

	Now  func() time.Time                                 // default time.Now
	Wait func(ctx context.Context, d time.Duration) error // default a timer; tests
}

// Pace is a throttle and a breaker around the calls of one account. Safe for
// concurrent use; one for all who call the account from this process.
type Pace struct {
	throttle *Throttle
	breaker  *Breaker
	patience time.Duration
	answered func(error) bool
	now      func() time.Time
	wait     func(ctx context.Context, d time.Duration) error
}

// unsaidHold is how long a group is left alone after a 429 that does not say.
const unsaidHold = 5 * time.Second

// New returns a pace.
func New(o Options) *Pace {
	positive := func(d, otherwise time.Duration) time.Duration {
		if d > 0 {
			return d
		}
		return otherwise
	}
	if o.Failures <= 0 {
		o.Failures = 5
	}
	p := &Pace{
		throttle: NewThrottle(o.Limits, o.Share),
		breaker:  NewBreaker(o.Failures, positive(o.Pause, 5*time.Second), positive(o.MaxPause, 5*time.Minute)),
		patience: positive(o.Patience, 2*time.Second),
		answered: o.Answered,
		now:      o.Now, wait: o.Wait,
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.wait == nil {
		p.wait = sleep
	}
	return p
}

// Stopped reports whether calls are stopped because the account does not answer.
func (p *Pace) Stopped() bool { return p.breaker.Open() }

// State is what a Pace knows of an account, so that whoever paces the same
// account later, after a restart or in another process, goes on where this one
// left off. It travels as JSON.
type State struct {
	Throttle ThrottleState `json:"throttle"`
	Breaker  BreakerState  `json:"breaker"`
}

// State is what the pace knows now.
func (p *Pace) State() State { return State{p.throttle.state(), p.breaker.state()} }

// Resume makes a new pace go on from a state.
func (p *Pace) Resume(s State) {
	p.throttle.resume(s.Throttle)
	p.breaker.resume(s.Breaker)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run makes a call when its turn is soon. Otherwise the error says when to come
// back, and nothing was called.
func (p *Pace) Run(ctx context.Context, g Group, call func() error) error {
	if d := p.breaker.Blocked(p.now()); d > 0 { // before a turn is taken for nothing
		return stopped(d)
	}
	wait, ok := p.throttle.Take(g, p.now(), p.patience)
	if !ok {
		return comeBack(fault.RateLimited, wait, "the account's limit of %s is used up", g)
	}
	if wait > 0 {
		if err := p.wait(ctx, wait); err != nil {
			return fault.Wrap(fault.Unavailable, err, "given up while waiting for a turn")
		}
	}
	ticket, d := p.breaker.Allow(p.now())
	if d > 0 {
		return stopped(d)
	}
	verdict := Neither // also of a panic
	defer func() { p.breaker.Done(ticket, p.now(), verdict) }()
	err := call()
	verdict = p.verdict(ctx, err)
	hold := fault.RetryAfter(err)
	if hold == 0 && fault.KindOf(err) == fault.RateLimited {
		hold = unsaidHold
	}
	if hold > 0 {
		p.throttle.Hold(g, p.now().Add(hold))
	}
	return err
}

func stopped(d time.Duration) error {
	return comeBack(fault.Unavailable, d, "the account does not answer; calls are stopped for now")
}

// heldBack is a call that a Pace did not let through.
type heldBack struct{ why *fault.Error }

func (h heldBack) Error() string { return h.why.Error() }
func (h heldBack) Unwrap() error { return h.why }

// HeldBack reports whether err is a pace's: nothing was called, and
// fault.RetryAfter says when to come back.
func HeldBack(err error) bool {
	var h heldBack
	return errors.As(err, &h)
}

func comeBack(kind fault.Kind, after time.Duration, format string, args ...any) error {
	f := fault.New(kind, format, args...)
	f.RetryAfter = after
	return heldBack{f}
}

func (p *Pace) verdict(ctx context.Context, err error) Verdict {
	switch {
	case err == nil, p.answered(err):
		return Answered
	case errors.Is(ctx.Err(), context.Canceled), fault.KindOf(err) == fault.Invalid:
		return Neither
	}
	return Failed
}
