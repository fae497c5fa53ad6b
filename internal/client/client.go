// Package client asks a running Segue over its HTTP API: what the command line
// uses.
//
//	c, err := client.New("http://127.0.0.1:8080", token)
//	page, err := c.Events(ctx, ops.EventFilter{Status: "failed"}, ops.Paging{})
//
// Errors are faults of the kind the server named, *ops.PlanProblems for a plan
// with problems, and Unavailable when nobody answers. It does not send events:
// those go to the Tracking API.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/ops"
)

const (
	timeout   = 60 * time.Second
	maxAnswer = 256 << 20
)

// Client asks one server. Safe for concurrent use.
type Client struct {
	base  string // up to and with /api
	token string
	http  *http.Client
}

// New returns a client of the server at an address such as
// http://127.0.0.1:8080, or an Invalid error when it is none.
func New(address, token string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fault.Field("url", "want an address like http://127.0.0.1:8080")
	}
	return &Client{
		base: strings.TrimSuffix(u.Scheme+"://"+u.Host+u.Path, "/") + "/api", token: token,
		// The token is for this server alone, so nothing is followed elsewhere.
		http: &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// Events lists events.
func (c *Client) Events(ctx context.Context, f ops.EventFilter, p ops.Paging) (ops.Page[ops.Event], error) {
	return list[ops.Event](ctx, c, "/events", "events", f, p)
}

// Event is one event with its deliveries.
func (c *Client) Event(ctx context.Context, event id.ID) (ops.Event, error) {
	return get[ops.Event](ctx, c, "/events/"+event.String())
}

// Contacts lists contacts.
func (c *Client) Contacts(ctx context.Context, f ops.ContactFilter, p ops.Paging) (ops.Page[ops.Contact], error) {
	return list[ops.Contact](ctx, c, "/contacts", "contacts", f, p)
}

// Contact is one contact.
func (c *Client) Contact(ctx context.Context, contact id.ID) (ops.Contact, error) {
	return get[ops.Contact](ctx, c, "/contacts/"+contact.String())
}

// Transactions lists a contact's transactions, latest date first.
func (c *Client) Transactions(ctx context.Context, contact id.ID, p ops.Paging) (ops.Page[ops.Transaction], error) {
	return list[ops.Transaction](ctx, c, "/contacts/"+contact.String()+"/transactions", "transactions", nil, p)
}

// Changes lists what changed on a contact.
func (c *Client) Changes(ctx context.Context, contact id.ID, p ops.Paging) (ops.Page[ops.Change], error) {
	return list[ops.Change](ctx, c, "/contacts/"+contact.String()+"/changes", "changes", nil, p)
}

// Runs lists runs.
func (c *Client) Runs(ctx context.Context, f ops.RunFilter, p ops.Paging) (ops.Page[ops.Run], error) {
	return list[ops.Run](ctx, c, "/runs", "runs", f, p)
}

// Run is one run with its steps.
func (c *Client) Run(ctx context.Context, run id.ID) (ops.Run, error) {
	return get[ops.Run](ctx, c, "/runs/"+run.String())
}

// Distributions lists distributions.
func (c *Client) Distributions(ctx context.Context, f ops.DistributionFilter, p ops.Paging) (ops.Page[ops.Distribution], error) {
	return list[ops.Distribution](ctx, c, "/distributions", "distributions", f, p)
}

// Invitations lists invitations.
func (c *Client) Invitations(ctx context.Context, f ops.InvitationFilter, p ops.Paging) (ops.Page[ops.Invitation], error) {
	return list[ops.Invitation](ctx, c, "/invitations", "invitations", f, p)
}

// Outbox lists caught mails.
func (c *Client) Outbox(ctx context.Context, p ops.Paging) (ops.Page[ops.Mail], error) {
	return list[ops.Mail](ctx, c, "/outbox", "mails", nil, p)
}

// Overview counts the last hour.
func (c *Client) Overview(ctx context.Context) (ops.Overview, error) {
	return get[ops.Overview](ctx, c, "/overview")
}

// list asks by a search, so that no filter stands in an address.
func list[T any](ctx context.Context, c *Client, path, name string, filter any, p ops.Paging) (page ops.Page[T], err error) {
	body := map[string]any{}
	if filter != nil {
		b, err := json.Marshal(filter)
		if err != nil {
			return page, err
		}
		if err := json.Unmarshal(b, &body); err != nil {
			return page, err
		}
	}
	if p.Cursor != "" {
		body["cursor"] = p.Cursor
	}
	if p.Limit != 0 {
		body["limit"] = p.Limit
	}
	answer, err := post[map[string]json.RawMessage](ctx, c, path+"/search", body)
	if err != nil {
		return page, err
	}
	if err := read(answer[name], &page.Items); err != nil {
		return page, err
	}
	if next, ok := answer["next"]; ok {
		err = read(next, &page.Next)
	}
	return page, err
}

func get[T any](ctx context.Context, c *Client, path string) (v T, err error) {
	b, _, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return v, err
	}
	return v, read(b, &v)
}

func post[T any](ctx context.Context, c *Client, path string, body any) (v T, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return v, err
	}
	b, _, err := c.do(ctx, http.MethodPost, path, text)
	if err != nil {
		return v, err
	}
	return v, read(b, &v)
}

// read decodes an answer; what does not fit comes from another kind of server.
func read(b []byte, to any) error {
	return fault.Wrap(fault.Internal, json.Unmarshal(b, to), "the answer is not what this version of segue knows")
}

// do sends one request and returns the answer of a success.
func (c *Client) do(ctx context.Context, method, path string, body []byte) ([]byte, http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		var at *url.Error // its text would repeat the method and the address
		if errors.As(err, &at) {
			err = at.Err
		}
		return nil, nil, fault.Wrap(fault.Unavailable, err, "no answer from %s: is segue running there?", strings.TrimSuffix(c.base, "/api"))
	}
	defer resp.Body.Close() //nolint:errcheck // it was read, or is of no use
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "the answer broke off")
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusAccepted {
		return nil, nil, problem(resp, b)
	}
	return b, resp.Header, nil
}

// problem is the error that an answer tells.
func problem(resp *http.Response, body []byte) error {
	var p ops.Problem
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(body, &p) != nil {
		return fault.New(fault.Unavailable, "%s answered %s, and not as segue does", resp.Request.URL.Host, resp.Status)
	}
	if len(p.Problems) > 0 {
		return &ops.PlanProblems{Problems: p.Problems}
	}
	err := fault.New(fault.ParseKind(p.Kind), "%s", p.Detail)
	err.Field = p.Field
	if err.Kind == fault.Internal {
		err.Message += " (request " + p.RequestID + ": see the server's log)"
	}
	if seconds, bad := strconv.Atoi(resp.Header.Get("Retry-After")); bad == nil {
		err.RetryAfter = time.Duration(seconds) * time.Second
	}
	return err
}
