// Package webservice is the task that calls somebody's HTTP service.
//
// It calls public addresses only, unless the operator allowed a network, and it
// never goes through a proxy from the environment. It is not a client for APIs
// that Segue knows by name.
package webservice

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Kind is the task's kind in a plan.
const Kind = "web_service"

const (
	defaultTimeout = 16 * time.Second
	maxTimeout     = 30 * time.Second
	maxAnswer      = 1 << 20
	maxRedirects   = 5
	keyHeader      = "Idempotency-Key"
)

// Options are what an installation decides.
type Options struct {
	// AllowPrivate are networks that may be called although they are not public.
	AllowPrivate []netip.Prefix
	// UserAgent is sent with every call; default "Segue".
	UserAgent string
	// Now reads the clock, for answers that say when to come back as a date;
	// default time.Now.
	Now func() time.Time
	// Wrap, when set, gets what carries the calls, and returns what does instead.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Config are the task's settings.
type Config struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body"`
	Timeout plan.Duration     `json:"timeout"`
}

// Task calls web services. Make it with New.
type Task struct {
	client *http.Client
	agent  string
	now    func() time.Time
}

// New makes the task.
func New(o Options) *Task {
	if o.UserAgent == "" {
		o.UserAgent = "Segue"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: guard{o.AllowPrivate}.control}
	var transport http.RoundTripper = &http.Transport{
		Proxy:                  nil, // a proxy would connect where the guard cannot see
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        time.Minute,
	}
	if o.Wrap != nil {
		transport = o.Wrap(transport)
	}
	return &Task{
		agent: o.UserAgent,
		now:   o.Now,
		client: &http.Client{
			CheckRedirect: checkRedirect,
			Transport:     transport,
		},
	}
}

// Spec describes the task.
func (t *Task) Spec() task.Spec {
	return task.Spec{
		Kind:    Kind,
		Title:   "Call a web service",
		Doc:     "Sends an HTTP request. Later steps see the answer as status, headers and body. The same Idempotency-Key goes with every attempt. Answers 408, 425, 429 and 5xx are tried again, other 4xx fail the step.",
		Timeout: maxTimeout + 5*time.Second,
		Fields: []task.FieldSpec{
			{Name: "method", Type: "text", Doc: "GET, HEAD, POST, PUT, PATCH or DELETE; left out: POST with a body, else GET"},
			{Name: "url", Type: "text", Doc: "http or https; put values into it with the filter url_encode", Required: true},
			{Name: "headers", Type: "object", Doc: "Headers by name; they are not shown and do not go to another host after a redirect", Secret: true},
			{Name: "body", Type: "any", Doc: "A text is sent as it is, anything else as JSON"},
			{Name: "timeout", Type: "duration", Doc: "How long one attempt may take, at most 30s; default 16s"},
		},
	}
}

var (
	methods    = map[string]bool{"": true, "GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true}
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")
	ours       = map[string]bool{"Host": true, "Content-Length": true, "Transfer-Encoding": true, "Connection": true, "Trailer": true, "Upgrade": true, keyHeader: true}
)

// Validate checks settings.
func (t *Task) Validate(c Config) error {
	var errs []error
	bad := func(field, format string, args ...any) { errs = append(errs, fault.Field(field, format, args...)) }
	if !flow.IsTemplate(c.Method) && !methods[c.Method] {
		bad("method", "want GET, HEAD, POST, PUT, PATCH or DELETE")
	}
	if (c.Method == "GET" || c.Method == "HEAD") && c.Body != nil {
		bad("body", "%s has no body", c.Method)
	}
	if err := checkURL(c.URL); err != nil {
		errs = append(errs, err)
	}
	for name, value := range c.Headers {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !headerName.MatchString(name):
			bad("headers", "%q is no header's name", name)
		case ours[canonical]:
			bad("headers."+name, "this header is set by Segue")
		case strings.ContainsAny(value, "\r\n\x00"):
			bad("headers."+name, "a header is one line")
		}
	}
	if c.Timeout.Std() > maxTimeout {
		bad("timeout", "want at most %s", maxTimeout)
	}
	return errors.Join(errs...)
}

func checkURL(text string) error {
	if flow.IsTemplate(text) {
		// The beginning can be checked when it is no template.
		if s := strings.ToLower(text); !strings.HasPrefix(s, "{") && !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
			return fault.Field("url", "want http:// or https://")
		}
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fault.Field("url", "is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return fault.Field("url", "want http:// or https://")
	case u.Hostname() == "":
		return fault.Field("url", "names no host")
	case u.User != nil:
		return fault.Field("url", "put credentials into a header, not into the URL")
	}
	return nil
}

// Run sends the request. Called twice with one key it sends two requests with the
// same Idempotency-Key: that they have one effect is the service's part.
func (t *Task) Run(ctx context.Context, in task.Input[Config]) (task.Output, error) {
	timeout := in.Config.Timeout.Std()
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	call, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := t.request(call, in)
	if err != nil {
		return task.Output{}, err
	}
	res, err := t.client.Do(req)
	if err != nil {
		return task.Output{}, callFault(ctx, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err := t.answerFault(res); err != nil {
		return task.Output{}, err
	}
	switch {
	case len(body) > maxAnswer:
		return task.Output{}, fault.New(fault.Invalid, "the service answered more than %d KB", maxAnswer>>10)
	case err != nil:
		return task.Output{}, callFault(ctx, err)
	}
	return task.Output{Values: answer(res, body)}, nil
}

func (t *Task) request(ctx context.Context, in task.Input[Config]) (*http.Request, error) {
	c := in.Config
	var body io.Reader
	kind := ""
	switch b := c.Body.(type) {
	case nil:
	case string:
		body, kind = strings.NewReader(b), "text/plain; charset=utf-8"
	default:
		body, kind = bytes.NewReader(jsonvalue.Append(nil, b)), "application/json"
	}
	method := c.Method
	switch {
	case method != "":
	case body != nil:
		method = http.MethodPost
	default:
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, c.URL, body)
	if err != nil {
		return nil, fault.Field("url", "is no URL")
	}
	req.Header.Set("User-Agent", t.agent)
	req.Header.Set("Accept", "application/json, */*;q=0.5")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for name, value := range c.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set(keyHeader, in.Key)
	return req, nil
}

var (
	errRedirects = errors.New("more than 5 redirects")
	errScheme    = errors.New("redirected to something that is neither http nor https")
	errDowngrade = errors.New("redirected from https to http")
)

// checkRedirect bounds redirects, and keeps what was meant for one host from the
// next: the library itself only drops the headers it knows to be secret.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first, before := via[0].URL, via[len(via)-1].URL
	switch {
	case len(via) > maxRedirects:
		return errRedirects
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return errScheme
	case before.Scheme == "https" && req.URL.Scheme == "http":
		return errDowngrade
	}
	if req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
		req.URL.User = nil
		for name := range req.Header {
			if name != "User-Agent" && name != "Accept" && name != "Content-Type" {
				req.Header.Del(name)
			}
		}
	}
	return nil
}

// callFault says what a call without an answer means. Texts of the library quote
// the URL, which may hold personal data: they are left out.
func callFault(ctx context.Context, err error) error {
	var refused refusal
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &refused):
		return refused.fault()
	case errors.Is(err, errRedirects), errors.Is(err, errScheme), errors.Is(err, errDowngrade):
		var u *url.Error
		errors.As(err, &u)
		return fault.Field("url", "%v", u.Err)
	case ctx.Err() != nil:
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the call was interrupted")
	case errors.As(err, &dns):
		return fault.New(fault.Unavailable, "the service's name cannot be resolved")
	case errors.As(err, &timeout) && timeout.Timeout():
		return fault.New(fault.Unavailable, "the service did not answer in time")
	}
	return fault.New(fault.Unavailable, "the service cannot be reached")
}

// answerFault says what a status means; nil for 2xx.
func (t *Task) answerFault(res *http.Response) error {
	if res.StatusCode < 300 {
		return nil
	}
	e := fault.New(fault.Invalid, "the service answered %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	switch s := res.StatusCode; {
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		e.Kind = fault.Unauthorized
	case s == http.StatusNotFound || s == http.StatusGone:
		e.Kind = fault.NotFound
	case s == http.StatusConflict:
		e.Kind = fault.Conflict
	case s == http.StatusTooManyRequests:
		e.Kind = fault.RateLimited
	case s >= 500 || s == http.StatusRequestTimeout || s == http.StatusTooEarly:
		e.Kind = fault.Unavailable
	}
	if !e.Kind.Final() {
		e.RetryAfter = retryAfter(res.Header.Get("Retry-After"), t.now())
	}
	return e
}

// retryAfter reads RFC 9110, section 10.2.3: seconds or a date; at most a day.
func retryAfter(text string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31); err == nil {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), 24*time.Hour)
}

// answer is what later steps see: status, headers by small names, body as JSON
// when it is, else as text. Cookies are left out: they are credentials.
func answer(res *http.Response, body []byte) *jsonvalue.Object {
	headers := jsonvalue.NewObject(len(res.Header))
	for name, values := range res.Header {
		if name != "Set-Cookie" {
			headers.Set(strings.ToLower(name), strings.ToValidUTF8(strings.Join(values, ", "), "\ufffd"))
		}
	}
	out := jsonvalue.NewObject(3)
	out.Set("status", float64(res.StatusCode))
	out.Set("headers", headers)
	var content any = strings.ToValidUTF8(string(body), "\ufffd")
	if kind := strings.ToLower(res.Header.Get("Content-Type")); strings.Contains(kind, "json") {
		if v, err := jsonvalue.Parse(body); err == nil {
			content = v
		}
	}
	if len(body) == 0 {
		content = nil
	}
	out.Set("body", content)
	return out
}
