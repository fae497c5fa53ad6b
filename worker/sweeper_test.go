package worker

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/pgtest"
	"github.com/segue-xm/segue/internal/data/store"
)

// temporal notes what was started, or does not answer.
type fakeTemporal struct {
	mu     sync.Mutex
	events []id.ID
	sizes  []int
	runs   []id.ID
	dists  []id.ID
	wakes  []id.ID
	jobs   []id.ID
	starts int
	err    error
	block  func()
}

func (f *fakeTemporal) note(do func()) error {
	f.mu.Lock()
	block, err := f.block, f.err
	f.starts++
	if err == nil {
		do()
	}
	f.mu.Unlock()
	if block != nil {
		block()
	}
	return err
}

func (f *fakeTemporal) ProcessEvents(_ context.Context, events []id.ID, _ string) error {
	return f.note(func() { f.events, f.sizes = append(f.events, events...), append(f.sizes, len(events)) })
}
func (f *fakeTemporal) StartRun(_ context.Context, run id.ID, _ string) error {
	return f.note(func() { f.runs = append(f.runs, run) })
}
func (f *fakeTemporal) WakeDistribution(_ context.Context, d id.ID) error {
	return f.note(func() { f.dists = append(f.dists, d) })
}
func (f *fakeTemporal) StartJob(_ context.Context, j id.ID, _ string) error {
	return f.note(func() { f.jobs = append(f.jobs, j) })
}
func (f *fakeTemporal) WakeDelivery(_ context.Context, d id.ID) error {
	return f.note(func() { f.wakes = append(f.wakes, d) })
}

type noSeal struct{}

func (noSeal) Seal(b []byte) ([]byte, error) { return b, nil }
func (noSeal) Open(b []byte) ([]byte, error) { return b, nil }

// left is a database with what hand-overs left behind, and its sweeper.
type left struct {
	*store.Store
	db       *db.DB
	t        *testing.T
	clock    time.Time
	temporal *fakeTemporal
	sweeper  *Sweeper
}

func onBoth(t *testing.T, test func(t *testing.T, l *left)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, "sqlite://"+filepath.Join(t.TempDir(), "segue.db")))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, pgtest.URL(t)))
	})
}

func open(t *testing.T, url string) *left {
	t.Helper()
	l := &left{t: t, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), temporal: &fakeTemporal{}}
	d, err := db.Open(t.Context(), db.Options{URL: url, Now: func() time.Time { return l.clock }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	s := store.New(d)
	l.Store, l.db = s, d
	l.save(nil)
	l.sweeper = &Sweeper{Backlog: s, Launcher: l.temporal, Revisions: routing.NewCache(s), Logger: slog.New(slog.DiscardHandler)}
	return l
}

func (l *left) save(enabled *bool) {
	l.t.Helper()
	_, err := l.SavePlan(l.t.Context(), noSeal{}, &plan.Plan{
		Version: 1, Sources: []plan.Source{{Name: "web"}}, Directories: []plan.Directory{{Name: "d"}},
		Destinations: []plan.Destination{{Name: "xm", Type: plan.TypeDirectory, Directory: "d", Enabled: enabled}},
		Mappings:     []plan.Mapping{{Name: "m", Source: "web", Destination: "xm", Action: plan.UpsertContact}},
	}, nil, "test")
	require.NoError(l.t, err)
}

func (l *left) named(kind plan.Kind, name string) id.ID {
	l.t.Helper()
	v, err := l.NameID(l.t.Context(), kind, name)
	require.NoError(l.t, err)
	return v
}

func (l *left) take(n int) []id.ID {
	l.t.Helper()
	list := make([]store.NewEvent, n)
	for i := range list {
		list[i] = store.NewEvent{Source: l.named(plan.KindSource, "web"), Type: "page", MessageID: l.db.Next().String(), Body: []byte(`{}`)}
	}
	out, err := l.StoreEvents(l.t.Context(), list, time.Minute)
	require.NoError(l.t, err)
	ids := make([]id.ID, n)
	for i := range out {
		ids[i] = out[i].ID
	}
	return ids
}

func TestSweeper_Events_AreStartedWhenTheirLeaseRanOut_ThenLessAndLessOften(t *testing.T) {
	onBoth(t, func(t *testing.T, l *left) {
		ids := l.take(230)
		require.NoError(t, l.sweeper.Once(t.Context()))
		require.Zero(t, l.temporal.starts, "the starter still has them")
		l.clock = l.clock.Add(time.Minute)
		require.NoError(t, l.sweeper.Once(t.Context()))
		require.ElementsMatch(t, ids, l.temporal.events)
		slices.Sort(l.temporal.sizes)
		require.Equal(t, []int{30, handover.MaxBatch, handover.MaxBatch}, l.temporal.sizes)

		var again []time.Duration // since the time before
		since := l.clock
		for range 200 {
			l.clock = l.clock.Add(15 * time.Second)
			before := l.temporal.starts
			require.NoError(t, l.sweeper.Once(t.Context()))
			if l.temporal.starts > before {
				again = append(again, l.clock.Sub(since))
				since = l.clock
			}
		}
		require.Equal(t, []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute}, again)

		require.NoError(t, l.DropUnmatched(t.Context(), ids))
		l.clock = l.clock.Add(time.Hour)
		before := l.temporal.starts
		require.NoError(t, l.sweeper.Once(t.Context()))
		require.Equal(t, before, l.temporal.starts, "what was processed is not started again")
	})
}

func TestSweeper_SeveralAtOnce_ShareTheWork(t *testing.T) {
	onBoth(t, func(t *testing.T, l *left) {
		ids := l.take(500)
		l.clock = l.clock.Add(time.Hour)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := l.sweeper.Once(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.ElementsMatch(t, ids, l.temporal.events, "each once")
	})
}

func TestSweeper_TemporalAway_StopsAtTheFirstFailureAndComesBack(t *testing.T) {
	onBoth(t, func(t *testing.T, l *left) {
		ids := l.take(1500)
		l.clock = l.clock.Add(time.Minute)
		l.temporal.err = errors.New("connection refused")
		require.Error(t, l.sweeper.Once(t.Context()))
		require.LessOrEqual(t, l.temporal.starts, 8, "it does not try all of them in vain")
		l.temporal.err = nil
		l.clock = l.clock.Add(time.Minute)
		require.NoError(t, l.sweeper.Once(t.Context()))
		require.ElementsMatch(t, ids, l.temporal.events, "the leases brought them back")
	})
}

func TestSweeper_RunsAndDistributions_AreStartedUntilTheyBegin(t *testing.T) {
	onBoth(t, func(t *testing.T, l *left) {
		ctx := t.Context()
		event := l.take(1)[0]
		require.NoError(t, l.DropUnmatched(ctx, nil))
		ref := delivery.Ref{Event: event, Mapping: l.named(plan.KindMapping, "m")}
		require.NoError(t, l.WriteDeliveries(ctx, []delivery.New{{Event: event, Mapping: ref.Mapping, Destination: l.named(plan.KindDestination, "xm"),
			Action: plan.StartWorkflow, Status: delivery.Pending, Occurred: l.clock, Due: l.clock.Add(time.Hour)}}))
		runs, err := l.CreateRuns(ctx, []run.New{{Ref: ref, Workflow: 1, Version: 1, Directory: 2, Status: run.Pending, Fields: "[]", Payload: []byte(`{}`)}}, 30*time.Second)
		require.NoError(t, err)
		d, _, err := l.Invite(ctx, distribution.New{Workflow: 1, Version: 1, Run: runs[0].Run, Step: "ask", Contact: 3, Snapshot: "{}",
			Asked: distribution.Asked{Directory: 2, Survey: "s", Channel: "email", Settings: "{}"}})
		require.NoError(t, err)
		ours, err := l.ClaimDistribution(ctx, d, 30*time.Second)
		require.NoError(t, err)
		require.True(t, ours, "whoever put somebody into it is to wake it")

		require.NoError(t, l.sweeper.Once(ctx))
		require.Zero(t, l.temporal.starts)
		for n := 1; n <= 2; n++ {
			l.clock = l.clock.Add(5 * time.Minute)
			require.NoError(t, l.sweeper.Once(ctx))
			require.Len(t, l.temporal.runs, n)
			require.Len(t, l.temporal.dists, n)
		}
		require.Equal(t, runs[0].Run, l.temporal.runs[0])
		require.Equal(t, d, l.temporal.dists[0])
		_, err = l.BeginRun(ctx, runs[0].Run)
		require.NoError(t, err)
		require.NoError(t, l.StayAwake(ctx, d, 2*time.Hour))
		l.clock = l.clock.Add(time.Hour)
		require.NoError(t, l.sweeper.Once(ctx))
		require.Len(t, l.temporal.runs, 2)
		require.Len(t, l.temporal.dists, 2)
		next, err := l.Rest(ctx, d)
		require.NoError(t, err)
		require.False(t, next.IsZero())
		require.NoError(t, l.sweeper.Once(ctx))
		require.Len(t, l.temporal.dists, 3, "it looks away though something is due")
	})
}

func TestSweeper_Job_IsStartedUntilItsWorkflowIsSeen(t *testing.T) {
	onBoth(t, func(t *testing.T, l *left) {
		ctx := t.Context()
		j, err := l.CreateJob(ctx, job.New{Kind: job.Replay, Author: "Mika", Input: "{}", Total: job.Unknown}, 30*time.Second)
		require.NoError(t, err)
		require.NoError(t, l.sweeper.Once(ctx))
		require.Empty(t, l.temporal.jobs, "who made it starts it")
		l.clock = l.clock.Add(time.Minute)
		require.NoError(t, l.sweeper.Once(ctx))
		require.Equal(t, []id.ID{j.ID}, l.temporal.jobs)
		_, err = l.BeginPage(ctx, j.ID)
		require.NoError(t, err)
		l.clock = l.clock.Add(time.Hour)
		require.NoError(t, l.sweeper.Once(ctx))
		require.Len(t, l.temporal.jobs, 1)
	})
}

func TestSweeper_Held_IsReleasedWhenTheDestinationIsOnAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, l *left) {
		no := false
		l.save(&no)
		xm := l.named(plan.KindDestination, "xm")
		event := l.take(1)[0]
		require.NoError(t, l.WriteDeliveries(t.Context(), []delivery.New{{Event: event, Mapping: l.named(plan.KindMapping, "m"), Destination: xm,
			Action: plan.UpsertContact, Status: delivery.Held, Occurred: l.clock, Due: delivery.HeldUntil}}))
		l.clock = l.clock.Add(30 * 24 * time.Hour)
		require.NoError(t, l.sweeper.Once(t.Context()))
		require.Empty(t, l.temporal.wakes)
		l.save(nil)
		require.NoError(t, l.sweeper.Once(t.Context()))
		require.Equal(t, []id.ID{xm}, l.temporal.wakes)
		due, err := l.DueDeliveries(t.Context(), xm, 10)
		require.NoError(t, err)
		require.Len(t, due, 1)
	})
}

// rounds counts the sweeper's rounds by the claims it makes.
type rounds struct {
	Backlog
	at  chan time.Time
	err error
}

func (r *rounds) ClaimInbox(ctx context.Context, _ int, _ time.Duration) ([]id.ID, error) {
	select {
	case r.at <- time.Now():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return nil, r.err
}

func TestSweeper_FailingRound_IsRepeatedUntilTheContextEnds(t *testing.T) {
	t.Parallel()
	r := &rounds{at: make(chan time.Time), err: errors.New("database is away")}
	s := &Sweeper{Backlog: r, Logger: slog.New(slog.DiscardHandler), Every: time.Millisecond}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	for range 3 {
		<-r.at
	}
	cancel()
	<-ended
}

func TestPause_RestsLongerWhileTemporalIsSlow(t *testing.T) {
	t.Parallel()
	every := time.Second
	require.Equal(t, every, pause(every, 100*time.Millisecond, nil))
	require.Equal(t, 7*time.Second, pause(every, 3*time.Second, nil), "twice as long as its round took")
	require.Equal(t, sweepLease, pause(every, time.Hour, nil), "never so long that leases pile up")
	require.Greater(t, pause(every, 200*time.Millisecond, errors.New("away")), every)
}

func TestSweeper_Paused_IsReleasedWhenResumed(t *testing.T) {
	onBoth(t, func(t *testing.T, l *left) {
		xm := l.named(plan.KindDestination, "xm")
		require.NoError(t, l.PauseDestination(t.Context(), xm, "Mika", ""))
		event := l.take(1)[0]
		require.NoError(t, l.WriteDeliveries(t.Context(), []delivery.New{{Event: event, Mapping: l.named(plan.KindMapping, "m"), Destination: xm,
			Action: plan.UpsertContact, Status: delivery.Held, Occurred: l.clock, Due: delivery.HeldUntil}}))
		require.NoError(t, l.QueueMessages(t.Context(), xm, "invitation", []id.ID{l.db.Next()}, l.clock))
		l.clock = l.clock.Add(30 * 24 * time.Hour)
		require.NoError(t, l.sweeper.Once(t.Context()))
		require.Empty(t, l.temporal.wakes, "messages wait too")
		require.NoError(t, l.ResumeDestination(t.Context(), xm))
		require.NoError(t, l.sweeper.Once(t.Context()))
		require.Equal(t, []id.ID{xm}, l.temporal.wakes)
	})
}

func TestSweeper_HeldBack_IsNotWokenBefore(t *testing.T) {
	onBoth(t, func(t *testing.T, l *left) {
		xm := l.named(plan.KindDestination, "xm")
		queue := func(action string) {
			require.NoError(t, l.WriteDeliveries(t.Context(), []delivery.New{{Event: l.take(1)[0], Mapping: l.named(plan.KindMapping, "m"), Destination: xm,
				Action: action, Status: delivery.Pending, Occurred: l.clock, Due: l.clock}}))
		}
		hold := func(action string, revision int64) {
			h := delivery.Hold{Action: action, UntilMillis: l.clock.Add(time.Hour).UnixMilli(), Revision: revision, Reason: "as the test wants it"}
			require.NoError(t, l.EndRound(t.Context(), delivery.Round{Destination: xm, Holds: []delivery.Hold{h}}))
		}
		woken := func() int {
			l.temporal.wakes = nil
			require.NoError(t, l.sweeper.Once(t.Context()))
			return len(l.temporal.wakes)
		}
		queue(plan.UpsertContact)
		hold(plan.UpsertContact, 0)
		require.Zero(t, woken())
		queue(plan.StartWorkflow)
		require.Equal(t, 1, woken(), "another action is not held")
		hold("", 1)
		require.Zero(t, woken(), "everything is")
		l.save(nil)
		no := false
		l.save(&no)
		l.save(nil)
		require.Equal(t, 1, woken(), "another revision ends it")
		hold("", 0)
		require.Zero(t, woken())
		l.clock = l.clock.Add(time.Hour)
		require.Equal(t, 1, woken(), "its time is over")
	})
}
