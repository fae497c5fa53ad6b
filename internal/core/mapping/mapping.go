package mapping

import (
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Keys with a meaning of their own at the top of a mapping that Segment saved.
const (
	rootDirectiveKey = "__segment_internal_directive"
	internalPrefix   = "__segment_internal_"
)

// Mapping is a compiled mapping. It is immutable and safe for concurrent use.
type Mapping struct {
	root    node
	certain []Problem
	fields  []fieldNode // for Explain
}

type fieldNode struct {
	name      string // empty when the whole mapping is a directive
	directive string
	node      node
}

// Compile checks a mapping and prepares it. The mapping must be an object; what
// is wrong with it comes back all at once as a *ValidationError. The mapping must
// not be changed afterwards.
//
// Like Segment, Compile does not look into literal arrays: what is wrong there,
// and in the text of a @liquid, fails only on an event. Problems tells it early.
func Compile(mapping any) (*Mapping, error) {
	top, ok := mapping.(*jsonvalue.Object)
	if !ok {
		return nil, &ValidationError{[]Problem{{"/", "should be an object but it is " + article(kindName(mapping))}}}
	}
	if top == nil {
		top = jsonvalue.NewObject(0)
	}
	c := &compiler{}
	top = c.injectRoot(top)
	if top == nil {
		return &Mapping{root: c.fail("", "the root directive must be one object with the directive's arguments"), certain: c.certain}, nil
	}
	if ps := validate(top); len(ps) > 0 {
		return nil, &ValidationError{ps}
	}
	m := &Mapping{}
	if isDirective(top) {
		m.root = c.build(top, "", false)
		m.fields = []fieldNode{{"", directiveName(top), m.root}}
	} else {
		o := &object{}
		for k, v := range top.All() {
			f := fieldNode{name: k, node: c.build(v, "/"+k, false)}
			if d, ok := v.(*jsonvalue.Object); ok && isDirective(d) {
				f.directive = directiveName(d)
			}
			o.keys, o.vals = append(o.keys, k), append(o.vals, f.node)
			m.fields = append(m.fields, f)
		}
		m.root = o
	}
	m.certain = c.certain
	return m, nil
}

// Problems are the parts of a valid mapping that fail whenever an event reaches
// them, such as a @liquid text that does not parse. A mapping with problems works
// as it does at Segment; whoever saves one should see them.
func (m *Mapping) Problems() []Problem { return m.certain }

// Apply makes the mapping's value for an event, which is not changed. The result
// shares parts with the event: change neither. It is jsonvalue.Undefined when the
// mapping is a single directive without a value, and arrays may hold Undefined
// elements, which are written as null. Any error is a *RuntimeError; a mapping that
// would do more than one event is worth fails as any other, the same way each time.
func (m *Mapping) Apply(event *jsonvalue.Object) (any, error) {
	return m.applyWithin(event, NewWork())
}

func (m *Mapping) applyWithin(event *jsonvalue.Object, w *Work) (any, error) {
	root := scope{event, w.begin()}
	defer w.end()
	v, err := m.root.eval(root)
	if err != nil {
		return nil, err
	}
	if err := root.weigh(v, ""); err != nil {
		return nil, err
	}
	return v, nil
}

// isDirective reports whether an object resolves as a directive: @-keys, and
// beside them nothing but metadata. Other objects with an @-key reach resolving
// only inside arrays, and are plain there.
func isDirective(o *jsonvalue.Object) bool {
	found := false
	for k := range o.All() {
		if isDirectiveKey(k) {
			found = true
		} else if k != metadataKey {
			return false
		}
	}
	return found
}
