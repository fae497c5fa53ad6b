package flow

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/ohler55/ojg/jp"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Bounds on paths. Those that could come to a value again and again are refused
// when a plan is saved; the others take steps in proportion to the payload, and
// these are counted before they are made: the same path and payload always get the
// same verdict.
const (
	maxPath = 1000 // bytes of a path's text
	// maxSteps bounds what the fields of one run may cost together: a step is a
	// value, or eight bytes of text, that one part of one path may look at.
	maxSteps = 10_000_000
)

// notFollowed is the type that Found has when the path was not followed.
const notFollowed = "nothing"

// fieldPath is a path that was found to be harmless.
type fieldPath struct {
	expr jp.Expr
	// weight is how often each value of a payload may be looked at; 0 for a path
	// that only goes straight down.
	weight int
}

func parsePath(text string) (p fieldPath, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not a JSONPath")
		}
	}()
	switch {
	case strings.TrimSpace(text) == "":
		return p, errors.New("a path is needed, such as $.properties.plan")
	case len(text) > maxPath:
		return p, fmt.Errorf("longer than %d characters", maxPath)
	}
	p.expr, err = jp.ParseString(text)
	if err != nil {
		return p, fmt.Errorf("not a JSONPath: %w", err)
	}
	p.weight, err = weigh(p.expr)
	return p, err
}

// weigh refuses the paths that can come to the same value by several ways: their
// number multiplies with each part of the path, so that a short path and a small
// payload would be enough to keep a worker busy for ever.
func weigh(x jp.Expr) (weight int, err error) {
	descents, unions, ways := 0, 0, 1
	for _, f := range x {
		switch f := f.(type) {
		case jp.Wildcard, jp.Slice:
			weight++
		case jp.Union:
			unions++
			weight++
			ways = max(1, len(f)) // all that follows may be done for each
		case jp.Descent:
			descents++
			weight += 2
		case *jp.Filter:
			if descents > 0 {
				return 0, errors.New("a condition [?…] below .. is not possible: name the way to the list")
			}
			cost, err := weighForm(f.Inspect())
			if err != nil {
				return 0, err
			}
			weight += cost
		case *jp.Proc:
			return 0, errors.New("a script [(…)] is not possible")
		}
	}
	switch {
	case descents > 1:
		return 0, errors.New(".. is possible once in a path")
	case unions > 1 || unions == 1 && descents == 1:
		return 0, errors.New("a list of names or indexes, as in ['a','b'], is possible once in a path, and not together with a descent (..)")
	}
	return weight * ways, nil
}

// perTerm is what one comparison of a condition costs, in steps: the path library
// allocates for it.
const perTerm = 10

// weighForm is the cost of judging a condition once. What it compares must be
// single values: the path library tries every combination of several.
func weighForm(v any) (int, error) {
	switch v := v.(type) {
	case jp.Expr:
		for _, f := range v {
			switch f.(type) {
			case jp.Wildcard, jp.Slice, jp.Union, jp.Descent, *jp.Filter, *jp.Proc:
				return 0, errors.New("inside a condition [?…] a path leads to one value: names and indexes only")
			}
		}
		return len(v), nil
	case *regexp.Regexp:
		return weighPattern(v.String())
	case *jp.Form:
		left, err := weighForm(v.Left)
		if err != nil {
			return 0, err
		}
		right, err := weighForm(v.Right)
		if err != nil {
			return 0, err
		}
		cost := perTerm + left + right
		switch v.Op {
		case "~=", "=~", "match", "search":
			switch pattern := v.Right.(type) {
			case *regexp.Regexp:
			case string: // made ready anew for every value it is held against
				n, err := weighPattern(pattern)
				if err != nil {
					return 0, err
				}
				cost += perTerm * n
			default:
				return 0, fmt.Errorf("inside a condition [?…] the pattern of %s is written out: one from the payload is not possible", v.Op)
			}
		}
		return cost, nil
	}
	return 0, nil
}

// weighPattern is the number of a regular expression's states: matching takes time
// in proportion to them and to the text.
func weighPattern(pattern string) (int, error) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0, fmt.Errorf("not a regular expression: %s", pattern)
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0, fmt.Errorf("not a regular expression: %s", pattern)
	}
	return len(prog.Inst), nil
}

// walk follows the paths of one extraction.
type walk struct {
	payload any
	size    int // of the payload, once it is known
	room    int // steps that may still be made
}

// first is the first hit of a path, or why it was not followed.
func (w *walk) first(p fieldPath) (v any, why string) {
	if p.weight > 0 {
		if w.size == 0 {
			w.size = sizeOf(w.payload)
		}
		steps := w.size * p.weight
		if steps > w.room {
			return nil, fmt.Sprintf("the path takes more than the %d steps that a run's fields may take together in a payload of this size", maxSteps)
		}
		w.room -= steps
	}
	// The path library reports a few mismatches between condition and data by panic.
	defer func() {
		if recover() != nil {
			v, why = nil, "the path cannot be followed in this payload"
		}
	}()
	return p.expr.First(w.payload), ""
}

// sizeOf is the number of values in v, and of eight bytes of text each.
func sizeOf(v any) int {
	n := 1
	switch v := v.(type) {
	case string:
		n += len(v) / 8
	case []any:
		for _, e := range v {
			n += sizeOf(e)
		}
	case *jsonvalue.Object:
		for _, e := range v.All() {
			n += sizeOf(e)
		}
	}
	return n
}
