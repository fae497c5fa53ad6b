package mapping

import (
	"fmt"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// compiler makes nodes of values that were validated, or that stand in a literal
// array and were not: for those it finds what Segment finds on resolving.
type compiler struct {
	certain []Problem // parts that always fail
}

func (c *compiler) fail(path, format string, args ...any) node {
	p := Problem{showPath(path), fmt.Sprintf(format, args...)}
	c.certain = append(c.certain, p)
	return broken{path, p.Message}
}

// injectRoot puts the other top-level keys into the root directive as its
// "mapping". It gives nil when the root directive is not an object of one key
// with an object.
func (c *compiler) injectRoot(top *jsonvalue.Object) *jsonvalue.Object {
	if !top.Has(rootDirectiveKey) {
		return top
	}
	directive, _ := top.Get(rootDirectiveKey).(*jsonvalue.Object)
	if directive.Len() != 1 {
		return nil
	}
	name := directive.Keys()[0]
	var args *jsonvalue.Object
	switch a := directive.Get(name).(type) {
	case *jsonvalue.Object:
		args = copied(a)
	case []any: // no place for a mapping in it; validation has the say
		return directive
	default:
		return nil
	}
	rest := jsonvalue.NewObject(top.Len())
	for k, v := range top.All() {
		if k != rootDirectiveKey {
			rest.Set(k, v)
		}
	}
	args.Set("mapping", rest)
	out := jsonvalue.NewObject(1)
	out.Set(name, args)
	return out
}

func copied(o *jsonvalue.Object) *jsonvalue.Object {
	out := jsonvalue.NewObject(o.Len() + 1)
	for k, v := range o.All() {
		out.Set(k, v)
	}
	return out
}

// build makes the node of a value. keep says that undefined members of an object
// in this place must be kept, see object.
func (c *compiler) build(v any, path string, keep bool) node {
	switch v := v.(type) {
	case []any:
		l := make(list, len(v))
		constant := true
		for i, e := range v {
			l[i] = c.build(e, fmt.Sprintf("%s/%d", path, i), false)
			constant = constant && isLiteral(l[i])
		}
		if constant {
			return folded(l)
		}
		return l
	case *jsonvalue.Object:
		if isDirective(v) {
			return c.directive(v, path, keep)
		}
		return c.object(v, path, keep)
	}
	return literal{v}
}

func (c *compiler) object(v *jsonvalue.Object, path string, keep bool) node {
	o := &object{path: path, keepUndefined: keep}
	constant := true
	for k, e := range v.All() {
		n := c.build(e, path+"/"+k, false)
		o.keys, o.vals = append(o.keys, k), append(o.vals, n)
		constant = constant && isLiteral(n)
	}
	if constant {
		return folded(o)
	}
	return o
}

func isLiteral(n node) bool { _, ok := n.(literal); return ok }

// folded is the value of a list or object of literals. It need not be what was
// written: a directive inside may have become a literal, or undefined.
func folded(n node) node {
	v, _ := n.eval(scope{}) // literals do not fail
	return literal{v}
}

// directives says how each directive is compiled.
var directives map[string]func(c *compiler, arg any, path string, keep bool) node

func init() { // a variable with an initialiser would be an initialisation cycle
	directives = map[string]func(c *compiler, arg any, path string, keep bool) node{
		"@path":            (*compiler).path,
		"@template":        (*compiler).template,
		"@literal":         (*compiler).build,
		"@if":              (*compiler).condition,
		"@case":            (*compiler).letterCase,
		"@replace":         (*compiler).replace,
		"@arrayPath":       (*compiler).arrayPath,
		"@merge":           (*compiler).merge,
		"@transform":       (*compiler).transform,
		"@flatten":         (*compiler).flatten,
		"@json":            (*compiler).json,
		"@excludeWhenNull": (*compiler).excludeNull,
		"@liquid":          (*compiler).liquid,
	}
}

// directiveName is the directive's key; of several, which only an array can have
// here, the first counts.
func directiveName(o *jsonvalue.Object) string {
	for k := range o.All() {
		if isDirectiveKey(k) {
			return k
		}
	}
	return ""
}

func (c *compiler) directive(o *jsonvalue.Object, path string, keep bool) node {
	name := directiveName(o)
	build, ok := directives[name]
	if !ok {
		return c.fail(path, "%s is not a directive", name)
	}
	return build(c, o.Get(name), path+"/"+name, keep)
}

// text compiles a directive that works on a text: now, when the text is written
// out, else for each event.
func (c *compiler) text(name string, arg any, path string, fixed func(string) node, run func(string, scope) (any, error)) node {
	n := c.build(arg, path, false)
	if l, ok := n.(literal); ok {
		if s, ok := l.value.(string); ok {
			return fixed(s)
		}
		return c.fail(path, "%s: expected string, got %s", name, kindName(l.value))
	}
	return &computed{path, name, n, run}
}

func (c *compiler) path(arg any, path string, _ bool) node {
	return c.text("@path", arg, path,
		func(s string) node { return newLookup(s) },
		func(s string, root scope) (any, error) { return parseEventPath(s).get(root), nil })
}

func (c *compiler) template(arg any, path string, _ bool) node {
	return c.text("@template", arg, path,
		func(s string) node { return &rendered{path, parseTemplate(s)} },
		func(s string, root scope) (any, error) { return (&rendered{path, parseTemplate(s)}).eval(root) })
}

func (c *compiler) condition(arg any, path string, keep bool) node {
	o, ok := arg.(*jsonvalue.Object)
	if !ok || !(js.Truthy(o.Get("exists")) || js.Truthy(o.Get("blank"))) {
		return c.fail(path, `requires an "exists" or a "blank" key that is not empty`)
	}
	n := &condition{blank: !o.Has("exists")}
	word := "exists"
	if n.blank {
		word = "blank"
	}
	n.test = c.build(o.Get(word), path+"/"+word, false)
	if o.Has("then") {
		n.then = c.build(o.Get("then"), path+"/then", keep)
	}
	if e := o.Get("else"); js.Truthy(e) { // Segment skips a literal else that is falsy
		n.els = c.build(e, path+"/else", keep)
	}
	return n
}

var undefined = literal{jsonvalue.Undefined{}}

func (c *compiler) letterCase(arg any, path string, _ bool) node {
	o, _ := arg.(*jsonvalue.Object)
	operator := o.Get("operator")
	if !js.Truthy(operator) {
		return c.fail(path, `requires an "operator" key`)
	}
	if !js.Truthy(o.Get("value")) {
		return undefined
	}
	word, _ := operator.(string)
	return &letterCase{path, word, c.build(o.Get("value"), path+"/value", false)}
}

func (c *compiler) replace(arg any, path string, _ bool) node {
	o, _ := arg.(*jsonvalue.Object)
	if !js.Truthy(o.Get("pattern")) {
		return c.fail(path, `requires a "pattern" key`)
	}
	if !js.Truthy(o.Get("value")) {
		return undefined
	}
	n := &replace{path: path, value: c.build(o.Get("value"), path+"/value", false)}
	first := replacement{global: true}
	if !given(o, "pattern", &first.pattern) || !given(o, "replacement", &first.with) ||
		!given(o, "ignorecase", &first.ignoreCase) || !given(o, "global", &first.global) {
		n.mistyped = true // only in a literal array, which is not validated
		return n
	}
	n.steps = append(n.steps, first)
	if n.refuse = first.tooLong("pattern", "replacement"); n.refuse != "" {
		c.fail(path, "%s", n.refuse)
		return n
	}
	second := first
	second.pattern, second.with = "", ""
	if !given(o, "pattern2", &second.pattern) || second.pattern == "" || !given(o, "replacement2", &second.with) {
		return n
	}
	if n.refuse = second.tooLong("pattern2", "replacement2"); n.refuse != "" {
		c.fail(path, "%s", n.refuse)
		return n
	}
	n.steps = append(n.steps, second)
	return n
}

// given sets to to an argument unless that is missing or null. It reports false
// when the argument is of another type.
func given[T any](o *jsonvalue.Object, name string, to *T) bool {
	v := o.Get(name)
	if jsonvalue.IsNil(v) {
		return true
	}
	t, ok := v.(T)
	if ok {
		*to = t
	}
	return ok
}

func (r replacement) tooLong(pattern, with string) string {
	switch {
	case js.Length(r.pattern) > maxPattern:
		return fmt.Sprintf("%s is longer than %d characters", pattern, maxPattern)
	case js.Length(r.with) > maxReplacement:
		return fmt.Sprintf("%s is longer than %d characters", with, maxReplacement)
	}
	return ""
}

func (c *compiler) arrayPath(arg any, path string, keep bool) node {
	args, ok := arg.([]any)
	if !ok {
		return c.fail(path, "expected array, got %s", kindName(arg))
	}
	var items node
	if s, ok := js.At(args, 0).(string); ok {
		items = newLookup(s)
	} else {
		items = c.build(js.At(args, 0), path+"/0", keep)
	}
	if shape, ok := js.At(args, 1).(*jsonvalue.Object); ok && shape.Len() > 0 {
		return &each{path, items, c.build(shape, path+"/1", false)}
	}
	return items
}

func (c *compiler) merge(arg any, path string, keep bool) node {
	o, _ := arg.(*jsonvalue.Object)
	if !js.Truthy(o.Get("direction")) {
		return c.fail(path, `requires a "direction" key`)
	}
	items, ok := o.Get("objects").([]any)
	if !ok {
		return c.fail(path, `requires an "objects" array`)
	}
	n := &merge{path: path, objects: make([]node, len(items)), keepUndefined: keep}
	left := o.Get("direction") == "left"
	for i, item := range items {
		at := i
		if left {
			at = len(items) - 1 - i
		}
		n.objects[at] = c.build(item, fmt.Sprintf("%s/objects/%d", path, i), true)
	}
	return n
}

func (c *compiler) transform(arg any, path string, keep bool) node {
	o, _ := arg.(*jsonvalue.Object)
	apply, ok := o.Get("apply").(*jsonvalue.Object)
	if !ok || !js.Truthy(o.Get("mapping")) {
		return c.fail(path, `requires an "apply" object and a "mapping"`)
	}
	if apply = c.injectRoot(apply); apply == nil {
		return c.fail(path+"/apply", "the root directive must be one object with the directive's arguments")
	}
	n := &transform{path, c.build(apply, path+"/apply", false), c.build(o.Get("mapping"), path+"/mapping", keep)}
	// In a literal array nothing was validated, but what is applied always is.
	if ps := validate(apply); len(ps) > 0 {
		n.apply = c.fail(path+"/apply", "%s", (&ValidationError{ps}).Error())
	}
	return n
}

func (c *compiler) flatten(arg any, path string, _ bool) node {
	o, _ := arg.(*jsonvalue.Object)
	separator, ok := o.Get("separator").(string)
	if !ok || separator == "" {
		return c.fail(path, `requires a "separator" that is a text`)
	}
	return &flatten{path, c.build(o.Get("value"), path+"/value", false), separator, js.Truthy(o.Get("omitArrays"))}
}

func (c *compiler) json(arg any, path string, _ bool) node {
	o, _ := arg.(*jsonvalue.Object)
	if !js.Truthy(o.Get("mode")) || !js.Truthy(o.Get("value")) {
		return c.fail(path, `requires a "mode" and a "value" that is not empty`)
	}
	value := c.build(o.Get("value"), path+"/value", false)
	switch o.Get("mode") {
	case "encode":
		return &encode{path, value}
	case "decode":
		return &decode{path, value}
	}
	// ENCODE passes validation and does nothing. The value is still resolved: it may fail.
	return &ignored{value}
}

// ignored is a value that is made and not used.
type ignored struct{ value node }

func (i *ignored) eval(root scope) (any, error) {
	_, err := i.value.eval(root)
	return jsonvalue.Undefined{}, err
}

func (c *compiler) excludeNull(arg any, path string, keep bool) node {
	return &excludeNull{path, c.build(arg, path, keep)}
}
