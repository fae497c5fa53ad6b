package kit

import (
	"sync"
	"time"
)

// Guard bounds how often a password may be tried: ten wrong ones from an address
// within a minute, then none until the minute is over. It forgets everybody when
// it holds too many addresses, which only makes it kinder.
type Guard struct {
	mu    sync.Mutex
	wrong map[string]tries
}

type tries struct {
	since time.Time
	n     int
}

// The bounds of a Guard.
const (
	GuardTries  = 10
	GuardWindow = time.Minute
	guardSize   = 10_000
)

// NewGuard returns one that knows nobody.
func NewGuard() *Guard { return &Guard{wrong: map[string]tries{}} }

// Blocked reports whether no password from an address is looked at for now.
func (g *Guard) Blocked(addr string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.wrong[addr]
	return t.n >= GuardTries && now.Sub(t.since) < GuardWindow
}

// Fail notes a wrong password.
func (g *Guard) Fail(addr string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.wrong) >= guardSize {
		clear(g.wrong)
	}
	t := g.wrong[addr]
	if now.Sub(t.since) >= GuardWindow {
		t = tries{since: now}
	}
	t.n++
	g.wrong[addr] = t
}
