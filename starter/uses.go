package starter

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// noteEvery is how exactly the last use of a workflow's URL is known.
const noteEvery = time.Minute

// uses notes when workflow URLs are used, beside the requests and seldom: whoever
// posts must not wait for it, and it must not cost a write per request.
type uses struct {
	events Events
	log    *slog.Logger
	notes  chan use
	done   chan struct{}

	mu     sync.Mutex
	noted  map[[32]byte]time.Time
	closed bool
}

type use struct {
	token [32]byte
	at    time.Time
}

func newUses(o Options) *uses {
	u := &uses{events: o.Events, log: o.Logger, notes: make(chan use, 64), done: make(chan struct{}), noted: map[[32]byte]time.Time{}}
	go u.write()
	return u
}

// note remembers a use of a known token. It never blocks; what does not fit is
// noted at the next use.
func (u *uses) note(token [32]byte, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if last, ok := u.noted[token]; u.closed || ok && at.Sub(last) < noteEvery {
		return
	}
	select {
	case u.notes <- use{token, at}:
		u.noted[token] = at
	default:
	}
}

func (u *uses) write() {
	defer close(u.done)
	for n := range u.notes {
		ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
		if err := u.events.NoteURLUse(ctx, n.token, n.at); err != nil {
			u.log.Warn("the use of a workflow's URL could not be noted", "error", err)
		}
		cancel()
	}
}

func (u *uses) close() {
	u.mu.Lock()
	if !u.closed {
		u.closed = true
		close(u.notes)
	}
	u.mu.Unlock()
	<-u.done
}
