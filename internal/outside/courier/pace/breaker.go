package pace

import (
	"sync"
	"time"
)

// Verdict is how a call ended, for a Breaker.
type Verdict uint8

// The verdicts.
const (
	Answered Verdict = iota // the account is there, whatever it said
	Failed                  // it is not: no connection, no answer in time, 5xx
	Neither                 // given up by the caller
)

// Breaker stops calls to an account that does not answer: after some failures in
// a row none begins for a while; then one is let through as a probe, and its end
// decides for all. Each failed probe doubles the while. Safe for concurrent use. It
// has no clock.
type Breaker struct {
	mu        sync.Mutex
	threshold int
	first     time.Duration
	longest   time.Duration

	generation int // calls of an earlier one do not count any more
	failures   int
	open       bool
	pause      time.Duration
	until      time.Time // open: no call before
	probe      int       // the last probe's number
	probing    bool
}

// Ticket is the right to make one call.
type Ticket struct {
	generation int
	probe      int // 0: not a probe
}

// NewBreaker returns a breaker that opens after threshold failures in a row, for
// first, then twice as long each time, up to longest.
func NewBreaker(threshold int, first, longest time.Duration) *Breaker {
	return &Breaker{threshold: max(threshold, 1), first: first, longest: max(longest, first), generation: 1}
}

// Blocked is how long no call will be let through, 0 when one may be.
func (b *Breaker) Blocked(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return 0
	}
	return max(b.until.Sub(now), 0)
}

// Allow gives a ticket for a call, which Done must be told the end of, or the time
// to wait before asking again.
func (b *Breaker) Allow(now time.Time) (Ticket, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return Ticket{generation: b.generation}, 0
	}
	if wait := b.until.Sub(now); wait > 0 {
		return Ticket{}, wait
	}
	// Until the probe is back the others wait; one that never comes back is
	// followed by another.
	b.probe++
	b.probing = true
	b.until = now.Add(b.pause)
	return Ticket{generation: b.generation, probe: b.probe}, 0
}

// Done tells how the call of a ticket ended.
func (b *Breaker) Done(t Ticket, now time.Time, v Verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.generation != b.generation || b.open && (!b.probing || t.probe != b.probe) {
		return
	}
	switch {
	case v == Answered:
		if b.open {
			b.generation++
		}
		b.open, b.probing, b.failures, b.pause = false, false, 0, 0
	case v == Neither:
		if b.open { // nothing was learnt: the next may try at once
			b.probing, b.until = false, now
		}
	case b.open:
		b.trip(now)
	default:
		if b.failures++; b.failures >= b.threshold {
			b.trip(now)
		}
	}
}

func (b *Breaker) trip(now time.Time) {
	b.pause = min(max(2*b.pause, b.first), b.longest)
	b.open, b.probing, b.failures = true, false, 0
	b.until = now.Add(b.pause)
	b.generation++
}

// Open reports whether calls are stopped.
func (b *Breaker) Open() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// BreakerState is how an account did lately.
type BreakerState struct {
	Failures int           `json:"failures,omitempty"` // in a row
	Pause    time.Duration `json:"pause,omitempty"`    // not 0: calls are stopped
	Until    time.Time     `json:"until,omitzero"`     // no call before
}

func (b *Breaker) state() BreakerState {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return BreakerState{Failures: b.failures}
	}
	return BreakerState{Pause: b.pause, Until: b.until}
}

func (b *Breaker) resume(s BreakerState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = s.Failures
	if b.open = s.Pause > 0; b.open {
		b.pause, b.until = min(s.Pause, b.longest), s.Until
	}
}
