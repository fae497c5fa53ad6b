package fql

import (
	"strings"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Filter is a compiled filter. It never changes: use it from many goroutines.
type Filter struct {
	text string
	tree *Group
	root group
}

// Compile reads a filter's text. An error is Invalid and names line, column and
// reason. A text without any condition is invalid, and so is one over MaxText.
func Compile(text string) (*Filter, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	tokens, bad := lex(text)
	if bad != nil {
		return nil, bad.in(text)
	}
	tree, bad := parse(tokens, len(text), nil)
	if bad != nil {
		return nil, bad.in(text)
	}
	return &Filter{text: text, tree: tree, root: *compileGroup(tree)}, nil
}

func checkText(text string) error {
	if len(text) > MaxText {
		return fault.New(fault.Invalid, "filter: longer than %d bytes", MaxText)
	}
	if !utf8.ValidString(text) {
		return fault.New(fault.Invalid, "filter: not UTF-8 text")
	}
	return nil
}

// Text is the text the filter was compiled from.
func (f *Filter) Text() string { return f.text }

// Tree is the filter as it was really understood. It must not be changed.
func (f *Filter) Tree() *Group { return f.tree }

// Match reports whether the event passes. A missing event (nil) never does. An
// error, always Invalid, means that this filter cannot be judged for this
// event; it is no match. Conditions are judged from left to right and only
// until the answer is known.
func (f *Filter) Match(event *jsonvalue.Object) (bool, error) {
	if event == nil {
		return false, nil
	}
	return f.root.match(event)
}

// judge is a compiled node: *clause or *group.
type judge interface {
	match(event *jsonvalue.Object) (bool, error)
}

type group struct {
	any      bool // or
	children []judge
}

// problemEmptyGroup and problemNoKey are why judging fails.
const (
	problemEmptyGroup = "an empty group () cannot be judged"
	problemNoKey      = "a path of nothing but dots and brackets leads nowhere"
)

var (
	errEmptyGroup = fault.New(fault.Invalid, "filter: "+problemEmptyGroup)
	errNoKey      = fault.New(fault.Invalid, "filter: "+problemNoKey)
)

func compileGroup(g *Group) *group {
	c := &group{any: g.Operator == joinOr, children: make([]judge, len(g.Children))}
	for i, child := range g.Children {
		switch child := child.(type) {
		case *Group:
			c.children[i] = compileGroup(child)
		case *Condition:
			c.children[i] = compileClause(child)
		}
	}
	return c
}

func (g *group) match(event *jsonvalue.Object) (bool, error) {
	if len(g.children) == 0 {
		return false, errEmptyGroup
	}
	for _, c := range g.children {
		ok, err := c.match(event)
		if err != nil {
			return false, err
		}
		if ok == g.any {
			return ok, nil
		}
	}
	return !g.any, nil
}

// clause is a compiled condition: path and both forms of its value are ready.
type clause struct {
	field  string
	steps  []step
	lost   bool // the path is empty: the value is always missing
	broken bool // the path has no key in it: judging fails
	test   func(*clause, any) bool
	text   string  // the value as text
	number float64 // the value as number
	half   rune    // see Condition.half
}

// step is one key of a path, and what it means to arrays and strings.
type step struct {
	key    string
	index  int // -1: not an index
	length bool
}

func compileClause(c *Condition) *clause {
	k := &clause{field: c.Field, test: tests[c.Operator], text: c.text(), number: c.number(), half: c.half}
	if k.test == nil {
		k.test = never
	}
	if c.Field != "properties" && c.Field != "traits" && c.Field != "context" {
		return k
	}
	keys := strings.FieldsFunc(c.Path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	k.lost = c.Path == ""
	k.broken = !k.lost && len(keys) == 0
	k.steps = make([]step, len(keys))
	for i, key := range keys {
		k.steps[i] = step{key: key, index: arrayIndex(key), length: key == "length"}
	}
	return k
}

// arrayIndex is the index a key means, or -1: only the canonical form counts.
func arrayIndex(key string) int {
	if key == "" || len(key) > 9 || (key[0] == '0' && len(key) > 1) {
		return -1
	}
	n := 0
	for i := range len(key) {
		if !isDigit(key[i]) {
			return -1
		}
		n = n*10 + int(key[i]-'0')
	}
	return n
}

// number is the value as a number, as JavaScript's Number makes it.
func (c *Condition) number() float64 {
	switch v := c.Value.(type) {
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	case string:
		return toNumber(v)
	}
	return notANumber
}

func (c *clause) match(event *jsonvalue.Object) (bool, error) {
	if c.broken {
		return false, errNoKey
	}
	return c.test(c, c.lookup(event)), nil
}

// lookup finds the value the clause is about; Undefined when it is not there.
// A step from null, false, 0 or "" stops and gives that value.
func (c *clause) lookup(event *jsonvalue.Object) any {
	if c.lost {
		return jsonvalue.Undefined{}
	}
	v := event.Get(c.field)
	for i := range c.steps {
		s := &c.steps[i]
		switch from := v.(type) {
		case *jsonvalue.Object:
			v = from.Get(s.key)
		case []any:
			v = s.ofArray(from)
		case string:
			if from == "" {
				return from
			}
			v = s.ofString(from)
		case nil, jsonvalue.Undefined:
			return v
		case bool:
			if !from {
				return v
			}
			return jsonvalue.Undefined{}
		case float64:
			if from == 0 {
				return v
			}
			return jsonvalue.Undefined{}
		}
	}
	return v
}

func (s *step) ofArray(a []any) any {
	if s.length {
		return float64(len(a))
	}
	if s.index < 0 || s.index >= len(a) {
		return jsonvalue.Undefined{}
	}
	return a[s.index]
}

// ofString gives length and elements in UTF-16 units, as JavaScript counts.
func (s *step) ofString(text string) any {
	units := 0
	for _, r := range text {
		if s.index == units && !s.length {
			if r > 0xffff {
				r = utf8.RuneError // half a character
			}
			return string(r)
		}
		units++
		if r > 0xffff {
			units++
			if s.index == units-1 && !s.length {
				return string(utf8.RuneError)
			}
		}
	}
	if s.length {
		return float64(units)
	}
	return jsonvalue.Undefined{}
}

// tests are the operators; what is not here is never true.
var tests = map[Operator]func(*clause, any) bool{
	Equal:           func(c *clause, v any) bool { s, ok := v.(string); return ok && s == c.text },
	NotEqual:        func(c *clause, v any) bool { s, ok := v.(string); return !ok || s != c.text },
	Less:            func(c *clause, v any) bool { n, ok := v.(float64); return ok && n < c.number },
	LessOrEqual:     func(c *clause, v any) bool { n, ok := v.(float64); return ok && n <= c.number },
	Greater:         func(c *clause, v any) bool { n, ok := v.(float64); return ok && n > c.number },
	GreaterOrEqual:  func(c *clause, v any) bool { n, ok := v.(float64); return ok && n >= c.number },
	NumberEquals:    func(c *clause, v any) bool { n, ok := v.(float64); return ok && n == c.number },
	NumberNotEquals: func(c *clause, v any) bool { n, ok := v.(float64); return ok && n != c.number },
	Contains:        func(c *clause, v any) bool { s, ok := v.(string); return ok && strings.Contains(s, c.text) },
	NotContains:     func(c *clause, v any) bool { s, ok := v.(string); return ok && !strings.Contains(s, c.text) },
	StartsWith:      func(c *clause, v any) bool { s, ok := v.(string); return ok && strings.HasPrefix(s, c.text) },
	NotStartsWith:   func(c *clause, v any) bool { s, ok := v.(string); return ok && !strings.HasPrefix(s, c.text) },
	EndsWith:        func(c *clause, v any) bool { s, ok := v.(string); return ok && c.isSuffix(s) },
	NotEndsWith:     func(c *clause, v any) bool { s, ok := v.(string); return ok && !c.isSuffix(s) },
	Exists:          func(_ *clause, v any) bool { return !jsonvalue.IsNil(v) },
	NotExists:       func(_ *clause, v any) bool { return jsonvalue.IsNil(v) },
	IsTrue:          func(_ *clause, v any) bool { b, ok := v.(bool); return ok && b },
	IsFalse:         func(_ *clause, v any) bool { b, ok := v.(bool); return ok && !b },
}

func never(*clause, any) bool { return false }

func (c *clause) isSuffix(s string) bool {
	if c.half == 0 {
		return strings.HasSuffix(s, c.text)
	}
	head, ok := strings.CutSuffix(s, c.text)
	r, _ := utf8.DecodeLastRuneInString(head)
	return ok && r > 0xffff && (r-0x10000)&0x3ff|0xdc00 == c.half
}
