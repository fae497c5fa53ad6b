package cli

import (
	"fmt"

	"github.com/segue-xm/segue/internal/client"
)

type applyCommand struct {
	planFile
	remote
	JSON bool `help:"Write JSON: {\"revision\", \"changes\"}."`
}

// Run runs the command.
func (c *applyCommand) Run(p *Program) error {
	out, err := c.sent(p, &c.remote, (*client.Client).Apply)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.writeJSON(out)
	}
	_, err = fmt.Fprintf(p.Out, "%srevision %d\n", line(out.Changes.Text()), out.Revision)
	return err
}
