package cli

import (
	"io"

	"github.com/segue-xm/segue/internal/client"
)

type diffCommand struct {
	planFile
	remote
	JSON bool `help:"Write JSON: {\"revision\", \"changes\"}."`
}

// Run runs the command.
func (c *diffCommand) Run(p *Program) error {
	out, err := c.sent(p, &c.remote, (*client.Client).Diff)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.writeJSON(out)
	}
	_, err = io.WriteString(p.Out, line(out.Changes.Text()))
	return err
}
