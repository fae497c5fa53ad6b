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
	"github.com/segue-xm/segue/internal/outside/courier/pace"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
)

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

func paced(t *testing.T, there *account) (*qualtrics.Client, *pace.Pace, *clock) {
	c := &clock{at: frozen}
	p := qualtrics.NewPace(pace.Options{Now: c.now, Wait: c.wait})
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
	options := pace.Options{Failures: 2, Now: c.now, Wait: c.wait}
	stopped, held := qualtrics.NewPace(options), qualtrics.NewPace(options)
	there := newAccount(t, reply{status: 503})
	client := func(p *pace.Pace) *qualtrics.Client {
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

	for _, p := range []*pace.Pace{stopped, held} {
		text, err := json.Marshal(p.State())
		require.NoError(t, err)
		var state pace.State
		require.NoError(t, json.Unmarshal(text, &state))
		next := qualtrics.NewPace(options)
		next.Resume(state)
		require.Equal(t, p.State(), next.State())
		before := len(there.seen())
		_, err = client(next).Whoami(bg())
		require.True(t, pace.HeldBack(err), "%v", err)
		require.Positive(t, fault.RetryAfter(err))
		require.Len(t, there.seen(), before, "nothing was called")
	}
}
