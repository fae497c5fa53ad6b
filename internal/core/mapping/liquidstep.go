package mapping

import (
	"math"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// liquidSteps are the filters that the rewriter makes of variables, operators and
// tags. A template cannot name them.
var liquidSteps = map[string]liquidFilter{
	"as_text": func(_ *liquidRun, v any, _ []any) (any, error) { return liquidText(v), nil },
	"truth":   func(_ *liquidRun, v any, _ []any) (any, error) { return liquidTruthy(v), nil },
	"negate":  func(_ *liquidRun, v any, _ []any) (any, error) { return !liquidTruthy(v), nil },

	"both":         compareFilter(func(a, b any) bool { return liquidTruthy(a) && liquidTruthy(b) }),
	"either":       compareFilter(func(a, b any) bool { return liquidTruthy(a) || liquidTruthy(b) }),
	"is_equal":     compareFilter(liquidEqual),
	"is_unequal":   compareFilter(func(a, b any) bool { return !liquidEqual(a, b) }),
	"does_contain": compareFilter(liquidContains),
	"is_less":      orderFilter(func(o int) bool { return o < 0 }),
	"is_greater":   orderFilter(func(o int) bool { return o > 0 }),
	"is_at_most":   orderFilter(func(o int) bool { return o <= 0 }),
	"is_at_least":  orderFilter(func(o int) bool { return o >= 0 }),

	"fetch":  func(run *liquidRun, v any, _ []any) (any, error) { return run.fetch(jsText(v)), nil },
	"member": func(_ *liquidRun, v any, args []any) (any, error) { return liquidProperty(v, at(args, 0)), nil },
	"upto":   upto,
	"pair":   func(_ *liquidRun, v any, args []any) (any, error) { return []any{v, at(args, 0)}, nil },

	"store":     store,
	"increment": countFilter(0, 1),
	"decrement": countFilter(-1, 0),
	"cycle":     cycleFilter,
	"stop": func(run *liquidRun, _ any, _ []any) (any, error) {
		run.stopped = true
		return stopMark, nil
	},
}

func compareFilter(holds func(a, b any) bool) liquidFilter {
	return func(_ *liquidRun, v any, args []any) (any, error) { return holds(v, at(args, 0)), nil }
}

func orderFilter(holds func(order int) bool) liquidFilter {
	return compareFilter(func(a, b any) bool {
		o, ok := liquidCompare(a, b)
		return ok && holds(o)
	})
}

// fetch is the value of a variable. A missing one called size is the size of
// nothing, as in liquidjs.
func (r *liquidRun) fetch(name string) any {
	if v, ok := r.scope[name]; ok {
		return v
	}
	if n, ok := r.counts[name]; ok {
		return n
	}
	event, _ := r.root.(*jsonvalue.Object)
	if name == "size" && !event.Has(name) {
		return 0.0
	}
	if event == nil {
		return liquidProperty(r.root, name)
	}
	return event.Get(name)
}

func store(run *liquidRun, v any, args []any) (any, error) {
	if run.scope == nil {
		run.scope = map[string]any{}
	}
	run.scope[jsText(v)] = at(args, 0)
	return "", nil
}

// countFilter is increment, which gives the count and then adds one, or decrement,
// which first takes one away.
func countFilter(before, after float64) liquidFilter {
	return func(run *liquidRun, v any, _ []any) (any, error) {
		name := jsText(v)
		n, ok := run.counts[name]
		if !ok {
			event, _ := run.root.(*jsonvalue.Object)
			n, _ = event.Get(name).(float64)
		}
		if run.counts == nil {
			run.counts = map[string]float64{}
		}
		run.counts[name] = n + before + after
		return n + before, nil
	}
}

func cycleFilter(run *liquidRun, v any, args []any) (any, error) {
	group, values := jsText(v)+"\x00"+jsText(at(args, 0)), args[1:]
	if run.cycles == nil {
		run.cycles = map[string]int{}
	}
	i := run.cycles[group]
	run.cycles[group] = (i + 1) % len(values)
	if !truthy(plain(values[i])) { // liquidjs prints no 0 and no false here
		return "", nil
	}
	return values[i], nil
}

// upto is the numbers of a range, in steps of one.
func upto(run *liquidRun, v any, args []any) (any, error) {
	low, high := number(v), number(at(args, 0))
	n := math.Ceil(high + 1 - low)
	if !(n > 0) {
		return []any{}, nil
	}
	if n > maxText {
		return nil, errTooLarge
	}
	if err := run.take(8 * int(n)); err != nil {
		return nil, err
	}
	out := make([]any, int(n))
	for i := range out {
		out[i] = low + float64(i)
	}
	return out, nil
}
