package cli

import "github.com/segue-xm/segue/internal/ops"

type resumeCommand struct {
	Name string `arg:"" help:"The destination's name or id."`
	remote
}

// Help is the long help text.
func (resumeCommand) Help() string {
	return "Ends a pause, and whatever else holds deliveries back for a while: they are tried at once. Safe to call twice."
}

// Run runs the command.
func (c *resumeCommand) Run(p *Program) error {
	ctx, stop := p.interruptible()
	defer stop()
	server, err := c.client()
	if err != nil {
		return err
	}
	d, err := server.Resume(ctx, c.Name)
	if err != nil {
		return err
	}
	return writeDestinations(p.Out, []ops.Destination{d})
}
