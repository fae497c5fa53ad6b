package starter_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/starter"
)

func hookPath(source string) string { return "/v1/webhooks/segment/" + url.PathEscape(source) }

const shop = "店舗 2" // names may have blanks and any letters

func TestWebhook_Signature(t *testing.T) {
	t.Parallel()
	f := setup(t)
	one := `{"type":"track", "event":"A","userId":"u","messageId":"one","n":1.0}`
	first := `{"type":"track" ,"event":"A","userId":"u","messageId":"two","n":1.50,"s":"\u00e9é"}`
	array := "[ " + first + ` , {"type":"identify","userId":"u","messageId":"three"} ]` + "\n"
	for _, c := range []struct {
		name, source, body, signature string
		status                        int
	}{
		{"single", shop, one, signed(one, secret), 200},
		{"second secret at once", shop, one, signed(one, lapsing), 200},
		{"by id", f.named(plan.KindSource, shop).String(), one, signed(one, secret), 200},
		{"upper case hex", shop, one, strings.ToUpper(signed(one, secret)), 200},
		{"array by its first element's raw bytes", shop, array, signed(first, secret), 200},
		{"whole array", shop, array, signed(array, lapsing), 200},
		{"first element respelled", shop, array, signed(strings.ReplaceAll(first, "1.50", "1.5"), secret), 401},
		{"other secret", shop, one, signed(one, webKey), 401},
		{"another body", shop, one, signed(array, secret), 401},
		{"not hex", shop, one, "zz", 401},
		{"missing", shop, one, "", 401},
		{"source without secrets", unsigned, one, signed(one, ""), 401},
		{"unknown source", "nobody", one, signed(one, secret), 404},
		{"a workflow's source is not open to webhooks", "workflow:ask", one, signed(one, secret), 404},
		{"broken name", "%ff", one, signed(one, secret), 404},
	} {
		a := f.send(http.MethodPost, hookPath(c.source), c.body, "X-Signature", c.signature)
		require.Equal(t, c.status, a.status, "%s: %s", c.name, a.body)
		if c.status != 200 {
			a.problem(t)
		}
	}
	rows := f.stored()
	require.Len(t, rows, 3, "the same events came several times")
	for _, r := range rows {
		require.Equal(t, f.named(plan.KindSource, shop), r.Source)
	}
}

func TestWebhook_Gzip_IsSignedInflated(t *testing.T) {
	t.Parallel()
	f := setup(t)
	body := `{"type":"delete","userId":"u","messageId":"d"}`
	f.taken(f.send(http.MethodPost, hookPath(shop), gzipped(t, body), "X-Signature", signed(body, secret), "Content-Encoding", "gzip"))
	require.Equal(t, "delete", f.stored()[0].Type)
}

func TestWebhook_Limits(t *testing.T) {
	t.Parallel()
	f := setup(t, func(o *starter.Options) { o.Webhooks = segment.Limits{Bytes: 2000, Events: 3} })
	send := func(body string, header ...string) answer {
		return f.send(http.MethodPost, hookPath(shop), body, append(header, "X-Signature", signed(body, secret))...)
	}
	item := func(m string) string { return `{"type":"page","userId":"u","messageId":"` + m + `"}` }
	f.taken(send("[" + item("1") + "," + item("2") + "," + item("3") + "," + item("4") + "]"))
	rows := f.stored()
	require.Equal(t, "more than 3 events in one request", rows[3].Refusal)

	a := send(strings.Repeat(" ", 2001))
	require.Equal(t, http.StatusBadRequest, a.status)
	require.Contains(t, a.problem(t).Detail, "larger than 2000 bytes")
	a = send(gzipped(t, strings.Repeat(" ", 1<<20)), "Content-Encoding", "gzip")
	require.Contains(t, a.problem(t).Detail, "larger than 2000 bytes")

	a = send("[]x")
	require.Equal(t, http.StatusBadRequest, a.status)
	f.taken(send("[]"))
	require.Len(t, f.stored(), 5, "signed and unreadable is recorded")
}

func TestWebhook_Default_Takes4000EventsOf16MB(t *testing.T) {
	t.Parallel()
	f := setup(t)
	item := `{"type":"page","userId":"u","properties":{"x":"` + strings.Repeat("x", 3900) + `"}}`
	body := "[" + strings.Repeat(item+",", 3999) + item + "]"
	require.Greater(t, len(body), 15<<20)
	f.taken(f.send(http.MethodPost, hookPath(shop), body, "X-Signature", signed(item, secret)))
	require.Equal(t, 4000.0, f.counted("segue_events_total", "accepted"))
	require.Zero(t, f.counted("segue_queued_bytes"))
}

// deliver sends a recorded request as it was recorded, byte for byte.
func (f *fixture) deliver(name string) answer {
	f.t.Helper()
	request, err := os.ReadFile(filepath.Join("..", "internal", "core", "segment", "testdata", "deliveries", name))
	require.NoError(f.t, err)
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	require.NoError(f.t, err)
	defer conn.Close()
	_, err = conn.Write(request)
	require.NoError(f.t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(f.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(f.t, err)
	return answer{res.StatusCode, res.Header, string(text)}
}

func TestWebhook_RecordedDeliveries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stored []string // type and message id; made of the body's SHA-256 where it has none
		status int
		reason string
	}{
		"webhook-single.http":         {stored: []string{"track wh-order"}, status: 200},
		"webhook-batch.http":          {stored: []string{"identify wh-identify", "page wh-page"}, status: 200},
		"webhook-retry.http":          {stored: []string{"group wh-group", "track wh-order", "identify wh-identify"}, status: 200},
		"webhook-reshaped.http":       {stored: []string{"track wh-reshaped"}, status: 200},
		"webhook-reshaped-no-id.http": {stored: []string{"track segue-206790a127d9d177d2f368b244dbe0e1"}, status: 200},
		"webhook-classic.http":        {stored: []string{"track wh-classic"}, status: 200},
		"webhook-classic-delete.http": {stored: []string{"delete segue-f59e99bac001ff33bc06a6db7329c5ff"}, status: 200},
		// Segment hears that this will never work, and shows it.
		"webhook-reshaped-no-event.http": {status: 400, reason: "type: missing"},
		// What audiences add is not signed; what extensible webhooks send is not either.
		"webhook-audience.http":   {status: 401, reason: "does not match"},
		"webhook-extensible.http": {status: 401, reason: "X-Signature is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			for range 2 { // Segment comes again when it did not hear the answer
				a := f.deliver(name)
				require.Equal(t, c.status, a.status, a.body)
				if c.status == 200 {
					f.taken(a)
					continue
				}
				require.Contains(t, a.problem(t).Detail, c.reason)
			}
			var stored []string
			for _, r := range f.stored() {
				if r.Status == segment.Accepted {
					stored = append(stored, r.Type+" "+r.MessageID)
				}
			}
			require.Equal(t, c.stored, stored)
		})
	}
}

func TestWebhook_PartlyRefused_TakesTheRest(t *testing.T) {
	t.Parallel()
	f := setup(t)
	good, bad := `{"type":"page","userId":"u","messageId":"good"}`, `{"order":"A-77"}`
	send := func(body, first string) answer {
		return f.send(http.MethodPost, hookPath("web"), body, "X-Signature", signed(first, recorded))
	}
	f.taken(send("["+bad+","+good+"]", bad))
	a := send("["+bad+","+bad+"]", bad)
	require.Equal(t, http.StatusBadRequest, a.status, "there is nothing in it that could be lost")
	require.Contains(t, a.problem(t).Detail, "type: missing")
	require.Len(t, f.stored(), 4)
}

// A failed delivery comes again in whatever batch is made next, signed by its first
// element, which may be one that was never here.
func TestWebhook_RetriedInAnotherBatch_IsStoredOnce(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.taken(f.deliver("webhook-single.http"))
	away := true
	f.events.hook(func([]store.NewEvent) error {
		if away {
			return fault.New(fault.Unavailable, "away")
		}
		return nil
	})
	require.Equal(t, http.StatusServiceUnavailable, f.deliver("webhook-batch.http").status)
	require.Len(t, f.stored(), 1)
	away = false
	f.taken(f.deliver("webhook-retry.http"))
	f.taken(f.deliver("webhook-batch.http"))
	require.ElementsMatch(t, []string{"wh-order", "wh-group", "wh-identify", "wh-page"}, f.messages())
	require.Equal(t, 2.0, f.counted("segue_events_total", "duplicate"))
}

func TestWebhook_EventWithoutIdentity_IsKnownAgainInABatch(t *testing.T) {
	t.Parallel()
	f := setup(t)
	gone := `{"type":"delete","userId":"u-gone","timestamp":"2026-03-01T09:00:00.000Z"}`
	f.taken(f.deliver("webhook-classic-delete.http"))
	batch := "[" + gone + "," + strings.Replace(gone, "u-gone", "u-other", 1) + "]"
	f.taken(f.send(http.MethodPost, hookPath("web"), batch, "X-Signature", signed(gone, recorded)))
	require.Len(t, f.stored(), 2)
	// What does not say when it happened may have happened twice.
	timeless := `{"type":"track","event":"E","userId":"u"}`
	for range 2 {
		f.taken(f.send(http.MethodPost, hookPath("web"), timeless, "X-Signature", signed(timeless, recorded)))
	}
	require.Len(t, f.stored(), 4)
}
