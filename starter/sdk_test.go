package starter_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	analytics "github.com/segmentio/analytics-go/v3"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/data/store"
)

// sent is what the SDK says became of messages.
type sent struct {
	ok  chan analytics.Message
	bad chan error
}

func (s sent) Success(m analytics.Message)          { s.ok <- m }
func (s sent) Failure(_ analytics.Message, e error) { s.bad <- e }

// delivered waits until n messages are delivered.
func (s sent) delivered(t *testing.T, n int) (list []analytics.Message) {
	t.Helper()
	for range n {
		select {
		case m := <-s.ok:
			list = append(list, m)
		case err := <-s.bad:
			t.Fatal(err)
		}
	}
	return list
}

// failed waits until n messages are given up.
func (s sent) failed(t *testing.T, n int) (list []error) {
	t.Helper()
	for range n {
		select {
		case <-s.ok:
			t.Fatal("delivered")
		case err := <-s.bad:
			list = append(list, err)
		}
	}
	return list
}

// sdk is Segment's own client. It sends three messages at a time, and waits
// between tries as long as pause says.
func (f *fixture) sdk(url, key string, pause func(try int) time.Duration) (analytics.Client, sent) {
	f.t.Helper()
	s := sent{make(chan analytics.Message, 100), make(chan error, 100)}
	c, err := analytics.NewWithConfig(key, analytics.Config{
		Endpoint: url, BatchSize: 3, Interval: time.Minute, Callback: s, Transport: f.client.Transport,
		Logger:         analytics.StdLogger(log.New(io.Discard, "", 0)),
		DefaultContext: &analytics.Context{App: analytics.AppInfo{Name: "shop"}},
		RetryAfter:     pause,
	})
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = c.Close() })
	return c, s
}

func atOnce(int) time.Duration { return time.Millisecond }

// three enqueues as many events as the SDK sends at a time.
func three(t *testing.T, c analytics.Client) {
	t.Helper()
	for i := range 3 {
		require.NoError(t, c.Enqueue(analytics.Track{UserId: "u", Event: fmt.Sprint(i)}))
	}
}

func TestSDK_Go_EveryCall_ArrivesInABatchWithItsContext(t *testing.T) {
	t.Parallel()
	f := setup(t)
	w := f.wire()
	client, s := f.sdk(w.url, webKey, atOnce)
	at := time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC)
	for _, m := range []analytics.Message{
		analytics.Identify{UserId: "u", Traits: analytics.NewTraits().SetEmail("hana@example.com").Set("age", 41.5)},
		analytics.Track{UserId: "u", Event: "Signed Up", MessageId: "my-own", Timestamp: at, Properties: analytics.NewProperties().Set("plan", "プロ"),
			Context: &analytics.Context{Locale: "ja-JP"}, Integrations: analytics.NewIntegrations().DisableAll()},
		analytics.Page{AnonymousId: "anon", Name: "Home"},
		analytics.Screen{AnonymousId: "anon", Name: "Start"},
		analytics.Group{UserId: "u", GroupId: "g", Traits: analytics.NewTraits().Set("plan", "pro")},
		analytics.Alias{UserId: "u", PreviousId: "anon"},
	} {
		require.NoError(t, client.Enqueue(m))
	}
	delivered := s.delivered(t, 6)
	require.Equal(t, sixCalls, f.types())
	posts := w.posts()
	require.Len(t, posts, 2, "three in each")
	for _, p := range posts {
		require.Equal(t, "/v1/batch", p.path)
		require.Equal(t, basic(webKey+":"), p.header.Get("Authorization"))
	}

	bodies := map[string]*jsonvalue.Object{}
	for _, r := range f.stored() {
		o, err := jsonvalue.ParseObject([]byte(f.body(r.ID)))
		require.NoError(t, err)
		context := o.Get("context").(*jsonvalue.Object)
		require.Equal(t, "analytics-go", context.Get("library").(*jsonvalue.Object).Get("name"), "only the batch says it")
		require.Equal(t, "shop", context.Get("app").(*jsonvalue.Object).Get("name"))
		require.NotEmpty(t, o.Get("sentAt"))
		require.Equal(t, r.MessageID, o.Get("messageId"))
		bodies[r.Type] = o
	}
	for _, m := range delivered {
		switch m := m.(type) {
		case analytics.Identify:
			require.Equal(t, m.MessageId, bodies["identify"].Get("messageId"))
			require.Equal(t, `{"age":41.5,"email":"hana@example.com"}`, jsonvalue.Text(bodies["identify"].Get("traits")))
		case analytics.Track:
			require.Equal(t, "my-own", bodies["track"].Get("messageId"))
			require.Equal(t, `{"plan":"プロ"}`, jsonvalue.Text(bodies["track"].Get("properties")))
			require.Equal(t, `{"all":false}`, jsonvalue.Text(bodies["track"].Get("integrations")), "spelled as this SDK spells it")
			require.Equal(t, "2026-02-28T00:00:00Z", bodies["track"].Get("originalTimestamp"))
			require.Equal(t, "ja-JP", bodies["track"].Get("context").(*jsonvalue.Object).Get("locale"), "the item's own stays")
		case analytics.Group:
			require.Equal(t, "g", bodies["group"].Get("groupId"))
		case analytics.Alias:
			require.Equal(t, "anon", bodies["alias"].Get("previousId"))
		}
	}
	require.Equal(t, "Home", bodies["page"].Get("name"))
	require.Equal(t, "Start", bodies["screen"].Get("name"))
}

// TestSDK_Go_WrongKey: this SDK repeats whatever is not a success. With its own
// pauses, the tenth try comes 33 seconds after the first, and the failure is
// reported 10 seconds later; see docs/clients.md.
func TestSDK_Go_WrongKey_IsTriedTenTimesAndReported(t *testing.T) {
	t.Parallel()
	f := setup(t)
	w := f.wire()
	var tries atomic.Int32
	client, s := f.sdk(w.url, "wk-nobody", func(int) time.Duration { tries.Add(1); return 0 })
	three(t, client)
	for _, err := range s.failed(t, 3) {
		require.ErrorContains(t, err, "401")
	}
	require.Equal(t, slices.Repeat([]int{http.StatusUnauthorized}, 10), statuses(w.posts()))
	require.Equal(t, int32(10), tries.Load(), "it waits after the last one too")
	require.Empty(t, f.stored())
}

func TestSDK_Go_DatabaseAway_ComesAgainUntilItIsStored(t *testing.T) {
	t.Parallel()
	f := setup(t)
	w := f.wire()
	var failures atomic.Int32
	f.events.hook(func([]store.NewEvent) error {
		if failures.Add(1) <= 3 {
			return fault.New(fault.Unavailable, "away")
		}
		return nil
	})
	client, s := f.sdk(w.url, webKey, atOnce)
	three(t, client)
	s.delivered(t, 3)
	require.Equal(t, []int{503, 503, 503, 200}, statuses(w.posts()))
	require.Len(t, f.stored(), 3)
}

func TestSDK_Go_TooMuch_ComesAgainUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	f := setupLarge(t)
	w := f.wire()
	free := f.full()
	client, s := f.sdk(w.url, webKey, func(try int) time.Duration {
		if try == 1 { // refused twice
			free()
			f.eventually("there is room", func() bool { return f.counted("segue_queued_bytes") == 0 })
		}
		return 0
	})
	three(t, client)
	s.delivered(t, 3)
	require.Equal(t, []int{429, 429, 200}, statuses(w.posts()))
	require.Len(t, f.stored(), 3)
}

func TestSDK_Go_AnswerLost_IsStoredOnce(t *testing.T) {
	t.Parallel()
	f := setup(t)
	w := f.wire(0, 1)
	client, s := f.sdk(w.url, webKey, atOnce)
	three(t, client)
	s.delivered(t, 3)
	require.Equal(t, []int{200, 200, 200}, statuses(w.posts()))
	require.Len(t, f.stored(), 3)
	require.Equal(t, 6.0, f.counted("segue_events_total", "duplicate"))
	f.eventually("dispatched once", func() bool { return len(f.launcher.started()) == 3 })
}

// TestSDK_Go_ClosedWhileItRetries: a program that ends during an outage loses what
// it has not delivered. That is the SDK's way, and docs/clients.md says so.
func TestSDK_Go_ClosedWhileItRetries_GivesUp(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.events.hook(func([]store.NewEvent) error { return errors.New("away") })
	refused := make(chan struct{}, 1)
	client, s := f.sdk(f.url, webKey, func(int) time.Duration { refused <- struct{}{}; return time.Hour })
	three(t, client)
	<-refused
	require.NoError(t, client.Close())
	for _, err := range s.failed(t, 3) {
		require.ErrorContains(t, err, "503")
	}
}
