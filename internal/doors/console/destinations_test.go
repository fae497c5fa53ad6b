package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/ops"
)

func TestConnections_ShowHowEachDestinationIsAndNoKeys(t *testing.T) {
	t.Parallel()
	body := signedIn(t, &fake{}).get("/connections").body
	for _, text := range []string{"Nothing can be delivered", "the API token is unknown in this data center", "1,204", "upsert contact is not tried for now", "Paused by console", "引っ越し中、月曜まで", "Switched off in the plan", "2 keys", "1 key"} {
		require.Contains(t, body, text)
	}
	require.Contains(t, body, `data-every="10"`, "something may change by itself")
	require.NotContains(t, body, "key-1")

	body = signedIn(t, &fake{empty: true}).get("/connections").body
	require.Contains(t, body, "No destination yet")
	require.Contains(t, body, `href="/help/segment"`)
	require.NotContains(t, body, "data-every=")
}

func TestDestination_ByNameOrID_IsTheSameAndUnknownIsNotFound(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	for _, path := range []string{"/destinations/acme", "/destinations/" + destinationID.String()} {
		require.Contains(t, b.get(path).body, `<h1 data-id="`+destinationID.String()+`"`, path)
	}
	for _, path := range []string{"/destinations/nowhere", "/destinations/a%2Fb"} {
		require.Equal(t, http.StatusNotFound, b.get(path).StatusCode, path)
	}
	require.Contains(t, b.get("/destinations/acme").body, `<a href="/connections" data-key="n" aria-current="page">`)
}

func TestDestination_TroubleAndItsHold_AreOneNote(t *testing.T) {
	t.Parallel()
	body := signedIn(t, &fake{}).get("/destinations/acme").body
	require.Equal(t, 1, strings.Count(body, "the API token is unknown"), "its hold has the same")
	require.Contains(t, body, "since 10-22 04:03:10 (1 h ago) · next try 10-22 05:07:10 (in 4 min)")
	require.NotContains(t, body, "goes on by itself", "somebody has to mend it")
	require.Contains(t, body, "Try now")
	require.Contains(t, body, `<meter min="0" max="1269" value="1204"`)
	require.NotContains(t, signedIn(t, &fake{}).get("/destinations/xm").body, "/test", "there is no account to ask")
}

func TestTest_ShowsWhatItFoundWithTheRequestID(t *testing.T) {
	t.Parallel()
	f := &fake{tested: ops.Connection{OK: true, Account: "aya@acme", Notice: "the account is in data center fra1", RequestID: "req-7"}}
	b := signedIn(t, f)
	a := b.post("/destinations/acme", "/destinations/acme/test", url.Values{})
	require.Equal(t, http.StatusOK, a.StatusCode)
	for _, text := range []string{"The connection works", "aya@acme", "the account is in data center fra1", "req-7", "</html>"} {
		require.Contains(t, a.body, text)
	}
	token := csrfField.FindStringSubmatch(a.body)[1]
	b.header.Set("X-Part", "test")
	part := b.do(http.MethodPost, "/destinations/acme/test", url.Values{"csrf": {token}}).body
	require.NotContains(t, part, "<html")
	require.Contains(t, part, "req-7")
	b.header.Del("X-Part")

	f.tested = ops.Connection{Problem: "the API token is unknown"}
	require.Contains(t, b.post("/destinations/acme", "/destinations/acme/test", url.Values{}).body, "The connection does not work</b>: <span translate=\"no\">the API token is unknown")
	f.remote = fault.New(fault.Internal, "a secret detail")
	a = b.post("/destinations/acme", "/destinations/acme/test", url.Values{})
	require.Equal(t, http.StatusOK, a.StatusCode)
	require.Contains(t, a.body, "under request id "+a.Header.Get("X-Request-Id"))
	require.NotContains(t, a.body, "secret detail")
}

// The address of a test stays in the browser; loading it again asks nobody.
func TestTest_LoadedAgain_IsNotRepeated(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	a := b.get("/destinations/acme/test")
	require.Equal(t, http.StatusSeeOther, a.StatusCode)
	require.Equal(t, "/destinations/acme", a.Header.Get("Location"))
	require.Zero(t, b.fake.asked)
}

func TestDirectories_AreAskedForOnDemandOnly(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	require.NotContains(t, b.get("/destinations/acme").body, "POOL_")
	require.Zero(t, b.fake.asked)
	body := b.get("/destinations/acme?directories=1").body
	require.Contains(t, body, `data-copy="POOL_3fLxq09"`)
	require.Contains(t, body, "社員")
	require.Equal(t, 1, b.fake.asked)
	b.header.Set("X-Part", "head")
	b.get("/destinations/acme?directories=1")
	require.Equal(t, 1, b.fake.asked, "the state is fetched again and again, the account is left alone")
	b.header.Del("X-Part")

	b.fake.remote = fault.New(fault.Conflict, "the API token is refused")
	a := b.get("/destinations/acme?directories=1")
	require.Equal(t, http.StatusOK, a.StatusCode, "the rest of the page is there")
	require.Contains(t, a.body, "the API token is refused")
	require.Contains(t, a.body, "What waits")
}

func TestPauseAndResume_LeadBackToThePage(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	a := b.post("/destinations/acme", "/destinations/"+destinationID.String()+"/pause", url.Values{"note": {" moving <b>house</b> "}})
	require.Equal(t, http.StatusSeeOther, a.StatusCode)
	require.Equal(t, "/destinations/acme", a.Header.Get("Location"))
	require.Equal(t, ops.Paused{At: testNow, By: "console", Note: "moving <b>house</b>"}, *b.fake.paused)
	body := b.get("/destinations/acme").body
	require.Contains(t, body, "moving &lt;b&gt;house")
	require.NotContains(t, body, `action="/destinations/acme/pause"`, "it is paused")
	a = b.post("/destinations/acme", "/destinations/acme/resume", url.Values{})
	require.Equal(t, "/destinations/acme", a.Header.Get("Location"))
	require.Nil(t, b.fake.paused)
	require.Contains(t, b.get("/destinations/acme").body, `action="/destinations/acme/pause"`)
}

func TestDestination_PostsWithoutTheToken_DoNothing(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	for _, do := range []string{"test", "pause", "resume"} {
		require.Equal(t, http.StatusForbidden, b.do(http.MethodPost, "/destinations/acme/"+do, url.Values{}).StatusCode, do)
	}
	require.Zero(t, b.fake.asked)
	require.Nil(t, b.fake.paused)
}

func TestHome_DestinationsThatAreNotOk_LeadToTheirPages(t *testing.T) {
	t.Parallel()
	body := signedIn(t, &fake{}).get("/").body
	require.Contains(t, body, `<a href="/destinations/`+idAt(time.Hour, 23).String()+`">mail</a>`)
	require.Contains(t, body, "paused by console: 引っ越し中、月曜まで")
	require.Contains(t, body, "until 10-22 05:03:50 (in 40 s)")

	v := testView(t, "en", "")
	mark, text := v.verdict(ops.Overview{Parts: []ops.Part{{Name: "crm", Status: "held", Until: ptr(testNow)}}})
	require.Equal(t, "well", mark.Code, "it goes on by itself: nobody is needed")
	require.Equal(t, "All is well", text)
	mark, _ = v.verdict(ops.Overview{Parts: []ops.Part{{Name: "crm", Status: "failed"}}})
	require.Equal(t, "unwell", mark.Code)
	require.Equal(t, "メール", testView(t, "ja", "").partLine(ops.Part{Name: "mail"}).Label)
	require.Equal(t, "mail", testView(t, "ja", "").partLine(ops.Part{Name: "mail", Destination: destinationID}).Label, "a destination keeps its name")
}

func TestEvent_DeliveryThatWaitsForItsDestination_SaysSo(t *testing.T) {
	t.Parallel()
	body := signedIn(t, &fake{}).get("/events/" + eventID.String()).body
	require.Contains(t, body, "503 from fra1.qualtrics.com", "its own reason")
	require.Contains(t, body, "upsert contact is not tried for now</b>: <span translate=\"no\">the account&#39;s limit is used up")
	require.Contains(t, body, `<a href="/destinations/acme">`)
	require.Contains(t, body, "8a1f-93", "for the account's support")

	v := testView(t, "ja", "")
	require.Nil(t, v.waits(&ops.Delivery{Status: "retrying"}))
	require.Equal(t, "aya が一時停止しました", v.waits(&ops.Delivery{Status: "held", Paused: &ops.Paused{At: testNow, By: "aya"}}).Text)
}
