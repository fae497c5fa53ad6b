package ops

import (
	"fmt"

	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/path"
	"github.com/segue-xm/segue/internal/core/plan"
)

// notes are what is valid in a plan and will surprise whoever wrote it: what a
// filter's text does not mean, parts of a mapping that fail on every event, paths of
// old forms and patterns that match nothing.
func notes(p *plan.Plan) (notes plan.Problems) {
	builtIn := map[string]bool{}
	for _, d := range p.Destinations {
		builtIn[d.Name] = d.Type == plan.TypeDirectory
	}
	for i, m := range p.Mappings {
		at := fmt.Sprintf("mappings[%d]", i)
		if m.When != nil {
			if _, err := fql.Compile(*m.When); err == nil {
				for _, f := range fql.Lint(*m.When) {
					notes = append(notes, plan.Problem{Field: at + ".when", Message: f.String()})
				}
			}
		}
		made, err := mapping.ForAction(m.Action, m.Fields, builtIn[m.Destination])
		if err != nil {
			continue
		}
		for _, f := range made.Kit().Problems() {
			notes = append(notes, plan.Problem{Field: at + ".fields", Message: "fails on every event that reaches it: " + f.String()})
		}
	}
	for i, w := range p.Workflows {
		for j, f := range w.Fields {
			at := fmt.Sprintf("workflows[%d].fields[%d].path", i, j)
			for _, message := range path.Notes(f.Path) {
				notes = append(notes, plan.Problem{Field: at, Message: message})
			}
		}
	}
	return notes
}
