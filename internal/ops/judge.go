package ops

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Verdict is all that can be said about a plan's text by itself.
type Verdict struct {
	Plan     *plan.Plan    // nil when the text is no plan at all; not to be used while there are problems
	Problems plan.Problems // by line
	Notes    plan.Problems // valid, and surprising
	Unset    []string      // secrets that the plan refers to and lookup does not know

	doc *plan.Document
}

// Judge reads and judges a plan. Everybody asks it: the command line, the API, and
// a process that starts with a plan. lookup gives the values of ${NAME}.
func Judge(file string, text []byte, lookup func(string) (string, bool), checks plan.Checks) Verdict {
	doc, problems := plan.Parse(file, text)
	if doc == nil {
		return Verdict{Problems: problems}
	}
	problems = append(problems, doc.Expand(lookup)...)
	problems = append(problems, doc.Validate(checks)...)
	problems = append(problems, placed(doc, refused(doc.Plan))...)
	byLine(problems)
	unset := slices.DeleteFunc(doc.Plan.SecretRefs(), func(name string) bool {
		_, given := lookup(name)
		return given
	})
	return Verdict{Plan: doc.Plan, Problems: problems, Notes: placed(doc, notes(doc.Plan)), Unset: unset, doc: doc}
}

// byLine puts problems in the order in which they stand in the file.
func byLine(problems plan.Problems) {
	slices.SortStableFunc(problems, func(a, b plan.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// unset is the problem of a secret that nobody ever gave.
func (v Verdict) unset(name string) plan.Problem {
	p := plan.Problem{Field: v.Plan.SecretField(name), Message: fmt.Sprintf("${%s} is not set, and was not given before", name)}
	return placed(v.doc, plan.Problems{p})[0]
}

// placed adds where the fields of problems were written.
func placed(doc *plan.Document, problems plan.Problems) plan.Problems {
	for i := range problems {
		p := &problems[i]
		at := doc.Position(p.Field)
		p.File, p.Line, p.Column = doc.File, at.Line, at.Column
	}
	return problems
}

// refused names what a plan may say and this version cannot do: accepted in silence
// it would be taken for done.
func refused(p *plan.Plan) (problems plan.Problems) {
	for i, s := range p.Sources {
		if s.Deletes == "erase" {
			problems = append(problems, plan.Problem{
				Field: fmt.Sprintf("sources[%d].deletes", i), Message: "this version cannot erase people yet: leave it out, delete events are kept",
			})
		}
	}
	return problems
}

// PlanProblems is an Invalid error about a plan that says all that is wrong.
type PlanProblems struct{ Problems plan.Problems }

// Error is one problem a line.
func (p *PlanProblems) Error() string { return p.Problems.Err().Error() }

// Unwrap is the fault for those who do not show problems one by one.
func (p *PlanProblems) Unwrap() error {
	return fault.New(fault.Invalid, "the plan has %d problem%s; the first: %s", len(p.Problems), plural(len(p.Problems)), p.Problems[0])
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
