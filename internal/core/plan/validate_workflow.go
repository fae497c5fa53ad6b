package plan

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Names that stand in conditions and templates: fields.user, steps.ask.
var (
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)
	stepID     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)
)

// TaskDistribute is the kind of task that sends a survey: the one whose answer a
// wait can wait for.
const TaskDistribute = "distribute"

func (v *validator) workflows() {
	v.names("workflows", "workflow", v.named.workflows)
	for i, w := range v.plan.Workflows {
		at := element("workflows", i)
		v.workflowFields(child(at, "fields"), w.Fields)
		if w.When != "" {
			v.check(child(at, "when"), v.checks.Condition, w.When)
		}
		s := stepChecker{validator: v, ids: map[string]string{}}
		s.steps(child(at, "steps"), w.Steps, map[string]string{})
	}
}

func (v *validator) workflowFields(at string, fields []Field) {
	first := map[string]int{}
	for i, f := range fields {
		at := element(at, i)
		switch j, again := first[f.Name]; {
		case f.Name == "":
			v.add(child(at, "name"), "is required")
		case !identifier.MatchString(f.Name):
			v.add(child(at, "name"), "%q cannot stand in fields.<name>: want letters, digits and _, not beginning with a digit", clip(f.Name))
		case again:
			v.add(child(at, "name"), "the field %q is there twice: number %d has the name too", f.Name, j+1)
		}
		if _, again := first[f.Name]; !again {
			first[f.Name] = i
		}
		if f.Path == "" {
			v.add(child(at, "path"), "is required: a JSONPath such as $.properties.plan")
		} else {
			v.check(child(at, "path"), v.checks.Path, f.Path)
		}
		if v.one(child(at, "type"), f.Type, String, Number, Boolean) && f.Default != nil {
			if have := jsonvalue.TypeName(f.Default); have != f.Type {
				v.add(child(at, "default"), "the default of a %s must be one, found a %s", f.Type, have)
			}
			if f.Required {
				v.add(child(at, "default"), "a required field has no use for a default")
			}
		}
	}
}

// stepChecker checks the steps of one workflow.
type stepChecker struct {
	*validator
	ids map[string]string // where each id was first
}

// steps checks a list of steps; before are the kinds of the steps that may have
// run by then, by id, and gets those of this list.
func (c stepChecker) steps(at string, steps []Step, before map[string]string) {
	for i, s := range steps {
		at := element(at, i)
		c.id(child(at, "id"), s.ID)
		if s.When != "" {
			c.check(child(at, "when"), c.checks.Condition, s.When)
		}
		c.kind(at, s)
		if s.Task != "" {
			c.task(at, s)
		} else {
			c.unwanted(at, "without a task", map[string]bool{"with": s.With != nil, "on_failure": s.OnFailure != ""})
		}
		if s.Wait != nil {
			c.wait(child(at, "wait"), *s.Wait, before)
		}
		c.branches(child(at, "branch"), s.Branch, before)
		before[s.ID] = s.Task
	}
}

func (c stepChecker) id(at, id string) {
	first, again := c.ids[id]
	switch {
	case id == "":
		c.add(at, "is required")
	case !stepID.MatchString(id):
		c.add(at, "%q is no step id: want letters, digits, _ and -, beginning with a letter", clip(id))
	case again:
		c.add(at, "the step %q is there twice: %s has the id too", id, parent(first))
	}
	if !again {
		c.ids[id] = at
	}
}

// kind checks that a step is exactly one thing.
func (c stepChecker) kind(at string, s Step) {
	var kinds []string
	for _, k := range []struct {
		name string
		is   bool
	}{{"task", s.Task != ""}, {"wait", s.Wait != nil}, {"branch", len(s.Branch) > 0}, {"stop", s.Stop != nil}} {
		if k.is {
			kinds = append(kinds, k.name)
		}
	}
	switch len(kinds) {
	case 0:
		c.add(at, "a step needs one of task, wait, branch and stop")
	case 1:
	default:
		c.add(at, "a step is one of task, wait, branch and stop; this one has %s", strings.Join(kinds, " and "))
	}
}

func (c stepChecker) task(at string, s Step) {
	if s.OnFailure != "" {
		c.one(child(at, "on_failure"), s.OnFailure, OnFailureStop, OnFailureContinue)
	}
	with := child(at, "with")
	if c.checks.Task != nil {
		if err := c.checks.Task(s.Task, s.With); err != nil {
			c.addError(with, err)
		}
	}
	if c.checks.Template != nil {
		c.templates(with, s.With)
	}
	c.reference(with, s.With, "survey", "survey", c.named.surveys)
	c.reference(with, s.With, "directory", "directory", c.named.directories)
	c.reference(with, s.With, "mailing_list", "mailing list", c.mailingLists(s.With))
}

// reference checks a task's setting that names a part of the plan. What a
// template makes of it is known only when it runs; ids are for the task to judge.
func (c stepChecker) reference(at string, with *jsonvalue.Object, key, kind string, names nameSet) {
	name, ok := with.Get(key).(string)
	if ok && name != "" && !strings.Contains(name, "{{") {
		c.exists(child(at, key), kind, name, names)
	}
}

// mailingLists are the names a task may mean: those of the directory it names,
// else of the default one, else of all.
func (v *validator) mailingLists(with *jsonvalue.Object) nameSet {
	itself := func(s string) string { return s }
	if !with.Has("mailing_list") {
		return nameSet{}
	}
	directory, _ := with.Get("directory").(string)
	var all []string
	for _, d := range v.plan.Directories {
		if directory == d.Name || directory == "" && (d.Default || len(v.plan.Directories) == 1) {
			return newNameSet(d.MailingLists, itself)
		}
		all = append(all, d.MailingLists...)
	}
	return newNameSet(all, itself)
}

func (c stepChecker) templates(at string, v any) {
	switch v := v.(type) {
	case string:
		c.check(at, c.checks.Template, v)
	case []any:
		for i, e := range v {
			c.templates(element(at, i), e)
		}
	case *jsonvalue.Object:
		for k, e := range v.All() {
			c.templates(member(at, k), e)
		}
	}
}

func (c stepChecker) wait(at string, w Wait, before map[string]string) {
	if w.For <= 0 {
		c.add(child(at, "for"), "want how long to wait at most, such as 1h or 3d")
	}
	if w.Response == "" {
		return
	}
	at = child(at, "response")
	switch task, ok := before[w.Response]; {
	case !ok:
		var could []string
		for id, task := range before {
			if task == TaskDistribute {
				could = append(could, id)
			}
		}
		slices.Sort(could)
		c.add(at, "no earlier step is called %q%s", clip(w.Response), c.suggest(w.Response, could))
	case task != TaskDistribute:
		c.add(at, "the step %q distributes no survey, so there is no answer to wait for", w.Response)
	}
}

// branches checks the ways of a branch step. Steps of one way are not before
// those of another, but all are before what follows.
func (c stepChecker) branches(at string, ways []Branch, before map[string]string) {
	if len(ways) == 0 {
		return
	}
	after := maps.Clone(before)
	for i, b := range ways {
		at := element(at, i)
		switch {
		case b.When != "":
			c.check(child(at, "when"), c.checks.Condition, b.When)
		case i < len(ways)-1:
			c.add(child(at, "when"), "is required: only the last way may be without, as \"otherwise\"")
		}
		inside := maps.Clone(before)
		c.steps(child(at, "steps"), b.Steps, inside)
		maps.Copy(after, inside)
	}
	maps.Copy(before, after)
}
