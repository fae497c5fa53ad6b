package flow

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Workflow is a compiled definition: every path, condition and template parsed,
// every id unique. Safe for concurrent use.
type Workflow struct {
	fields *FieldSet
	when   *Condition // nil: always
	nodes  []Node
	steps  map[string]*step
}

// step is one compiled step.
type step struct {
	def      plan.Step
	when     *Condition
	branches []*Condition // nil element: otherwise
	with     *Settings
}

// Kinds of node.
const (
	KindTask   = "task"
	KindWait   = "wait"
	KindBranch = "branch"
	KindStop   = "stop"
)

// Node is a step as the orchestration sees it: ids and kinds, nothing that could
// change with a library or that tells of people.
type Node struct {
	ID       string   `json:"id"`
	Kind     string   `json:"kind"`               // task | wait | branch | stop
	Task     string   `json:"task,omitempty"`     // the task's kind
	Continue bool     `json:"continue,omitempty"` // a failure does not end the run
	Local    bool     `json:"local,omitempty"`    // the task is short SQL: run it as a local activity
	Branches [][]Node `json:"branches,omitempty"` // by Verdict.Branch
}

// Verdict is what to do at a step.
type Verdict struct {
	Skip     bool          `json:"skip,omitempty"`     // its condition does not hold
	Reason   string        `json:"reason,omitempty"`   // why it is skipped or stopped
	Branch   int           `json:"branch"`             // of a branch step: which way; -1 none. Else 0
	Wait     time.Duration `json:"wait,omitempty"`     // of a wait step: how long at most
	Response string        `json:"response,omitempty"` // of a wait step: it also ends when this step's invitation is answered
	Stop     bool          `json:"stop,omitempty"`     // the run ends here
}

const maxNesting = 10

var stepID = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

// Compile checks and compiles a definition. The error joins one Invalid error for
// each thing that is wrong, with its place as Field: steps[0].branch[1].when.
// What a task's settings mean is for the task to check.
//
// It is for definitions that were judged when they were stored, maybe by an earlier
// release: a path that is none any more is no error here, but makes its field one of
// the wrong type. CompileFields is the judge.
func Compile(def plan.Workflow) (*Workflow, error) {
	c := compiler{w: &Workflow{steps: map[string]*step{}}}
	var err error
	if c.w.fields, err = compileFields(def.Fields, true); err != nil {
		c.errs = append(c.errs, err)
	}
	c.w.when = c.condition("when", def.When)
	c.w.nodes = c.list("steps", def.Steps, 1)
	if len(c.errs) > 0 {
		return nil, errors.Join(c.errs...)
	}
	return c.w, nil
}

type compiler struct {
	w    *Workflow
	errs []error
}

func (c *compiler) bad(field, format string, args ...any) {
	c.errs = append(c.errs, fault.Field(field, format, args...))
}

func (c *compiler) condition(at, text string) *Condition {
	if text == "" {
		return nil
	}
	cond, err := CompileCondition(text)
	if err != nil {
		c.bad(at, "%s", fault.Public(err))
		return nil
	}
	return cond
}

func (c *compiler) list(at string, steps []plan.Step, depth int) []Node {
	if depth > maxNesting {
		c.bad(at, "nested deeper than %d branches", maxNesting)
		return nil
	}
	nodes := make([]Node, 0, len(steps))
	for i, s := range steps {
		nodes = append(nodes, c.step(fmt.Sprintf("%s[%d]", at, i), s, depth))
	}
	return nodes
}

func (c *compiler) step(at string, def plan.Step, depth int) Node {
	kinds := kindsOf(def)
	n := Node{ID: def.ID, Task: def.Task, Continue: def.OnFailure == plan.OnFailureContinue}
	switch {
	case !stepID.MatchString(def.ID):
		c.bad(at+".id", "%q: an id is letters, digits, _ and -, at most 64, and starts with a letter or _", def.ID)
	case c.w.steps[def.ID] != nil:
		c.bad(at+".id", "%q is there twice", def.ID)
	}
	if len(kinds) != 1 {
		c.bad(at, "a step is exactly one of task, wait, branch and stop; this one is %d of them", len(kinds))
	} else {
		n.Kind = kinds[0]
	}
	s := &step{def: def, when: c.condition(at+".when", def.When)}
	if def.With != nil && def.Task == "" {
		c.bad(at+".with", "only a task has settings")
	}
	switch def.OnFailure {
	case "", plan.OnFailureStop, plan.OnFailureContinue:
	default:
		c.bad(at+".on_failure", "%q: want stop or continue", def.OnFailure)
	}
	with, err := CompileSettings(at+".with", def.With)
	if err != nil {
		c.errs = append(c.errs, err)
	}
	s.with = with
	if w := def.Wait; w != nil {
		if w.For <= 0 {
			c.bad(at+".wait.for", "want a duration such as 3d, 1h30m or 45s")
		}
		if earlier := c.w.steps[w.Response]; w.Response != "" && (earlier == nil || earlier.def.Task == "") {
			c.bad(at+".wait.response", "%q is no task before this step", w.Response)
		}
	}
	c.w.steps[def.ID] = s
	for i, b := range def.Branch {
		here := fmt.Sprintf("%s.branch[%d]", at, i)
		if b.When == "" && i < len(def.Branch)-1 {
			c.bad(here+".when", "only the last branch can be without a condition")
		}
		s.branches = append(s.branches, c.condition(here+".when", b.When))
		n.Branches = append(n.Branches, c.list(here+".steps", b.Steps, depth+1))
	}
	return n
}

func kindsOf(s plan.Step) (kinds []string) {
	if s.Task != "" {
		kinds = append(kinds, KindTask)
	}
	if s.Wait != nil {
		kinds = append(kinds, KindWait)
	}
	if len(s.Branch) > 0 {
		kinds = append(kinds, KindBranch)
	}
	if s.Stop != nil {
		kinds = append(kinds, KindStop)
	}
	return kinds
}

// Fields are the definition's typed fields.
func (w *Workflow) Fields() *FieldSet { return w.fields }

// Program is the tree of steps that the orchestration walks. Which tasks are
// Local is for the caller to say; nil says none.
func (w *Workflow) Program(local func(task string) bool) []Node {
	return mark(w.nodes, local)
}

func mark(nodes []Node, local func(string) bool) []Node {
	out := make([]Node, len(nodes))
	for i, n := range nodes {
		n.Local = n.Kind == KindTask && local != nil && local(n.Task)
		branches := n.Branches
		n.Branches = nil
		for _, b := range branches {
			n.Branches = append(n.Branches, mark(b, local))
		}
		out[i] = n
	}
	return out
}

// Starts judges the workflow's own condition. The reason says, when it does not
// hold, which condition that was.
func (w *Workflow) Starts(scope Scope) (bool, string, error) {
	ok, reason, err := holds(w.when, scope)
	if err != nil {
		return false, "", fault.Field("when", "%s", fault.Public(err))
	}
	return ok, reason, nil
}

// Judge says what to do at a step, by what is true now. An evaluation error is
// Invalid and names step and clause.
func (w *Workflow) Judge(id string, scope Scope) (Verdict, error) {
	s, err := w.step(id)
	if err != nil {
		return Verdict{}, err
	}
	ok, reason, err := holds(s.when, scope)
	if err != nil {
		return Verdict{}, fault.Field("step "+id+": when", "%s", fault.Public(err))
	}
	if !ok {
		return Verdict{Skip: true, Reason: reason}, nil
	}
	var v Verdict
	switch {
	case s.def.Wait != nil:
		v.Wait, v.Response = s.def.Wait.For.Std(), s.def.Wait.Response
	case s.def.Stop != nil:
		v.Stop, v.Reason = true, s.def.Stop.Reason
	case len(s.branches) > 0:
		v.Branch = -1
		for i, b := range s.branches {
			ok, _, err := holds(b, scope)
			if err != nil {
				return Verdict{}, fault.Field(fmt.Sprintf("step %s: branch %d: when", id, i+1), "%s", fault.Public(err))
			}
			if ok {
				v.Branch = i
				break
			}
		}
	}
	return v, nil
}

// holds judges a condition; none holds always.
func holds(c *Condition, scope Scope) (bool, string, error) {
	if c == nil {
		return true, "", nil
	}
	ok, err := c.Eval(scope)
	if err != nil || ok {
		return ok, "", err
	}
	return false, "condition `" + clip(c.text, 300) + "` does not hold", nil
}

// StepWith renders a task step's settings. Keys named in deferred keep their
// templates for later (see Settings.Render).
func (w *Workflow) StepWith(id string, scope Scope, deferred ...string) (*jsonvalue.Object, error) {
	s, err := w.step(id)
	if err != nil {
		return nil, err
	}
	return s.with.Render(scope, deferred...)
}

// StepContact renders only the setting "contact" of a task step: who the step is
// about. With it the contact can be found before the step's condition is judged,
// so that !contact.unsubscribed speaks of somebody. Nil when the step names nobody.
func (w *Workflow) StepContact(id string, scope Scope) (*jsonvalue.Object, error) {
	s, err := w.step(id)
	if err != nil {
		return nil, err
	}
	v, err := s.with.RenderKey("contact", scope)
	if err != nil {
		return nil, err
	}
	o, _ := v.(*jsonvalue.Object)
	return o, nil
}

func (w *Workflow) step(id string) (*step, error) {
	if s := w.steps[id]; s != nil {
		return s, nil
	}
	return nil, fault.New(fault.NotFound, "the workflow has no step %q", id)
}
