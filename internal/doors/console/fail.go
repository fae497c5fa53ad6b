package console

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/doors/kit"
)

var (
	errNoPage = errors.New("no page here")
	errForged = errors.New("request was not made by a page of this console")
)

// FailView is what the error page says.
type FailView struct {
	Heading, Text, Detail string
	RequestID             string
	Retry                 bool
}

type failure struct {
	status int
	key    string // fail.<key> and fail.<key>_text
	retry  bool
}

var failures = map[fault.Kind]failure{
	fault.Internal:     {fiber.StatusInternalServerError, "internal", true},
	fault.Invalid:      {fiber.StatusBadRequest, "invalid", false},
	fault.Unauthorized: {fiber.StatusForbidden, "unauthorized", false},
	fault.NotFound:     {fiber.StatusNotFound, "not_found", false},
	fault.Conflict:     {fiber.StatusConflict, "conflict", true},
	fault.RateLimited:  {fiber.StatusTooManyRequests, "rate_limited", true},
	fault.Unavailable:  {fiber.StatusServiceUnavailable, "unavailable", true},
}

// fail words an error: what failed, what to do, and the request id under which
// the log has more. Only what nobody can understand from the page is logged.
func (r *request) fail(err error) error {
	f := failures[fault.KindOf(err)]
	switch {
	case errors.Is(err, errNoPage):
		f = failure{fiber.StatusNotFound, "no_page", false}
	case errors.Is(err, errForged):
		f = failure{fiber.StatusForbidden, "forged", true}
	}
	rid := kit.RequestID(r.Ctx)
	data := FailView{Heading: r.view.T("fail." + f.key), Text: r.view.T("fail." + f.key + "_text"), RequestID: rid, Retry: f.retry && r.Method() == fiber.MethodGet}
	if f.key == "invalid" || f.key == "conflict" || f.key == "unavailable" {
		data.Detail = fault.Public(err)
	}
	if f.status >= 500 {
		r.console.log.Error("console page failed", "path", r.Path(), "request_id", rid, "error", err)
	}
	if renderErr := showStatus(r, f.status, "fail", data.Heading, data); renderErr != nil {
		r.console.log.Error("console error page failed", "request_id", rid, "error", renderErr)
		return r.Status(fiber.StatusInternalServerError).SendString("internal error, request " + rid)
	}
	return nil
}
