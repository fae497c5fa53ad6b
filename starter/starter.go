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
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/cors"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/store"
)

// Events is where events are stored.
type Events interface {
	StoreEvents(ctx context.Context, events []store.NewEvent, lease time.Duration) ([]store.Accepted, error)
	EventByMessage(ctx context.Context, source id.ID, messageID string) (id.ID, error)
	NoteURLUse(ctx context.Context, token [32]byte, at time.Time) error
}

// Launcher starts the processing of stored events.
type Launcher interface {
	ProcessEvents(ctx context.Context, events []id.ID, source string) error
}

// Traces follows requests through the starter.
type Traces interface {
	// Request begins to follow a request of a route, and goes on with the trace that its
	// headers name; end is told how it went.
	Request(ctx context.Context, route string, header func(name string) string) (traced context.Context, end func(error))
	// Mark is what the events of a request keep of it, as store.NewEvent has it.
	Mark(ctx context.Context) []byte
	// Commit begins to follow what is stored together for requests, by their contexts.
	Commit(ctx context.Context, requests []context.Context) (traced context.Context, end func())
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
	Metrics  prometheus.Registerer // nil: not told
	Traces   Traces                // nil: nothing is traced
	Logger   *slog.Logger          // nil: slog.Default()
	Now      func() time.Time      // nil: time.Now
}

// Starter takes events. Make it with New, stop it with Close.
type Starter struct {
	o        Options
	gate     gate
	commit   *committer
	dispatch *dispatcher
	uses     *uses
	metrics  *metrics
}

// New returns a running starter.
func New(o Options) *Starter {
	if o.SameBody <= 0 {
		o.SameBody = 10 * time.Minute
	}
	if o.Webhooks.Bytes <= 0 {
		o.Webhooks.Bytes = 16 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	m := newMetrics(o.Metrics)
	d := newDispatcher(o.Launcher, o.Logger, m)
	s := &Starter{o: o, gate: newGate(), metrics: m, dispatch: d, uses: newUses(o), commit: newCommitter(o, d, m)}
	m.waiting(o.Metrics, s.commit.queued.Load)
	return s
}

// Close stores what was taken, starts the processing of what can be started
// within seconds, and stops. Requests after it are told to come back. Safe twice.
func (s *Starter) Close() {
	s.commit.close()
	s.dispatch.close()
	s.uses.close()
}

// Register adds the routes under /v1 that take events.
func (s *Starter) Register(app fiber.Router) {
	v1 := app.Group("/v1", cors.New(cors.Config{
		AllowOrigins: "*",
		AllowMethods: "POST,OPTIONS",
		AllowHeaders: "Authorization,Content-Type,X-Retry-Count,Traceparent,Tracestate",
		// A page's script sees no other headers of an answer.
		ExposeHeaders: fiber.HeaderRetryAfter + "," + rateLimitReset,
		MaxAge:        86400,
	}))
	take := func(path string, h fiber.Handler) { v1.Post(path, s.follow("/v1"+path, s.unlessFull(h))) }
	take("/batch", s.batch)
	take("/import", s.batch)
	take("/b", s.batch)
	v1.Post("/m", s.selfMetrics)
	take("/webhooks/segment/:source", s.webhook)
	take("/workflows/:token", s.workflowURL)
	for _, name := range [...]string{"identify", "track", "page", "screen", "group", "alias", "i", "t", "p", "s", "g", "a"} {
		typ, _ := segment.TypeOfPath(name)
		take("/"+name, s.call(typ))
	}
}

// follow has requests of a route traced. The route has parameters in place of what is
// secret.
func (s *Starter) follow(route string, take fiber.Handler) fiber.Handler {
	if s.o.Traces == nil {
		return take
	}
	return func(c *fiber.Ctx) error {
		// What the request holds dies with it, and a trace lives on.
		ctx, end := s.o.Traces.Request(c.UserContext(), route, func(name string) string { return strings.Clone(c.Get(name)) })
		c.SetUserContext(ctx)
		err := take(c)
		end(err)
		return err
	}
}

// rateLimitReset is the header in which Segment says what Retry-After says.
const rateLimitReset = "X-RateLimit-Reset"

// unlessFull answers before the body is looked at when there is no room for it.
func (s *Starter) unlessFull(take fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		var err error = errBusy
		if !s.commit.full() {
			err = take(c)
		}
		if err != nil && fault.KindOf(err) == fault.RateLimited {
			s.metrics.busy.Inc()
			c.Set(rateLimitReset, strconv.Itoa(int(fault.RetryAfter(err).Seconds())))
		}
		return err
	}
}

// selfMetrics takes what analytics.js measures of itself, and forgets it.
func (s *Starter) selfMetrics(c *fiber.Ctx) error { return success(c) }

func success(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.SendString(`{"success":true}`)
}
