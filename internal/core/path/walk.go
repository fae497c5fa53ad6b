package path

import (
	"fmt"
	"iter"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// walk follows one path in one document.
type walk struct {
	root     any
	budget   *Budget
	err      error // once a bound was met
	patterns map[string]*pattern
}

// spend takes steps before they are made; false ends the walk.
func (w *walk) spend(steps int) bool {
	if w.err != nil {
		return false
	}
	if w.budget.left -= steps; w.budget.left < 0 {
		w.budget.left = 0
		w.err = boundError{fmt.Sprintf("the path takes more steps than are left of %d in a document like this", w.budget.most)}
		return false
	}
	return true
}

// textSteps are what looking at n bytes of text takes.
func textSteps(n int) int { return 1 + n/8 }

// follow gives yield each value that the segments come to from v, in order, until
// yield or a bound says stop: then it is false.
func (w *walk) follow(segments []segment, v any, yield func(any) bool) bool {
	if len(segments) == 0 {
		return w.err == nil && yield(v)
	}
	if segments[0].descendant {
		return w.descend(segments, v, yield)
	}
	return w.take(segments, v, yield)
}

// descend takes from v, and then from each value below it.
func (w *walk) descend(segments []segment, v any, yield func(any) bool) bool {
	if !w.take(segments, v, yield) {
		return false
	}
	for e := range w.each(v) {
		switch e.(type) {
		case []any, *jsonvalue.Object:
			if !w.descend(segments, e, yield) {
				return false
			}
		}
	}
	return w.err == nil
}

// each are the elements of a list, or the members of an object. It ends early when a
// bound was met.
func (w *walk) each(v any) iter.Seq[any] {
	return func(show func(any) bool) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				if !w.spend(1) || !show(e) {
					return
				}
			}
		case *jsonvalue.Object:
			if !w.spend(1) {
				return
			}
			for _, e := range v.All() {
				if !w.spend(1) || !show(e) {
					return
				}
			}
		}
	}
}

// take goes on from what each selector of the first segment takes from v.
func (w *walk) take(segments []segment, v any, yield func(any) bool) bool {
	for i := range segments[0].selectors {
		if !w.spend(1) || !w.selected(&segments[0].selectors[i], v, segments[1:], yield) {
			return false
		}
	}
	return true
}

func (w *walk) selected(s *selector, v any, rest []segment, yield func(any) bool) bool {
	switch s.kind {
	case selectName, selectIndex:
		e, ok := w.one(s, v)
		return w.err == nil && (!ok || w.follow(rest, e, yield))
	case selectWildcard, selectFilter:
		for e := range w.each(v) {
			if s.kind == selectFilter && !w.test(s.filter, e) {
				continue
			}
			if !w.follow(rest, e, yield) {
				return false
			}
		}
		return w.err == nil
	}
	list, ok := v.([]any)
	if !ok {
		return true
	}
	from, to, step := s.slice.bounds(len(list))
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		if !w.spend(1) || !w.follow(rest, list[i], yield) {
			return false
		}
	}
	return true
}

// one is what a name or an index takes.
func (w *walk) one(s *selector, v any) (any, bool) {
	switch v := v.(type) {
	case *jsonvalue.Object:
		if s.kind == selectName && w.spend(textSteps(len(s.name))) {
			return v.ValueForKey(s.name)
		}
	case []any:
		i := s.index
		if i < 0 {
			i += len(v)
		}
		if s.kind == selectIndex && i >= 0 && i < len(v) {
			return v[i], true
		}
	}
	return nil, false
}

// single is what a singular query comes to, from a condition's value.
func (w *walk) single(q *query, current any) (any, bool) {
	v := w.start(q, current)
	for i := range q.segments {
		var ok bool
		if !w.spend(1) {
			return nil, false
		}
		if v, ok = w.one(&q.segments[i].selectors[0], v); !ok {
			return nil, false
		}
	}
	return v, true
}

func (w *walk) start(q *query, current any) any {
	if q.relative {
		return current
	}
	return w.root
}
