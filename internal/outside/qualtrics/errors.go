package qualtrics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

// Error is a call that failed. It unwraps to a *fault.Error, whose kind says
// whether trying again can help.
type Error struct {
	Call      string // what was asked for: "create contact"
	Status    int    // of the answer; 0 when there was none
	Code      string // the account's error code, such as "DCD_7"; may be empty
	RequestID string // what Qualtrics' support asks for; may be empty
	// Unknown: the call may have taken effect all the same, so look before it is
	// repeated. Only for calls that write.
	Unknown bool

	fault *fault.Error
}

// Error is the message for people and its cause.
func (e *Error) Error() string { return e.fault.Error() }

// Unwrap makes the error's kind known.
func (e *Error) Unwrap() error { return e.fault }

// RequestID is the request id that the account gave to the call that failed with
// err, or "".
func RequestID(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.RequestID
	}
	return ""
}

// OutcomeUnknown reports whether what failed with err may have taken effect all
// the same: a connection that was lost after the request went out, a time-out, an
// answer that makes no sense.
func OutcomeUnknown(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Unknown
}

// TokenRefused reports whether err says that the account does not take the token:
// a matter of the account's settings, not of what was asked.
func TokenRefused(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Status == http.StatusUnauthorized || e.Code == wire.CodeNoToken || e.Code == wire.CodeUnknownToken)
}

// kindOfStatus says what an HTTP status that is no success means. 408, 423, 429
// and 5xx but 501 may pass; nothing else does: Segment's rule for its destinations.
func kindOfStatus(status int) fault.Kind {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.Unauthorized
	case http.StatusNotFound, http.StatusGone:
		return fault.NotFound
	case http.StatusConflict:
		return fault.Conflict
	case http.StatusTooManyRequests:
		return fault.RateLimited
	case http.StatusRequestTimeout, http.StatusLocked:
		return fault.Unavailable
	case http.StatusNotImplemented:
		return fault.Invalid
	}
	if status >= 500 {
		return fault.Unavailable
	}
	return fault.Invalid
}

// mayHaveHappened reports whether a write that was answered with status may have
// taken effect: the status of somebody who gave up waiting, or broke down. Who
// says 423, 429 or 503 did not begin.
func mayHaveHappened(status int) bool {
	switch status {
	case http.StatusRequestTimeout:
		return true
	case http.StatusNotImplemented, http.StatusServiceUnavailable:
		return false
	}
	return status >= 500
}

// hints say what an error code means for whoever set up the account; the two
// look alike otherwise.
var hints = map[string]string{
	wire.CodeNoToken:      "no API token reached the account",
	wire.CodeUnknownToken: "the API token is unknown in this data center: check both",
}

// maxMessage is how much of the account's message is kept, in bytes.
const maxMessage = 500

// statusError is the error of an answer that is no success.
func (c *Client) statusError(do call, a answer, header http.Header) error {
	kind := kindOfStatus(a.status)
	code := string(a.Meta.Error.Code)
	if code == wire.CodeNoToken {
		kind = fault.Unauthorized
	}
	var m strings.Builder
	fmt.Fprintf(&m, "%s: %d %s", do.what, a.status, cmp.Or(c.clean(string(a.Meta.Error.Message)), http.StatusText(a.status)))
	var about []string
	for _, s := range []string{hints[code], c.clean(code)} {
		if s != "" {
			about = append(about, s)
		}
	}
	if id := a.requestID(); id != "" {
		about = append(about, "request "+id)
	}
	if len(about) > 0 {
		fmt.Fprintf(&m, " (%s)", strings.Join(about, ", "))
	}
	f := fault.New(kind, "%s", m.String())
	if kind == fault.RateLimited || kind == fault.Unavailable {
		f.RetryAfter = retryAfter(header.Get("Retry-After"), c.now())
	}
	return &Error{
		Call: do.what, Status: a.status, Code: code, RequestID: a.requestID(),
		Unknown: do.write && mayHaveHappened(a.status), fault: f,
	}
}

// minMasked is the length from which a token is taken out of texts: a shorter one
// is no real one, and stands in many words.
const minMasked = 8

// clean is a text of the other side as it may be shown: bounded, on one line,
// without the token.
func (c *Client) clean(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	if len(c.token) >= minMasked {
		s = strings.ReplaceAll(s, c.token, "•••")
	}
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	return s
}

// maxRetryAfter bounds what the other side may ask for.
const maxRetryAfter = time.Hour

// retryAfter reads the header of that name: seconds, or a date. What cannot be
// read is 0, unknown.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	var d time.Duration
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		if !(s > 0) { // NaN too
			return 0
		}
		d = time.Duration(min(s, maxRetryAfter.Seconds()) * float64(time.Second))
	} else if at, err := http.ParseTime(text); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}

// refusal is an error of our own about a call that is not to be made.
type refusal struct{ why string }

func (r refusal) Error() string { return r.why }

func refuse(format string, args ...any) error { return refusal{fmt.Sprintf(format, args...)} }

// networkError is the error of a call without a usable answer. connected says
// that a connection was there, so that the request may have gone out.
func networkError(ctx context.Context, do call, host string, err error, connected bool) error {
	var no refusal
	if errors.As(err, &no) {
		return &Error{Call: do.what, fault: fault.New(fault.Invalid, "%s: %s", do.what, no.why)}
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // the outer one shows the URL, which may hold a secret
	}
	why := "the connection was lost"
	var timeout net.Error
	var lookup *net.DNSError
	switch {
	case errors.As(err, &lookup) && lookup.IsNotFound:
		why = "there is no such host: is the data center right?"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		why = "no answer in time"
	case ctx.Err() != nil:
		why = "given up"
	case !connected:
		why = "cannot connect"
	}
	f := fault.Wrap(fault.Unavailable, err, "%s: %s: %s", do.what, host, why)
	var e *fault.Error
	errors.As(f, &e)
	return &Error{Call: do.what, Unknown: do.write && connected, fault: e}
}

// replyError is the error of a success that cannot be read. A write has probably
// taken effect.
func replyError(do call, a answer, format string, args ...any) error {
	about := ""
	if id := a.requestID(); id != "" {
		about = " (request " + id + ")"
	}
	return &Error{
		Call: do.what, Status: a.status, RequestID: a.requestID(), Unknown: do.write,
		fault: fault.New(fault.Unavailable, "%s: the answer %s%s", do.what, fmt.Sprintf(format, args...), about),
	}
}
