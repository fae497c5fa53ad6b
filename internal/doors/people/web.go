// Package people is what invited people and survey tools see: personal links, the
// way to opt out, the built-in short survey, and the reporting of responses.
//
//	GET  /l/{token}     personal link: counts, then leads to the survey
//	GET  /u/{token}     asks whether to opt out; never does it
//	POST /u/{token}     opts out; also mail programs' one click (RFC 8058)
//	GET  /s/{token}     the short survey
//	POST /s/{token}     its answer
//	POST /v1/responses  what another survey tool reports
//
// Pages need no script, say nothing about the person, and leave the token in no
// log and no referrer. Operators' pages are in console.
package people

import (
	"context"
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/ops"
)

// Service is what the pages need. Tokens come in canonical form. An unknown
// token is NotFound. All methods are safe to call twice.
type Service interface {
	// OpenLink notes that the personal link was followed and returns the
	// survey's address, "" for the built-in survey.
	OpenLink(ctx context.Context, token string) (surveyURL string, err error)
	// Invitation reads what the pages show and changes nothing.
	Invitation(ctx context.Context, token string) (ops.Invite, error)
	// OptOut unsubscribes the person; once more is no error.
	OptOut(ctx context.Context, token string) error
	// Respond records a response. A second finished one is a Conflict, unless it
	// has the ResponseID of the first.
	Respond(ctx context.Context, r ops.Response) error
	// SurveySecret returns the secrets that reports for the token's survey are
	// signed with, none when the survey has none.
	SurveySecret(ctx context.Context, token string) ([]string, error)
}

// Options says how the pages are served.
type Options struct {
	PublicURL string       // base of links; "" for links relative to the host
	Logger    *slog.Logger // nil: slog.Default
}

type site struct {
	s      Service
	public string
	log    *slog.Logger
}

// Register adds the routes to app. The pages answer failures themselves;
// /v1/responses returns them as faults to the app's ErrorHandler.
func Register(app fiber.Router, s Service, o Options) {
	w := &site{s: s, public: strings.TrimRight(o.PublicURL, "/"), log: o.Logger}
	if w.log == nil {
		w.log = slog.Default()
	}
	app.Get("/l/:token", w.openLink)
	app.Get("/u/:token", w.askOptOut)
	app.Post("/u/:token", w.optOut)
	app.Get("/s/:token", w.showSurvey)
	app.Post("/s/:token", w.answerSurvey)
	app.Post("/v1/responses", w.respond)
}

// protect sets what every answer to an invited person has: nothing is stored,
// indexed, framed, run or told to the next site.
func protect(c *fiber.Ctx) {
	c.Set("Cache-Control", "no-store")
	c.Set("Referrer-Policy", "no-referrer")
	c.Set("X-Robots-Tag", "noindex, nofollow")
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("Content-Security-Policy", policy)
}

// token returns the canonical token of the path, in memory of its own.
func token(c *fiber.Ctx) (string, error) {
	t, err := distribution.ParseToken(c.Params("token"))
	return strings.Clone(t), err
}
