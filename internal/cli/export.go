package cli

type exportCommand struct{ remote }

// Run runs the command.
func (c *exportCommand) Run(p *Program) error {
	ctx, stop := p.interruptible()
	defer stop()
	server, err := c.client()
	if err != nil {
		return err
	}
	yaml, _, err := server.Export(ctx)
	if err != nil {
		return err
	}
	_, err = p.Out.Write(yaml)
	return err
}
