package qualtrics

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/outside/courier"
	"github.com/segue-xm/segue/internal/outside/courier/pace"
)

// deliveryPatience is how long a delivery's call may wait for its turn within the
// account's limits: longer than somebody who looks at a page would.
const deliveryPatience = 30 * time.Second

// Accounts opens the accounts of a plan's destinations. Safe for concurrent use.
type Accounts struct {
	secrets   func(ctx context.Context) (map[string]string, error)
	transport http.RoundTripper // shared, so that connections are kept
	now       func() time.Time
}

// NewAccounts returns accounts whose tokens are among secrets. They are called at
// their own hosts or, for tests, all at standIn when it is not nil.
func NewAccounts(secrets func(context.Context) (map[string]string, error), standIn *url.URL, now func() time.Time) *Accounts {
	a := &Accounts{secrets: secrets, transport: NewTransport(), now: now}
	if standIn != nil {
		a.transport = elsewhere{standIn, a.transport}
	}
	return a
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

// Client calls a destination's account for somebody who waits for the answer.
func (a *Accounts) Client(ctx context.Context, d plan.Destination) (*Client, error) {
	return a.client(ctx, d, nil)
}

// client calls a destination's account; by may be nil.
func (a *Accounts) client(ctx context.Context, d plan.Destination, by *pace.Pace) (*Client, error) {
	secrets, err := a.secrets(ctx)
	if err != nil {
		return nil, err
	}
	token, err := d.APIToken.Resolve(plan.Lookup(secrets))
	if err != nil {
		return nil, fault.Field("api_token", "%s", fault.Public(err))
	}
	return New(Options{
		Datacenter: d.Datacenter, APIToken: token, WorkflowHosts: d.WorkflowHosts, Transport: a.transport, Pace: by, Now: a.now,
	})
}

// Open is for deliveries: see courier.Accounts.
func (a *Accounts) Open(ctx context.Context, d *routing.Destination, known string) (courier.Account, error) {
	by := NewPace(pace.Options{Patience: deliveryPatience, Now: a.now})
	var s pace.State
	if json.Unmarshal([]byte(known), &s) == nil { // what cannot be read is no pace at all: a new account's
		by.Resume(s)
	}
	client, err := a.client(ctx, d.Def, by)
	if err != nil {
		return nil, err
	}
	return account{NewConnector(client), by}, nil
}

// account is an account with the pace of its deliveries.
type account struct {
	*Connector
	pace *pace.Pace
}

// Links are Qualtrics' own placeholders.
func (a account) Links() (survey, optOut string) { return SurveyLink, OptOutLink }

// Pace is the pace's state as text.
func (a account) Pace() string {
	b, err := json.Marshal(a.pace.State())
	if err != nil {
		return "" // texts and numbers
	}
	return string(b)
}
