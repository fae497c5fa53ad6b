package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/fault"
	"github.com/segue-xm/segue/internal/plan"
	"github.com/segue-xm/segue/internal/qualtrics"
	"github.com/segue-xm/segue/internal/qualtrics/qualtricstest"
	"github.com/segue-xm/segue/internal/store"
)

const remotePlan = testPlan + `
  - name: other
    steps: [{id: end, stop: {}}]
`

// lead leads every call to one server.
type lead struct{ to *url.URL }

func (l lead) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = l.to.Scheme, l.to.Host
	return http.DefaultTransport.RoundTrip(r)
}

// connected is a bench whose plan has a Qualtrics destination, acme.
func connected(t *testing.T, token string) (*bench, *qualtricstest.Account) {
	t.Helper()
	there := qualtricstest.New(qualtricstest.Options{Token: "TOKEN-1"})
	server := httptest.NewServer(there)
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	require.NoError(t, err)
	b := setup(t, func(o *Options) {
		o.Accounts = func(_ context.Context, d plan.Destination) (*qualtrics.Client, error) {
			token, err := d.APIToken.Resolve(func(string) (string, bool) { return "", false })
			if err != nil {
				return nil, err
			}
			return qualtrics.New(qualtrics.Options{Datacenter: d.Datacenter, APIToken: token, Transport: lead{to}})
		}
	})
	doc, problems := plan.Parse("plan.yaml", []byte(remotePlan))
	require.NoError(t, problems.Err())
	doc.Plan.Destinations = append(doc.Plan.Destinations, plan.Destination{Name: "acme", Type: plan.TypeQualtrics, Datacenter: "fra1", APIToken: plan.Secret(token)})
	_, err = b.Store.SavePlan(t.Context(), plainSealer{}, doc.Plan, nil, "test")
	require.NoError(t, err)
	return b, there
}

func (b *bench) code(method, path, body string) int {
	code, _, _ := b.request(method, path, body)
	return code
}

func TestConnection_SaysWhatIsWrong(t *testing.T) {
	b, there := connected(t, "TOKEN-1")
	for name, c := range map[string]struct {
		in                      ConnectionInput
		fault                   qualtricstest.Fault
		ok                      bool
		problem, notice, person string
	}{
		"it works":         {ok: true, person: "aya@acme"},
		"another token":    {in: ConnectionInput{APIToken: "TOKEN-2"}, problem: "the API token is unknown in this data center: check both"},
		"elsewhere":        {in: ConnectionInput{Datacenter: "syd1"}, ok: true, person: "aya@acme", notice: "the account is in data center fra1, the destination says syd1"},
		"no data center":   {in: ConnectionInput{Datacenter: "x.evil.test/"}, problem: "datacenter: want letters"},
		"no token":         {in: ConnectionInput{APIToken: " "}, problem: "api_token: want the token"},
		"${} is no name":   {in: ConnectionInput{APIToken: "${X}"}, problem: "the API token is unknown"},
		"account is away":  {fault: qualtricstest.Fault{Status: 503}, problem: "503 as the test wants it"},
		"answer got lost":  {fault: qualtricstest.Fault{Lost: true}, problem: "the connection was lost"},
		"too many callers": {fault: qualtricstest.Fault{Status: 429}, problem: "429"},
	} {
		there.Fail(func(*http.Request) qualtricstest.Fault { return c.fault })
		out, err := b.TestConnection(t.Context(), "acme", c.in)
		require.NoError(t, err, name)
		require.Equal(t, c.ok, out.OK, "%s: %+v", name, out)
		require.Contains(t, out.Problem, c.problem, name)
		require.Equal(t, c.problem == "", out.Problem == "", name)
		require.Contains(t, out.Notice, c.notice, name)
		require.Equal(t, c.person, out.Account, name)
		require.NotContains(t, out.Problem, "TOKEN-", "%s: a token is never shown", name)
	}
	missing, _ := connectedTo(t, b, "${NOT_SET}")
	require.Contains(t, missing.Problem, "${NOT_SET} is not set")
	builtIn, err := b.TestConnection(t.Context(), "xm", ConnectionInput{})
	require.NoError(t, err)
	require.True(t, builtIn.OK)
	_, err = b.TestConnection(t.Context(), "nowhere", ConnectionInput{})
	require.Equal(t, fault.NotFound, fault.KindOf(err))
}

func connectedTo(t *testing.T, b *bench, token string) (Connection, error) {
	t.Helper()
	_, p, err := b.Plans.Current(t.Context())
	require.NoError(t, err)
	p.Destinations[1].APIToken = plan.Secret(token)
	_, err = b.Store.SavePlan(t.Context(), plainSealer{}, p, nil, "test")
	require.NoError(t, err)
	return b.TestConnection(t.Context(), "acme", ConnectionInput{})
}

func TestRemoteDirectories_AreForPickers(t *testing.T) {
	b, there := connected(t, "TOKEN-1")
	var out RemoteDirectoryList
	b.get("/destinations/acme/directories", &out)
	require.Equal(t, []RemoteDirectory{{"POOL_1", "Customers", true}, {"POOL_2", "Staff", false}}, out.Directories)
	there.Fail(func(*http.Request) qualtricstest.Fault { return qualtricstest.Fault{Status: 401} })
	require.Equal(t, 409, b.code("GET", "/destinations/acme/directories", ""), "401 would be about this API's token")
	own, err := b.RemoteDirectories(t.Context(), "xm")
	require.NoError(t, err)
	require.Equal(t, "customers", own.Directories[0].Name)
}

func TestDestinations_PausedAndResumed(t *testing.T) {
	b, _ := connected(t, "TOKEN-1")
	require.Equal(t, 200, b.code("POST", "/destinations/acme/pause", `{"note":"moving house"}`))
	d, err := b.Destination(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "paused", d.Status)
	require.Equal(t, Paused{At: testTime.UTC(), By: "api", Note: "moving house"}, *d.Paused)
	again, err := b.Pause(t.Context(), d.ID.String(), PauseInput{Note: "other"}, "somebody")
	require.NoError(t, err)
	require.Equal(t, "moving house", again.Paused.Note, "the first pause counts")
	require.Equal(t, 200, b.code("POST", "/destinations/acme/resume", ""))
	d, err = b.Destination(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "ok", d.Status)
	require.Nil(t, d.Paused)
	require.Equal(t, 404, b.code("POST", "/destinations/nowhere/pause", ""))
	require.Equal(t, 400, b.code("POST", "/destinations/acme/pause", `{"nota":"x"}`))
}

func TestDestinations_SayWhatHoldsThem(t *testing.T) {
	b, _ := connected(t, "TOKEN-1")
	d, err := b.Destination(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "ok", d.Status)
	require.Equal(t, "fra1", d.Datacenter)
	until := testTime.Add(time.Minute)
	hold := store.Hold{Action: plan.UpsertContact, UntilMillis: until.UnixMilli(), Reason: "the account's limit is used up"}
	require.NoError(t, b.Store.EndRound(t.Context(), store.Round{Destination: d.ID, Holds: []store.Hold{hold}}))
	d, err = b.Destination(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "held", d.Status)
	require.Equal(t, []Hold{{plan.UpsertContact, until, "the account's limit is used up"}}, d.Holds)
	for range 2 {
		require.NoError(t, b.Store.EndRound(t.Context(), store.Round{Destination: d.ID, Trouble: "the token is refused"}))
	}
	d, err = b.Destination(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "failed", d.Status)
	require.Equal(t, Trouble{testTime.UTC(), "the token is refused"}, *d.Trouble)
	require.NoError(t, b.Store.EndRound(t.Context(), store.Round{Destination: d.ID, Answered: true}))
	d, err = b.Destination(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "ok", d.Status)
}
