package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/ops"
)

// jobRoutes are what is asked about long work, and done to it.
func jobRoutes(o *ops.Operations) []route {
	list, search := listRoute("/jobs", "jobs", "List jobs, newest first", o.Jobs.List)
	items, searchItems := filteredPart("/jobs/:id/items", "items", "List the rows of a job's report, in the order of its work", o.Jobs.Items)
	return []route{
		list, search,
		itemRoute("/jobs/:id", "Get a job with the beginning of its report", o.Jobs.Get),
		items, searchItems,
		jobRoute("pause", "Keep a job from beginning another page", o.Jobs.Pause),
		jobRoute("resume", "Let a paused job go on", o.Jobs.Resume),
		jobRoute("cancel", "End a job; what it has done stays", o.Jobs.Cancel),
		inputRoute("/replays", "Process stored events again, by the plan in force, as a job",
			func(ctx context.Context, _ *fiber.Ctx, in ops.ReplayInput) (ops.Job, error) {
				return o.Replays.Start(ctx, in, "api")
			}),
		inputRoute("/events/:id/process", "Process an event again, by the plan in force, as a job",
			func(ctx context.Context, c *fiber.Ctx, in ops.ProcessInput) (ops.Job, error) {
				event, err := pathID(c)
				if err != nil {
					return ops.Job{}, err
				}
				return o.Replays.Process(ctx, event, in, "api")
			}),
	}
}

func jobRoute(verb, summary string, do func(context.Context, id.ID) (ops.Job, error)) route {
	r := itemRoute("/jobs/:id/"+verb, summary, do)
	r.method = fiber.MethodPost
	return r
}

// inputRoute begins something that goes on after the answer.
func inputRoute[In, Out any](path, summary string, do func(context.Context, *fiber.Ctx, In) (Out, error)) route {
	var in In
	var out Out
	return route{method: fiber.MethodPost, path: path, summary: summary, body: in, answer: out, accepted: true, serve: func(ctx context.Context, c *fiber.Ctx) error {
		in, err := readInput[In](c)
		if err != nil {
			return err
		}
		v, err := do(ctx, c, in)
		if err != nil {
			return err
		}
		return c.Status(fiber.StatusAccepted).JSON(v)
	}}
}
