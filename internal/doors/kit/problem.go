package kit

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/ops"
)

// statuses is how a kind of fault is told over HTTP.
var statuses = map[fault.Kind]int{
	fault.Internal:     http.StatusInternalServerError,
	fault.Invalid:      http.StatusBadRequest,
	fault.Unauthorized: http.StatusUnauthorized,
	fault.NotFound:     http.StatusNotFound,
	fault.Conflict:     http.StatusConflict,
	fault.RateLimited:  http.StatusTooManyRequests,
	fault.Unavailable:  http.StatusServiceUnavailable,
}

// kinds is the inverse, for the errors that Fiber makes.
var kinds = map[int]fault.Kind{
	http.StatusUnauthorized:       fault.Unauthorized,
	http.StatusNotFound:           fault.NotFound,
	http.StatusConflict:           fault.Conflict,
	http.StatusTooManyRequests:    fault.RateLimited,
	http.StatusServiceUnavailable: fault.Unavailable,
}

// ErrorHandler answers every error as application/problem+json (RFC 9457) with
// the request's id. The text of an internal error stays in the log, which has the
// route's pattern and never the path or the query: both can name a person or hold
// a token.
func ErrorHandler(logger *slog.Logger) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		p := problemOf(err)
		p.RequestID = RequestID(c)
		switch {
		case p.Status >= http.StatusInternalServerError && p.Status != http.StatusServiceUnavailable:
			logger.ErrorContext(c.UserContext(), "request failed", "request_id", p.RequestID, "method", c.Method(), "route", c.Route().Path, "error", err)
		case p.Status == http.StatusServiceUnavailable:
			logger.WarnContext(c.UserContext(), "request failed for now", "request_id", p.RequestID, "method", c.Method(), "route", c.Route().Path, "error", err)
		}
		if after := fault.RetryAfter(err); after > 0 {
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(after.Seconds()))))
		}
		if p.Status == http.StatusUnauthorized && c.GetRespHeader(fiber.HeaderWWWAuthenticate) == "" {
			c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		}
		body, jsonErr := json.Marshal(p)
		if jsonErr != nil {
			return jsonErr
		}
		c.Set(fiber.HeaderContentType, "application/problem+json")
		return c.Status(p.Status).Send(body)
	}
}

// problemOf is an error as it may be shown.
func problemOf(err error) ops.Problem {
	p := ops.Problem{Type: "about:blank"}
	var fromFiber *fiber.Error
	var known *fault.Error
	var bad *ops.PlanProblems
	kind := fault.KindOf(err)
	switch {
	case errors.As(err, &fromFiber):
		p.Status, p.Detail = fromFiber.Code, fromFiber.Message
		if kind = kinds[p.Status]; kind == fault.Internal && p.Status < http.StatusInternalServerError {
			kind = fault.Invalid
		}
	case errors.Is(err, context.DeadlineExceeded):
		kind, p.Status, p.Detail = fault.Unavailable, http.StatusServiceUnavailable, "this took too long: ask for less, or later"
	case errors.As(err, &known):
		p.Status, p.Detail, p.Field = statuses[kind], known.Message, known.Field
		if kind == fault.Internal {
			p.Detail, p.Field = "internal error", ""
		}
	default:
		p.Status, p.Detail = http.StatusInternalServerError, "internal error"
	}
	if errors.As(err, &bad) {
		p.Problems = bad.Problems
	}
	p.Kind, p.Title = kind.String(), http.StatusText(p.Status)
	return p
}

// RequestID is the request's id, which its answer carries as X-Request-Id; the
// first call makes it.
func RequestID(c *fiber.Ctx) string {
	if v := c.GetRespHeader(fiber.HeaderXRequestID); v != "" {
		return v
	}
	var b [8]byte
	rand.Read(b[:]) //nolint:errcheck // never fails (Go 1.24)
	v := hex.EncodeToString(b[:])
	c.Set(fiber.HeaderXRequestID, v)
	return v
}
