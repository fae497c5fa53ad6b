package cli

import "github.com/segue-xm/segue/internal/app"

type workerCommand struct {
	sharedSettings `embed:""`
	mailSettings   `embed:""`
	WorkerAddress  string `default:"127.0.0.1:8081" env:"SEGUE_WORKER_ADDRESS" placeholder:"HOST:PORT" help:"Health and metrics. Default ${default}."`
}

// Run runs the command.
func (c *workerCommand) Run(p *Program) error {
	o := app.Options{Mode: app.Worker, WorkerAddress: c.WorkerAddress}
	c.sharedSettings.fill(&o)
	c.mailSettings.fill(&o)
	return p.serve(o)
}
