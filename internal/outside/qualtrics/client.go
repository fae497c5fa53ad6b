package qualtrics

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/outside/courier/pace"
	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

// Options say which account and how to reach it.
type Options struct {
	Datacenter string // such as fra1; empty: iad1
	APIToken   string // required
	// WorkflowHosts are hosts besides Qualtrics' own that a workflow URL may name,
	// as "host", "host:port" or with http:// before. They never get the token.
	WorkflowHosts []string
	// UserAgent is by default the one of Segment's destination, so that whatever an
	// account has arranged for that goes on.
	UserAgent string
	Timeout   time.Duration     // of one call; default 10 s
	Transport http.RoundTripper // carries the requests; default NewTransport
	// Pace keeps the account's limits. Clients of one account should share one;
	// nil: one of its own.
	Pace *pace.Pace
	Now  func() time.Time // default time.Now
}

const (
	defaultTimeout   = 10 * time.Second
	defaultUserAgent = "Segment (Actions)"
	maxAnswer        = 16 << 20
)

// Client calls one account. Safe for concurrent use.
type Client struct {
	hosts
	token     string
	userAgent string
	timeout   time.Duration
	http      *http.Client
	pace      *pace.Pace
	abroad    *pace.Pace // other hosts' troubles are not the account's
	now       func() time.Time
}

// New returns a client, or an Invalid error about a setting. Nothing is called yet:
// see Whoami.
func New(o Options) (*Client, error) {
	h, err := newHosts(o.Datacenter, o.WorkflowHosts)
	if err != nil {
		return nil, err
	}
	if o.APIToken == "" || strings.ContainsFunc(o.APIToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fault.Field("api_token", "want the token from Account Settings, Qualtrics IDs")
	}
	c := &Client{hosts: h, token: o.APIToken, userAgent: o.UserAgent, timeout: o.Timeout, pace: o.Pace, now: o.Now}
	if c.userAgent == "" {
		c.userAgent = defaultUserAgent
	}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.pace == nil {
		c.pace = NewPace(pace.Options{Now: c.now})
	}
	c.abroad = NewPace(pace.Options{Now: c.now})
	transport := o.Transport
	if transport == nil {
		transport = NewTransport()
	}
	c.http = &http.Client{Transport: transport, CheckRedirect: h.redirect}
	return c, nil
}

// NewTransport is the default transport: HTTPS without a proxy, whatever the
// environment says. Clients may share one, and with it its connections.
func NewTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	t.MaxConnsPerHost = 64
	t.MaxIdleConnsPerHost = 16
	t.MaxResponseHeaderBytes = 64 << 10
	return t
}

// Requests notes the request ids of the calls made with a context.
type Requests struct {
	mu  sync.Mutex
	ids []string
}

type requestsKey struct{}

// Record returns a context that notes the request id of every call made with it.
func Record(ctx context.Context) (context.Context, *Requests) {
	r := &Requests{}
	return context.WithValue(ctx, requestsKey{}, r), r
}

// IDs are the request ids so far, in order, those of failed calls among them.
func (r *Requests) IDs() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.ids...)
}

func note(ctx context.Context, id string) {
	r, ok := ctx.Value(requestsKey{}).(*Requests)
	if !ok || id == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids = append(r.ids, id)
}

// call is one request to make.
type call struct {
	what   string // for messages: "create contact"
	method string
	url    *url.URL
	body   []byte // JSON; nil: none
	group  pace.Group
	write  bool // repeating it may do harm
	bare   bool // without the headers of directory calls
}

// reading is a GET of a path of the API, with ids in the places of its names.
func (c *Client) reading(what string, group pace.Group, path string, ids ...string) (call, error) {
	return c.api(what, http.MethodGet, group, nil, path, ids...)
}

// api is a call of the API; body is a shape of wire, nil for none.
func (c *Client) api(what, method string, group pace.Group, body any, path string, ids ...string) (call, error) {
	path, err := wire.Fill(path, ids...)
	if err != nil {
		return call{}, err
	}
	u, err := url.Parse("https://" + c.home + wire.Base + path)
	if err != nil {
		return call{}, fault.Wrap(fault.Invalid, err, "%s", what)
	}
	do := call{what: what, method: method, url: u, group: group}
	if body == nil {
		return do, nil
	}
	do.body, err = wire.Write(body)
	return do, err
}

// answer is what came back.
type answer struct {
	wire.Answer[json.RawMessage]
	status int
	empty  bool   // no body
	broken bool   // no JSON
	claims string // the media type, "" when not said
}

// requestID is the id by which the account's support knows the call.
func (a answer) requestID() string { return clip(string(a.Meta.RequestID)) }

// hasResult reports whether the answer has a result that is an object.
func (a answer) hasResult() bool { return isObject(a.Result) }

func isObject(text []byte) bool { return len(text) > 0 && text[0] == '{' }

// result is the answer's result, as far as it has the shape.
func result[T any](a answer) (r T) {
	if a.hasResult() {
		_ = wire.Read(a.Result, &r) // it was read as JSON before
	}
	return r
}

// do makes a call within the account's limits. Every error is an *Error, but for
// that of the pace, which says that nothing was called.
func (c *Client) do(ctx context.Context, do call) (answer, error) {
	by := c.pace
	if !c.isHome(do.url) {
		by = c.abroad
	}
	var a answer
	err := by.Run(ctx, do.group, func() (err error) {
		a, err = c.send(ctx, do)
		return err
	})
	return a, err
}

func (c *Client) send(ctx context.Context, do call) (answer, error) {
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	// A transport that knows no traces is taken to have connected: the careful guess.
	var asked, got atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { got.Store(true) },
	})
	failed := func(err error) error {
		return networkError(caller, do, clip(do.url.Host), err, got.Load() || !asked.Load())
	}
	var body io.Reader
	if do.body != nil {
		body = bytes.NewReader(do.body)
	}
	req, err := http.NewRequestWithContext(ctx, do.method, do.url.String(), body)
	if err != nil {
		return answer{}, networkError(caller, do, clip(do.url.Host), refuse("the URL cannot be called"), false)
	}
	c.dress(req, do.bare)
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, failed(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return answer{}, failed(err)
	}
	a := readAnswer(res, text)
	note(caller, a.requestID())
	switch {
	case a.status < 200 || a.status > 299:
		return a, c.statusError(do, a, res.Header)
	case len(text) > maxAnswer:
		return a, replyError(do, a, "is larger than %d bytes", maxAnswer)
	case do.bare: // nothing of it is used
	case a.claims == "text/html":
		return a, replyError(do, a, "is a web page: something between here and %s answered", c.home)
	case strings.HasSuffix(a.claims, "json") && a.broken && !a.empty:
		return a, replyError(do, a, "is not JSON")
	}
	return a, nil
}

// dress sets the headers as Segment's destination does. The token stays at home.
func (c *Client) dress(req *http.Request, bare bool) {
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	if c.isHome(req.URL) {
		req.Header.Set(wire.TokenHeader, c.token)
	}
	if !bare {
		req.Header.Set("Internal-Team", "integrations")
		req.Header.Set("Internal-Service", "segment-destination")
	}
}

// readAnswer reads the envelope, whatever it looks like.
func readAnswer(res *http.Response, text []byte) answer {
	a := answer{status: res.StatusCode, empty: len(bytes.TrimSpace(text)) == 0}
	a.claims, _, _ = mime.ParseMediaType(res.Header.Get("Content-Type"))
	a.broken = len(text) > maxAnswer || wire.Read(text, &a.Answer) != nil
	return a
}

// maxPages bounds lists that never end.
const maxPages = 1000

// pages makes a call and follows its pages, giving every element that is an
// object to each, which may end the walk by returning false.
func pages[T any](ctx context.Context, c *Client, do call, each func(T) bool) error {
	for range maxPages {
		a, err := c.do(ctx, do)
		if err != nil {
			return err
		}
		page := result[wire.Page[json.RawMessage]](a)
		if page.Elements == nil {
			return replyError(do, a, "has no elements")
		}
		for _, text := range page.Elements {
			if !isObject(text) {
				continue
			}
			var e T
			if _ = wire.Read(text, &e); !each(e) {
				return nil
			}
		}
		if page.NextPage == nil || *page.NextPage == "" {
			return nil
		}
		u, err := do.url.Parse(string(*page.NextPage))
		if err != nil || !c.isHome(u) {
			return &Error{Call: do.what, RequestID: a.requestID(), fault: fault.New(fault.Invalid, "%s: the next page is not at one of the account's own hosts", do.what)}
		}
		if u.String() == do.url.String() {
			return replyError(do, a, "names itself as its next page")
		}
		do.url = u
	}
	return &Error{Call: do.what, fault: fault.New(fault.Invalid, "%s: more than %d pages", do.what, maxPages)}
}

// all is every element of all pages.
func all[T any](ctx context.Context, c *Client, do call) ([]T, error) {
	var out []T
	err := pages(ctx, c, do, func(e T) bool {
		out = append(out, e)
		return true
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
