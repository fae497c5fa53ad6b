package starter_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/segment"
)

func basic(user string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(user)) }

const (
	track    = `{"messageId":"m-1","userId":"u","event":"Signed Up"}`
	untrack  = `{"messageId":"m-1","event":"Signed Up"}` // says nobody
	twoItems = `{"batch":[{"type":"track","messageId":"m-1","userId":"u","event":"A"},{"type":"identify","messageId":"m-2","userId":"u"}]}`
)

func TestTracking_EveryPath_StoresItsType(t *testing.T) {
	t.Parallel()
	f := setup(t)
	paths := map[string]string{
		"identify": "identify", "track": "track", "page": "page", "screen": "screen", "group": "group", "alias": "alias",
		"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias",
	}
	for path := range paths {
		f.taken(f.post("/v1/"+path, `{"messageId":"`+path+`","userId":"u","event":"E","groupId":"g","previousId":"p"}`))
	}
	for _, path := range []string{"batch", "import", "b"} {
		f.taken(f.post("/v1/"+path, strings.ReplaceAll(twoItems, `"m-`, `"`+path)))
		paths[path+"1"], paths[path+"2"] = "track", "identify"
	}
	f.taken(f.post("/v1/track/", track)) // a slash at the end is none of a sender's worries
	paths["m-1"] = "track"
	rows := f.stored()
	require.Len(t, rows, len(paths))
	for _, r := range rows {
		require.Equal(t, paths[r.MessageID], r.Type, r.MessageID)
		require.Equal(t, f.named(plan.KindSource, "web"), r.Source)
		require.Equal(t, segment.Accepted, r.Status)
		require.Equal(t, int64(1), r.Revision)
	}
}

func TestTracking_WriteKey_WhereverItIs(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for i, c := range []struct {
		name, header, body, source string // source "" is 401
	}{
		{"basic with colon", basic(webKey + ":"), ``, "web"},
		{"basic without colon", basic(webKey), ``, "web"},
		{"basic with a password", basic(webKey + ":x"), ``, "web"},
		{"body", "", `,"writeKey":"wk-web"`, "web"},
		{"body with bearer", "Bearer abc", `,"writeKey":"wk-web"`, "web"},
		{"both", basic(webKey + ":"), `,"writeKey":"wk-web"`, "web"},
		{"both, the header wins", basic(shopKey + ":"), `,"writeKey":"wk-web"`, "店舗 2"},
		{"second key while rotating", basic(oldKey + ":"), ``, "店舗 2"},
		{"none", "", ``, ""},
		{"unknown", basic("wk-nobody:"), ``, ""},
		{"other case", basic("WK-WEB:"), ``, ""},
		{"its beginning", basic("wk-we:"), ``, ""},
		{"unknown in the body", "", `,"writeKey":"wk-nobody"`, ""},
		{"reference instead of its value", basic("${SOURCE_WEB_WRITE_KEY}:"), ``, ""},
	} {
		body := fmt.Sprintf(`{"userId":"u","messageId":"m%d"%s}`, i, c.body)
		var header []string
		if c.header != "" {
			header = []string{"Authorization", c.header}
		}
		for _, sent := range []struct{ path, body string }{
			{"/v1/identify", body},
			{"/v1/batch", fmt.Sprintf(`{"batch":[{"type":"page","userId":"u","messageId":"b%d"}]%s}`, i, c.body)},
		} {
			a := f.send(http.MethodPost, sent.path, sent.body, header...)
			if c.source == "" {
				require.Equal(t, http.StatusUnauthorized, a.status, c.name)
				require.Equal(t, "unauthorized", a.problem(t).Kind)
				require.NotContains(t, a.body, "wk-", "keys are not repeated")
				continue
			}
			f.taken(a)
			rows := f.stored()
			last := rows[len(rows)-1]
			require.Equal(t, f.named(plan.KindSource, c.source), last.Source, c.name)
			require.NotContains(t, f.body(last.ID), "wk-")
		}
	}
	for _, r := range f.stored() {
		require.NotEqual(t, segment.Invalid, r.Status, "nothing is kept of who is not known")
	}
}

func TestTracking_ContentType_DoesNotMatter(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, typ := range []string{"text/plain", "application/json; charset=utf-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense"} {
		f.taken(f.post("/v1/t", track, "Content-Type", typ))
	}
	require.Len(t, f.stored(), 1)
}

func TestTracking_SeenBefore_Is200AndChangesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.taken(f.post("/v1/track", track))
		first := f.stored()
		f.taken(f.post("/v1/track", strings.Replace(track, "Signed Up", "Changed", 1)))
		f.taken(f.post("/v1/batch", `{"batch":[`+strings.Replace(track, `{`, `{"type":"track",`, 1)+`,`+strings.Replace(track, `{`, `{"type":"track",`, 1)+`]}`))
		require.Equal(t, first, f.stored())
		require.Equal(t, 3.0, f.counted("segue_events_total", "duplicate"))
		f.eventually("dispatched once", func() bool { return len(f.launcher.started()) == 1 })

		f.taken(f.send(http.MethodPost, "/v1/track", track, "Authorization", basic(shopKey)))
		require.Len(t, f.stored(), 2, "a message id is its source's own")
	})
}

func TestTracking_MixedBatch_TakesTheGoodAndRecordsTheBad(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		deep := strings.Repeat("[", 1<<16) + strings.Repeat("]", 1<<16)
		items := []string{
			`{"type":"track","messageId":"good-1","userId":"u","event":"A"}`,
			`{"type":"track","messageId":"nobody","event":"A"}`,
			`{"type":"nope","messageId":"odd","userId":"u"}`,
			"{\"type\":\"identify\",\"messageId\":\"zero\",\"userId\":\"u\x00\"}",
			"{\"type\":\"identify\",\"messageId\":\"broken\",\"userId\":\"\xff\xfe\"}",
			`{"type":"identify","messageId":"deep","userId":"u","traits":` + deep + `}`,
			`{"type":"identify","userId":tru}`,
			`{"type":"identify","messageId":"large","userId":"u","traits":{"x":"` + strings.Repeat("x", segment.MaxEvent) + `"}}`,
			`{"type":"delete","messageId":"del","userId":"u"}`,
			`{"type":"identify","messageId":"escaped \u0000 zero","userId":"a\u0000b"}`,
			`{"type":"identify","messageId":"good-2","userId":"u"}`,
		}
		f.taken(f.post("/v1/batch", `{"batch":[`+strings.Join(items, ",")+`]}`))
		got := map[string]segment.Status{}
		for _, r := range f.stored() {
			got[r.MessageID] = r.Status
			require.Equal(t, r.Status == segment.Invalid, r.Refusal != "")
			if r.Status == segment.Invalid {
				require.NotEmpty(t, f.body(r.ID))
			}
		}
		require.Equal(t, map[string]segment.Status{"good-1": "accepted", "good-2": "accepted", "escaped  zero": "accepted",
			"": "invalid", "nobody": "invalid", "odd": "invalid", "large": "invalid", "del": "invalid"}, got)
		require.Len(t, f.stored(), len(items))
		require.Equal(t, 8.0, f.counted("segue_events_total", "invalid"))
		f.eventually("dispatched", func() bool { return len(f.launcher.started()) == 3 })
	})
}

func TestTracking_RefusedCall_Is400AndRecorded(t *testing.T) {
	t.Parallel()
	f := setup(t)
	large := `{"userId":"u","messageId":"large","traits":{"x":"` + strings.Repeat("x", segment.MaxEvent) + `"}}`
	for i, c := range []struct{ path, body, reason string }{
		{"/v1/track", untrack, "userId"},
		{"/v1/track", `{"userId":"u"}`, "event"},
		{"/v1/track", `{"userId":`, "not JSON"},
		{"/v1/track", ``, "empty"},
		{"/v1/track", track + ` x`, "something follows"},
		{"/v1/track", `[]`, "want an object"},
		{"/v1/track", "{\"userId\":\"\xff\"}", "not UTF-8"},
		{"/v1/identify", large, "the limit is 32768"},
		{"/v1/batch", `{"batch":{}}`, "batch"},
		{"/v1/batch", `[]`, "want a JSON object"},
		{"/v1/batch", twoItems + twoItems, "something follows"},
		{"/v1/identify", strings.Repeat(" ", 1<<20), "larger than 65536"},
		{"/v1/batch", strings.Repeat(" ", 1<<20), "larger than 512000"},
	} {
		a := f.post(c.path, c.body)
		require.Equal(t, http.StatusBadRequest, a.status, c.reason)
		p := a.problem(t)
		require.Equal(t, "invalid", p.Kind)
		require.Contains(t, p.Field+p.Detail, c.reason)
		rows := f.stored()
		require.Len(t, rows, i+1, "recorded: %s", c.reason)
		require.Equal(t, segment.Invalid, rows[i].Status)
		require.Contains(t, rows[i].Refusal, c.reason)
		require.LessOrEqual(t, len(f.body(rows[i].ID)), segment.MaxRefusalBody)
	}
	require.Empty(t, f.launcher.started())
}

func TestTracking_Gzip_IsInflatedWithinTheLimit(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.taken(f.post("/v1/batch", gzipped(t, twoItems), "Content-Encoding", "gzip"))
	f.taken(f.send(http.MethodPost, "/v1/t", gzipped(t, `{"writeKey":"wk-web","userId":"u","event":"E","messageId":"z"}`), "Content-Encoding", "GZIP"))
	require.Len(t, f.stored(), 3)

	for _, c := range []struct{ name, body, encoding, reason string }{
		{"bomb", gzipped(t, strings.Repeat(" ", 64<<20)), "gzip", "larger than 512000 bytes"},
		{"two members", gzipped(t, strings.Repeat(" ", 400<<10)) + gzipped(t, strings.Repeat(" ", 400<<10)), "gzip", "larger than 512000 bytes"},
		{"cut short", gzipped(t, twoItems)[:60], "gzip", "ends early"},
		{"not gzip", twoItems, "gzip", "not gzip"},
		{"trailing bytes", gzipped(t, twoItems) + "xx", "gzip", "gzip"},
		{"second member cut in its header", gzipped(t, "") + gzipped(t, twoItems)[:8], "gzip", "ends early"},
		{"second member cut in its comment", gzipped(t, "") + "\x1f\x8b\x08\x10\x00\x00\x00\x00\x00\xffcomment", "gzip", "ends early"},
		{"empty", "", "gzip", "not gzip"},
		{"unknown", twoItems, "br", `"br" is not supported`},
		{"twice", gzipped(t, gzipped(t, twoItems)), "gzip, gzip", "not supported"},
	} {
		a := f.post("/v1/batch", c.body, "Content-Encoding", c.encoding)
		require.Equal(t, http.StatusBadRequest, a.status, c.name)
		require.Contains(t, a.problem(t).Detail, c.reason, c.name)
	}
}

func TestTracking_BatchContext_IsBeneathEachItems(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.taken(f.post("/v1/batch", `{"context":{"library":{"name":"lib"},"ip":"1"},"sentAt":"2026-03-01T14:00:05Z","batch":[
		{"type":"track","event":"E","userId":"u","context":{"ip":"2"},"timestamp":"2026-03-01T14:00:00Z"}]}`))
	o, err := jsonvalue.ParseObject([]byte(f.body(f.stored()[0].ID)))
	require.NoError(t, err)
	require.Equal(t, `{"ip":"2","library":{"name":"lib"}}`, jsonvalue.Text(o.Get("context")))
	require.Equal(t, "2026-03-01T11:59:55.000Z", o.Get("timestamp"), "the sender's clock is two hours fast")
	require.Equal(t, "2026-03-01T14:00:00Z", o.Get("originalTimestamp"))
	require.Equal(t, "2026-03-01T12:00:00.000Z", o.Get("receivedAt"))
	require.True(t, strings.HasPrefix(o.Get("messageId").(string), "segue-"))
}

func TestTracking_MoreThan2500_TakesTheFirst(t *testing.T) {
	t.Parallel()
	f := setup(t)
	var b strings.Builder
	for i := range segment.MaxBatchEvents + 1 {
		fmt.Fprintf(&b, `,{"type":"page","userId":"u","messageId":"%d"}`, i)
	}
	f.taken(f.post("/v1/batch", `{"batch":[`+b.String()[1:]+`]}`))
	require.Equal(t, float64(segment.MaxBatchEvents), f.counted("segue_events_total", "accepted"))
	require.Equal(t, 1.0, f.counted("segue_events_total", "invalid"))
	require.Equal(t, []int{segment.MaxBatchEvents + 1}, f.events.sizes(), "one request is one commit")
	require.Zero(t, f.counted("segue_queued_bytes"))
}

func TestTracking_SelfMetrics_NeedNoKey(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.taken(f.send(http.MethodPost, "/v1/m", `{"series":[]}`, "Content-Type", "text/plain"))
	require.Empty(t, f.stored())
}

func TestTracking_Preflight(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, path := range []string{"/v1/t", "/v1/batch", "/v1/m", "/v1/workflows/x"} {
		a := f.send(http.MethodOptions, path, "", "Origin", "https://shop.example", "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "authorization,content-type")
		require.Equal(t, http.StatusNoContent, a.status)
		require.Equal(t, "*", a.header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, "POST,OPTIONS", a.header.Get("Access-Control-Allow-Methods"))
		require.Equal(t, "Authorization,Content-Type,X-Retry-Count,Traceparent,Tracestate", a.header.Get("Access-Control-Allow-Headers"))
		require.Equal(t, "86400", a.header.Get("Access-Control-Max-Age"))
		require.Empty(t, a.header.Get("Access-Control-Allow-Credentials"))
	}
	// Answers too, errors among them: a page must see that it has to come back.
	for _, key := range []string{webKey, "wk-nobody"} {
		a := f.send(http.MethodPost, "/v1/t", track, "Origin", "https://shop.example", "Authorization", basic(key))
		require.Equal(t, "*", a.header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, "Retry-After,X-RateLimit-Reset", a.header.Get("Access-Control-Expose-Headers"))
	}
}

func TestTracking_OtherPathsAndMethods_AreProblems(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodPost, "/v1/nonsense", 404},
		{http.MethodPost, "/v1/", 404},
		{http.MethodPost, "/v1/track/x", 404},
		{http.MethodPost, "/v1/trackx", 404},
		{http.MethodGet, "/v1/track", 405},
		{http.MethodPut, "/v1/batch", 405},
	} {
		a := f.send(c.method, c.path, track, "Authorization", basic(webKey))
		require.Equal(t, c.status, a.status, c.path)
		a.problem(t)
	}
}
