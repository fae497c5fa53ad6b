package db

import (
	"context"
	"slices"
	"sync"
)

// turns limits how many write at the same time. They are given in order, but one
// that is urgent goes before the otherd: domebody waits for an answer. Who is urgent
// asks anew only when it is done, so that the others get theirs in between.
type turns struct {
	mu      sync.Mutex
	free    int
	waiting [2][]chan struct{} // ordinary, urgent
}

func newTurns(n int) *turns { return &turns{free: n} }

// take waits for a turn, which the caller must release.
func (t *turns) take(ctx context.Context, urgent bool) error {
	queue := 0
	if urgent {
		queue = 1
	}
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	t.waiting[queue] = append(t.waiting[queue], turn)
	t.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	i := slices.Index(t.waiting[queue], turn)
	if i >= 0 {
		t.waiting[queue] = slices.Delete(t.waiting[queue], i, i+1)
	}
	t.mu.Unlock()
	if i < 0 {
		t.release() // it was given in the same moment
	}
	return ctx.Err()
}

// release gives the turn to the next.
func (t *turns) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for queue := len(t.waiting) - 1; queue >= 0; queue-- {
		if list := t.waiting[queue]; len(list) > 0 {
			t.waiting[queue] = list[1:]
			close(list[0])
			return
		}
	}
	t.free++
}
