package cli

import "github.com/segue-xm/segue/internal/app"

type starterCommand struct {
	sharedSettings `embed:""`
	httpSettings   `embed:""`
}

// Run runs the command.
func (c *starterCommand) Run(p *Program) error {
	o := app.Options{Mode: app.Starter}
	c.sharedSettings.fill(&o)
	c.httpSettings.fill(&o)
	return p.serve(o)
}
