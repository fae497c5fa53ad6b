package client

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/query"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/doors/api"
	"github.com/segue-xm/segue/internal/doors/kit"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/internal/ops/opstest"
)

const testPlan = `version: 1
sources: [{name: web, write_keys: ["${WEB_KEY}"]}]
directories: [{name: customers, default: true, mailing_lists: [everyone]}]
destinations: [{name: xm, type: directory, directory: customers}]
mappings:
  - name: keep
    source: web
    destination: xm
    action: upsert_contact
    fields: {email: {"@path": $.traits.email}}
`

// inProcess sends requests to an app without a network.
type inProcess struct{ app *fiber.App }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := p.app.Test(r, -1)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

// setup is a client of a server with an empty store.
func setup(t *testing.T) (*Client, *store.Store) {
	t.Parallel()
	d, err := db.Open(t.Context(), db.Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "segue.db")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	st := store.New(d)
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ErrorHandler: kit.ErrorHandler(slog.Default())})
	all := ops.New(ops.Options{Store: ops.Database{Store: st, Reader: query.New(d)}, Plans: &ops.Plans{Store: st, Sealer: opstest.Sealer{}}, Revisions: routing.NewCache(st)})
	api.Register(app.Group("/api"), all, kit.BearerAuth(kit.Tokens("t")))
	c, err := New("http://segue.test/", "t")
	require.NoError(t, err)
	c.http.Transport = inProcess{app}
	return c, st
}

func TestClient_PlanThenEventThenWhy(t *testing.T) {
	c, st := setup(t)
	ctx := t.Context()
	in := ops.PlanInput{File: "p.yaml", Plan: testPlan, Secrets: map[string]string{"WEB_KEY": "k"}}
	require.NoError(t, c.Validate(ctx, in))
	diff, err := c.Diff(ctx, in)
	require.NoError(t, err)
	require.Zero(t, diff.Revision)
	applied, err := c.Apply(ctx, in)
	require.NoError(t, err)
	require.Equal(t, int64(1), applied.Revision)
	require.Equal(t, diff.Changes, applied.Changes)

	in.Plan = testPlan + "    enabled: false\n    when: userId = \"ada\"\n"
	diff, err = c.Diff(ctx, in)
	require.NoError(t, err)
	p1, _ := plan.Parse("", []byte(testPlan))
	p2, _ := plan.Parse("", []byte(in.Plan))
	require.Equal(t, plan.Compare(p1.Plan, p2.Plan).Text(), diff.Changes.Text(), "the text for people is the same here and there")

	yaml, revision, err := c.Export(ctx)
	require.NoError(t, err)
	require.Equal(t, int64(1), revision)
	require.Contains(t, string(yaml), "name: keep")

	web, err := st.NameID(ctx, plan.KindSource, "web")
	require.NoError(t, err)
	stored, err := st.StoreEvents(ctx, []store.NewEvent{{Source: web, Type: "identify", UserID: "ada", MessageID: "m1",
		Body: []byte(`{"type":"identify","userId":"ada","traits":{"email":{"z":1,"a":2}}}`)}}, time.Minute)
	require.NoError(t, err)
	page, err := c.Events(ctx, ops.EventFilter{MessageID: "m1", Source: "web"}, ops.Paging{Limit: 5})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, segment.Accepted, page.Items[0].Status)
	event, err := c.Event(ctx, stored[0].ID)
	require.NoError(t, err)
	require.Equal(t, page.Items[0].ID, event.ID)

	why, err := c.Why(ctx, stored[0].ID)
	require.NoError(t, err)
	require.Len(t, why.Mappings, 1)
	require.Equal(t, "keep", why.Mappings[0].Mapping)
	require.Equal(t, fql.True, why.Mappings[0].Clauses.Outcome)
	require.NotEmpty(t, why.Mappings[0].Fields)
	email := slices.IndexFunc(why.Mappings[0].Fields, func(f mapping.FieldTrace) bool { return f.Field == "email" })
	require.Equal(t, `{"z":1,"a":2}`, jsonvalue.Text(why.Mappings[0].Fields[email].Raw), "values keep the order of their keys")
	require.Equal(t, "ada", why.Body.Get("userId"))

	overview, err := c.Overview(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, overview.Waiting)
}

func TestClient_Destinations_TestedPausedAndResumed(t *testing.T) {
	c, _ := setup(t)
	ctx := t.Context()
	_, err := c.Apply(ctx, ops.PlanInput{File: "p.yaml", Plan: testPlan, Secrets: map[string]string{"WEB_KEY": "k"}})
	require.NoError(t, err)
	paused, err := c.Pause(ctx, "xm", ops.PauseInput{Note: "moving house"})
	require.NoError(t, err)
	require.Equal(t, "moving house", paused.Paused.Note)
	all, err := c.Destinations(ctx)
	require.NoError(t, err)
	require.Equal(t, []ops.Destination{paused}, all)
	resumed, err := c.Resume(ctx, paused.ID.String())
	require.NoError(t, err)
	require.Equal(t, "ok", resumed.Status)
	found, err := c.TestConnection(ctx, "xm")
	require.NoError(t, err)
	require.True(t, found.OK)
	_, err = c.Resume(ctx, "no/where")
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	require.ErrorContains(t, err, "no/where", "the name arrives as it is")
}

func TestClient_Lists_GoOnFromTheCursor(t *testing.T) {
	c, st := setup(t)
	var events []store.NewEvent
	for _, m := range []string{"a", "b", "c"} {
		events = append(events, store.NewEvent{Source: 1, MessageID: m, Body: []byte("{}")})
	}
	_, err := st.StoreEvents(t.Context(), events, time.Minute)
	require.NoError(t, err)
	var seen []string
	p := ops.Paging{Limit: 2}
	for {
		page, err := c.Events(t.Context(), ops.EventFilter{}, p)
		require.NoError(t, err)
		for _, e := range page.Items {
			seen = append(seen, e.MessageID)
		}
		if p.Cursor = page.Next; p.Cursor == "" {
			break
		}
	}
	require.Equal(t, []string{"c", "b", "a"}, seen)
}

func TestClient_EveryEmptyList(t *testing.T) {
	c, _ := setup(t)
	ctx := t.Context()
	contacts, err := c.Contacts(ctx, ops.ContactFilter{Email: "a@b.c"}, ops.Paging{})
	require.NoError(t, err)
	require.Empty(t, contacts.Items)
	runs, err := c.Runs(ctx, ops.RunFilter{Status: "done"}, ops.Paging{})
	require.NoError(t, err)
	require.Empty(t, runs.Items)
	distributions, err := c.Distributions(ctx, ops.DistributionFilter{}, ops.Paging{})
	require.NoError(t, err)
	require.Empty(t, distributions.Items)
	invitations, err := c.Invitations(ctx, ops.InvitationFilter{}, ops.Paging{})
	require.NoError(t, err)
	require.Empty(t, invitations.Items)
	outbox, err := c.Outbox(ctx, ops.Paging{})
	require.NoError(t, err)
	require.Empty(t, outbox.Items)
	for name, err := range map[string]error{
		"contact":      second(c.Contact(ctx, 5)),
		"run":          second(c.Run(ctx, 5)),
		"event":        second(c.Event(ctx, 5)),
		"why":          second(c.Why(ctx, 5)),
		"changes":      second(c.Changes(ctx, 5, ops.Paging{})),
		"transactions": second(c.Transactions(ctx, 5, ops.Paging{})),
	} {
		require.Equal(t, fault.NotFound, fault.KindOf(err), name)
	}
}

func second[T any](_ T, err error) error { return err }

func TestClient_Errors_KeepTheirKindAndField(t *testing.T) {
	c, _ := setup(t)
	_, err := c.Events(t.Context(), ops.EventFilter{Source: "nope"}, ops.Paging{})
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	require.Equal(t, fault.Invalid, f.Kind)
	require.Equal(t, "source", f.Field)
	require.Contains(t, f.Message, "nope")

	_, err = c.Apply(t.Context(), ops.PlanInput{File: "p.yaml", Plan: "version: 1\nnope: 2\n"})
	var problems *ops.PlanProblems
	require.ErrorAs(t, err, &problems)
	require.Equal(t, "p.yaml", problems.Problems[0].File)
	require.Equal(t, 2, problems.Problems[0].Line)
	require.Equal(t, fault.Invalid, fault.KindOf(err))

	c.token = "other"
	_, err = c.Run(t.Context(), id.ID(5))
	require.Equal(t, fault.Unauthorized, fault.KindOf(err))
}

func TestClient_NobodyOrSomebodyElseAnswers_IsUnavailable(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/overview" {
			http.Redirect(w, r, "http://elsewhere.test/", http.StatusFound)
			return
		}
		http.Error(w, "<html>", http.StatusBadGateway)
	}))
	c, err := New(other.URL, "t")
	require.NoError(t, err)
	_, err = c.Run(t.Context(), 5)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	_, err = c.Overview(t.Context())
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "a redirect is not followed")
	other.Close()
	_, err = c.Run(t.Context(), 5)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.ErrorContains(t, err, "is segue running there?")
}

func TestNew_NotAnAddress_IsRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "127.0.0.1:8080", "ftp://x", "http://", "::"} {
		_, err := New(address, "")
		require.Equal(t, fault.Invalid, fault.KindOf(err), address)
	}
}
