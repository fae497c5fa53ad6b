package cli

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// received is one batch as the fake server got it.
type received struct {
	key   string
	size  int
	batch []map[string]any
}

// trackingServer takes batches; refuse answers first, when it says so.
func trackingServer(t *testing.T, refuse func(n int, w http.ResponseWriter) bool) (url string, got func() []received) {
	var mu sync.Mutex
	var all []received
	n := 0
	url = server(t, map[string]http.HandlerFunc{
		"POST /v1/batch": func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			n++
			zip, err := gzip.NewReader(r.Body)
			if err != nil || refuse != nil && refuse(n, w) {
				return
			}
			text, _ := io.ReadAll(zip)
			var body struct {
				SentAt string `json:"sentAt"`
				Batch  []map[string]any
			}
			if json.Unmarshal(text, &body) != nil || body.SentAt == "" {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			key, _, _ := r.BasicAuth()
			all = append(all, received{key, len(text), body.Batch})
		},
		"GET /api/sources": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, map[string]any{"sources": []map[string]any{{"name": "web", "write_keys": []string{"wk"}}, {"name": "app", "write_keys": []string{"ak"}}, {"name": "workflow:x", "write_keys": []string{}}}})
		},
	})
	return url, func() []received { return all }
}

func TestSend_Batches_StayWithinTheLimitsAndInOrder(t *testing.T) {
	t.Parallel()
	var in strings.Builder
	for i := range 6000 {
		pad := strings.Repeat("x", 200*(i/3000)) // the second half is large
		if i%2 == 0 {
			fmt.Fprintf(&in, `{"type":"track","event":"e","userId":"u","messageId":"m%d","pad":%q}`+"\n", i, pad)
		} else {
			fmt.Fprintf(&in, `{"id":"x","event":{"type":"track","event":"e","userId":"u","messageId":"m%d","pad":%q}}`+"\n", i, pad)
		}
	}
	url, got := trackingServer(t, nil)
	o := run(t, Program{In: strings.NewReader(in.String())}, "send", "-f", "-", "--source", "web", "--url", url, "--json")
	require.Equal(t, 0, o.code, o.err)
	i := 0
	for _, b := range got() {
		require.Equal(t, "wk", b.key)
		require.LessOrEqual(t, b.size, 500<<10)
		require.LessOrEqual(t, len(b.batch), 2500)
		for _, e := range b.batch {
			require.Equal(t, fmt.Sprintf("m%d", i), e["messageId"])
			i++
		}
	}
	require.Equal(t, 6000, i)
	var sum sendSummary
	require.NoError(t, json.Unmarshal([]byte(o.out), &sum))
	require.Equal(t, []int{6000, 6000, len(got()), 0, 0}, []int{sum.Events, sum.Sent, sum.Batches, sum.Retried, sum.Failed})
}

func TestSend_NoMessageID_GetsOneOfItsOwn(t *testing.T) {
	t.Parallel()
	url, got := trackingServer(t, nil)
	o := run(t, Program{In: strings.NewReader("{}\n{\"userId\":1e2}\n\n{\"messageId\":null}\n{\"messageId\":\"mine\"}\n")}, "send", "-f", "-", "--write-key", "k", "--url", url)
	require.Equal(t, 0, o.code, o.err)
	seen := map[any]bool{}
	for _, e := range got()[0].batch {
		require.NotEmpty(t, e["messageId"])
		seen[e["messageId"]] = true
	}
	require.Len(t, seen, 4)
	require.True(t, seen["mine"])
	require.Contains(t, o.out, "sent 4 of 4 events in 1 batch")
}

func TestSend_BadLines_FailByThemselves(t *testing.T) {
	t.Parallel()
	url, got := trackingServer(t, nil)
	in := "{\"userId\":\"a\"}\nnonsense\n[1]\n{\"userId\":\"" + strings.Repeat("x", 600<<10) + "\"}\n{\"userId\":\"b\"}"
	o := run(t, Program{In: strings.NewReader(in)}, "send", "-f", "-", "--write-key", "k", "--url", url)
	require.Equal(t, 1, o.code)
	require.Len(t, got()[0].batch, 2)
	for _, want := range []string{"segue: line 2: not JSON", "segue: line 3: want a JSON object", "segue: line 4: 600 KB do not fit", "segue: 3 of 5 events failed"} {
		require.Contains(t, o.err, want)
	}
}

func TestSend_BusyServer_IsTriedAgain(t *testing.T) {
	t.Parallel()
	url, got := trackingServer(t, func(n int, w http.ResponseWriter) bool {
		switch n {
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
		return n <= 2
	})
	o := run(t, Program{In: strings.NewReader(`{"userId":"a"}`)}, "send", "-f", "-", "--write-key", "k", "--url", url)
	require.Equal(t, 0, o.code, o.err)
	require.Len(t, got(), 1)
	require.Contains(t, o.out, "2 requests sent again, 0 failed")
}

func TestSend_WrongKey_EndsAtOnce(t *testing.T) {
	t.Parallel()
	calls := 0
	url, _ := trackingServer(t, func(n int, w http.ResponseWriter) bool {
		calls = n
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	o := run(t, Program{In: strings.NewReader(strings.Repeat("{}\n", 6000))}, "send", "-f", "-", "--write-key", "k", "--url", url)
	require.Equal(t, 1, o.code)
	require.Equal(t, 1, calls)
	require.Contains(t, o.err, "segue: the server answered 401")
}

func TestSend_Source_MustBeSaidWhenThereAreSeveral(t *testing.T) {
	t.Parallel()
	url, _ := trackingServer(t, nil)
	o := run(t, Program{}, "send", "-f", "-", "--url", url)
	require.Equal(t, outcome{err: "segue: source: say which one: web, app\n", code: 2}, o)
	o = run(t, Program{}, "send", "-f", "-", "--url", url, "--source", "wbe")
	require.Equal(t, 1, o.code)
	require.Contains(t, o.err, "known are web, app, workflow:x")
}
