package mapping

import (
	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// node is one compiled part of a mapping. eval gives its value for a root, which it
// never changes. Nodes have no state: they are shared by all goroutines.
type node interface {
	eval(root scope) (any, error)
}

// literal is a value that stands for itself.
type literal struct{ value any }

func (l literal) eval(scope) (any, error) { return l.value, nil }

// broken is a part that fails whenever it is reached: what Segment, too, finds
// only on resolving.
type broken struct {
	path    string
	message string
}

func (b broken) eval(scope) (any, error) { return nil, failf(b.path, "%s", b.message) }

// object is a plain object with directives inside.
type object struct {
	path string
	keys []string
	vals []node
	// keepUndefined is set where it shows: of the objects of a @merge, an undefined
	// member hides the one of an earlier object.
	keepUndefined bool
}

func (o *object) eval(root scope) (any, error) {
	root.budget.spend(perValue * (1 + len(o.keys)))
	out := jsonvalue.NewObject(len(o.keys))
	for i, k := range o.keys {
		v, err := o.vals[i].eval(root)
		if err != nil {
			return nil, err
		}
		if root.budget.over() {
			return nil, root.refused(o.path + "/" + k)
		}
		if o.keepUndefined || !jsonvalue.IsUndefined(v) {
			out.Set(k, v)
		}
	}
	return out, nil
}

// list is an array with directives inside; undefined elements keep their place.
type list []node

func (l list) eval(root scope) (any, error) {
	root.budget.spend(perValue * (1 + len(l)))
	out := make([]any, len(l))
	for i, n := range l {
		v, err := n.eval(root)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// lookup is a @path or @arrayPath with a known path.
type lookup struct {
	written string
	path    path
}

func newLookup(s string) *lookup { return &lookup{s, parseEventPath(s)} }

func (l *lookup) eval(root scope) (any, error) { return l.path.get(root), nil }

// computed is a directive on a text that only the event knows.
type computed struct {
	path string // where in the mapping
	name string
	text node
	run  func(s string, root scope) (any, error)
}

func (c *computed) eval(root scope) (any, error) {
	v, err := c.text.eval(root)
	if err != nil {
		return nil, err
	}
	s, ok := v.(string)
	if !ok {
		return nil, failf(c.path, "%s: expected string, got %s", c.name, kindName(v))
	}
	if !root.budget.spend(len(s)) {
		return nil, root.refused(c.path)
	}
	return c.run(s, root)
}

// kindName is a type's name in run-time messages.
func kindName(v any) string {
	if jsonvalue.IsUndefined(v) {
		return "undefined"
	}
	return jsonvalue.TypeName(v)
}

type rendered struct {
	path     string
	template *template
}

func (r *rendered) eval(root scope) (any, error) {
	s, ok := r.template.render(root)
	if !ok {
		return nil, root.refused(r.path)
	}
	return s, nil
}

type condition struct {
	blank     bool // asks whether the value is not blank, else whether it exists
	test      node
	then, els node // nil: undefined
}

func (c *condition) eval(root scope) (any, error) {
	branch, err := c.choose(root)
	if err != nil || branch == nil {
		return jsonvalue.Undefined{}, err
	}
	return branch.eval(root)
}

func (c *condition) choose(root scope) (node, error) {
	v, err := c.test.eval(root)
	if err != nil {
		return nil, err
	}
	holds := !jsonvalue.IsNil(v)
	if c.blank {
		holds = holds && !looselyEmpty(v)
	}
	if holds {
		return c.then, nil
	}
	return c.els, nil
}

// looselyEmpty is JavaScript's v == "": "", 0, false, and arrays that print as "".
func looselyEmpty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case bool:
		return !v
	case float64:
		return v == 0
	case []any:
		return len(v) == 0 || (len(v) == 1 && (jsonvalue.IsNil(v[0]) || emptyText(v[0])))
	}
	return false
}

func emptyText(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []any:
		return looselyEmpty(v)
	}
	return false
}

type letterCase struct {
	path     string
	operator string
	value    node
}

func (c *letterCase) eval(root scope) (any, error) {
	v, err := c.value.eval(root)
	if err != nil {
		return nil, err
	}
	s, ok := v.(string)
	switch {
	case !ok:
		return v, nil
	case !root.budget.spend(len(s)):
		return nil, root.refused(c.path)
	case c.operator == "upper":
		return js.Upper(s), nil
	case c.operator == "lower":
		return js.Lower(s), nil
	}
	return nil, failf(c.path, `operator should be "lower" or "upper"`)
}

type replace struct {
	path     string
	value    node
	steps    []replacement
	refuse   string // why a text cannot be replaced: a pattern or replacement is too long
	mistyped bool   // an argument is of a wrong type: the result is ""
}

func (r *replace) eval(root scope) (any, error) {
	v, err := r.value.eval(root)
	if err != nil {
		return nil, err
	}
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case bool, float64:
		s = string(js.AppendText(nil, v))
	default:
		return "", nil // Segment's rule for null, missing, objects and arrays
	}
	if r.mistyped {
		return "", nil
	}
	for _, step := range r.steps {
		var ok bool
		if ok = root.budget.spend(step.cost(s)); ok {
			if s, ok = step.apply(s, maxText); ok {
				ok = root.budget.spend(len(s))
			}
		}
		if !ok {
			return nil, root.refused(r.path)
		}
	}
	if r.refuse != "" {
		return nil, failf(r.path, "%s", r.refuse)
	}
	return s, nil
}

// each is @arrayPath with a shape.
type each struct {
	path         string
	items, shape node
}

func (e *each) eval(root scope) (any, error) {
	v, err := e.items.eval(root)
	if err != nil {
		return nil, err
	}
	var items []any
	switch v := v.(type) {
	case []any:
		items = v
	case *jsonvalue.Object:
		items = []any{v}
	default:
		return v, nil
	}
	out := make([]any, len(items))
	for i, item := range items {
		if !root.budget.spend(perValue) {
			return nil, root.refused(e.path)
		}
		if out[i], err = e.shape.eval(root.of(item)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
