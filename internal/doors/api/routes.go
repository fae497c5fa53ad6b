// Package api is the HTTP API under /api: its routes, its description, and how
// requests are read. What is done and answered is in ops.
//
//	api.Register(app.Group("/api"), operations, kit.BearerAuth(check))
package api

import (
	"bytes"
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/doors/kit"
	"github.com/segue-xm/segue/internal/ops"
)

// route is one line of the API's index. The handlers and the description are both
// made from it.
type route struct {
	method, path string
	summary      string
	filter       any    // a filter's zero value: taken as query parameters, or as JSON with POST
	list         string // the answer is a page of answer under this name
	body         any    // a request body's zero value
	answer       any    // an answer's zero value; nil is plain YAML
	accepted     bool   // the answer is 202: what was asked for has begun
	serve        func(ctx context.Context, c *fiber.Ctx) error
}

// timeLimit is how long one request may read.
const timeLimit = 10 * time.Second

// routes is the API's index, without the prefix /api. Each list is there twice:
// with its filter in the query, and in a body where no log keeps it.
func routes(o *ops.Operations) []route {
	var all []route
	add := func(r route) { all = append(all, r) }
	lists := func(get, search route) { all = append(all, get, search) }

	lists(listRoute("/events", "events", "List events, newest first", o.Events.List))
	add(itemRoute("/events/:id", "Get an event with its deliveries", o.Events.Get))
	add(itemRoute("/events/:id/why", "Explain what every mapping made of an event", o.Events.Why))
	lists(listRoute("/contacts", "contacts", "List contacts", o.Contacts.List))
	add(itemRoute("/contacts/:id", "Get a contact", o.Contacts.Get))
	lists(partRoute("/contacts/:id/transactions", "transactions", "List a contact's transactions, latest date first", o.Contacts.Transactions))
	lists(partRoute("/contacts/:id/changes", "changes", "List what changed on a contact", o.Contacts.Changes))
	lists(listRoute("/runs", "runs", "List runs of workflows", o.Runs.List))
	add(itemRoute("/runs/:id", "Get a run with its steps", o.Runs.Get))
	for _, r := range jobRoutes(o) {
		add(r)
	}
	lists(listRoute("/distributions", "distributions", "List distributions with their counts", o.Distributions.List))
	add(itemRoute("/distributions/:id", "Get a distribution", o.Distributions.Get))
	lists(listRoute("/invitations", "invitations", "List invitations with their mails", o.Invitations.List))
	lists(listRoute("/outbox", "mails", "List the mails that were caught instead of sent",
		func(ctx context.Context, _ noFilter, p ops.Paging) (ops.Page[ops.Mail], error) {
			return o.Outbox.List(ctx, p)
		}))
	add(itemRoute("/outbox/:id", "Get a caught mail", o.Outbox.Get))
	add(route{method: fiber.MethodGet, path: "/overview", summary: "Count the last hour", answer: ops.Overview{}, serve: func(ctx context.Context, c *fiber.Ctx) error {
		out, err := o.Installation.Overview(ctx)
		return reply(c, out, err)
	}})

	add(route{method: fiber.MethodGet, path: "/sources", summary: "List the sources of the plan with their write keys", answer: ops.SourceList{}, serve: func(ctx context.Context, c *fiber.Ctx) error {
		out, err := o.Sources.List(ctx)
		return reply(c, out, err)
	}})

	add(route{method: fiber.MethodGet, path: "/destinations", summary: "List the destinations of the plan and how they are", answer: ops.DestinationList{}, serve: func(ctx context.Context, c *fiber.Ctx) error {
		out, err := o.Destinations.List(ctx)
		return reply(c, out, err)
	}})
	add(namedRoute(fiber.MethodGet, "/destinations/:id", "Get a destination and how it is",
		func(ctx context.Context, name string, _ noBody) (ops.Destination, error) {
			return o.Destinations.Get(ctx, name)
		}))
	add(namedRoute(fiber.MethodPost, "/destinations/:id/test", "Test the connection to a destination's account", o.Destinations.TestConnection))
	add(namedRoute(fiber.MethodGet, "/destinations/:id/directories", "List the directories of a destination's account",
		func(ctx context.Context, name string, _ noBody) (ops.RemoteDirectoryList, error) {
			return o.Destinations.RemoteDirectories(ctx, name)
		}))
	add(namedRoute(fiber.MethodPost, "/destinations/:id/pause", "Hold everything that goes to a destination",
		func(ctx context.Context, name string, in ops.PauseInput) (ops.Destination, error) {
			return o.Destinations.Pause(ctx, name, in, "api")
		}))
	add(namedRoute(fiber.MethodPost, "/destinations/:id/resume", "Let everything go to a destination again",
		func(ctx context.Context, name string, _ noBody) (ops.Destination, error) {
			return o.Destinations.Resume(ctx, name)
		}))

	add(route{method: fiber.MethodGet, path: "/workflows", summary: "List the workflows of the plan with the URLs that start them", answer: ops.WorkflowList{}, serve: func(ctx context.Context, c *fiber.Ctx) error {
		out, err := o.Workflows.List(ctx)
		return reply(c, out, err)
	}})

	add(route{method: fiber.MethodGet, path: "/check/upgrade", summary: "Say which stored texts earlier releases understood in another way", answer: ops.UpgradeReport{},
		serve: func(ctx context.Context, c *fiber.Ctx) error {
			out, err := o.Upgrades.Look(ctx)
			return reply(c, out, err)
		}})

	add(route{method: fiber.MethodGet, path: "/plan", summary: "Export the plan in force as YAML", serve: exportPlan(o.Plans)})
	add(planRoute("/plan/validate", "Judge a plan; all problems are answered at once", o.Plans.Validate))
	add(planRoute("/plan/diff", "Say what applying a plan would change", o.Plans.Diff))
	add(planRoute("/plan/apply", "Put a plan in force", func(ctx context.Context, in ops.PlanInput) (ops.PlanChanges, error) {
		return o.Plans.Apply(ctx, in, "api")
	}))
	return all
}

// Register adds the API to a router mounted at /api. Every request passes auth,
// but for the description at /openapi.json.
func Register(r fiber.Router, o *ops.Operations, auth fiber.Handler) {
	index := routes(o)
	description := describe(index)
	r.Get("/openapi.json", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(description)
	})
	for _, rt := range index {
		r.Add(rt.method, rt.path, auth, func(c *fiber.Ctx) error {
			ctx, cancel := context.WithTimeout(c.UserContext(), timeLimit)
			defer cancel()
			c.Set(fiber.HeaderCacheControl, "no-store")
			return rt.serve(ctx, c)
		})
	}
}

// noFilter is for lists that have none.
type noFilter struct{}

// listRoute is a list and its search.
func listRoute[F, T any](path, name, summary string, list func(context.Context, F, ops.Paging) (ops.Page[T], error)) (get, search route) {
	var filter F
	var item T
	get = route{method: fiber.MethodGet, path: path, summary: summary, filter: filter, list: name, answer: item}
	get.serve = func(ctx context.Context, c *fiber.Ctx) error {
		f, p, err := readFilter[F](c)
		if err != nil {
			return err
		}
		page, err := list(ctx, f, p)
		return reply(c, asList(name, page), err)
	}
	search = get
	search.method, search.path = fiber.MethodPost, path+"/search"
	search.summary += ", by filters in the body"
	return get, search
}

// partRoute is a list of what belongs to one thing.
func partRoute[T any](path, name, summary string, list func(context.Context, id.ID, ops.Paging) (ops.Page[T], error)) (get, search route) {
	return filteredPart(path, name, summary, func(ctx context.Context, of id.ID, _ noFilter, p ops.Paging) (ops.Page[T], error) {
		return list(ctx, of, p)
	})
}

// filteredPart is a list of what belongs to one thing, with a filter.
func filteredPart[F, T any](path, name, summary string, list func(context.Context, id.ID, F, ops.Paging) (ops.Page[T], error)) (get, search route) {
	get, search = listRoute(path, name, summary, func(context.Context, F, ops.Paging) (ops.Page[T], error) { return ops.Page[T]{}, nil })
	get.serve = func(ctx context.Context, c *fiber.Ctx) error {
		of, err := pathID(c)
		if err != nil {
			return err
		}
		f, p, err := readFilter[F](c)
		if err != nil {
			return err
		}
		page, err := list(ctx, of, f, p)
		return reply(c, asList(name, page), err)
	}
	search.serve = get.serve
	return get, search
}

func asList[T any](name string, p ops.Page[T]) map[string]any {
	if p.Items == nil {
		p.Items = []T{}
	}
	m := map[string]any{name: p.Items}
	if p.Next != "" {
		m["next"] = p.Next
	}
	return m
}

// itemRoute is one thing by its id.
func itemRoute[T any](path, summary string, get func(context.Context, id.ID) (T, error)) route {
	var zero T
	return route{method: fiber.MethodGet, path: path, summary: summary, answer: zero, serve: func(ctx context.Context, c *fiber.Ctx) error {
		v, err := pathID(c)
		if err != nil {
			return err
		}
		thing, err := get(ctx, v)
		return reply(c, thing, err)
	}}
}

// noBody is for requests that take none.
type noBody struct{}

// maxInput is the largest body of a request about a named thing.
const maxInput = 16 << 10

// namedRoute is a request about one thing of the plan, by name or id. An empty body
// is the input's zero value.
func namedRoute[In, Out any](method, path, summary string, do func(ctx context.Context, name string, in In) (Out, error)) route {
	var in In
	var out Out
	r := route{method: method, path: path, summary: summary, answer: out}
	if _, none := any(in).(noBody); !none {
		r.body = in
	}
	r.serve = func(ctx context.Context, c *fiber.Ctx) error {
		in, err := readInput[In](c)
		if err != nil {
			return err
		}
		name, err := url.PathUnescape(c.Params("id"))
		if err != nil {
			return fault.New(fault.NotFound, "there is nothing of this name")
		}
		v, err := do(ctx, strings.Clone(name), in)
		return reply(c, v, err)
	}
	return r
}

// readInput reads a request's body; an empty one is the input's zero value.
func readInput[In any](c *fiber.Ctx) (in In, err error) {
	if _, none := any(in).(noBody); none {
		return in, nil
	}
	body, err := kit.ReadBody(c, maxInput)
	if err == nil && len(bytes.TrimSpace(body)) > 0 {
		err = kit.Decode(body, &in)
	}
	return in, err
}

func reply(c *fiber.Ctx, v any, err error) error {
	if err != nil {
		return err
	}
	return c.JSON(v)
}

// pathID reads the id in a path. What cannot be an id names nothing.
func pathID(c *fiber.Ctx) (id.ID, error) {
	v, err := id.Parse(c.Params("id"))
	if err != nil || v <= 0 {
		return 0, fault.New(fault.NotFound, "there is nothing with this id")
	}
	return v, nil
}

// planRoute is an operation on a plan in the body.
func planRoute[T any](path, summary string, do func(context.Context, ops.PlanInput) (T, error)) route {
	var zero T
	return route{method: fiber.MethodPost, path: path, summary: summary, body: ops.PlanInput{}, answer: zero, serve: func(ctx context.Context, c *fiber.Ctx) error {
		in, err := readPlan(c)
		if err != nil {
			return err
		}
		out, err := do(ctx, in)
		return reply(c, out, err)
	}}
}

func exportPlan(plans *ops.Plans) func(context.Context, *fiber.Ctx) error {
	return func(ctx context.Context, c *fiber.Ctx) error {
		yaml, revision, err := plans.Export(ctx)
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, "application/yaml")
		c.Set("Segue-Revision", strconv.FormatInt(revision, 10))
		return c.Send(yaml)
	}
}
