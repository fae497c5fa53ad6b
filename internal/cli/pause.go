package cli

import "github.com/segue-xm/segue/internal/ops"

type pauseCommand struct {
	Name string `arg:"" help:"The destination's name or id."`
	Note string `placeholder:"TEXT" help:"Why, for whoever finds it paused."`
	remote
}

// Help is the long help text.
func (pauseCommand) Help() string {
	return "Events are still taken and mapped; their deliveries are held until segue destinations resume. Calls that are under way end. Pausing twice keeps the first note."
}

// Run runs the command.
func (c *pauseCommand) Run(p *Program) error {
	ctx, stop := p.interruptible()
	defer stop()
	server, err := c.client()
	if err != nil {
		return err
	}
	d, err := server.Pause(ctx, c.Name, ops.PauseInput{Note: c.Note})
	if err != nil {
		return err
	}
	return writeDestinations(p.Out, []ops.Destination{d})
}
