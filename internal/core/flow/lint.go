package flow

import (
	"fmt"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/segue-xm/segue/internal/core/plan"
)

// Warning is something in a definition that works but is hardly meant.
type Warning struct {
	Field string `json:"field"` // as in the errors of Compile: steps[0].when
	Text  string `json:"text"`
}

// Lint reads a definition that compiles and warns of what reads as null for ever
// (fields that are not defined, steps that do not come before) and of a workflow
// that does nothing.
func Lint(def plan.Workflow) []Warning {
	l := linter{fields: map[string]bool{}, steps: map[string]bool{}}
	for _, f := range def.Fields {
		l.fields[f.Name] = true
	}
	l.condition("when", def.When)
	l.list("steps", def.Steps)
	if !l.acts {
		l.warn("steps", "the workflow has no task: a run has no effect")
	}
	return l.found
}

type linter struct {
	fields, steps map[string]bool
	acts          bool
	found         []Warning
}

func (l *linter) warn(at, format string, args ...any) {
	l.found = append(l.found, Warning{Field: at, Text: fmt.Sprintf(format, args...)})
}

func (l *linter) list(at string, steps []plan.Step) {
	for i, s := range steps {
		here := fmt.Sprintf("%s[%d]", at, i)
		l.acts = l.acts || s.Task != ""
		l.condition(here+".when", s.When)
		if settings, err := CompileSettings(here+".with", s.With); err == nil {
			l.texts(settings.root)
		}
		for k, b := range s.Branch {
			way := fmt.Sprintf("%s.branch[%d]", here, k)
			l.condition(way+".when", b.When)
			l.list(way+".steps", b.Steps)
		}
		l.steps[s.ID] = true
	}
}

// reference warns when variable.name can never be there.
func (l *linter) reference(at, variable, name string) {
	switch {
	case variable == "fields" && !l.fields[name]:
		l.warn(at, "there is no field %q: it always reads as null", name)
	case variable == "steps" && !l.steps[name]:
		l.warn(at, "there is no step %q before this one: it always reads as null", name)
	}
}

func (l *linter) condition(at, text string) {
	c, err := CompileCondition(text)
	if err != nil {
		return
	}
	ast.PostOrderVisit(c.tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.SelectKind:
			if s := e.AsSelect(); s.Operand().Kind() == ast.IdentKind {
				l.reference(at, s.Operand().AsIdent(), s.FieldName())
			}
		case ast.CallKind:
			call := e.AsCall()
			if call.FunctionName() != operators.Index || call.Args()[0].Kind() != ast.IdentKind || call.Args()[1].Kind() != ast.LiteralKind {
				return
			}
			if name, ok := call.Args()[1].AsLiteral().(types.String); ok {
				l.reference(at, call.Args()[0].AsIdent(), string(name))
			}
		}
	}))
}

func (l *linter) texts(v any) {
	walkTemplates(v, func(t *Template) {
		for _, p := range t.liquid.Paths() {
			if len(p) > 1 {
				l.reference(t.name, p[0], p[1])
			}
		}
	})
}
