package starter_test

import (
	"fmt"
	"io"
	"log"
	"testing"
	"time"

	analytics "github.com/segmentio/analytics-go/v3"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/jsonvalue"
)

// sent is what the SDK says became of messages.
type sent struct {
	ok  chan analytics.Message
	bad chan error
}

func (s sent) Success(m analytics.Message)          { s.ok <- m }
func (s sent) Failure(_ analytics.Message, e error) { s.bad <- e }

// sdk is Segment's own client, sending to a fixture.
func (f *fixture) sdk(key string, pause time.Duration) (analytics.Client, sent) {
	f.t.Helper()
	s := sent{make(chan analytics.Message, 100), make(chan error, 100)}
	c, err := analytics.NewWithConfig(key, analytics.Config{
		Endpoint: f.url, BatchSize: 3, Interval: time.Minute, Callback: s, Transport: f.client.Transport,
		Logger:         analytics.StdLogger(log.New(io.Discard, "", 0)),
		DefaultContext: &analytics.Context{App: analytics.AppInfo{Name: "shop"}},
		RetryAfter:     func(int) time.Duration { return pause },
	})
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = c.Close() })
	return c, s
}

func TestSDK_Go_EventsArriveWithTheBatchsContext(t *testing.T) {
	t.Parallel()
	f := setup(t)
	client, s := f.sdk(webKey, time.Millisecond)
	require.NoError(t, client.Enqueue(analytics.Identify{UserId: "u", Traits: analytics.NewTraits().SetEmail("hana@example.com")}))
	require.NoError(t, client.Enqueue(analytics.Track{UserId: "u", Event: "Signed Up", Properties: analytics.NewProperties().Set("plan", "pro"),
		Context: &analytics.Context{Locale: "ja-JP"}}))
	require.NoError(t, client.Enqueue(analytics.Page{AnonymousId: "anon", Name: "Home"}))
	for range 3 {
		select {
		case <-s.ok:
		case err := <-s.bad:
			t.Fatal(err)
		}
	}
	rows := f.stored()
	require.Len(t, rows, 3)
	for i, typ := range []string{"identify", "track", "page"} {
		require.Equal(t, typ, rows[i].Type)
		require.NotEmpty(t, rows[i].MessageID)
		o, err := jsonvalue.ParseObject([]byte(f.body(rows[i].ID)))
		require.NoError(t, err)
		context := o.Get("context").(*jsonvalue.Object)
		require.Equal(t, "analytics-go", context.Get("library").(*jsonvalue.Object).Get("name"))
		require.Equal(t, "shop", context.Get("app").(*jsonvalue.Object).Get("name"))
		if typ == "track" {
			require.Equal(t, "ja-JP", context.Get("locale"), "the item's own stays")
		}
		require.NotEmpty(t, o.Get("sentAt"))
	}
	require.Equal(t, []string{"Signed Up", "Home"}, []string{rows[1].Name, rows[2].Name})
	require.Equal(t, []int{3}, f.events.sizes())
}

// TestSDK_Go_UnknownKey: this SDK repeats whatever is not a success, ten times.
func TestSDK_Go_UnknownKey_IsReportedAsFailure(t *testing.T) {
	t.Parallel()
	f := setup(t)
	client, s := f.sdk("wk-nobody", time.Microsecond)
	for i := range 3 {
		require.NoError(t, client.Enqueue(analytics.Track{UserId: "u", Event: fmt.Sprint(i)}))
	}
	for range 3 {
		select {
		case <-s.ok:
			t.Fatal("taken with an unknown key")
		case err := <-s.bad:
			require.ErrorContains(t, err, "401")
		}
	}
	require.Empty(t, f.stored())
}
