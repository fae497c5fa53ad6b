package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.temporal.io/sdk/client"

	"github.com/segue-xm/segue/internal/data/query"
	"github.com/segue-xm/segue/internal/doors/api"
	"github.com/segue-xm/segue/internal/doors/console"
	"github.com/segue-xm/segue/internal/doors/kit"
	"github.com/segue-xm/segue/internal/doors/people"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/starter"
)

// maxBody is the largest request body that is read at all; each path has its own,
// smaller limit.
const maxBody = 17 << 20

func (p *process) buildHTTP(ctx context.Context) (*fiber.App, error) {
	app := fiber.New(fiber.Config{
		AppName: "segue", DisableStartupMessage: true, BodyLimit: maxBody, DisablePreParseMultipartForm: true,
		ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorHandler: kit.ErrorHandler(p.log),
	})
	p.health(app)
	if p.o.Mode == Worker {
		return app, nil
	}
	if err := p.ingest(ctx, app); err != nil {
		return nil, err
	}
	people.Register(app, &ops.Invited{
		Store: p.store, Current: p.cache.Current, Secrets: p.plans.Secrets, Answered: p.launcher.Answered, PublicURL: p.o.PublicURL, Logger: p.log,
	}, people.Options{PublicURL: p.o.PublicURL, Logger: p.log})

	known := kit.Tokens(p.o.AdminToken)
	all := p.operations()
	api.Register(app.Group("/api"), all, kit.BearerAuth(known))

	key, err := p.o.sessionKey()
	if err != nil {
		return nil, err
	}
	hint := ""
	if p.o.Mode == Dev {
		hint = p.o.AdminToken
	}
	pages, err := console.New(console.Options{
		Operations: console.Of(all), SessionKey: key, Now: p.o.Now, DevSignIn: hint, TemporalUI: p.addresses.TemporalUI, Logger: p.log,
		SignIn: func(password string) bool { return known(strings.TrimSpace(password)) },
	})
	if err != nil {
		return nil, err
	}
	pages.Register(app)
	return app, nil
}

// operations are what the API and the console do.
func (p *process) operations() *ops.Operations {
	return ops.New(ops.Options{
		Store: ops.Database{Store: p.store, Reader: query.New(p.db)}, Plans: p.plans, Revisions: p.cache, Accounts: p.remote.Client, PublicURL: p.o.PublicURL,
		Temporal: ops.TemporalUI{Address: p.addresses.TemporalUI, Namespace: p.o.TemporalNamespace}, Parts: p.parts, Now: p.o.Now,
		StartJob: p.launcher.StartJob, Log: p.log,
	})
}

func (p *process) ingest(ctx context.Context, app *fiber.App) error {
	access, err := starter.NewAccess(ctx, p.store, p.plans.Secrets, p.log)
	if err != nil {
		return err
	}
	p.plans.Saved = func(ctx context.Context) { _ = access.Refresh(ctx) }
	writers := 1
	if p.db.Postgres() {
		writers = 2
	}
	s := starter.New(starter.Options{
		Events: p.store, Access: access, Launcher: p.starts, Writers: writers, Metrics: p.registry, Traces: p.traces.Ingest(), Logger: p.log, Now: p.o.Now,
	})
	p.onClose(s.Close)
	s.Register(app)
	return nil
}

// health adds what operators and load balancers ask.
func (p *process) health(app *fiber.App) {
	p.metrics.Answers(p.temporalAnswers)
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.JSON(fiber.Map{"status": "ok"}) })
	app.Get("/readyz", func(c *fiber.Ctx) error {
		ctx, cancel := context.WithTimeout(c.UserContext(), 2*time.Second)
		defer cancel()
		parts := p.parts(ctx)
		status := fiber.StatusOK
		for _, part := range parts {
			// A starter takes events while Temporal is away, so that only its database counts.
			if part.Status == "failed" && (part.Name == "database" || p.o.Mode != Starter) {
				status = fiber.StatusServiceUnavailable
			}
		}
		return c.Status(status).JSON(fiber.Map{"ready": status == fiber.StatusOK, "parts": parts})
	})
	app.Get("/metrics", adaptor.HTTPHandler(promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{})))
}

// parts says how the parts of the installation are.
func (p *process) parts(ctx context.Context) []ops.Part {
	begin := time.Now()
	database := ops.Part{Name: "database", Status: "ok"}
	if err := p.db.Ping(ctx); err != nil {
		database.Status, database.Detail = "failed", "does not answer"
	} else {
		database.Detail = took(begin)
	}
	begin = time.Now()
	temporal := ops.Part{Name: "temporal", Status: "ok"}
	if !p.temporalAnswers(ctx) {
		temporal.Status, temporal.Detail = "failed", "does not answer"
	} else {
		temporal.Detail = took(begin)
	}
	sender := ops.Part{Name: "mail", Status: "ok", Detail: "outbox"}
	if p.o.SMTPURL != "" {
		sender.Detail = "smtp"
	}
	parts := []ops.Part{database, temporal, sender}
	if p.o.Mode != Starter {
		polls := ops.Part{Name: "workers", Status: "ok", Detail: "polling"}
		if !p.polling.Load() {
			polls.Status, polls.Detail = "failed", "not polling Temporal yet"
		}
		parts = append(parts, polls)
	}
	return parts
}

func (p *process) temporalAnswers(ctx context.Context) bool {
	_, err := p.temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err == nil
}

func took(since time.Time) string { return fmt.Sprintf("%d ms", time.Since(since).Milliseconds()) }
