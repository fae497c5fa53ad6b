package store

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWriter_UrgentGoesFirst_OthersInOrder(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "s.db")})
	require.NoError(t, err)
	defer s.Close()
	w := s.lite
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
	w.release()
}
