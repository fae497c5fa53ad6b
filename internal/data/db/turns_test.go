package db

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTurns_UrgentGoesFirst_OthersInOrder(t *testing.T) {
	t.Parallel()
	w := newTurns(1)
	require.NoError(t, w.take(t.Context(), false))
	order := make(chan string, 3)
	waiting := func(n int) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.waiting[0])+len(w.waiting[1]) == n
	}
	for i, who := range []string{"first", "second", "urgent"} {
		go func() {
			if err := w.take(context.Background(), who == "urgent"); err == nil {
				order <- who
				w.release()
			}
		}()
		require.Eventually(t, func() bool { return waiting(i + 1) }, 10*time.Second, time.Millisecond)
	}
	given, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, w.take(given, true), context.Canceled, "who gives up leaves the queue")
	w.release()
	require.Equal(t, []string{"urgent", "first", "second"}, []string{<-order, <-order, <-order})
	require.NoError(t, w.take(t.Context(), false), "the turn is free again")
}

func TestTurns_AsManyAsThereAre(t *testing.T) {
	t.Parallel()
	w := newTurns(2)
	require.NoError(t, w.take(t.Context(), false))
	require.NoError(t, w.take(t.Context(), false))
	given, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, w.take(given, false), context.DeadlineExceeded)
	w.release()
	require.NoError(t, w.take(t.Context(), false))
}
