package starter

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/data/store"
)

// slow is a database and a Temporal that take their time.
type slow struct {
	nowhere
	commit func(ctx context.Context) error
	start  time.Duration
	stored int
}

func (s *slow) StoreEvents(ctx context.Context, events []store.NewEvent, lease time.Duration) ([]store.Accepted, error) {
	if s.commit != nil {
		if err := s.commit(ctx); err != nil {
			return nil, err
		}
	}
	s.stored += len(events)
	return s.nowhere.StoreEvents(ctx, events, lease)
}

func (s *slow) ProcessEvents(context.Context, []id.ID, string) error {
	time.Sleep(s.start) // the bubble's
	return nil
}

// inTime runs a test whose clock moves only when everything waits.
func inTime(t *testing.T, slow *slow, test func(t *testing.T, s *Starter)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Events: slow, Launcher: slow, Logger: slog.New(slog.DiscardHandler)})
		defer s.Close()
		test(t, s)
	})
}

func events(from, n int) []store.NewEvent {
	out := make([]store.NewEvent, n)
	for i := range out {
		out[i] = store.NewEvent{Source: 1, MessageID: fmt.Sprint(from + i)}
	}
	return out
}

func TestCommit_DatabaseThatHangs_IsGivenUpWhileSendersStillWait(t *testing.T) {
	hangs := &slow{commit: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	inTime(t, hangs, func(t *testing.T, s *Starter) {
		begin := time.Now()
		o, err := s.commit.enqueue(t.Context(), "web", events(0, 10))
		require.NoError(t, err)
		_, err = o.wait()
		require.Equal(t, fault.Unavailable, fault.KindOf(err))
		require.Equal(t, time.Second, fault.RetryAfter(err))
		require.Equal(t, commitTimeout, time.Since(begin))
	})
}

func TestCommit_RequestThatWaitedTooLong_IsNotStored(t *testing.T) {
	first := true
	database := &slow{}
	database.commit = func(context.Context) error {
		if first {
			first = false
			time.Sleep(maxWait + time.Second)
		}
		return nil
	}
	inTime(t, database, func(t *testing.T, s *Starter) {
		held, err := s.commit.enqueue(t.Context(), "web", events(0, 1))
		require.NoError(t, err)
		synctest.Wait()
		late, err := s.commit.enqueue(t.Context(), "web", events(1, 1))
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		patient, err := s.commit.enqueue(t.Context(), "web", events(2, 1))
		require.NoError(t, err)

		_, err = held.wait()
		require.NoError(t, err)
		_, err = late.wait()
		require.Equal(t, fault.Unavailable, fault.KindOf(err), "its sender has given up")
		_, err = patient.wait()
		require.NoError(t, err)
		require.Equal(t, 2, database.stored)
		require.Zero(t, s.commit.queued.Load())
	})
}

func TestClose_SlowTemporal_IsNotWaitedForLong(t *testing.T) {
	temporal := &slow{start: 2 * time.Second}
	inTime(t, temporal, func(t *testing.T, s *Starter) {
		o, err := s.commit.enqueue(t.Context(), "web", events(0, 5000))
		require.NoError(t, err)
		_, err = o.wait()
		require.NoError(t, err)
		begin := time.Now()
		s.Close()
		require.LessOrEqual(t, time.Since(begin), drain+temporal.start)
		require.GreaterOrEqual(t, time.Since(begin), drain, "but for a while")
	})
}
