package liquid

import (
	"errors"
	"math"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid/lex"
)

// value is what gives a value: a literal, a variable with its members, a range.
type value interface {
	eval(r *run) (any, error)
}

// filtered is an expression with its filters.
type filtered struct {
	terms   []term // operators behind their values
	filters []filterCall
	line    int
}

// term is a value or an operator.
type term struct {
	value    value
	operator *operator
}

type argument struct {
	name  string // of a named one
	value value
}

type filterCall struct {
	name string
	do   *filter // nil: it is not known, and does nothing
	off  bool    // it is switched off, and fails when it is reached
	args []argument
}

func (e *filtered) eval(r *run) (any, error) {
	v, err := r.expression(e.terms)
	if err != nil {
		return nil, lex.At(e.line, err)
	}
	for i := range e.filters {
		if v, err = r.filter(&e.filters[i], v); err != nil {
			return nil, lex.At(e.line, err)
		}
	}
	return v, nil
}

func (r *run) expression(terms []term) (any, error) {
	if len(terms) == 1 && terms[0].value != nil {
		return terms[0].value.eval(r)
	}
	base := len(r.stack)
	defer func() { r.stack = r.stack[:base] }()
	pop := func() any {
		n := len(r.stack) - 1
		if n < base {
			return undefined
		}
		v := r.stack[n]
		r.stack = r.stack[:n]
		return v
	}
	for _, t := range terms {
		if t.value != nil {
			v, err := t.value.eval(r)
			if err != nil {
				return nil, err
			}
			r.stack = append(r.stack, v)
			continue
		}
		op, left, right := t.operator, undefined, pop()
		if !op.unary {
			left = pop()
		}
		if err := r.meter.spend(perValue); err != nil {
			return nil, err
		}
		if op.reads {
			if err := r.meter.read(left); err != nil {
				return nil, err
			}
			if err := r.meter.read(right); err != nil {
				return nil, err
			}
		}
		r.stack = append(r.stack, op.apply(left, right))
	}
	return r.stack[base], nil
}

func (r *run) filter(f *filterCall, v any) (any, error) {
	switch {
	case f.off:
		return nil, errors.New("filter " + f.name + " is disabled")
	case f.do == nil:
		return v, nil
	}
	base := len(r.stack)
	defer func() { r.stack = r.stack[:base] }()
	if !f.do.words {
		v = plain(v)
	}
	err := r.reads(f.do, v)
	if err != nil {
		return nil, err
	}
	for _, a := range f.args {
		arg, err := a.value.eval(r)
		if err != nil {
			return nil, err
		}
		if !f.do.words {
			arg = plain(arg)
		}
		if err := r.reads(f.do, arg); err != nil {
			return nil, err
		}
		if a.name != "" {
			arg = []any{a.name, arg}
		}
		r.stack = append(r.stack, arg)
	}
	args := r.stack[base:len(r.stack):len(r.stack)]
	out, err := f.do.apply(r, v, args)
	if err == nil && !f.do.cheap {
		err = r.meter.made(out)
	}
	if err != nil {
		return nil, failed(f.name, err)
	}
	return out, nil
}

// failed names the filter, unless the reason lies in an expression in its argument:
// its line is none of the template.
func failed(name string, err error) error {
	var inner *filterError
	if errors.As(err, &inner) {
		return inner
	}
	var nested *Error
	if errors.As(err, &nested) {
		err = nested.Err
	}
	return &filterError{name, err}
}

type filterError struct {
	name string
	err  error
}

func (e *filterError) Error() string { return "filter " + e.name + ": " + e.err.Error() }
func (e *filterError) Unwrap() error { return e.err }

// reads charges what a filter looks at.
func (r *run) reads(f *filter, v any) error {
	if f.cheap {
		return r.meter.spend(perValue)
	}
	before := r.meter.Steps
	if err := r.look(v); err != nil || f.passes < 2 {
		return err
	}
	return r.meter.spend((f.passes - 1) * (before - r.meter.Steps))
}

type literal struct{ v any }

func (l literal) eval(*run) (any, error) { return l.v, nil }

// access is a variable with its members, or a value with its members.
type access struct {
	of   value // nil: the first key is a variable
	keys []value
	text string
}

func (a *access) eval(r *run) (any, error) {
	if err := r.meter.spend(perValue * len(a.keys)); err != nil {
		return nil, err
	}
	keys := a.keys
	var v any
	if a.of == nil {
		key, err := r.key(keys[0])
		if err != nil {
			return nil, err
		}
		v, keys = r.variable(js.Text(key)), keys[1:]
	} else {
		var err error
		if v, err = a.of.eval(r); err != nil {
			return nil, err
		}
	}
	for _, k := range keys {
		key, err := r.key(k)
		if err != nil {
			return nil, err
		}
		if s, ok := v.(string); ok {
			if err := r.meter.spend(len(s)); err != nil {
				return nil, err
			}
		}
		v = member(v, key)
	}
	return v, nil
}

// key is a member's name: a text or a number.
func (r *run) key(k value) (any, error) {
	if l, ok := k.(literal); ok {
		return plain(l.v), nil
	}
	v, err := k.eval(r)
	if err != nil {
		return nil, err
	}
	v = plain(v)
	if l, ok := v.([]any); ok {
		const longest = 1000 // no key is that long
		if weight(l, longest) > longest {
			return "", r.meter.spend(longest)
		}
	}
	return v, nil
}

// names are the keys up to the first one that is not written out.
func (a *access) names() []string {
	var out []string
	for _, k := range a.keys {
		l, ok := k.(literal)
		name, isText := l.v.(string)
		if !ok || !isText {
			break
		}
		out = append(out, name)
	}
	return out
}

// variable is what a name stands for: in loops, assigned, counted, in the data. A
// missing one called size is the size of nothing, as in liquidjs.
func (r *run) variable(name string) any {
	for i := len(r.frames) - 1; i >= 0; i-- {
		if r.frames[i].name == name {
			return r.frames[i].v
		}
	}
	if v, ok := r.assigned[name]; ok {
		return v
	}
	if n, ok := r.counts[name]; ok {
		return n
	}
	switch root := r.scope.Root.(type) {
	case *jsonvalue.Object:
		if v := root.Get(name); !jsonvalue.IsUndefined(v) || name != "size" {
			return v
		}
	case []any, string:
		if v := js.Property(root, name); !jsonvalue.IsUndefined(v) {
			return member(root, name)
		}
	}
	if name == "size" {
		return 0.0
	}
	return undefined
}

// span is a range of numbers.
type span struct {
	low, high value
	text      string
}

// bounds are the first number and how many there are.
func (s *span) bounds(r *run) (low, n float64, err error) {
	a, err := s.low.eval(r)
	if err != nil {
		return 0, 0, err
	}
	b, err := s.high.eval(r)
	if err != nil {
		return 0, 0, err
	}
	// A list is read as a number by its text.
	if err := errors.Join(r.meter.read(a), r.meter.read(b)); err != nil {
		return 0, 0, err
	}
	low = number(a)
	n = math.Ceil(number(b) + 1 - low)
	if !(n > 0) {
		n = 0
	}
	return low, n, nil
}

func (s *span) eval(r *run) (any, error) {
	low, n, err := s.bounds(r)
	if err != nil {
		return nil, err
	}
	return r.numbers(low, n)
}

func (r *run) numbers(low, n float64) (any, error) {
	if n*perValue > float64(r.meter.Value) {
		return nil, ErrLarge
	}
	if err := r.meter.spend(perValue * int(n)); err != nil {
		return nil, err
	}
	out := make([]any, int(n))
	for i := range out {
		out[i] = low + float64(i)
	}
	return out, nil
}
