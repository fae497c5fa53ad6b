package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops/checks"
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
	doc, problems := plan.Parse(c.name(), text)
	var unset []string
	var notes plan.Problems
	if doc != nil {
		problems = append(problems, doc.Expand(p.lookup)...)
		problems = append(problems, doc.Validate(checks.Plan(checks.BuiltInTasks().Validate))...)
		slices.SortStableFunc(problems, func(a, b plan.Problem) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		notes = checks.Notes(doc.Plan)
		for i := range notes {
			at := doc.Position(notes[i].Field)
			notes[i].File, notes[i].Line, notes[i].Column = c.name(), at.Line, at.Column
		}
		unset = slices.DeleteFunc(doc.Plan.SecretRefs(), func(name string) bool {
			_, set := p.lookup(name)
			return set
		})
	}
	if c.JSON {
		return c.writeJSON(p, problems, notes, unset)
	}
	for _, n := range notes {
		fmt.Fprintf(p.Err, "segue: note: %s\n", n)
	}
	for _, name := range unset {
		fmt.Fprintf(p.Err, "segue: note: ${%s} is not set here\n", name)
	}
	if len(problems) > 0 {
		return p.problems(c.name(), problems)
	}
	_, err = io.WriteString(p.Out, c.name()+": valid\n")
	return err
}

func (c *validateCommand) writeJSON(p *Program, problems, notes plan.Problems, unset []string) error {
	err := p.writeJSON(struct {
		Valid    bool          `json:"valid"`
		Problems plan.Problems `json:"problems"`
		Notes    plan.Problems `json:"notes"` // valid, and surprising
		Unset    []string      `json:"unset"` // secrets that are not set here
	}{len(problems) == 0, append(plan.Problems{}, problems...), append(plan.Problems{}, notes...), append([]string{}, unset...)})
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("%s: %s", c.name(), count(len(problems), "problem"))
	}
	return err
}
