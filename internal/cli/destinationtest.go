package cli

import (
	"errors"
	"fmt"
	"strings"
)

type destinationTestCommand struct {
	Name string `arg:"" help:"The destination's name or id."`
	remote
	JSON bool `help:"Write JSON, as /api/destinations/{name}/test has it."`
}

// Run runs the command. A connection that does not work is a failure.
func (c *destinationTestCommand) Run(p *Program) error {
	ctx, stop := p.interruptible()
	defer stop()
	server, err := c.client()
	if err != nil {
		return err
	}
	found, err := server.TestConnection(ctx, c.Name)
	if err != nil {
		return err
	}
	request := ""
	if found.RequestID != "" && !strings.Contains(found.Problem, found.RequestID) {
		request = " (request " + found.RequestID + ")"
	}
	switch {
	case c.JSON:
		err = p.writeJSON(found)
	case found.OK:
		_, err = fmt.Fprintf(p.Out, "● %s works: %s%s\n", c.Name, found.Account, request)
	}
	if err != nil {
		return err
	}
	if !found.OK {
		return errors.New(c.Name + " does not work: " + found.Problem + request)
	}
	if found.Notice != "" && !c.JSON {
		_, err = fmt.Fprintln(p.Out, "▲ "+found.Notice)
	}
	return err
}
