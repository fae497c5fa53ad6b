package starter_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/segment"
	"github.com/segue-xm/segue/internal/store"
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
		{"by id", f.named(store.KindSource, shop).String(), one, signed(one, secret), 200},
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
		require.Equal(t, f.named(store.KindSource, shop), r.Source)
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
