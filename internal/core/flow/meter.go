package flow

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/osteele/liquid/parser"
	"github.com/osteele/liquid/render"
	"gopkg.in/yaml.v2"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Bounds on one rendering, and on those of one step's settings together. They count, and do not look at a clock: the same template
// and values always get the same verdict.
const (
	maxText   = 256 << 10 // bytes of a template, of what it gives, and of each text on the way
	maxRounds = 100_000   // of all loops of one rendering together
	maxEffort = 5_000_000 // steps: a step is about eight bytes, or one value, that is looked at
	meterKey  = "\x00meter"
)

var errTooMuchEffort = fmt.Errorf("it takes more than %d steps", maxEffort)

// effort is what a rendering, or those of all texts of a step's settings together,
// may still do.
type effort struct{ rounds, steps int }

func newEffort() *effort { return &effort{rounds: maxRounds, steps: maxEffort} }

// meter counts what one rendering does.
type meter struct {
	*effort
	// width is the most members that an object has: members are found by looking
	// from the first on. extent is the size of all values and of the largest that
	// was made on the way: what a comparison may look at.
	width, extent int
}

// begin starts the meter for a template and charges it for having looked at the scope.
func (m *meter) begin(s Scope, e *effort) error {
	*m = meter{effort: e}
	for _, v := range []any{s.Fields, s.Contact, s.Event, s.Steps, s.Transaction, s.Link} {
		m.measure(v)
	}
	return m.spend(m.extent / 4)
}

func (m *meter) measure(v any) {
	m.extent++
	switch v := v.(type) {
	case string:
		m.extent += len(v) / 8
	case []any:
		for _, e := range v {
			m.measure(e)
		}
	case *jsonvalue.Object:
		m.width = max(m.width, v.Len())
		for _, e := range v.All() {
			m.measure(e)
		}
	}
}

func (m *meter) spend(steps int) error {
	if m.steps -= steps; m.steps < 0 {
		return errTooMuchEffort
	}
	return nil
}

// made charges a text or list that was made.
func (m *meter) made(n int) error {
	m.extent = max(m.extent, n)
	return m.spend(1 + n/8)
}

// enter charges one passage through a part of a template.
func (m *meter) enter(l load) error {
	return m.spend(l.lookups*(1+m.width/16) + l.comparisons*(1+m.extent/4))
}

// load is what one passage through a part of a template may do, beside its filters,
// which count for themselves.
type load struct{ lookups, comparisons int }

func (l *load) add(t parser.Token) {
	args := quoted.ReplaceAllString(t.Args, `""`)
	l.lookups += 1 + strings.Count(args, ".") + strings.Count(args, "[") + strings.Count(args, "|")
	for _, operator := range []string{"==", "!=", "<", ">", "contains"} {
		l.comparisons += strings.Count(args, operator)
	}
	if t.Name == "case" || t.Name == "when" {
		l.comparisons += 1 + strings.Count(args, ",") + strings.Count(args, " or ")
	}
}

// addAll adds what is in a list of nodes, but not what is in loops within it: each
// of their rounds is charged by itself.
func (l *load) addAll(nodes []render.Node) {
	for _, n := range nodes {
		switch n := n.(type) {
		case *render.SeqNode:
			l.addAll(n.Children)
		case *render.ObjectNode:
			l.add(n.Token)
		case *render.TagNode:
			l.add(n.Token)
		case *render.BlockNode:
			l.add(n.Token)
			if !isLoop(n) {
				l.addAll(n.Body)
			}
			for _, c := range n.Clauses {
				l.add(c.Token)
				l.addAll(c.Body)
			}
		default:
			l.lookups++
		}
	}
}

func isLoop(n *render.BlockNode) bool { return n.Name == "for" || n.Name == "tablerow" }

// renderer is a language whose filters count on a meter of their own. It serves one
// rendering at a time.
type renderer struct {
	cfg   *render.Config
	meter *meter
}

// renderers are made once and used again: a language has a hundred filters.
type renderers struct{ pool sync.Pool }

func newRenderers(asHTML bool) *renderers {
	return &renderers{sync.Pool{New: func() any {
		m := &meter{}
		return &renderer{language(asHTML, m), m}
	}}}
}

// costly are the filters that look at a value more than once, and how often.
var costly = map[string]int{"sort": 16, "sort_natural": 16, "strip_html": 8, "truncatewords": 4, "escape_once": 4, "newline_to_br": 4, "date": 16}

// reading is the size of a filter's argument.
func reading(v any) int {
	n := 1
	switch v := v.(type) {
	case string:
		n += len(v) / 8
	case markup:
		n += len(v) / 8
	case []any:
		for _, e := range v {
			n += reading(e)
		}
	case yaml.MapSlice:
		for _, e := range v {
			n += 1 + reading(e.Value)
		}
	default:
		if r := reflect.ValueOf(v); r.Kind() == reflect.Slice {
			n += r.Len()
		}
	}
	return n
}

// uniq leaves out what is equal to an element before it, looking at each once.
func uniq(list []any) []any {
	seen := make(map[string]bool, len(list))
	out := make([]any, 0, len(list))
	for _, e := range list {
		key := fmt.Sprintf("%T ", e) + jsonvalue.Text(fromLiquid(e))
		if !seen[key] {
			seen[key] = true
			out = append(out, e)
		}
	}
	return out
}
