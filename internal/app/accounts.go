package app

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
)

// accounts opens the Qualtrics accounts of the plan's destinations.
type accounts struct {
	secrets   func(ctx context.Context) (map[string]string, error)
	transport http.RoundTripper // shared, so that connections are kept
	now       func() time.Time
}

// patience is how long a delivery's call may wait for its turn within the account's
// limits: longer than somebody who looks at a page would.
const patience = 30 * time.Second

// newAccounts returns accounts that are called at their own hosts or, for tests,
// all at standIn.
func newAccounts(secrets func(context.Context) (map[string]string, error), standIn string, now func() time.Time) (*accounts, error) {
	a := &accounts{secrets: secrets, transport: qualtrics.NewTransport(), now: now}
	if standIn == "" {
		return a, nil
	}
	u, err := url.Parse(standIn)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fault.Field("qualtrics-url", "want http://host:port, have %q", standIn)
	}
	a.transport = elsewhere{u, a.transport}
	return a, nil
}

// elsewhere leads all calls to one address.
type elsewhere struct {
	to   *url.URL
	next http.RoundTripper
}

// RoundTrip sends a request there.
func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = e.to.Scheme, e.to.Host, e.to.Host
	return e.next.RoundTrip(r)
}

// client calls a destination's account; pace may be nil.
func (a *accounts) client(ctx context.Context, d plan.Destination, pace *qualtrics.Pace) (*qualtrics.Client, error) {
	secrets, err := a.secrets(ctx)
	if err != nil {
		return nil, err
	}
	token, err := d.APIToken.Resolve(plan.Lookup(secrets))
	if err != nil {
		return nil, fault.Field("api_token", "%s", fault.Public(err))
	}
	return qualtrics.New(qualtrics.Options{
		Datacenter: d.Datacenter, APIToken: token, WorkflowHosts: d.WorkflowHosts, Transport: a.transport, Pace: pace, Now: a.now,
	})
}

// Client is for somebody who waits for the answer.
func (a *accounts) Client(ctx context.Context, d plan.Destination) (*qualtrics.Client, error) {
	return a.client(ctx, d, nil)
}

// Open is for deliveries.
func (a *accounts) Open(ctx context.Context, d *routing.Destination, state string) (activities.Account, error) {
	pace := qualtrics.NewPace(qualtrics.PaceOptions{Patience: patience, Now: a.now})
	var s qualtrics.PaceState
	if json.Unmarshal([]byte(state), &s) == nil { // what cannot be read is no pace at all: a new account's
		pace.Resume(s)
	}
	client, err := a.client(ctx, d.Def, pace)
	if err != nil {
		return nil, err
	}
	return account{qualtrics.NewConnector(client), pace}, nil
}

// account is an account with the pace of its deliveries.
type account struct {
	*qualtrics.Connector
	pace *qualtrics.Pace
}

// Links are Qualtrics' own placeholders.
func (a account) Links() (survey, optOut string) { return qualtrics.SurveyLink, qualtrics.OptOutLink }

// Pace is the pace's state as text.
func (a account) Pace() string {
	b, err := json.Marshal(a.pace.State())
	if err != nil {
		return "" // texts and numbers
	}
	return string(b)
}
