package starter_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/pgtest"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/starter"
)

// answers sends many requests at once and collects what they get.
func (f *fixture) answers(n int, send func(i int) (answer, error)) <-chan answer {
	out := make(chan answer, n)
	for i := range n {
		go func() {
			a, err := send(i)
			if err != nil {
				a = answer{body: err.Error()}
			}
			out <- a
		}()
	}
	return out
}

func (f *fixture) tracked(i int) (answer, error) {
	return f.try(http.MethodPost, "/v1/track", fmt.Sprintf(`{"messageId":"m-%06d","userId":"u","event":"E"}`, i), "Authorization", basic(webKey))
}

// blocked holds up the next commit until free is called; begun says that it began.
func (f *fixture) blocked(free <-chan struct{}) (begun <-chan struct{}) {
	b := make(chan struct{})
	var once sync.Once
	f.events.hook(func([]store.NewEvent) error {
		once.Do(func() { close(b) })
		<-free
		return nil
	})
	return b
}

// waiting waits until n requests of f.tracked, or larger ones, wait; the one whose
// commit began is among them and was alone.
func (f *fixture) waiting(n int, send func()) {
	f.t.Helper()
	one := f.counted("segue_queued_bytes")
	send()
	f.eventually("all wait", func() bool { return f.counted("segue_queued_bytes") >= float64(n)*one })
}

func TestCommit_RequestsThatComeMeanwhile_ShareTheNextCommit(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		const n = 60
		free := make(chan struct{})
		begun := f.blocked(free)
		first := f.answers(1, func(int) (answer, error) { return f.tracked(1000) })
		<-begun
		var others <-chan answer
		f.waiting(n+1, func() { others = f.answers(n, f.tracked) })
		require.Empty(t, first, "no answer before the commit")
		require.Empty(t, others)
		require.Empty(t, f.stored())
		close(free)
		f.taken(<-first)
		for range n {
			f.taken(<-others)
		}
		require.Equal(t, []int{1, n}, f.events.sizes())
		require.Len(t, f.stored(), n+1)
		require.Zero(t, f.counted("segue_queued_bytes"))
		f.eventually("dispatched", func() bool { return len(f.launcher.started()) == n+1 })
	})
}

func TestCommit_QueueFull_Is429AndMemoryIsGivenBack(t *testing.T) {
	t.Parallel()
	f := setup(t, func(o *starter.Options) { o.Webhooks = segment.Limits{EventBytes: 16 << 20} })
	free := make(chan struct{})
	begun := f.blocked(free)
	// Each is 15 MB: the fifth finds 60 of 64 MB taken.
	send := func(i int) (answer, error) {
		body := fmt.Sprintf(`{"type":"page","userId":"u","messageId":"%d","x":"%s"}`, i, strings.Repeat("x", 15<<20))
		return f.try(http.MethodPost, hookPath(shop), body, "X-Signature", signed(body, secret))
	}
	waiting := f.answers(4, send)
	<-begun
	f.eventually("four wait", func() bool { return f.counted("segue_queued_bytes") > 60<<20 })
	a, err := send(5)
	require.NoError(t, err)
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Equal(t, "rate_limited", a.problem(t).Kind)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	require.Equal(t, "1", a.header.Get("X-RateLimit-Reset"))
	require.Equal(t, 1.0, f.counted("segue_busy_total"))
	small := f.answers(1, f.tracked) // there still is room for it
	f.eventually("one more waits", func() bool { return f.counted("segue_queued_bytes") > 60<<20 && len(small) == 0 })
	close(free)
	for range 4 {
		f.taken(<-waiting)
	}
	f.taken(<-small)
	f.eventually("all is given back", func() bool { return f.counted("segue_queued_bytes") == 0 })
	require.Len(t, f.stored(), 5, "what was refused is not stored")
	a, err = send(5)
	require.NoError(t, err)
	f.taken(a)
}

func TestCommit_DatabaseAway_Is503AndNothingIsAcknowledged(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{
		"unavailable": fault.New(fault.Unavailable, "database secret detail"),
		"too slow":    fmt.Errorf("begin: %w", context.DeadlineExceeded),
		"no kind":     errors.New("unexpected EOF secret detail"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			f.events.hook(func([]store.NewEvent) error { return failure })
			for _, send := range []func() answer{
				func() answer { return f.post("/v1/batch", twoItems) },
				func() answer { return f.post("/v1/track", untrack) }, // what cannot be recorded as refused must come again
				func() answer { return f.send(http.MethodPost, "/v1/workflows/"+f.token(), `{}`) },
			} {
				a := send()
				require.Equal(t, http.StatusServiceUnavailable, a.status, a.body)
				require.Equal(t, "1", a.header.Get("Retry-After"))
				require.NotContains(t, a.body, "secret detail")
				require.Equal(t, "unavailable", a.problem(t).Kind)
			}
			require.Equal(t, []int{2, 1, 1}, f.events.sizes(), "not tried in parts")
			require.Contains(t, f.log.String(), failure.Error(), "operators see why")
			f.events.hook(nil)
			f.taken(f.post("/v1/batch", twoItems))
			require.Len(t, f.stored(), 2)
			require.Empty(t, f.counted("segue_queued_bytes"))
		})
	}
}

// poisoned fails every commit that holds an accepted event of this user.
func poisoned(user string, failure error) func([]store.NewEvent) error {
	return func(events []store.NewEvent) error {
		for _, e := range events {
			if e.UserID == user && e.Refusal == "" {
				return failure
			}
		}
		return nil
	}
}

const poisonedBatch = `{"batch":[{"type":"identify","messageId":"1","userId":"a"},{"type":"identify","messageId":"2","userId":"b"},
	{"type":"identify","messageId":"3","userId":"bad"},{"type":"identify","messageId":"4","userId":"c"}]}`

func TestCommit_EventTheDatabaseCannotHold_IsRefusedAlone(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.events.hook(poisoned("bad", fault.New(fault.Invalid, "no room for this")))
	f.taken(f.post("/v1/batch", poisonedBatch))
	rows := f.stored()
	require.Len(t, rows, 4)
	for _, r := range rows {
		require.Equal(t, r.UserID == "bad", r.Refusal == "the database cannot hold it: no room for this", r.UserID)
	}
	require.Equal(t, 3.0, f.counted("segue_events_total", "accepted"))
	require.Equal(t, 1.0, f.counted("segue_events_total", "invalid"))
	f.eventually("the others are dispatched", func() bool { return len(f.launcher.started()) == 3 })

	a := f.post("/v1/identify", `{"messageId":"5","userId":"bad"}`)
	require.Equal(t, http.StatusBadRequest, a.status, "alone in its request, the sender hears of it")
	require.Contains(t, a.problem(t).Detail, "no room for this")
	a = f.send(http.MethodPost, "/v1/workflows/"+f.token(), `{"userId":"bad"}`)
	require.Equal(t, http.StatusBadRequest, a.status)
	require.Len(t, f.launcher.started(), 3, "what was refused is not dispatched")
}

func TestCommit_BadEvent_DoesNotHarmOtherRequests(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for kind, status := range map[fault.Kind]int{fault.Invalid: 400, fault.Internal: 500} {
		fails := poisoned("bad", fault.New(kind, "bad"))
		free, begun := make(chan struct{}), make(chan struct{})
		var once sync.Once
		f.events.hook(func(events []store.NewEvent) error {
			once.Do(func() { close(begun) })
			<-free
			return fails(events)
		})
		first := f.answers(1, func(int) (answer, error) { return f.tracked(int(kind) * 1000) })
		<-begun
		var good, bad <-chan answer
		f.waiting(22, func() {
			good = f.answers(20, func(i int) (answer, error) { return f.tracked(int(kind)*1000 + 1 + i) })
			bad = f.answers(1, func(int) (answer, error) {
				return f.try(http.MethodPost, "/v1/identify", `{"userId":"bad","traits":{"why":"so that it is no smaller"}}`, "Authorization", basic(webKey))
			})
		})
		close(free)
		f.taken(<-first)
		for range 20 {
			f.taken(<-good)
		}
		require.Equal(t, status, (<-bad).status)
	}
	f.eventually("dispatched", func() bool { return len(f.launcher.started()) == 42 })
}

// TestCommit_NoOneToBlame_IsNeverARefusal: a database that refuses everything for
// reasons of its own must not turn good events into refused ones.
func TestCommit_NoOneToBlame_IsNeverARefusal(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.events.hook(func([]store.NewEvent) error { return fault.New(fault.Internal, "no partition") })
	var batch strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&batch, `,{"type":"page","userId":"u","messageId":"%d"}`, i)
	}
	a := f.post("/v1/batch", `{"batch":[`+batch.String()[1:]+`]}`)
	require.GreaterOrEqual(t, a.status, 500)
	require.NotContains(t, a.body, "partition")
	require.LessOrEqual(t, len(f.events.sizes()), 1100, "it gives up soon")
	f.events.hook(nil)
	require.Empty(t, f.stored())
}

// TestCommit_TextsNoDatabaseHolds goes around the parser, which lets no such text
// through, to see that the last line holds.
func TestCommit_TextsNoDatabaseHolds_AreRefusedAlone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.events.hook(func(events []store.NewEvent) error {
			for i := range events {
				if events[i].MessageID == "3" && events[i].Refusal == "" {
					events[i].Name, events[i].Type = "zero\x00byte", "\xff\xfe"
				}
			}
			return nil
		})
		f.taken(f.post("/v1/batch", poisonedBatch))
		rows := f.stored()
		require.Len(t, rows, 4)
		for _, r := range rows {
			require.Equal(t, f.postgres && r.MessageID == "3", r.Status == segment.Invalid)
			if r.Status == segment.Invalid {
				require.Equal(t, "zerobyte", r.Name)
				require.Contains(t, r.Refusal, "the database cannot hold it")
			}
		}
	})
}

func TestClose_StoresWhatWaits_AndTurnsAwayTheRest(t *testing.T) {
	t.Parallel()
	f := setup(t)
	free := make(chan struct{})
	begun := f.blocked(free)
	first := f.answers(1, func(int) (answer, error) { return f.tracked(1000) })
	<-begun
	var others <-chan answer
	f.waiting(11, func() { others = f.answers(10, f.tracked) })
	closed := make(chan struct{})
	go func() { f.Close(); close(closed) }()
	f.eventually("new ones are turned away", func() bool {
		a := f.post("/v1/page", `{"userId":"late"}`)
		if a.status == http.StatusServiceUnavailable {
			require.Equal(t, "1", a.header.Get("Retry-After"))
			return true
		}
		return false
	})
	close(free)
	f.taken(<-first)
	for range 10 {
		f.taken(<-others)
	}
	<-closed
	require.Len(t, f.stored(), 11)
	require.Len(t, f.launcher.started(), 11, "what was stored is started before the end")
	f.Close()
}

// TestCommit_SameEventsFromEverywhere: several writers meet the same ids in
// different orders, as after a network failure when many senders repeat.
func TestCommit_SameEventsFromEverywhere_AreStoredOnce(t *testing.T) {
	t.Parallel()
	f := setupOn(t, pgtest.URL(t), func(o *starter.Options) { o.Writers = 3 })
	const n, senders = 40, 12
	got := f.answers(senders, func(i int) (answer, error) {
		items := make([]string, n)
		for k := range n {
			items[k] = fmt.Sprintf(`{"type":"page","userId":"u","messageId":"%d"}`, (k*7+i*11)%n)
		}
		return f.try(http.MethodPost, "/v1/batch", `{"batch":[`+strings.Join(items, ",")+`]}`, "Authorization", basic(webKey))
	})
	for range senders {
		f.taken(<-got)
	}
	require.Len(t, f.stored(), n)
	require.Equal(t, float64(n), f.counted("segue_events_total", "accepted"))
	require.Equal(t, float64(n*(senders-1)), f.counted("segue_events_total", "duplicate"))
	f.eventually("each is dispatched once", func() bool { return len(f.launcher.started()) == n })
}
