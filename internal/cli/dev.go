package cli

import "github.com/segue-xm/segue/internal/app"

type devCommand struct {
	sharedSettings `embed:""`
	httpSettings   `embed:""`
	mailSettings   `embed:""`
}

// Help is the long help text.
func (devCommand) Help() string {
	return "Everything in one process: SQLite in the data directory, mail caught in the outbox, Temporal and its UI embedded. " +
		"The first start makes keys and installs an example; it prints the addresses, a write key and the console's sign-in."
}

// Run runs the command.
func (c *devCommand) Run(p *Program) error {
	o := app.Options{Mode: app.Dev}
	c.sharedSettings.fill(&o)
	c.httpSettings.fill(&o)
	c.mailSettings.fill(&o)
	if o.DatabaseURL == "" {
		o.DatabaseURL = defaultDatabase(o.DataDir)
	}
	return p.serve(o)
}
