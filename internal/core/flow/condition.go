package flow

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/interpreter"

	"github.com/segue-xm/segue/internal/core/fault"
)

const (
	maxCondition = 8 << 10 // bytes of a condition's text
	// maxCost bounds one evaluation, in CEL's units: about one per operator and per
	// variable, and one per ten characters searched. Looking at each of 1,000
	// elements of an event takes some 10,000.
	maxCost = 250_000
)

// Condition is a compiled CEL expression over fields, contact, event and steps
// that gives a boolean. Safe for concurrent use.
//
// What is not there reads as null, at any depth; has(x.y) tells the difference.
// Numbers compare by value whatever way they are written: 2 equals 2.0.
type Condition struct {
	text string
	tree *cel.Ast
	prog cel.Program
}

var environment = sync.OnceValues(func() (*cel.Env, error) {
	// One error value is shared by the whole library, and evaluation writes into it
	// the first expression that fails with it. Marked beforehand it stays as it is.
	types.LabelErrNode(-1, types.NoSuchOverloadErr())
	return cel.NewEnv(
		cel.Variable("fields", cel.DynType),
		cel.Variable("contact", cel.DynType),
		cel.Variable("event", cel.DynType),
		cel.Variable("steps", cel.DynType),
		cel.CustomTypeAdapter(adapter{}),
		cel.CrossTypeNumericComparisons(true),
		cel.EnableMacroCallTracking(), // so that errors can quote macros
		cel.DefaultUTCTimeZone(true),
		cel.ParserRecursionLimit(100),
		ext.Strings(ext.StringsVersion(5)),
	)
})

// CompileCondition parses and checks a condition. The error is Invalid and says
// at which line and column.
func CompileCondition(text string) (*Condition, error) {
	env, err := environment()
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "prepare conditions")
	}
	switch {
	case strings.TrimSpace(text) == "":
		return nil, fault.New(fault.Invalid, "the condition is empty")
	case len(text) > maxCondition:
		return nil, fault.New(fault.Invalid, "the condition is longer than %d bytes", maxCondition)
	}
	tree, iss := compileCEL(env, text)
	if err := iss.Err(); err != nil {
		var list []string
		for _, e := range iss.Errors() {
			list = append(list, fmt.Sprintf("line %d, column %d: %s", e.Location.Line(), e.Location.Column()+1, e.Message))
		}
		return nil, fault.New(fault.Invalid, "not a condition: %s", strings.Join(list, "; "))
	}
	if t := tree.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, fault.New(fault.Invalid, "a condition gives true or false, `%s` gives %s", clip(text, 300), t)
	}
	prog, err := env.Program(tree, cel.CostLimit(maxCost), cel.CostTracking(costs{}), cel.CustomDecoratorV2(decorate))
	if err != nil {
		return nil, fault.New(fault.Invalid, "not a condition: %v", err)
	}
	return &Condition{text: text, tree: tree, prog: prog}, nil
}

// compileCEL is env.Compile, except that in arithmetic with a value from JSON a
// whole number means the number: fields.steps + 1. Without that it would always
// fail, as JSON's numbers are doubles and CEL adds doubles to doubles only.
func compileCEL(env *cel.Env, text string) (*cel.Ast, *cel.Issues) {
	tree, iss := env.Parse(text)
	if iss.Err() != nil {
		return nil, iss
	}
	fromJSON, last := map[int64]bool{}, int64(0)
	operand := map[int64]bool{} // literals to change
	ast.PostOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		last = max(last, e.ID())
		switch e.Kind() {
		case ast.SelectKind:
			fromJSON[e.ID()] = true
		case ast.IdentKind:
			fromJSON[e.ID()] = variableNames[e.AsIdent()]
		case ast.CallKind:
			call := e.AsCall()
			args := call.Args()
			switch {
			case call.FunctionName() == operators.Index:
				fromJSON[e.ID()] = fromJSON[args[0].ID()]
			case arithmetic[call.FunctionName()] && (fromJSON[args[0].ID()] || fromJSON[args[1].ID()]):
				fromJSON[e.ID()], operand[args[0].ID()], operand[args[1].ID()] = true, true, true
			}
		}
	}))
	factory := ast.NewExprFactory()
	ast.PostOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if !operand[e.ID()] || e.Kind() != ast.LiteralKind {
			return
		}
		if n, ok := e.AsLiteral().(types.Int); ok {
			last++
			e.SetKindCase(factory.NewCall(e.ID(), "dyn", factory.NewLiteral(last, types.Double(n))))
		}
	}))
	checking.Lock()
	defer checking.Unlock()
	return env.Check(tree)
}

// checking lets one expression at a time be checked: the library fills the shared
// environment's catalogue of overloads on the way, and two at once race.
var checking sync.Mutex

var variableNames = map[string]bool{"fields": true, "contact": true, "event": true, "steps": true}

// madeDyn is what compileCEL makes of a whole number, as it would be quoted.
var madeDyn = regexp.MustCompile(`\bdyn\((-?[0-9.e+]+?)(\.0)?\)`)

var arithmetic = map[string]bool{operators.Add: true, operators.Subtract: true, operators.Multiply: true, operators.Divide: true}

// Eval judges the condition. What cannot be evaluated is an Invalid error that
// quotes the clause, its place and the types it met, never values; it is not
// false. As everywhere in CEL, an operand of && or || that fails does not matter
// when the other one decides.
func (c *Condition) Eval(s Scope) (bool, error) {
	vars := variables(s)
	out, _, err := c.prog.Eval(vars)
	if err != nil {
		return false, c.explain(err, vars)
	}
	b, ok := out.(types.Bool)
	if !ok {
		return false, fault.New(fault.Invalid, "condition `%s` gives %s, want true or false", c.text, typeName(out))
	}
	return bool(b), nil
}

func variables(s Scope) map[string]any {
	var a adapter
	return map[string]any{
		"fields":  a.NativeToValue(s.Fields),
		"contact": a.NativeToValue(s.Contact),
		"event":   a.NativeToValue(s.Event),
		"steps":   a.NativeToValue(s.Steps),
	}
}

// explain turns an evaluation error into one that names the clause.
func (c *Condition) explain(err error, vars map[string]any) error {
	clause, where := c.text, ""
	var because string
	var failed *types.Err
	if errors.As(err, &failed) {
		if e := c.find(failed.NodeID()); e != nil {
			info := c.tree.NativeRep().SourceInfo()
			if text, err := cel.ExprToString(e, info); err == nil && text != "" {
				clause = madeDyn.ReplaceAllString(text, "$1")
			}
			if at := info.GetStartLocation(e.ID()); at.Line() > 0 {
				where = fmt.Sprintf(" (line %d, column %d)", at.Line(), at.Column()+1)
			}
			because = c.operands(e, vars)
		}
	}
	return fault.New(fault.Invalid, "condition clause `%s`%s cannot be evaluated: %s%s", clip(clause, 300), where, reason(err), because)
}

// reason is why an evaluation failed. Messages of conversions quote the value
// they were given, which may be personal: only what is known to be safe passes.
func reason(err error) string {
	var stopped interpreter.EvalCancelledError
	if errors.As(err, &stopped) {
		return "it takes too long"
	}
	text := err.Error()
	for _, known := range []string{errTooLong.Error(), "no such overload", "no such key", "index out of bounds", "divide by zero", "modulus by zero", "overflow", "an object has no key of type"} {
		if strings.Contains(text, known) {
			return known
		}
	}
	return "a value cannot be converted"
}

// find is the expression with an id, or nil.
func (c *Condition) find(id int64) ast.Expr {
	if id <= 0 {
		return nil
	}
	var hit ast.Expr
	ast.PostOrderVisit(c.tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.ID() == id {
			hit = e
		}
	}))
	return hit
}

// operands says of which types the operands of a failed call were:
// "fields.steps is null, 2 is int".
func (c *Condition) operands(e ast.Expr, vars map[string]any) string {
	if e.Kind() != ast.CallKind {
		return ""
	}
	call := e.AsCall()
	if call.FunctionName() == operators.LogicalAnd || call.FunctionName() == operators.LogicalOr {
		return ""
	}
	args := call.Args()
	if call.IsMemberFunction() {
		args = append([]ast.Expr{call.Target()}, args...)
	}
	env, err := environment()
	if err != nil {
		return ""
	}
	var said []string
	for _, a := range args {
		text, err := cel.ExprToString(a, c.tree.NativeRep().SourceInfo())
		if err != nil || a.Kind() == ast.LiteralKind {
			continue
		}
		tree, iss := compileCEL(env, text)
		if iss.Err() != nil {
			continue // uses a macro's own variable
		}
		prog, err := env.Program(tree, cel.CostLimit(maxCost), cel.CostTracking(costs{}), cel.CustomDecoratorV2(decorate))
		if err != nil {
			continue
		}
		if out, _, err := prog.Eval(vars); err == nil {
			said = append(said, fmt.Sprintf("%s is %s", clip(text, 100), typeName(out)))
		}
	}
	if len(said) == 0 {
		return ""
	}
	return "; " + strings.Join(said, ", ")
}
