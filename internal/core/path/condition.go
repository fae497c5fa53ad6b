package path

import (
	"strings"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// test judges a condition for a value. After a bound was met it means nothing.
func (w *walk) test(x *expr, current any) bool {
	if !w.spend(1) {
		return false
	}
	switch x.op {
	case opOr, opAnd:
		for _, a := range x.args {
			if w.test(a, current) == (x.op == opOr) {
				return x.op == opOr
			}
		}
		return x.op == opAnd
	case opNot:
		return !w.test(x.args[0], current)
	case opExists:
		any := false
		w.follow(x.query.segments, w.start(x.query, current), found(&any))
		return any
	case opMatch, opSearch:
		return w.matches(x, current)
	}
	return w.compare(x.op, w.value(x.args[0], current), w.value(x.args[1], current))
}

// found stops at the first value.
func found(any *bool) func(v any) bool {
	return func(interface{}) bool {
		*any = true
		return false
	}
}

// value is an operand's value; Undefined is the standard's Nothing.
func (w *walk) value(x *expr, current any) any {
	if !w.spend(1) {
		return jsonvalue.Undefined{}
	}
	switch x.op {
	case opLiteral:
		return x.literal
	case opQuery:
		if v, ok := w.single(x.query, current); ok {
			return v
		}
	case opLength:
		switch v := w.value(x.args[0], current).(type) {
		case string:
			if w.spend(textSteps(len(v))) {
				return float64(utf8.RuneCountInString(v))
			}
		case []any:
			return float64(len(v))
		case *jsonvalue.Object:
			return float64(v.Len())
		}
	case opCount, opValue:
		n := 0
		var only any
		q := x.args[0].query
		w.follow(q.segments, w.start(q, current), func(v any) bool {
			n++
			only = v
			return true
		})
		if x.op == opCount {
			return float64(n)
		}
		if n == 1 {
			return only
		}
	}
	return jsonvalue.Undefined{}
}

func (w *walk) compare(op op, a, b any) bool {
	switch op {
	case opEqual:
		return w.equal(a, b)
	case opUnequal:
		return !w.equal(a, b)
	case opLess:
		return w.less(a, b)
	case opGreater:
		return w.less(b, a)
	case opLessEqual:
		return w.less(a, b) || w.equal(a, b)
	}
	return w.less(b, a) || w.equal(a, b)
}

// less compares numbers, and texts by their characters; nothing else is less than
// anything.
func (w *walk) less(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && a < b
	case string:
		b, ok := b.(string)
		return ok && w.spend(textSteps(min(len(a), len(b)))) && strings.Compare(a, b) < 0
	}
	return false
}

// equal compares values of any kind, all that is in them.
func (w *walk) equal(a, b any) bool {
	if !w.spend(1) {
		return false
	}
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return ok && len(a) == len(b) && w.spend(textSteps(len(a))) && a == b
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !w.equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case *jsonvalue.Object:
		b, ok := b.(*jsonvalue.Object)
		if !ok || a.Len() != b.Len() {
			return false
		}
		for k, v := range a.All() {
			if !w.spend(textSteps(len(k))) {
				return false
			}
			if other, ok := b.ValueForKey(k); !ok || !w.equal(v, other) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case []any, *jsonvalue.Object:
		return false // a list is not comparable by ==
	}
	return a == b
}

// matches judges match and search. What is no text matches nothing, and neither does a
// pattern that is none.
func (w *walk) matches(x *expr, current any) bool {
	text, ok := w.value(x.args[0], current).(string)
	if !ok || w.err != nil {
		return false
	}
	p := x.pattern
	if p == nil {
		source, ok := w.value(x.args[1], current).(string)
		if !ok {
			return false
		}
		if p = w.ready(source); p == nil {
			return false
		}
	}
	if p.expr == nil || !w.spend(p.size*textSteps(len(text))) {
		return false
	}
	if x.op == opMatch {
		return p.whole.MatchString(text)
	}
	return p.expr.MatchString(text)
}

// ready is a pattern from the document, made once for as long as it is kept; nil when
// the budget does not allow it.
func (w *walk) ready(source string) *pattern {
	if !w.spend(textSteps(len(source))) {
		return nil
	}
	if p := w.patterns[source]; p != nil {
		return p
	}
	if !w.spend(patternSteps) {
		return nil
	}
	p := compilePattern(source)
	if !w.spend(stateSteps * p.size) {
		return nil
	}
	if w.patterns == nil || len(w.patterns) >= keptPatterns {
		w.patterns = map[string]*pattern{}
	}
	w.patterns[source] = p
	return p
}
