package cli

import (
	"fmt"
	"io"

	"github.com/segue-xm/segue/activities/task/builtin"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops"
)

type validateCommand struct {
	planFile
	JSON bool `help:"Write JSON: {\"valid\", \"problems\": [{\"file\", \"line\", \"column\", \"field\", \"message\"}], \"notes\", \"unset\"}."`
}

// Help is the long help text.
func (validateCommand) Help() string {
	return "All problems are reported at once, each with its place. ${NAME} is taken from the environment; " +
		"one in a secret may be missing here, as the server may know it."
}

// Run runs the command.
func (c *validateCommand) Run(p *Program) error {
	text, err := c.read(p)
	if err != nil {
		return err
	}
	v := ops.Judge(c.name(), text, p.lookup, ops.Checks(builtin.Registry(builtin.Deps{}).Validate))
	if c.JSON {
		return c.writeJSON(p, v)
	}
	for _, n := range v.Notes {
		fmt.Fprintf(p.Err, "segue: note: %s\n", n)
	}
	for _, name := range v.Unset {
		fmt.Fprintf(p.Err, "segue: note: ${%s} is not set here\n", name)
	}
	if len(v.Problems) > 0 {
		return p.problems(c.name(), v.Problems)
	}
	_, err = io.WriteString(p.Out, c.name()+": valid\n")
	return err
}

func (c *validateCommand) writeJSON(p *Program, v ops.Verdict) error {
	err := p.writeJSON(struct {
		Valid    bool          `json:"valid"`
		Problems plan.Problems `json:"problems"`
		Notes    plan.Problems `json:"notes"` // valid, and surprising
		Unset    []string      `json:"unset"` // secrets that are not set here
	}{len(v.Problems) == 0, append(plan.Problems{}, v.Problems...), append(plan.Problems{}, v.Notes...), append([]string{}, v.Unset...)})
	if err == nil && len(v.Problems) > 0 {
		err = fmt.Errorf("%s: %s", c.name(), count(len(v.Problems), "problem"))
	}
	return err
}
