package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
	"github.com/segue-xm/segue/internal/outside/qualtrics/standin"
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
func connected(t *testing.T, token string, change ...func(*Options)) (*bench, *standin.Account) {
	t.Helper()
	there := standin.New(standin.Options{Token: "TOKEN-1"})
	server := httptest.NewServer(there)
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	require.NoError(t, err)
	b := setup(t, append(change, func(o *Options) {
		o.Accounts = func(_ context.Context, d plan.Destination) (*qualtrics.Client, error) {
			token, err := d.APIToken.Resolve(func(string) (string, bool) { return "", false })
			if err != nil {
				return nil, err
			}
			return qualtrics.New(qualtrics.Options{Datacenter: d.Datacenter, APIToken: token, Transport: lead{to}})
		}
	})...)
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
		fault                   standin.Fault
		ok                      bool
		problem, notice, person string
	}{
		"it works":         {ok: true, person: "aya@acme"},
		"another token":    {in: ConnectionInput{APIToken: "TOKEN-2"}, problem: "the API token is unknown in this data center: check both"},
		"elsewhere":        {in: ConnectionInput{Datacenter: "syd1"}, ok: true, person: "aya@acme", notice: "the account is in data center fra1, the destination says syd1"},
		"no data center":   {in: ConnectionInput{Datacenter: "x.evil.test/"}, problem: "datacenter: want letters"},
		"no token":         {in: ConnectionInput{APIToken: " "}, problem: "api_token: want the token"},
		"${} is no name":   {in: ConnectionInput{APIToken: "${X}"}, problem: "the API token is unknown"},
		"account is away":  {fault: standin.Fault{Status: 503}, problem: "503 as the test wants it"},
		"answer got lost":  {fault: standin.Fault{Lost: true}, problem: "the connection was lost"},
		"too many callers": {fault: standin.Fault{Status: 429}, problem: "429"},
	} {
		there.Fail(func(*http.Request) standin.Fault { return c.fault })
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
	there.Fail(func(*http.Request) standin.Fault { return standin.Fault{Status: 401} })
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
	hold := delivery.Hold{Action: plan.UpsertContact, UntilMillis: until.UnixMilli(), Reason: "the account's limit is used up"}
	require.NoError(t, b.Store.EndRound(t.Context(), delivery.Round{Destination: d.ID, Holds: []delivery.Hold{hold}}))
	d, err = b.Destination(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "held", d.Status)
	require.Equal(t, []Hold{{plan.UpsertContact, until, "the account's limit is used up"}}, d.Holds)
	for range 2 {
		require.NoError(t, b.Store.EndRound(t.Context(), delivery.Round{Destination: d.ID, Trouble: "the token is refused"}))
	}
	d, err = b.Destination(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "failed", d.Status)
	require.Equal(t, Trouble{testTime.UTC(), "the token is refused"}, *d.Trouble)
	require.NoError(t, b.Store.EndRound(t.Context(), delivery.Round{Destination: d.ID, Answered: true}))
	d, err = b.Destination(t.Context(), "acme")
	require.NoError(t, err)
	require.Nil(t, d.Trouble)
	require.Equal(t, "held", d.Status, "what was held for another reason still is")
	d, err = b.Resume(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "ok", d.Status)
}

// waits makes a delivery of a new event wait at acme, as the first round leaves it.
func (b *bench) waits(status string, due time.Time, action string) id.ID {
	b.t.Helper()
	stored, err := b.Store.StoreEvents(b.t.Context(), []store.NewEvent{{Source: b.name(plan.KindSource, "web"), Type: "identify",
		MessageID: fmt.Sprint(b.db.Next()), Body: []byte(`{"type":"identify"}`)}}, time.Minute)
	require.NoError(b.t, err)
	ref := delivery.Ref{Event: stored[0].ID, Mapping: b.name(plan.KindMapping, "keep")}
	require.NoError(b.t, b.Store.WriteDeliveries(b.t.Context(), []delivery.New{{Event: ref.Event, Mapping: ref.Mapping,
		Destination: b.name(plan.KindDestination, "acme"), Action: action, Status: delivery.Pending, Occurred: testTime, Payload: []byte(`{}`), Due: testTime}}))
	if status != "pending" {
		result := jsonvalue.NewObject(1)
		result.Set("requests", []any{"req-1"})
		require.NoError(b.t, b.Store.MarkDeliveries(b.t.Context(), []delivery.Mark{{Ref: ref, Status: delivery.Status(status), Attempts: 2, Reason: "its own reason", Result: result, Due: due}}))
	}
	return ref.Event
}

// shown is the delivery of an event, which its explanation has too.
func (b *bench) shown(event id.ID) Delivery {
	b.t.Helper()
	why, err := b.Why(b.t.Context(), event)
	require.NoError(b.t, err)
	require.Len(b.t, why.Event.Deliveries, 1)
	i := slices.IndexFunc(why.Mappings, func(m MappingWhy) bool { return m.Delivery != nil })
	require.Equal(b.t, why.Event.Deliveries[0], *why.Mappings[i].Delivery)
	return why.Event.Deliveries[0]
}

func TestDelivery_WhileItsActionIsHeld_IsNextTriedWhenTheHoldEnds(t *testing.T) {
	b, _ := connected(t, "TOKEN-1")
	soon, late, until := testTime.Add(time.Second), testTime.Add(time.Hour), testTime.Add(time.Minute)
	retrying, patient := b.waits("retrying", soon, plan.UpsertContact), b.waits("retrying", late, plan.UpsertContact)
	pending, other := b.waits("pending", testTime, plan.UpsertContact), b.waits("retrying", soon, plan.UpsertTransaction)
	require.Equal(t, soon, *b.shown(retrying).NextAttempt)
	require.Nil(t, b.shown(retrying).Hold)
	require.Nil(t, b.shown(pending).NextAttempt)

	hold := delivery.Hold{Action: plan.UpsertContact, UntilMillis: until.UnixMilli(), Reason: "the account's limit is used up"}
	require.NoError(t, b.Store.EndRound(t.Context(), delivery.Round{Destination: b.name(plan.KindDestination, "acme"), Holds: []delivery.Hold{hold}}))
	d := b.shown(retrying)
	require.Equal(t, Hold{plan.UpsertContact, until, "the account's limit is used up"}, *d.Hold)
	require.Equal(t, until, *d.NextAttempt)
	require.Equal(t, "its own reason", d.Reason)
	require.Equal(t, `{"requests":["req-1"]}`, jsonvalue.Text(d.Result))
	require.Equal(t, late, *b.shown(patient).NextAttempt, "its own time is later")
	require.Equal(t, until, *b.shown(pending).NextAttempt)
	require.Equal(t, soon, *b.shown(other).NextAttempt, "the hold is on another action")
	require.Nil(t, b.shown(other).Hold)
}

func TestDelivery_WhileItsDestinationIsPaused_HasNoNextAttempt(t *testing.T) {
	b, _ := connected(t, "TOKEN-1")
	retrying, held, done := b.waits("retrying", testTime.Add(time.Second), plan.UpsertContact), b.waits("held", testTime.AddDate(9, 0, 0), plan.UpsertContact), b.waits("done", testTime, plan.UpsertContact)
	_, err := b.Pause(t.Context(), "acme", PauseInput{Note: "moving house"}, "aya")
	require.NoError(t, err)
	for _, event := range []id.ID{retrying, held} {
		d := b.shown(event)
		require.Equal(t, Paused{testTime.UTC(), "aya", "moving house"}, *d.Paused)
		require.Nil(t, d.NextAttempt)
		require.Equal(t, "its own reason", d.Reason)
	}
	require.Nil(t, b.shown(done).Paused, "it is over")
}

func TestOverview_DestinationsThatAreNotOk_AreParts(t *testing.T) {
	now := testTime
	b, _ := connected(t, "TOKEN-1", func(o *Options) { o.Now = func() time.Time { now = now.Add(overviewFresh); return now } })
	acme := b.name(plan.KindDestination, "acme")
	part := func() *Part {
		o, err := b.Overview(t.Context())
		require.NoError(t, err)
		if len(o.Parts) == 0 {
			return nil
		}
		require.Len(t, o.Parts, 1)
		return &o.Parts[0]
	}
	require.Nil(t, part(), "both are ok")

	soon, later := testTime.Add(time.Minute), testTime.Add(time.Hour)
	require.NoError(t, b.Store.EndRound(t.Context(), delivery.Round{Destination: acme, Holds: []delivery.Hold{
		{Action: plan.UpsertContact, UntilMillis: soon.UnixMilli(), Reason: "minute"}, {Action: plan.StartWorkflow, UntilMillis: later.UnixMilli(), Reason: "hour"}}}))
	require.Equal(t, Part{Name: "acme", Status: "held", Detail: "hour", Destination: acme, Until: &later}, *part())

	for range 2 {
		require.NoError(t, b.Store.EndRound(t.Context(), delivery.Round{Destination: acme, Trouble: "the token is refused"}))
	}
	at := testTime.UTC()
	require.Equal(t, Part{Name: "acme", Status: "failed", Detail: "the token is refused", Destination: acme, Since: &at}, *part())

	_, err := b.Pause(t.Context(), "acme", PauseInput{Note: "moving house"}, "aya")
	require.NoError(t, err)
	require.Equal(t, Part{Name: "acme", Status: "held", Detail: "paused by aya: moving house", Destination: acme, Since: &at}, *part())
	_, err = b.Resume(t.Context(), "acme")
	require.NoError(t, err)
	require.Nil(t, part())

	_, p, err := b.Plans.Current(t.Context())
	require.NoError(t, err)
	p.Destinations[1].Enabled = new(bool)
	_, err = b.Store.SavePlan(t.Context(), plainSealer{}, p, nil, "test")
	require.NoError(t, err)
	require.Nil(t, part(), "off, and nothing waits")
	b.waits("held", testTime.AddDate(9, 0, 0), plan.UpsertContact)
	require.Equal(t, Part{Name: "acme", Status: "held", Detail: "switched off, and deliveries wait", Destination: acme}, *part())
}
