package console

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/doors/kit"
)

// Options are what a console is made of. Operations, SignIn and SessionKey are
// required.
type Options struct {
	Operations Operations
	// SignIn reports whether the password opens the console. It should compare in
	// constant time; the console bounds how often it is asked.
	SignIn func(password string) bool
	// SessionKey signs session cookies and seals searches that name a person.
	// At least 32 bytes, the same in every process that serves the console.
	SessionKey []byte
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// DevSignIn, when set, is shown on the sign-in page as the password to type.
	// Only for development.
	DevSignIn string
	// TemporalUI is the address of the Temporal UI; empty hides links to it.
	TemporalUI string
	// Logger gets failures that a page could only name by request id; nil means
	// slog.Default.
	Logger *slog.Logger
}

// Validate reports everything that is missing at once.
func (o Options) Validate() error {
	var errs []error
	if o.Operations == (Operations{}) {
		errs = append(errs, errors.New("console: Operations is required"))
	}
	if o.SignIn == nil {
		errs = append(errs, errors.New("console: SignIn is required"))
	}
	if len(o.SessionKey) < 32 {
		errs = append(errs, errors.New("console: SessionKey needs at least 32 bytes"))
	}
	return errors.Join(errs...)
}

// Console serves the pages. Safe for concurrent use.
type Console struct {
	ops      Operations
	options  Options
	sessions kit.Sessions
	searches sealer
	renderer *renderer
	guard    *kit.Guard
	log      *slog.Logger
	now      func() time.Time
}

// New checks the options and parses every template, so that a page which cannot
// work stops the program here and not its reader later.
func New(o Options) (*Console, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r, err := newRenderer()
	if err != nil {
		return nil, err
	}
	c := &Console{
		ops: o.Operations, options: o, sessions: kit.NewSessions(o.SessionKey), searches: newSealer(o.SessionKey), renderer: r, guard: kit.NewGuard(),
		log: o.Logger, now: o.Now,
	}
	if c.log == nil {
		c.log = slog.Default()
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// Register adds the console's routes to app. They may be added before or after
// the other routes of the program: none of them matches a path that belongs to
// ingest, the API or the pages of invited people, and an unknown path becomes the
// console's not-found page only after every other route has passed on it.
func (c *Console) Register(app *fiber.App) {
	open, signed := c.open, c.signed

	app.Get("/assets/:hash/:name", c.asset)
	app.Get("/favicon.ico", func(x *fiber.Ctx) error { return x.Redirect(assetPath("icon.svg"), fiber.StatusFound) })

	app.Get("/sign-in", open(c.signInPage))
	app.Post("/sign-in", open(c.signIn))
	app.Post("/sign-out", open(c.signOut))
	app.Post("/look", open(c.look))

	app.Get("/", signed(c.home))
	app.Post("/find", signed(c.find))
	app.Get("/events", signed(c.events))
	app.Post("/events/search", signed(c.searchEvents))
	app.Get("/events/:id", signed(c.event))
	app.Get("/events/:id/raw", signed(c.eventRaw))
	app.Post("/events/:id/process", signed(c.processEvent))
	app.Get("/contacts", signed(c.contacts))
	app.Post("/contacts/search", signed(c.searchContacts))
	app.Get("/contacts/:id", signed(c.contact))
	app.Get("/runs", signed(c.runs))
	app.Get("/runs/:id", signed(c.run))
	app.Get("/jobs", signed(c.jobs))
	app.Get("/jobs/:id", signed(c.job))
	app.Post("/jobs/:id/pause", signed(c.changeJob(c.ops.Jobs.Pause)))
	app.Post("/jobs/:id/resume", signed(c.changeJob(c.ops.Jobs.Resume)))
	app.Post("/jobs/:id/cancel", signed(c.changeJob(c.ops.Jobs.Cancel)))
	app.Get("/distributions", signed(c.distributions))
	app.Get("/distributions/:id", signed(c.distribution))
	app.Get("/connections", signed(c.connections))
	app.Get("/destinations/:id", signed(c.destination))
	app.Post("/destinations/:id/test", signed(c.testDestination))
	app.Get("/destinations/:id/test", signed(c.backToDestination))
	app.Post("/destinations/:id/pause", signed(c.pauseDestination))
	app.Post("/destinations/:id/resume", signed(c.resumeDestination))
	app.Get("/outbox", signed(c.outbox))
	app.Get("/outbox/:id", signed(c.mail))
	app.Get("/outbox/:id/html", signed(c.mailHTML))
	app.Get("/help", signed(c.helpIndex))
	app.Get("/help/:topic", signed(c.help))

	app.Use(c.notFound)
}

// reserved are the first segments of paths that answer machines or invited
// people; their errors are theirs to word.
var reserved = []string{"v1", "api", "API", "WRAPI", "l", "u", "s", "healthz", "readyz", "metrics", "assets"}

func isReserved(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	for _, r := range reserved {
		if first == r {
			return true
		}
	}
	return false
}

// notFound lets every later route answer first and words what is left.
func (c *Console) notFound(x *fiber.Ctx) error {
	err := x.Next()
	var fe *fiber.Error
	if err == nil || !errors.As(err, &fe) || fe.Code != fiber.StatusNotFound || isReserved(x.Path()) {
		return err
	}
	if m := x.Method(); m != fiber.MethodGet && m != fiber.MethodHead {
		return err
	}
	return c.signed(func(r *request) error { return errNoPage })(x)
}
