package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/segue-xm/segue/internal/core/subscriptions"
)

type importSegmentCommand struct {
	File        string `short:"f" required:"" placeholder:"FILE" help:"The export, JSON; - is standard input."`
	To          string `enum:"qualtrics,directory" default:"qualtrics" help:"What the destination is: a Qualtrics account, as at Segment, or the built-in directory."`
	Source      string `default:"web" placeholder:"NAME" help:"The source of the plan whose events the mappings take. Default: web."`
	Destination string `placeholder:"NAME" help:"The destination of the plan. Default: qualtrics, or xm for the built-in directory."`
	Workflow    string `placeholder:"NAME" help:"The workflow that actions start, with --to directory. Default: one by the mapping's name."`
	Whole       bool   `help:"Write a whole plan, with source and destination, instead of mappings to paste into one."`
	Output      string `short:"o" placeholder:"FILE" help:"Write the plan there instead of to standard output."`
	JSON        bool   `help:"Write JSON: {\"mappings\", \"skipped\", \"notes\": [{\"at\", \"name\", \"message\", \"filter\", \"skipped\"}], \"plan\"}; with --output without the plan."`
}

// Help is the long help text.
func (importSegmentCommand) Help() string {
	return "Takes over the mappings of Segment's Qualtrics destination. The export is what the Public API answers to " +
		"\"list subscriptions from destination\", or what terraform show -json says. Mappings stay in Segment's own language; " +
		"what will surprise stands above each as a comment, and what cannot be taken over is a comment with its reason. " +
		"The exit code is 1 when nothing could be taken over."
}

// imported is the answer with --json.
type imported struct {
	Mappings int                  `json:"mappings"`
	Skipped  int                  `json:"skipped"`
	Notes    []subscriptions.Note `json:"notes"`
	Plan     string               `json:"plan,omitempty"`
}

// Run runs the command.
func (c *importSegmentCommand) Run(p *Program) error {
	o := subscriptions.Options{Source: c.Source, Destination: c.Destination, BuiltIn: c.To == "directory", Workflow: c.Workflow, Whole: c.Whole}
	switch {
	case c.Workflow != "" && !o.BuiltIn:
		return usage(errors.New("--workflow goes with --to directory: at an account, the workflow is the one of its URL"))
	case o.Destination == "" && o.BuiltIn:
		o.Destination = "xm"
	case o.Destination == "":
		o.Destination = "qualtrics"
	}
	text, err := readFile(p, c.File, subscriptions.MaxSize)
	if err != nil {
		return err
	}
	out, err := subscriptions.Import(text, o)
	if err != nil {
		return err
	}
	if err := c.write(p, out); err != nil {
		return err
	}
	if len(out.Mappings) == 0 && out.Skipped > 0 {
		return fmt.Errorf("none of %s could be taken over", count(out.Skipped, "subscription"))
	}
	return nil
}

// write writes the plan where it is wanted, and what to know about it.
func (c *importSegmentCommand) write(p *Program, out subscriptions.Result) error {
	answer := imported{len(out.Mappings), out.Skipped, append([]subscriptions.Note{}, out.Notes...), out.YAML}
	if c.Output != "" {
		if err := os.WriteFile(c.Output, []byte(out.YAML), 0o600); err != nil {
			return fileError(err)
		}
		answer.Plan = ""
	}
	if c.JSON {
		return p.writeJSON(answer)
	}
	if c.Output == "" {
		if _, err := io.WriteString(p.Out, out.YAML); err != nil {
			return err
		}
	}
	for _, n := range out.Notes {
		fmt.Fprintf(p.Err, "segue: note: %s\n", noteText(n))
	}
	fmt.Fprintf(p.Err, "segue: %s taken over, %d left out\n", count(len(out.Mappings), "mapping"), out.Skipped)
	return nil
}

// noteText is a note on one line.
func noteText(n subscriptions.Note) string {
	switch {
	case n.At == "":
		return n.Message
	case n.Name == "":
		return n.At + ": " + n.Message
	}
	return fmt.Sprintf("%s (%s): %s", n.Name, n.At, n.Message)
}
