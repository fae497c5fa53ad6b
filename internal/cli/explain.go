package cli

import (
	"context"
	"io"

	"github.com/segue-xm/segue/internal/client"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/ops"
)

type explainCommand struct {
	Event  string `required:"" placeholder:"ID" help:"The event's id, or its message id."`
	Source string `placeholder:"NAME" help:"The source, when several have this message id."`
	remote
	JSON bool `help:"Write JSON, as /api/events/{id}/why has it."`
}

// Help is the long help text.
func (explainCommand) Help() string {
	return "Every mapping of the event's source is asked again, with the plan the event was taken with. " +
		"● done, ◔ under way, ✕ failed, ⊘ did nothing; of a filter's conditions ✓ holds, ✕ does not, – was not judged."
}

// Run runs the command.
func (c *explainCommand) Run(p *Program) error {
	ctx, stop := p.interruptible()
	defer stop()
	server, err := c.client()
	if err != nil {
		return err
	}
	why, err := c.why(ctx, server)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.writeJSON(why)
	}
	_, err = io.WriteString(p.Out, whyText(why))
	return err
}

// why takes the text for an id first: a message id seldom looks like one.
func (c *explainCommand) why(ctx context.Context, server *client.Client) (ops.Why, error) {
	if event, err := id.Parse(c.Event); err == nil && event > 0 {
		why, err := server.Why(ctx, event)
		if err == nil || fault.KindOf(err) != fault.NotFound {
			return why, err
		}
	}
	found, err := server.Events(ctx, ops.EventFilter{MessageID: c.Event, Source: c.Source}, ops.Paging{Limit: 2})
	switch {
	case err != nil:
		return ops.Why{}, err
	case len(found.Items) == 0:
		return ops.Why{}, fault.New(fault.NotFound, "event: there is none with the id or message id %q", c.Event)
	case len(found.Items) > 1:
		return ops.Why{}, usage(fault.Field("source", "say which one: several events have this message id"))
	}
	return server.Why(ctx, found.Items[0].ID)
}
