package qualtrics_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
)

// inAMinute is how many places of a group there are in any minute, when they are
// taken as fast as they come.
func inAMinute(th *qualtrics.Throttle, g qualtrics.Group, skip time.Duration) int {
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
	for g, limit := range map[qualtrics.Group]int{
		qualtrics.ContactWrites: 500, qualtrics.ContactSearch: 500, qualtrics.TransactionWrites: 500,
		qualtrics.DistributionHistory: 300, qualtrics.Reads: 3000,
	} {
		th := qualtrics.NewThrottle(1)
		first := inAMinute(th, g, 0)
		require.LessOrEqual(t, first, limit, g)
		require.Greater(t, first, limit*95/100, g)
		require.LessOrEqual(t, inAMinute(th, g, time.Minute), limit*91/100+1, "a burst is spent")
	}
}

func TestThrottle_Share_IsAPartOfTheLimit(t *testing.T) {
	t.Parallel()
	n := inAMinute(qualtrics.NewThrottle(0.5), qualtrics.ContactWrites, 0)
	require.LessOrEqual(t, n, 250)
	require.Greater(t, n, 230)
}

func TestThrottle_Brand_LimitsAllGroupsTogether(t *testing.T) {
	t.Parallel()
	th := qualtrics.NewThrottle(1)
	n := inAMinute(th, qualtrics.Reads, 0) + inAMinute(th, qualtrics.WorkflowStarts, 0) + inAMinute(th, qualtrics.Distributions, 0)
	require.LessOrEqual(t, n, 3000)
}

func TestThrottle_Wait_IsAPlaceInTheQueue(t *testing.T) {
	t.Parallel()
	th := qualtrics.NewThrottle(1)
	var last time.Duration
	for range 60 { // 50 at once, then one each 133 ms
		wait, ok := th.Take(qualtrics.ContactWrites, frozen, time.Minute)
		require.True(t, ok)
		require.GreaterOrEqual(t, wait, last)
		last = wait
	}
	require.InDelta(t, 10*133*time.Millisecond, last, float64(10*time.Millisecond))
}

func TestThrottle_Hold_StopsOneGroup(t *testing.T) {
	t.Parallel()
	th := qualtrics.NewThrottle(1)
	th.Hold(qualtrics.ContactWrites, frozen.Add(7*time.Second))
	wait, ok := th.Take(qualtrics.ContactWrites, frozen, time.Second)
	require.False(t, ok)
	require.Equal(t, 7*time.Second, wait)
	_, ok = th.Take(qualtrics.ContactSearch, frozen, 0)
	require.True(t, ok)
}

func TestBreaker_Opens_ProbesOnce_Closes(t *testing.T) {
	t.Parallel()
	b := qualtrics.NewBreaker(3, 5*time.Second, time.Minute)
	now := frozen
	call := func(v qualtrics.Verdict) time.Duration {
		ticket, wait := b.Allow(now)
		if wait == 0 {
			b.Done(ticket, now, v)
		}
		return wait
	}
	call(qualtrics.Failed)
	call(qualtrics.Failed)
	call(qualtrics.Answered) // in a row, that is
	for range 3 {
		require.Zero(t, call(qualtrics.Failed))
	}
	require.True(t, b.Open())
	require.Equal(t, 5*time.Second, call(qualtrics.Answered))

	now = now.Add(5 * time.Second)
	probe, wait := b.Allow(now)
	require.Zero(t, wait)
	for range 10 {
		_, wait = b.Allow(now)
		require.Positive(t, wait, "one probe, no storm")
	}
	b.Done(probe, now, qualtrics.Failed)
	require.Equal(t, 10*time.Second, call(qualtrics.Answered), "twice as long")

	now = now.Add(10 * time.Second)
	require.Zero(t, call(qualtrics.Answered))
	require.False(t, b.Open())
	require.Zero(t, call(qualtrics.Failed))
	require.False(t, b.Open(), "counting starts again")
}

func TestBreaker_Pause_IsBounded(t *testing.T) {
	t.Parallel()
	b := qualtrics.NewBreaker(1, time.Second, 10*time.Second)
	now := frozen
	for range 20 {
		ticket, wait := b.Allow(now)
		require.LessOrEqual(t, wait, 10*time.Second)
		if wait > 0 {
			now = now.Add(wait)
			continue
		}
		b.Done(ticket, now, qualtrics.Failed)
	}
}

func TestBreaker_LateNews_DoNotCount(t *testing.T) {
	t.Parallel()
	b := qualtrics.NewBreaker(1, 5*time.Second, time.Minute)
	old, _ := b.Allow(frozen)
	ticket, _ := b.Allow(frozen)
	b.Done(ticket, frozen, qualtrics.Failed)
	b.Done(old, frozen, qualtrics.Answered)
	require.True(t, b.Open(), "an answer from before proves nothing")

	now := frozen.Add(5 * time.Second)
	probe, _ := b.Allow(now)
	b.Done(probe, now, qualtrics.Neither)
	_, wait := b.Allow(now)
	require.Zero(t, wait, "a probe that was given up is followed by another")
}

func TestBreaker_LostProbe_IsFollowedByAnother(t *testing.T) {
	t.Parallel()
	b := qualtrics.NewBreaker(1, 5*time.Second, time.Minute)
	ticket, _ := b.Allow(frozen)
	b.Done(ticket, frozen, qualtrics.Failed)
	now := frozen.Add(5 * time.Second)
	lost, _ := b.Allow(now)
	now = now.Add(5 * time.Second)
	next, wait := b.Allow(now)
	require.Zero(t, wait)
	b.Done(lost, now, qualtrics.Answered)
	require.True(t, b.Open())
	b.Done(next, now, qualtrics.Answered)
	require.False(t, b.Open())
}

func TestBreaker_ManyAtOnce_OneProbe(t *testing.T) {
	t.Parallel()
	b := qualtrics.NewBreaker(1, 5*time.Second, time.Minute)
	ticket, _ := b.Allow(frozen)
	b.Done(ticket, frozen, qualtrics.Failed)
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

// clock is a pace's fake clock: waiting moves it.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) wait(_ context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	return nil
}

func paced(t *testing.T, there *account) (*qualtrics.Client, *qualtrics.Pace, *clock) {
	c := &clock{at: frozen}
	p := qualtrics.NewPace(qualtrics.PaceOptions{Now: c.now, Wait: c.wait})
	return there.client(t, func(o *qualtrics.Options) { o.Pace, o.Now = p, c.now }), p, c
}

func TestPace_AccountDown_CallsStopAndComeBack(t *testing.T) {
	t.Parallel()
	there := newAccount(t, reply{status: 503}, reply{status: 503}, reply{status: 503}, reply{status: 503}, reply{status: 503}, ok(`{"result":{"userName":"u"}}`))
	c, p, clock := paced(t, there)
	for range 20 {
		_, err := c.Whoami(bg())
		require.Equal(t, fault.Unavailable, fault.KindOf(err))
		require.False(t, qualtrics.OutcomeUnknown(err))
	}
	require.Len(t, there.seen(), 5)
	require.True(t, p.Stopped())
	_, err := c.Whoami(bg())
	require.Equal(t, 5*time.Second, fault.RetryAfter(err))
	require.NoError(t, clock.wait(bg(), 5*time.Second))
	_, err = c.Whoami(bg())
	require.NoError(t, err)
	require.False(t, p.Stopped())
}

func TestPace_Refusals_DoNotStopCalls(t *testing.T) {
	t.Parallel()
	there := newAccount(t, reply{status: 400})
	c, p, _ := paced(t, there)
	for range 20 {
		_, err := c.Whoami(bg())
		require.Equal(t, fault.Invalid, fault.KindOf(err))
	}
	require.Len(t, there.seen(), 20)
	require.False(t, p.Stopped())
}

func TestPace_TooMuch_HoldsItsGroupAsAsked(t *testing.T) {
	t.Parallel()
	there := newAccount(t, reply{status: 429, header: map[string]string{"Retry-After": "30"}}, ok(`{"result":{"userName":"u"}}`))
	c, _, clock := paced(t, there)
	write := func() error { _, err := c.CreateContact(bg(), "POOL_1", mapping.Contact{ExtRef: "u"}); return err }
	require.Equal(t, 30*time.Second, fault.RetryAfter(write()))
	err := write()
	require.Equal(t, fault.RateLimited, fault.KindOf(err))
	require.Equal(t, 30*time.Second, fault.RetryAfter(err))
	require.Len(t, there.seen(), 1, "nothing goes out while held")
	_, err = c.Whoami(bg())
	require.NoError(t, err, "others go on")
	require.NoError(t, clock.wait(bg(), 30*time.Second))
	require.NoError(t, write())
}

func TestPace_ForeignHostDown_AccountGoesOn(t *testing.T) {
	t.Parallel()
	there := newAccount(t, reply{status: 503})
	c, p, _ := paced(t, there)
	for range 10 {
		_, err := c.StartWorkflow(bg(), "https://syd1.qualtrics.com/x", nil)
		require.Error(t, err)
	}
	require.False(t, p.Stopped())
}

func TestPace_Resumed_GoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	c := &clock{at: frozen}
	options := qualtrics.PaceOptions{Failures: 2, Now: c.now, Wait: c.wait}
	stopped, held := qualtrics.NewPace(options), qualtrics.NewPace(options)
	there := newAccount(t, reply{status: 503})
	client := func(p *qualtrics.Pace) *qualtrics.Client {
		return there.client(t, func(o *qualtrics.Options) { o.Pace, o.Now = p, c.now })
	}
	for range 2 {
		_, err := client(stopped).Whoami(bg())
		require.Equal(t, fault.Unavailable, fault.KindOf(err))
	}
	require.True(t, stopped.Stopped())
	there.script = []reply{{status: 429, header: map[string]string{"Retry-After": "60"}}}
	_, err := client(held).Whoami(bg())
	require.Equal(t, fault.RateLimited, fault.KindOf(err))

	for _, p := range []*qualtrics.Pace{stopped, held} {
		text, err := json.Marshal(p.State())
		require.NoError(t, err)
		var state qualtrics.PaceState
		require.NoError(t, json.Unmarshal(text, &state))
		next := qualtrics.NewPace(options)
		next.Resume(state)
		require.Equal(t, p.State(), next.State())
		before := len(there.seen())
		_, err = client(next).Whoami(bg())
		require.True(t, qualtrics.HeldBack(err), "%v", err)
		require.Positive(t, fault.RetryAfter(err))
		require.Len(t, there.seen(), before, "nothing was called")
	}
}
