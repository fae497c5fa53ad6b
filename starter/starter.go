// Package starter is the HTTP side of Segue's event path: it takes Segment's
// Tracking API and webhooks, stores events before it acknowledges them, and starts
// their processing.
//
// Many requests share one database commit; a 200 is only sent after it. When more
// comes in than can be stored, callers are told to come back (429), and memory
// stays bounded. Temporal being away changes nothing for callers.
package starter

import (
	"context"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/cors"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/segue-xm/segue/internal/id"
	"github.com/segue-xm/segue/internal/segment"
	"github.com/segue-xm/segue/internal/store"
)

// Events is where events are stored.
type Events interface {
	StoreEvents(ctx context.Context, events []store.NewEvent, lease time.Duration) ([]store.Accepted, error)
	EventByMessage(ctx context.Context, source id.ID, messageID string) (id.ID, error)
}

// Launcher starts the processing of stored events.
type Launcher interface {
	ProcessEvents(ctx context.Context, events []id.ID, source string) error
}

// Options are what a starter needs.
type Options struct {
	Events   Events
	Access   *Access
	Launcher Launcher
	// Writers is how many commits run at the same time: 1 on SQLite, which has one
	// writer, a few on PostgreSQL.
	Writers int
	// Webhooks bounds webhook requests.
	Webhooks segment.Limits
	// SameBody is for how long an equal body posted to a workflow's URL without any
	// id is taken for the same event; 0 is 10 minutes.
	SameBody time.Duration
	Metrics  prometheus.Registerer
	Logger   *slog.Logger
	Now      func() time.Time
}

// Starter takes events. Make it with New, stop it with Close.
type Starter struct {
	o        Options
	commit   *committer
	dispatch *dispatcher
	metrics  *metrics
}

// New returns a running starter.
func New(o Options) *Starter {
	if o.SameBody == 0 {
		o.SameBody = 10 * time.Minute
	}
	m := newMetrics(o.Metrics)
	d := newDispatcher(o.Launcher, o.Logger, m)
	return &Starter{o: o, metrics: m, dispatch: d, commit: newCommitter(o, d, m)}
}

// Close stores what was taken, waits for starts that are under way, and stops.
// Requests after it are told to come back.
func (s *Starter) Close() {
	s.commit.close()
	s.dispatch.close()
}

// retryAfter is what callers are told when there is too much, in seconds.
const retryAfter = "1"

// Register adds the routes under /v1 that take events.
func (s *Starter) Register(app fiber.Router) {
	v1 := app.Group("/v1", cors.New(cors.Config{
		AllowOrigins: "*",
		AllowMethods: "POST,OPTIONS",
		AllowHeaders: "Authorization,Content-Type,X-Retry-Count",
		MaxAge:       86400,
	}))
	v1.Post("/batch", s.batch)
	v1.Post("/import", s.batch)
	v1.Post("/b", s.batch)
	v1.Post("/m", s.selfMetrics)
	v1.Post("/webhooks/segment/:source", s.webhook)
	v1.Post("/workflows/:token", s.workflowURL)
	for _, name := range [...]string{"identify", "track", "page", "screen", "group", "alias", "i", "t", "p", "s", "g", "a"} {
		typ, _ := segment.TypeOfPath(name)
		v1.Post("/"+name, s.call(typ))
	}
}

// selfMetrics takes what analytics.js measures of itself, and forgets it.
func (s *Starter) selfMetrics(c *fiber.Ctx) error { return success(c) }

func success(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.SendString(`{"success":true}`)
}
