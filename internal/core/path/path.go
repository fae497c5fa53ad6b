package path

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ohler55/ojg/jp"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Path is a compiled path. Safe for concurrent use.
type Path struct {
	query *query
	// straight is the path for ojg, when it only goes straight down; else nil.
	straight jp.Expr
}

// Parse compiles a path of RFC 9535. The error is Invalid and says what is wrong, and
// where.
func Parse(text string) (*Path, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, fault.New(fault.Invalid, "a path is needed, such as $.properties.plan")
	case len(text) > MaxText:
		return nil, fault.New(fault.Invalid, "longer than %d bytes", MaxText)
	}
	q, err := parse(text)
	if err != nil {
		return nil, fault.New(fault.Invalid, "not a JSONPath: %v", err)
	}
	return compile(q), nil
}

func compile(q *query) *Path {
	p := &Path{query: q}
	if q.singular() {
		p.straight = jp.Expr{jp.Root('$')}
		for _, s := range q.segments {
			var f jp.Frag = jp.Child(s.selectors[0].name)
			if s.selectors[0].kind == selectIndex {
				f = jp.Nth(s.selectors[0].index)
			}
			p.straight = append(p.straight, f)
		}
	}
	return p
}

// String is the path as this package writes paths: $.a['b c'][0].
func (p *Path) String() string { return p.query.text() }

// Bounds of following paths.
const (
	// MaxSteps is what the fields of one run may take together.
	MaxSteps = 10_000_000
	// maxValues bounds what All keeps.
	maxValues = 100_000
)

// Budget is what following paths may still take, in steps: a step is a value looked
// at, or eight bytes of text compared. A straight path takes none.
type Budget struct{ most, left int }

// NewBudget is a budget of so many steps.
func NewBudget(steps int) *Budget { return &Budget{steps, steps} }

// ErrBound is in the error of a path that was not followed to its end.
var ErrBound = errors.New("bound")

// boundError says which bound a path came to.
type boundError struct{ text string }

func (e boundError) Error() string   { return e.text }
func (e boundError) Is(t error) bool { return t == ErrBound }

// First is the first value that the path comes to in the document. The error is an
// ErrBound, and means that the budget is used up.
func (p *Path) First(document any, b *Budget) (v any, found bool, err error) {
	if p.straight != nil {
		v, found = p.straight.FirstFound(document)
		return v, found, nil
	}
	w := walk{root: document, budget: b}
	w.follow(p.query.segments, document, func(hit any) bool {
		v, found = hit, true
		return false
	})
	if w.err != nil {
		return nil, false, w.err
	}
	return v, found, nil
}

// All are the values that the path comes to, in the standard's order: that of the
// document. The error is an ErrBound.
func (p *Path) All(document any, b *Budget) ([]any, error) {
	if p.straight != nil {
		if v, found := p.straight.FirstFound(document); found {
			return []any{v}, nil
		}
		return nil, nil
	}
	var all []any
	w := walk{root: document, budget: b}
	w.follow(p.query.segments, document, func(hit any) bool {
		if len(all) == maxValues {
			w.err = boundError{fmt.Sprintf("the path comes to more than %d values", maxValues)}
			return false
		}
		all = append(all, hit)
		return true
	})
	if w.err != nil {
		return nil, w.err
	}
	return all, nil
}
