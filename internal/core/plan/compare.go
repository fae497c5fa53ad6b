package plan

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Op is what applying a plan does to one of its parts.
type Op string

// The operations. Nothing is deleted: what a plan no longer has is archived.
const (
	Add     Op = "add"
	Modify  Op = "change"
	Archive Op = "archive" // of a part
	Remove  Op = "remove"  // of a field
)

// Change is one part of a plan that is new, different or gone.
type Change struct {
	Op     Op            `json:"op"`
	Kind   string        `json:"kind"` // source, directory, destination, mapping, survey, workflow
	Name   string        `json:"name"`
	Fields []FieldChange `json:"fields,omitempty"` // of a changed part
}

// FieldChange is one value that differs: JSON values, nil on the side that does
// not have it, which Op tells from null. Literal secrets are masked on both sides.
type FieldChange struct {
	Op     Op     `json:"op"`   // Add, Modify or Remove
	Path   string `json:"path"` // steps by id, fields by name: "steps[ask].with.subject"
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// UnmarshalJSON reads a change back, its values as they were.
func (c *FieldChange) UnmarshalJSON(b []byte) error {
	type plain FieldChange
	change := struct {
		*plain
		Before jsonvalue.Value `json:"before"`
		After  jsonvalue.Value `json:"after"`
	}{plain: (*plain)(c)}
	err := json.Unmarshal(b, &change)
	c.Before, c.After = change.Before.V, change.After.V
	return err
}

// Changes is what differs between two plans, kind by kind, in the order of the
// new plan, what is gone at the end of its kind.
type Changes []Change

// Compare says what applying new over old changes. A nil plan is an empty one.
// The order of a plan's parts does not count, that of steps and rules does.
func Compare(old, new *Plan) Changes {
	if old == nil {
		old = &Plan{}
	}
	if new == nil {
		new = &Plan{}
	}
	var cs Changes
	for _, l := range []struct{ kind, list string }{
		{"source", "Sources"}, {"directory", "Directories"}, {"destination", "Destinations"},
		{"mapping", "Mappings"}, {"survey", "Surveys"}, {"workflow", "Workflows"},
	} {
		before := parts(old, l.list)
		after := parts(new, l.list)
		was, is := index(before), index(after)
		for _, p := range after {
			b := was[p.name]
			if b == nil {
				cs = append(cs, Change{Op: Add, Kind: l.kind, Name: p.name})
			} else if fields := differences(nil, "", b, p.tree); fields != nil {
				cs = append(cs, Change{Op: Modify, Kind: l.kind, Name: p.name, Fields: fields})
			}
		}
		for _, p := range before {
			if is[p.name] == nil {
				cs = append(cs, Change{Op: Archive, Kind: l.kind, Name: p.name})
			}
		}
	}
	return cs
}

// part is one named part of a plan.
type part struct {
	name string
	tree *jsonvalue.Object
}

func parts(p *Plan, list string) []part {
	v := reflect.ValueOf(p).Elem().FieldByName(list)
	ps := make([]part, v.Len())
	for i := range ps {
		ps[i] = part{v.Index(i).FieldByName("Name").String(), tree(v.Index(i)).(*jsonvalue.Object)}
	}
	return ps
}

// index is parts by name, the first of equal ones.
func index(ps []part) map[string]*jsonvalue.Object {
	m := make(map[string]*jsonvalue.Object, len(ps))
	for _, p := range ps {
		if m[p.name] == nil {
			m[p.name] = p.tree
		}
	}
	return m
}

// differences adds to cs what differs between a and b, two trees.
func differences(cs []FieldChange, path string, a, b any) []FieldChange {
	switch x := a.(type) {
	case *jsonvalue.Object:
		y, ok := b.(*jsonvalue.Object)
		if !ok {
			break
		}
		for k, v := range y.All() {
			cs = differences(cs, member(path, k), x.Get(k), v)
		}
		for k, v := range x.All() {
			if !y.Has(k) {
				cs = differences(cs, member(path, k), v, jsonvalue.Undefined{})
			}
		}
		return cs
	case []any:
		y, ok := b.([]any)
		if !ok {
			break
		}
		if before, after, ok := byName(x, y); ok {
			return named(cs, path, before, after)
		}
		if len(x) == len(y) && len(x) > 0 && isObjects(x) && isObjects(y) {
			for i := range x {
				cs = differences(cs, element(path, i), x[i], y[i])
			}
			return cs
		}
	}
	if !same(a, b) {
		op := Modify
		if jsonvalue.IsUndefined(a) {
			op = Add
		} else if jsonvalue.IsUndefined(b) {
			op = Remove
		}
		cs = append(cs, FieldChange{Op: op, Path: path, Before: shown(a), After: shown(b)})
	}
	return cs
}

// same compares trees, secrets by their text. The order of an object's keys is
// part of what was written, but changes nothing that happens.
func same(a, b any) bool {
	switch x := a.(type) {
	case *jsonvalue.Object:
		y, ok := b.(*jsonvalue.Object)
		if !ok || x.Len() != y.Len() {
			return false
		}
		for k, v := range x.All() {
			if !same(v, y.Get(k)) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !same(x[i], y[i]) {
				return false
			}
		}
		return true
	}
	if _, ok := b.(*jsonvalue.Object); ok {
		return false
	}
	if _, ok := b.([]any); ok {
		return false
	}
	return a == b
}

func isObjects(list []any) bool {
	for _, e := range list {
		if _, ok := e.(*jsonvalue.Object); !ok {
			return false
		}
	}
	return true
}

// byName pairs two lists whose elements all have an id or a name of their own.
func byName(a, b []any) (before, after []part, ok bool) {
	for _, key := range []string{"id", "name"} {
		x, okA := keyed(a, key)
		y, okB := keyed(b, key)
		if okA && okB && len(x)+len(y) > 0 {
			return x, y, true
		}
	}
	return nil, nil, false
}

func keyed(list []any, key string) ([]part, bool) {
	ps := make([]part, 0, len(list))
	seen := map[string]bool{}
	for _, e := range list {
		o, _ := e.(*jsonvalue.Object)
		name, ok := o.Get(key).(string)
		if !ok || seen[name] {
			return nil, false
		}
		seen[name] = true
		ps = append(ps, part{name, o})
	}
	return ps, true
}

// named compares two lists element by element, by name, and their order.
func named(cs []FieldChange, path string, before, after []part) []FieldChange {
	var orderA, orderB []any
	was, is := index(before), index(after)
	for _, p := range after {
		at := path + "[" + p.name + "]"
		b := was[p.name]
		if b == nil {
			cs = append(cs, FieldChange{Op: Add, Path: at, After: shown(p.tree)})
			continue
		}
		orderB = append(orderB, p.name)
		cs = differences(cs, at, b, p.tree)
	}
	for _, p := range before {
		if is[p.name] == nil {
			cs = append(cs, FieldChange{Op: Remove, Path: path + "[" + p.name + "]", Before: shown(p.tree)})
			continue
		}
		orderA = append(orderA, p.name)
	}
	if !same(orderA, orderB) {
		cs = append(cs, FieldChange{Op: Modify, Path: path, Before: orderA, After: orderB})
	}
	return cs
}

// shown is a tree that may be shown: literal secrets masked, nothing as null.
func shown(v any) any {
	switch v := v.(type) {
	case Secret:
		return v.String()
	case jsonvalue.Undefined:
		return nil
	case []any:
		a := make([]any, len(v))
		for i, e := range v {
			a[i] = shown(e)
		}
		return a
	case *jsonvalue.Object:
		o := jsonvalue.NewObject(v.Len())
		for k, e := range v.All() {
			o.Set(k, shown(e))
		}
		return o
	}
	return v
}

var signs = map[Op]string{Add: "+ ", Modify: "~ ", Archive: "- "}

// Text is the changes for people, a line each, or "no changes".
func (cs Changes) Text() string {
	if len(cs) == 0 {
		return "no changes\n"
	}
	var b strings.Builder
	for _, c := range cs {
		b.WriteString(signs[c.Op] + c.Kind + " " + c.Name)
		if c.Op == Archive {
			b.WriteString(" (archived)")
		}
		b.WriteByte('\n')
		for _, f := range c.Fields {
			b.WriteString("    " + f.text() + "\n")
		}
	}
	return b.String()
}

func (c FieldChange) text() string {
	before, after := jsonvalue.Text(c.Before), jsonvalue.Text(c.After)
	switch {
	case c.Op == Add:
		return "+ " + c.Path + ": " + after
	case c.Op == Remove:
		return "- " + c.Path + ": " + before
	case before == after: // secrets
		return "~ " + c.Path + ": another " + after
	}
	return "~ " + c.Path + ": " + before + " → " + after
}
