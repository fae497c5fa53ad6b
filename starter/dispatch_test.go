package starter_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
)

// many posts one batch of n events.
func (f *fixture) many(prefix string, n int) {
	f.t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,{"type":"page","userId":"u","messageId":"%s%d"}`, prefix, i)
	}
	f.taken(f.post("/v1/batch", `{"batch":[`+b.String()[1:]+`]}`))
}

func (l *launches) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.batches)
}

func TestDispatch_WhenIdle_StartsAtOnce(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for i := range 3 {
		_, err := f.tracked(i)
		require.NoError(t, err)
		f.eventually("started", func() bool { return f.launcher.count() == i+1 })
	}
	require.Equal(t, []string{"web", "web", "web"}, f.launcher.sources)
}

func TestDispatch_EventsOfOneCommit_StartTogether(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.many("a", handover.MaxBatch)
	f.eventually("started", func() bool { return f.launcher.count() > 0 })
	require.Len(t, f.launcher.batches[0], handover.MaxBatch)
}

func TestDispatch_BatchesGrowWhileStartsAreUnderWay(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.launcher.held()
	const starts = 4
	for i := range starts {
		_, err := f.tracked(i)
		require.NoError(t, err)
		f.eventually("started", func() bool { return f.launcher.count() == i+1 })
	}
	// Temporal is busy: acknowledged all the same, and gathered.
	f.many("a", 30)
	f.many("b", 40)
	f.many("c", 200)
	require.Equal(t, starts, f.launcher.count(), "no more than these at the same time")
	f.launcher.free()
	f.eventually("all started", func() bool { return len(f.launcher.started()) == starts+270 })
	var sizes []int
	for _, b := range f.launcher.batches[starts:] {
		sizes = append(sizes, len(b))
	}
	slices.Sort(sizes)
	require.Equal(t, []int{70, 100, 100}, sizes)
	all := f.launcher.started()
	slices.Sort(all)
	require.Len(t, slices.Compact(all), starts+270, "each once")
}

func TestDispatch_BatchOfSeveralSources_NamesNone(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.launcher.held()
	for i := range 4 {
		_, err := f.tracked(i)
		require.NoError(t, err)
		f.eventually("started", func() bool { return f.launcher.count() == i+1 })
	}
	f.many("a", 2)
	f.trigger(`{}`)
	f.launcher.free()
	f.eventually("started", func() bool { return len(f.launcher.started()) == 7 })
	require.Empty(t, f.launcher.sources[4])
}

func TestDispatch_FailedStart_LeavesEventsToASweeper(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.launcher.fail = errors.New("Temporal is away")
		f.many("a", 3)
		f.eventually("tried", func() bool { return f.counted("segue_start_failures_total") == 1 })
		claim := func() []id.ID {
			ids, err := f.store.ClaimInbox(t.Context(), 10, time.Minute)
			require.NoError(t, err)
			return ids
		}
		require.Empty(t, claim(), "this process still has the lease")
		f.pass(31 * time.Second)
		require.Equal(t, f.launcher.started(), claim())
	})
}

func TestDispatch_CloseWhileTemporalIsAway_DoesNotLinger(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.launcher.held()
	f.launcher.fail = errors.New("Temporal is away")
	f.many("a", 1000)
	f.eventually("tried", func() bool { return f.launcher.count() == 4 })
	closed := make(chan struct{})
	go func() { f.Close(); close(closed) }()
	f.eventually("closing", func() bool { return f.post("/v1/page", `{"userId":"late"}`).status == 503 })
	f.launcher.free()
	<-closed
	require.LessOrEqual(t, f.launcher.count(), 8, "the first failure ends it")
}
