package pace_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/outside/courier/pace"
)

const (
	reads    pace.Group = "reads"
	writes   pace.Group = "writes"
	searches pace.Group = "searches"
	history  pace.Group = "history"
	starts   pace.Group = "starts"
	mails    pace.Group = "mails"
)

var limits = pace.Limits{All: 3000, Groups: map[pace.Group]int{reads: 3000, writes: 500, searches: 500, history: 300, starts: 3000, mails: 3000}}

// frozen is the time at which tests begin.
var frozen = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// inAMinute is how many places of a group there are in any minute, when they are
// taken as fast as they come.
func inAMinute(th *pace.Throttle, g pace.Group, skip time.Duration) int {
	now, end, n := frozen.Add(skip), frozen.Add(skip+time.Minute), 0
	for now.Before(end) {
		wait, ok := th.Take(g, now, 0)
		if ok {
			n++
			continue
		}
		now = now.Add(wait)
	}
	return n
}

func TestThrottle_AnyMinute_IsWithinTheLimit(t *testing.T) {
	t.Parallel()
	for g, limit := range map[pace.Group]int{
		writes: 500, searches: 500,
		history: 300, reads: 3000,
	} {
		th := pace.NewThrottle(limits, 1)
		first := inAMinute(th, g, 0)
		require.LessOrEqual(t, first, limit, g)
		require.Greater(t, first, limit*95/100, g)
		require.LessOrEqual(t, inAMinute(th, g, time.Minute), limit*91/100+1, "a burst is spent")
	}
}

func TestThrottle_Share_IsAPartOfTheLimit(t *testing.T) {
	t.Parallel()
	n := inAMinute(pace.NewThrottle(limits, 0.5), writes, 0)
	require.LessOrEqual(t, n, 250)
	require.Greater(t, n, 230)
}

func TestThrottle_Brand_LimitsAllGroupsTogether(t *testing.T) {
	t.Parallel()
	th := pace.NewThrottle(limits, 1)
	n := inAMinute(th, reads, 0) + inAMinute(th, starts, 0) + inAMinute(th, mails, 0)
	require.LessOrEqual(t, n, 3000)
}

func TestThrottle_Wait_IsAPlaceInTheQueue(t *testing.T) {
	t.Parallel()
	th := pace.NewThrottle(limits, 1)
	var last time.Duration
	for range 60 { // 50 at once, then one each 133 ms
		wait, ok := th.Take(writes, frozen, time.Minute)
		require.True(t, ok)
		require.GreaterOrEqual(t, wait, last)
		last = wait
	}
	require.InDelta(t, 10*133*time.Millisecond, last, float64(10*time.Millisecond))
}

func TestThrottle_Hold_StopsOneGroup(t *testing.T) {
	t.Parallel()
	th := pace.NewThrottle(limits, 1)
	th.Hold(writes, frozen.Add(7*time.Second))
	wait, ok := th.Take(writes, frozen, time.Second)
	require.False(t, ok)
	require.Equal(t, 7*time.Second, wait)
	_, ok = th.Take(searches, frozen, 0)
	require.True(t, ok)
}

func TestBreaker_Opens_ProbesOnce_Closes(t *testing.T) {
	t.Parallel()
	b := pace.NewBreaker(3, 5*time.Second, time.Minute)
	now := frozen
	call := func(v pace.Verdict) time.Duration {
		ticket, wait := b.Allow(now)
		if wait == 0 {
			b.Done(ticket, now, v)
		}
		return wait
	}
	call(pace.Failed)
	call(pace.Failed)
	call(pace.Answered) // in a row, that is
	for range 3 {
		require.Zero(t, call(pace.Failed))
	}
	require.True(t, b.Open())
	require.Equal(t, 5*time.Second, call(pace.Answered))

	now = now.Add(5 * time.Second)
	probe, wait := b.Allow(now)
	require.Zero(t, wait)
	for range 10 {
		_, wait = b.Allow(now)
		require.Positive(t, wait, "one probe, no storm")
	}
	b.Done(probe, now, pace.Failed)
	require.Equal(t, 10*time.Second, call(pace.Answered), "twice as long")

	now = now.Add(10 * time.Second)
	require.Zero(t, call(pace.Answered))
	require.False(t, b.Open())
	require.Zero(t, call(pace.Failed))
	require.False(t, b.Open(), "counting starts again")
}

func TestBreaker_Pause_IsBounded(t *testing.T) {
	t.Parallel()
	b := pace.NewBreaker(1, time.Second, 10*time.Second)
	now := frozen
	for range 20 {
		ticket, wait := b.Allow(now)
		require.LessOrEqual(t, wait, 10*time.Second)
		if wait > 0 {
			now = now.Add(wait)
			continue
		}
		b.Done(ticket, now, pace.Failed)
	}
}

func TestBreaker_LateNews_DoNotCount(t *testing.T) {
	t.Parallel()
	b := pace.NewBreaker(1, 5*time.Second, time.Minute)
	old, _ := b.Allow(frozen)
	ticket, _ := b.Allow(frozen)
	b.Done(ticket, frozen, pace.Failed)
	b.Done(old, frozen, pace.Answered)
	require.True(t, b.Open(), "an answer from before proves nothing")

	now := frozen.Add(5 * time.Second)
	probe, _ := b.Allow(now)
	b.Done(probe, now, pace.Neither)
	_, wait := b.Allow(now)
	require.Zero(t, wait, "a probe that was given up is followed by another")
}

func TestBreaker_LostProbe_IsFollowedByAnother(t *testing.T) {
	t.Parallel()
	b := pace.NewBreaker(1, 5*time.Second, time.Minute)
	ticket, _ := b.Allow(frozen)
	b.Done(ticket, frozen, pace.Failed)
	now := frozen.Add(5 * time.Second)
	lost, _ := b.Allow(now)
	now = now.Add(5 * time.Second)
	next, wait := b.Allow(now)
	require.Zero(t, wait)
	b.Done(lost, now, pace.Answered)
	require.True(t, b.Open())
	b.Done(next, now, pace.Answered)
	require.False(t, b.Open())
}

func TestBreaker_ManyAtOnce_OneProbe(t *testing.T) {
	t.Parallel()
	b := pace.NewBreaker(1, 5*time.Second, time.Minute)
	ticket, _ := b.Allow(frozen)
	b.Done(ticket, frozen, pace.Failed)
	var mu sync.Mutex
	var all sync.WaitGroup
	let := 0
	for range 50 {
		all.Go(func() {
			if _, wait := b.Allow(frozen.Add(time.Hour)); wait == 0 {
				mu.Lock()
				let++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	require.Equal(t, 1, let)
}

func TestState_IsReadAndWrittenAsEver(t *testing.T) {
	t.Parallel()
	const kept = `{"throttle":{"brand":"2026-01-02T03:04:06Z","groups":{"writes":{"due":"2026-01-02T03:04:07Z","held":"2026-01-02T03:05:00Z"}}},` +
		`"breaker":{"pause":10000000000,"until":"2026-01-02T03:04:15Z"}}`
	var s pace.State
	require.NoError(t, json.Unmarshal([]byte(kept), &s))
	p := pace.New(pace.Options{Limits: limits, Answered: func(error) bool { return false }, Now: func() time.Time { return frozen }})
	p.Resume(s)
	require.True(t, p.Stopped())
	text, err := json.Marshal(p.State())
	require.NoError(t, err)
	require.JSONEq(t, kept, string(text))
	err = p.Run(t.Context(), writes, func() error { return nil })
	require.True(t, pace.HeldBack(err), "%v", err)
}
