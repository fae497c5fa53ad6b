package qualtrics_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

func TestNew_BadSetting_IsInvalidAndNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o     qualtrics.Options
		field string
	}{
		{qualtrics.Options{Datacenter: "x.evil.test/", APIToken: "t"}, "datacenter"},
		{qualtrics.Options{Datacenter: "fra1.", APIToken: "t"}, "datacenter"},
		{qualtrics.Options{Datacenter: "a@b", APIToken: "t"}, "datacenter"},
		{qualtrics.Options{Datacenter: "-fra1", APIToken: "t"}, "datacenter"},
		{qualtrics.Options{}, "api_token"},
		{qualtrics.Options{APIToken: "a\r\nb"}, "api_token"},
		{qualtrics.Options{APIToken: "t", WorkflowHosts: []string{"ftp://x"}}, "workflow_hosts"},
		{qualtrics.Options{APIToken: "t", WorkflowHosts: []string{"x.test/path"}}, "workflow_hosts"},
	} {
		_, err := qualtrics.New(c.o)
		var f *fault.Error
		require.ErrorAs(t, err, &f, "%+v", c.o)
		require.Equal(t, fault.Invalid, f.Kind)
		require.Equal(t, c.field, f.Field)
	}
}

func TestNew_NoDatacenter_IsIad1(t *testing.T) {
	t.Parallel()
	there := newAccount(t, ok(`{"result":{"userName":"u"}}`))
	_, err := there.client(t, func(o *qualtrics.Options) { o.Datacenter = "" }).Whoami(bg())
	require.NoError(t, err)
	require.Equal(t, "iad1.qualtrics.com", there.seen()[0].host)
}

func TestStatus_KindRetryAndOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status  int
		kind    fault.Kind
		unknown bool // of a write
	}{
		{400, fault.Invalid, false}, {401, fault.Unauthorized, false}, {403, fault.Unauthorized, false},
		{404, fault.NotFound, false}, {408, fault.Unavailable, true}, {409, fault.Conflict, false},
		{413, fault.Invalid, false}, {415, fault.Invalid, false}, {423, fault.Unavailable, false},
		{429, fault.RateLimited, false}, {500, fault.Unavailable, true}, {501, fault.Invalid, false},
		{502, fault.Unavailable, true}, {503, fault.Unavailable, false}, {504, fault.Unavailable, true},
		{300, fault.Invalid, false}, {418, fault.Invalid, false},
	} {
		there := newAccount(t, reply{status: c.status, body: `{"meta":{"requestId":"req-7","error":{"errorMessage":"so\nit is","errorCode":"X_1"}}}`})
		_, err := there.client(t).CreateContact(bg(), "POOL_1", mapping.Contact{ExtRef: "u"})
		require.Equal(t, c.kind, fault.KindOf(err), c.status)
		require.Equal(t, c.unknown, qualtrics.OutcomeUnknown(err), c.status)
		require.Equal(t, "req-7", qualtrics.RequestID(err))
		require.Contains(t, fault.Public(err), "so it is (X_1, request req-7)")

		_, err = there.client(t).SearchContacts(bg(), "POOL_1", qualtrics.Criterion{Field: "extRef", Value: "u"})
		require.False(t, qualtrics.OutcomeUnknown(err), "a search writes nothing")
	}
}

func TestStatus_KnownCodes_SayWhatToCheck(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{"ATP_2": "no API token reached", "DCD_7": "unknown in this data center"} {
		there := newAccount(t, reply{status: 400, body: `{"meta":{"error":{"errorMessage":"no","errorCode":"` + code + `"}}}`})
		_, err := there.client(t).Whoami(bg())
		require.ErrorContains(t, err, want)
	}
}

func TestStatus_RetryAfter_IsReadAndBounded(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"7": 7 * time.Second, "0.5": 500 * time.Millisecond, "": 0, "-3": 0, "soon": 0, "NaN": 0,
		"999999999999": time.Hour, frozen.Add(90 * time.Second).Format(http.TimeFormat): 89 * time.Second,
		frozen.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		there := newAccount(t, reply{status: 429, header: map[string]string{"Retry-After": text}})
		_, err := there.client(t).Whoami(bg())
		require.Equal(t, fault.RateLimited, fault.KindOf(err))
		require.InDelta(t, want, fault.RetryAfter(err), float64(time.Second), text)
	}
}

func TestError_NeverShowsTheToken(t *testing.T) {
	t.Parallel()
	there := newAccount(t, reply{status: 401, body: `{"meta":{"error":{"errorMessage":"SECRET-TOKEN-9 is unknown"}}}`})
	_, err := there.client(t, func(o *qualtrics.Options) { o.APIToken = "SECRET-TOKEN-9" }).Whoami(bg())
	require.ErrorContains(t, err, "is unknown")
	require.NotContains(t, err.Error(), "SECRET")
}

func TestConnection_Lost_OutcomeOfAWriteIsUnknown(t *testing.T) {
	t.Parallel()
	there := newAccount(t, reply{reset: true})
	_, err := there.client(t).CreateContact(bg(), "POOL_1", mapping.Contact{ExtRef: "u"})
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.True(t, qualtrics.OutcomeUnknown(err))
	_, err = there.client(t).Whoami(bg())
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.False(t, qualtrics.OutcomeUnknown(err))
}

func TestConnection_NoAnswerInTime_OutcomeOfAWriteIsUnknown(t *testing.T) {
	t.Parallel()
	there := newAccount(t, reply{hang: true})
	c := there.client(t, func(o *qualtrics.Options) { o.Timeout = 50 * time.Millisecond })
	_, err := c.CreateContact(bg(), "POOL_1", mapping.Contact{ExtRef: "u"})
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.ErrorContains(t, err, "no answer in time")
	require.True(t, qualtrics.OutcomeUnknown(err))
}

func TestConnection_Refused_NothingWasWritten(t *testing.T) {
	t.Parallel()
	nobody := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}}
	there := newAccount(t, ok(`{}`))
	c := there.client(t, func(o *qualtrics.Options) { o.Transport = nobody })
	_, err := c.CreateContact(bg(), "POOL_1", mapping.Contact{ExtRef: "u"})
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.ErrorContains(t, err, "cannot connect")
	require.False(t, qualtrics.OutcomeUnknown(err))
}

func TestAnswer_WebPage_IsNotTheAccounts(t *testing.T) {
	t.Parallel()
	there := newAccount(t, reply{status: 200, header: map[string]string{"Content-Type": "text/html"}, body: "<html>sign in to the wifi"})
	_, err := there.client(t).CreateContact(bg(), "POOL_1", mapping.Contact{ExtRef: "u"})
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
}

func TestRedirect_WithinOwnHosts_IsFollowedWithTheBody(t *testing.T) {
	t.Parallel()
	there := newAccount(t,
		reply{status: 308, header: map[string]string{"Location": "https://brand.fra1.qualtrics.com/API/v3/directories/POOL_1/contacts"}},
		ok(`{"result":{"id":"CID_1"}}`))
	id, err := there.client(t).CreateContact(bg(), "POOL_1", mapping.Contact{ExtRef: "u"})
	require.NoError(t, err)
	require.Equal(t, "CID_1", id)
	last := there.seen()[1]
	require.Equal(t, "brand.fra1.qualtrics.com", last.host)
	require.Equal(t, "TOKEN-1", last.header.Get("X-API-TOKEN"))
	require.True(t, sameJSON(last.body, parsed(t, `{"extRef":"u"}`)))
}

func TestRedirect_Elsewhere_IsRefused(t *testing.T) {
	t.Parallel()
	for _, to := range []string{
		"https://evil.test/", "http://fra1.qualtrics.com/API/v3/whoami", "https://fra1.qualtrics.com.evil.test/",
		"https://fra1.qualtrics.com:8443/", "https://sjc1.qualtrics.com/API/v3/whoami", "https://evilfra1.qualtrics.com/",
	} {
		there := newAccount(t, reply{status: 307, header: map[string]string{"Location": to}}, ok(`{"result":{"userName":"u"}}`))
		_, err := there.client(t).Whoami(bg())
		require.Equal(t, fault.Invalid, fault.KindOf(err), to)
		require.Len(t, there.seen(), 1, to)
	}
}

func TestRedirect_ThatDropsTheBody_IsRefused(t *testing.T) {
	t.Parallel()
	there := newAccount(t, reply{status: 302, header: map[string]string{"Location": "/API/v3/elsewhere"}}, ok(`{}`))
	_, err := there.client(t).CreateContact(bg(), "POOL_1", mapping.Contact{ExtRef: "u"})
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.Len(t, there.seen(), 1)
}

func TestIDs_InPaths_CannotLeaveTheirPlace(t *testing.T) {
	t.Parallel()
	there := newAccount(t, ok(`{"result":{"id":"CID_1"}}`))
	c := there.client(t)
	for _, id := range []string{"", "..", ".", "a/b", `a\b`, "../whoami", "a\nb"} {
		_, err := c.CreateContact(bg(), id, mapping.Contact{ExtRef: "u"})
		require.Equal(t, fault.Invalid, fault.KindOf(err), id)
		require.ErrorContains(t, err, "directoryId")
	}
	require.Empty(t, there.seen())
	_, err := c.CreateContact(bg(), "a?b=c#d%2f e", mapping.Contact{ExtRef: "u"})
	require.NoError(t, err)
	require.Equal(t, []string{"POST /API/v3/directories/a%3Fb=c%23d%252f%20e/contacts"}, there.paths())
}

func TestDirectories_AllPages(t *testing.T) {
	t.Parallel()
	there := newAccount(t,
		ok(`{"result":{"elements":[{"directoryId":"POOL_1","name":"a","isDefault":true}],"nextPage":"https://fra1.qualtrics.com/API/v3/directories?skipToken=x%2By"}}`),
		ok(`{"result":{"elements":[{"directoryId":"POOL_2","name":"b"}],"nextPage":null}}`))
	all, err := there.client(t).Directories(bg())
	require.NoError(t, err)
	require.Equal(t, []wire.Directory{{ID: "POOL_1", Name: "a", Default: true}, {ID: "POOL_2", Name: "b"}}, all)
	require.Equal(t, []string{"GET /API/v3/directories/", "GET /API/v3/directories?skipToken=x%2By"}, there.paths())
}

func TestPages_ElsewhereOrEndless_AreRefused(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"https://evil.test/", "http://fra1.qualtrics.com/", "https://fra1.qualtrics.com/API/v3/directories/"} {
		there := newAccount(t, ok(`{"result":{"elements":[],"nextPage":"`+next+`"}}`))
		_, err := there.client(t).Directories(bg())
		require.Error(t, err, next)
		require.Len(t, there.seen(), 1, next)
	}
}

func TestStartWorkflow_Hosts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url          string
		sent, signed bool
	}{
		{"https://fra1.qualtrics.com/triggers/api/v1/event?s=1", true, true},
		{"https://FRA1.Qualtrics.com:443/x", true, true},
		{"https://brand.fra1.qualtrics.com/x", true, true},
		{"https://syd1.qualtrics.com/x", true, false},
		{"https://hooks.example.com/x", true, false},
		{"http://localhost:8080/v1/workflows/t", true, false},
		{"http://fra1.qualtrics.com/x", false, false},
		{"https://fra1.qualtrics.com:8443/x", false, false},
		{"https://hooks.example.com:8443/x", false, false},
		{"http://hooks.example.com/x", false, false},
		{"https://localhost:8080/x", false, false},
		{"https://evil.test/fra1.qualtrics.com", false, false},
		{"https://fra1.qualtrics.com@evil.test/", false, false},
		{"https://fra1.qualtrics.com.evil.test/", false, false},
		{"https://notqualtrics.com/", false, false},
		{"file:///etc/passwd", false, false},
		{"//fra1.qualtrics.com/x", false, false},
		{"", false, false},
	} {
		there := newAccount(t, ok(`{"meta":{"requestId":"r1"}}`))
		client := there.client(t, func(o *qualtrics.Options) { o.WorkflowHosts = []string{"hooks.example.com", "http://localhost:8080"} })
		_, err := client.StartWorkflow(bg(), c.url, parsed(t, `{"a":1}`))
		if !c.sent {
			require.Equal(t, fault.Invalid, fault.KindOf(err), c.url)
			require.Empty(t, there.seen(), c.url)
			continue
		}
		require.NoError(t, err, c.url)
		require.Equal(t, c.signed, there.seen()[0].header.Get("X-API-TOKEN") != "", c.url)
		require.Empty(t, there.seen()[0].header.Get("Internal-Team"), c.url)
	}
}

func TestStartWorkflow_Error_DoesNotShowTheURL(t *testing.T) {
	t.Parallel()
	there := newAccount(t, reply{reset: true})
	_, err := there.client(t).StartWorkflow(bg(), "https://fra1.qualtrics.com/inbound-event?urlTokenId=s3cret", parsed(t, `{}`))
	require.True(t, qualtrics.OutcomeUnknown(err))
	require.NotContains(t, err.Error(), "s3cret")
}

func TestRecord_NotesEveryRequest(t *testing.T) {
	t.Parallel()
	there := newAccount(t, ok(`{"meta":{"requestId":"r1"},"result":{"userName":"u"}}`), reply{status: 404, body: `{"meta":{"requestId":"r2"}}`})
	c := there.client(t)
	ctx, requests := qualtrics.Record(bg())
	_, err := c.Whoami(ctx)
	require.NoError(t, err)
	_, err = c.Whoami(ctx)
	require.Error(t, err)
	require.Equal(t, []string{"r1", "r2"}, requests.IDs())
}

func TestSearchContacts_ReadsTheSearchsOwnNames(t *testing.T) {
	t.Parallel()
	there := newAccount(t, ok(`{"result":{"elements":[{"id":"CID_1","phoneNumber":"+1","externalDataReference":5,"unsubscribed":true}]}}`))
	found, err := there.client(t).SearchContacts(bg(), "POOL_1", qualtrics.Criterion{Field: "email", Value: "a@b.c"})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, "+1", string(found[0].Phone))
	require.Equal(t, "5", string(found[0].ExtRef))
	require.True(t, *found[0].Unsubscribed)
	_, err = there.client(t).SearchContacts(bg(), "POOL_1")
	require.Equal(t, fault.Invalid, fault.KindOf(err))
}

func TestTransactionKey_IsStableAndFits(t *testing.T) {
	t.Parallel()
	key := qualtrics.TransactionKey("web", "orders", "m-1")
	require.Len(t, key, 16)
	require.Empty(t, strings.Trim(key, "abcdefghijklmnopqrstuvwxyz123456789"))
	require.Equal(t, key, qualtrics.TransactionKey("web", "orders", "m-1"))
	require.NotEqual(t, key, qualtrics.TransactionKey("web", "orders", "m-2"))
	require.NotEqual(t, qualtrics.TransactionKey("a", "bc"), qualtrics.TransactionKey("ab", "c"))
}
