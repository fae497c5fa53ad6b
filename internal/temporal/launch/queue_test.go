package launch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/id"
)

// slowStarts records starts and holds them until it is let go.
type slowStarts struct {
	mu   sync.Mutex
	seen map[id.ID]string
	let  chan struct{}
	done sync.WaitGroup
}

func (s *slowStarts) StartRun(_ context.Context, run id.ID, workflow string) error {
	defer s.done.Done()
	<-s.let
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[run] = workflow
	return errors.New("refused")
}

func (s *slowStarts) WakeDistribution(ctx context.Context, d id.ID) error {
	return s.StartRun(ctx, d, "distribution")
}

func TestQueue_CallersDoNotWait_EveryStartIsTriedOnce(t *testing.T) {
	t.Parallel()
	to := &slowStarts{seen: map[id.ID]string{}, let: make(chan struct{})}
	q := NewQueue(to, time.Hour, slog.New(slog.DiscardHandler))
	const n = 100
	to.done.Add(n)
	for i := range n - 1 {
		require.NoError(t, q.StartRun(t.Context(), id.ID(i+1), "w"))
	}
	require.NoError(t, q.WakeDistribution(t.Context(), n))
	close(to.let) // only now does any start go on
	to.done.Wait()
	q.Close()
	require.Len(t, to.seen, n)
	require.Equal(t, "distribution", to.seen[n])
	require.NoError(t, q.StartRun(t.Context(), n+1, "w"), "after Close it is left to the sweepers")
	require.Len(t, to.seen, n)
}
