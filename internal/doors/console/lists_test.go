package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEvents_FilterForm_AddressNamesNobody(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	a := b.post("/events", "/events/search", url.Values{"user_id": {"taro@example.com"}, "status": {"failed"}, "message_id": {"m-1"}, "source": {"web"}, "type": {"track"}, "event": {"Order Paid"}, "since": {"2026-10-22T04:00:00"}})
	require.Equal(t, http.StatusSeeOther, a.StatusCode)
	to := a.Header.Get("Location")
	require.NotContains(t, to, "taro")
	require.NotContains(t, to, "user_id")
	require.Contains(t, to, "since=2026-10-22T04%3A00%3A00Z")

	body := b.get(to).body
	f := b.fake.eventFilters[len(b.fake.eventFilters)-1]
	require.Equal(t, "taro@example.com", f.UserID)
	require.Equal(t, []string{"failed", "m-1", "web", "track", "Order Paid"}, []string{string(f.Status), f.MessageID, f.Source, f.Type, f.Name})
	require.Equal(t, time.Date(2026, 10, 22, 4, 0, 0, 0, time.UTC), *f.Since)
	require.Nil(t, f.Until)
	require.Contains(t, body, `value="taro@example.com"`, "the form shows what filters")
	require.NotRegexp(t, `href="[^"]*taro`, body)
}

func TestEvents_AddressThatNamesAPerson_IsReplaced(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	a := b.get("/events?user_id=u_42&status=failed")
	require.Equal(t, http.StatusSeeOther, a.StatusCode)
	require.NotContains(t, a.Header.Get("Location"), "u_42")
	require.Contains(t, a.Header.Get("Location"), "status=failed")
	require.Equal(t, a.Header.Get("Location"), b.get("/events?user_id=u_42&status=failed").Header.Get("Location"), "one search has one address")
}

func TestEvents_LocalTime_IsReadInTheReadersZone(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	b.jar[zoneCookie] = "Asia/Tokyo"
	a := b.post("/events", "/events/search", url.Values{"since": {"2026-10-22T13:00"}})
	require.Equal(t, "/events?since=2026-10-22T04%3A00%3A00Z", a.Header.Get("Location"))
	require.Contains(t, b.get(a.Header.Get("Location")).body, `value="2026-10-22T13:00:00"`)
}

func TestEvents_UnreadableTime_IsSaidAndDoesNotFilter(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	a := b.get("/events?since=yesterday")
	require.Equal(t, http.StatusOK, a.StatusCode)
	require.Contains(t, a.body, `role="alert"`)
	require.Nil(t, b.fake.eventFilters[0].Since)
}

func TestEvents_ForgedSeal_IsNoFilter(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	require.Equal(t, http.StatusOK, b.get("/events?q=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").StatusCode)
	require.Empty(t, b.fake.eventFilters[0].UserID)
}

func TestEvents_Pager_KeepsFiltersAndChangingOneDropsTheCursor(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	body := b.get("/events?status=failed&source=web&cursor=abc").body
	require.Equal(t, "abc", b.fake.paging[0].Cursor)
	require.Contains(t, body, `href="/events?cursor=older&amp;source=web&amp;status=failed"`)
	require.Contains(t, body, `href="/events?source=web&amp;status=failed"`, "newest")
	chips := regexp.MustCompile(`(?s)<li class="chip">.*?</li>`).FindAllString(body, -1)
	require.Len(t, chips, 2)
	for _, m := range chips {
		require.NotContains(t, m, "cursor", "a removed filter starts from the newest row")
	}
	require.NotContains(t, body, `data-every`, "an older page is not counted against")
}

func TestEvents_Newer_CountsOnlyAndNeverMovesRows(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	body := b.get("/events?source=web").body
	require.Contains(t, body, `data-since="`+eventID.String()+`"`)

	b.header.Set("X-Part", "newer")
	b.header.Set("X-Since", idAt(17*time.Second, 1).String()) // the third row
	a := b.get("/events?source=web")
	require.Contains(t, a.body, "2 newer events")
	require.Contains(t, a.body, `href="/events?source=web"`)
	require.NotContains(t, a.body, "<table")
	require.Equal(t, "web", b.fake.eventFilters[1].Source, "the same filters count")

	b.header.Set("X-Since", eventID.String())
	require.NotContains(t, b.get("/events").body, "<a")
	b.header.Set("X-Since", "nonsense")
	require.Equal(t, http.StatusBadRequest, b.get("/events").StatusCode)
}

func TestContacts_FilterForm_AddressNamesNobody(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	a := b.post("/contacts", "/contacts/search", url.Values{"email": {"taro@example.com"}, "phone": {"+81312345678"}, "ext_ref": {"u_42"}, "directory": {"customers"}})
	to := a.Header.Get("Location")
	for _, secret := range []string{"taro", "8131", "u_42"} {
		require.NotContains(t, to, secret)
	}
	body := b.get(to).body
	f := b.fake.contactFilters[len(b.fake.contactFilters)-1]
	require.Equal(t, []string{"customers", "taro@example.com", "u_42", "+81312345678"}, []string{f.Directory, f.Email, f.ExtRef, f.Phone})
	next := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(body)
	require.NotNil(t, next)
	b.get(strings.ReplaceAll(next[1], "&amp;", "&"))
	require.Equal(t, f, b.fake.contactFilters[len(b.fake.contactFilters)-1], "older rows keep the search")
	require.NotEqual(t, to, b.get("/contacts?email=someone@example.com").Header.Get("Location"))
}

func TestFind_GoesStraightToThePageAndLeavesNoTraceInTheAddress(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	a := b.post("/", "/find", url.Values{"text": {"  taro@example.com "}})
	require.Equal(t, "/contacts/"+contactID.String(), a.Header.Get("Location"))
	a = b.post("/", "/find", url.Values{"text": {"nobody"}})
	require.Equal(t, http.StatusNotFound, a.StatusCode)
	require.Contains(t, a.body, "nobody")
	require.Equal(t, "/", b.post("/", "/find", url.Values{"text": {"elsewhere"}}).Header.Get("Location"), "never to another host")
	require.Equal(t, http.StatusMethodNotAllowed, b.get("/find").StatusCode)
}

func TestMailHTML_HasItsOwnPolicyAndTheFrameIsSandboxed(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	body := b.get("/outbox/" + mailID.String()).body
	require.Contains(t, body, `<iframe class="mailframe" sandbox="" src="/outbox/`+mailID.String()+`/html"`)
	require.NotContains(t, body, "<script>alert")
	a := b.get("/outbox/" + mailID.String() + "/html")
	require.Equal(t, mailPolicy, a.Header.Get("Content-Security-Policy"))
	require.Contains(t, mailPolicy, "sandbox;")
	require.NotContains(t, mailPolicy, "script-src")
	require.NotContains(t, mailPolicy, "allow-")
}

func TestEventRaw_IsTheStoredTextAsADownload(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	a := b.get("/events/" + eventID.String() + "/raw")
	require.Contains(t, a.Header.Get("Content-Disposition"), "attachment")
	require.True(t, strings.HasPrefix(a.body, `{"type":"track","event":"Onboarding`))
	require.Equal(t, http.StatusNotFound, signedIn(t, &fake{empty: true}).get("/events/"+eventID.String()+"/raw").StatusCode)
}

func TestEvent_Why_ShowsEachClauseWithTheValueItSaw(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	body := b.get("/events/" + eventID.String()).body
	for _, want := range []string{
		`saw &#34;free&#34;`, "saw nothing there", "the answer was known before", "any of", "all of", // clauses
		"1 rejected, 1 invalid, 1 retrying, 1 done, 2 not matched, 1 off", // counts
		"next in 1 min 20 s (05:04:30)",                                   // a retry says when
		"$.properties.plan", "FREE", "not a date",                         // field traces
		"http://127.0.0.1:8233/namespaces/default/workflows?query=SegueEvents",
		"/contacts/" + contactID.String(), "/runs/" + runID.String(),
		`$.properties[&#39;plan name&#39;]`, // a path that can be pasted
		"$SEGUE_TOKEN",
	} {
		require.Contains(t, body, want, "missing %s", want)
	}
	require.Less(t, strings.Index(body, "order-as-transaction"), strings.Index(body, "tour-finished"), "what failed comes first")
	require.Contains(t, body, `data-every="5"`, "an event that still retries refreshes")
}

func TestHome_NothingYet_ShowsFirstStepsInsteadOfTheChart(t *testing.T) {
	t.Parallel()
	body := signedIn(t, &fake{empty: true}).get("/").body
	require.Contains(t, body, "curl -u")
	require.NotContains(t, body, `class="chart"`)
	body = signedIn(t, &fake{}).get("/").body
	require.Contains(t, body, `class="chart"`)
	require.Contains(t, body, "Mostly well: 3 things need you")
	require.Equal(t, 60, strings.Count(body, `<th scope="row"><a href="/events?since=`), "the same numbers as a table with links")
}
