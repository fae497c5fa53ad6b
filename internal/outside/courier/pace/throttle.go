package pace

import (
	"sync"
	"time"
)

// Group is a set of calls with a limit of their own.
type Group string

// Limits are how many calls a minute an account takes.
type Limits struct {
	All    int           // over everything
	Groups map[Group]int // of each group that there is
}

// Throttle keeps calls within an account's limits, whatever minute is looked at:
// nine tenths of a limit come evenly, one tenth may come at once. Safe for
// concurrent use. It has no clock.
type Throttle struct {
	mu     sync.Mutex
	all    *bucket
	groups map[Group]*bucket
}

// NewThrottle returns a throttle that uses a share of the limits, from more than 0
// to 1: the rest is for others who use the same account.
func NewThrottle(l Limits, share float64) *Throttle {
	if !(share > 0 && share <= 1) {
		share = 1
	}
	t := &Throttle{all: newBucket(float64(l.All) * share), groups: map[Group]*bucket{}}
	for g, n := range l.Groups {
		t.groups[g] = newBucket(float64(n) * share)
	}
	return t
}

// Take takes a place for a call and returns how long to wait before making it.
// When that would be longer than most, no place is taken and ok is false. The group
// must be one of the limits'.
func (t *Throttle) Take(g Group, now time.Time, most time.Duration) (wait time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.groups[g]
	at := later(later(now, t.all.free()), own.free())
	if wait = at.Sub(now); wait > most {
		return wait, false
	}
	t.all.take(at)
	own.take(at)
	return wait, true
}

// Hold lets no call of a group begin before a time, as the account asked.
func (t *Throttle) Hold(g Group, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.groups[g]
	b.held = later(b.held, until)
}

// ThrottleState is when each limit has room again.
type ThrottleState struct {
	All    time.Time           `json:"brand,omitzero"` // as the states that are kept call it
	Groups map[Group]GroupHold `json:"groups,omitempty"`
}

// GroupHold is a group's part of a ThrottleState.
type GroupHold struct {
	Due  time.Time `json:"due,omitzero"`
	Held time.Time `json:"held,omitzero"` // as the account asked
}

func (t *Throttle) state() ThrottleState {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := ThrottleState{All: t.all.due, Groups: map[Group]GroupHold{}}
	for g, b := range t.groups {
		if !b.due.IsZero() || !b.held.IsZero() {
			s.Groups[g] = GroupHold{b.due, b.held}
		}
	}
	return s
}

func (t *Throttle) resume(s ThrottleState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all.due = s.All
	for g, h := range s.Groups {
		if b := t.groups[g]; b != nil { // a group of another version is nobody's
			b.due, b.held = h.Due, h.Held
		}
	}
}

// bucket is one limit, by the generic cell rate algorithm: due is when the next
// call would be if all came evenly, slack how much earlier one may come.
type bucket struct {
	interval, slack time.Duration
	due, held       time.Time
}

func newBucket(perMinute float64) *bucket {
	interval := time.Duration(float64(time.Minute) / (0.9 * perMinute))
	burst := max(1, time.Duration(0.1*perMinute))
	return &bucket{interval: interval, slack: (burst - 1) * interval}
}

func (b *bucket) free() time.Time { return later(b.due.Add(-b.slack), b.held) }

func (b *bucket) take(at time.Time) { b.due = later(b.due, at).Add(b.interval) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
