package mapping

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/osteele/liquid"
	"github.com/osteele/liquid/expressions"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Segment's limit on the text of a @liquid, in UTF-16 units.
const maxLiquid = 1000

// disabledTags and disabledFilters are what Segment switched off. A disabled tag
// fails wherever it stands; a disabled filter only when it is reached.
var (
	disabledTags    = []string{"case", "for", "include", "layout", "render", "tablerow"}
	disabledFilters = []string{
		"array_to_sentence_string", "concat", "find", "find_exp", "find_index", "find_index_exp",
		"group_by", "group_by_exp", "has", "has_exp", "map", "newline_to_br", "reject", "reject_exp",
		"reverse", "sort", "sort_natural", "uniq", "where_exp", "type",
	}
)

// liquidTemplate is a @liquid text, parsed. The engine gives control flow and the
// application of filters. What is a text's grammar, what values are and what
// filters and comparisons do differs between it and Segment's, so the text is
// rewritten first: literals become constants, and variables, operators and outputs
// become filters, all of which are ours.
type liquidTemplate struct {
	template  *liquid.Template
	constants map[string]any // by their name in the rewritten text
	cost      int            // steps of the engine itself
}

var liquidEngine = sync.OnceValue(func() *liquid.Engine {
	e := liquid.NewEngine()
	for name, f := range liquidSteps {
		e.RegisterFilter(name, func(v any, run *liquidRun, args ...any) (any, error) { return run.apply(f, v, args) })
	}
	for name, f := range liquidFilters {
		keep := keepsWords[name]
		e.RegisterFilter(name, func(v any, run *liquidRun, args ...any) (any, error) {
			if !keep {
				v = plain(v)
				for i, a := range args {
					args[i] = plain(a)
				}
			}
			out, err := run.apply(f, v, args)
			if err == nil {
				err = run.made(out)
			}
			return out, err
		})
	}
	for _, name := range disabledFilters {
		e.RegisterFilter(name, func(_ any, run *liquidRun, _ ...any) (any, error) {
			return run.apply(func(*liquidRun, any, []any) (any, error) {
				return nil, fmt.Errorf("filter %q is disabled", name)
			}, nil, nil)
		})
	}
	return e
})

// parseLiquid compiles the text of a @liquid.
func parseLiquid(source string) (t *liquidTemplate, err error) {
	defer func() { // the engine's parser panics on some texts
		if p := recover(); p != nil {
			err = fmt.Errorf("cannot be parsed: %v", p)
		}
	}()
	if textLength(source) > maxLiquid {
		return nil, fmt.Errorf("liquid templates are limited to %d characters", maxLiquid)
	}
	r := newRewriter()
	text, err := r.template(source)
	if err != nil {
		return nil, err
	}
	parsed, perr := liquidEngine().ParseString(text)
	if perr != nil {
		return nil, perr
	}
	return &liquidTemplate{parsed, r.constants, len(text) + 100*len(r.constants)}, nil
}

func (t *liquidTemplate) render(root scope) (s string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cannot be rendered: %v", p)
		}
	}()
	if !root.budget.spend(t.cost) {
		return "", errTooMuch
	}
	run := &liquidRun{root: root.value, room: maxWeight, budget: root.budget}
	bindings := make(map[string]any, len(t.constants)+1)
	for name, v := range t.constants {
		bindings[name] = v
	}
	bindings[runName] = run
	out := &boundedText{}
	if rerr := t.template.FRender(out, bindings); rerr != nil {
		var failed expressions.FilterError
		if errors.As(rerr.Cause(), &failed) {
			return "", failed.Err // without the rewritten text
		}
		return "", rerr
	}
	s, _, _ = strings.Cut(string(out.text), stopMark)
	return s, nil
}

// stopMark stands in the output where the template was ended by a break. It is not
// UTF-8, so nothing else can be it.
const stopMark = "\xffstop\xff"

// liquidRun is the state of one rendering. It travels as an argument of every
// filter.
type liquidRun struct {
	root    any
	room    int                // bytes that filters may still make
	budget  *budget            // of the mapping
	scope   map[string]any     // what assign and capture set
	counts  map[string]float64 // what increment and decrement count; they hide the event's members
	cycles  map[string]int
	stopped bool // behind a break nothing is judged, and nothing fails
}

func (r *liquidRun) apply(f liquidFilter, v any, args []any) (any, error) {
	if r.stopped { // a capture around the break ended too: what comes next ends the rest
		return liquidValue{stopMark}, nil
	}
	if err := r.read(v, args); err != nil {
		return nil, err
	}
	out, err := f(r, v, args)
	if err != nil {
		return nil, err
	}
	return liquidValue{out}, nil
}

// read charges what a filter looks at.
func (r *liquidRun) read(v any, args []any) error {
	n := reading(v)
	for _, a := range args {
		n += reading(a)
	}
	if !r.budget.spend(n) {
		return errTooMuch
	}
	return nil
}

// reading is what a filter may look at in a value: of an object, one member.
func reading(v any) int {
	if l, ok := v.(liquidValue); ok {
		v = l.v
	}
	if _, ok := v.(*jsonvalue.Object); ok {
		return perValue
	}
	return weight(v, maxWeight)
}

// made charges a value that a filter made.
func (r *liquidRun) made(v any) error {
	if l, ok := v.(liquidValue); ok {
		v = l.v
	}
	return r.take(weight(v, r.room))
}

func (r *liquidRun) take(n int) error {
	if r.room -= n; r.room < 0 {
		return errTooLarge
	}
	if !r.budget.spend(n) {
		return errTooMuch
	}
	return nil
}

// boundedText is a writer that holds at most maxText bytes.
type boundedText struct{ text []byte }

var _ io.Writer = (*boundedText)(nil)

// Write appends b or fails.
func (w *boundedText) Write(b []byte) (int, error) {
	if len(w.text)+len(b) > maxText {
		return 0, errTooLarge
	}
	w.text = append(w.text, b...)
	return len(b), nil
}

// liquidNode is a @liquid with its text.
type liquidNode struct {
	path     string
	template *liquidTemplate
}

func (l *liquidNode) eval(root scope) (any, error) {
	s, err := l.template.render(root)
	if err != nil {
		return nil, failf(l.path, "%v", err)
	}
	return s, nil
}

func (c *compiler) liquid(arg any, path string, _ bool) node {
	s, ok := arg.(string)
	if !ok {
		return c.fail(path, "liquid template value must be a string")
	}
	if s == "" {
		return literal{""}
	}
	t, err := parseLiquid(s)
	if err != nil {
		return c.fail(path, "%v", err)
	}
	return &liquidNode{path, t}
}

// liquidText prints a value as {{ }} does: arrays without separators.
func liquidText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(appendLiquidText(nil, v))
}

func appendLiquidText(dst []byte, v any) []byte {
	if items, ok := v.([]any); ok {
		for _, e := range items {
			dst = appendLiquidText(dst, e)
		}
		return dst
	}
	if jsonvalue.IsNil(v) {
		return dst
	}
	return appendText(dst, v)
}
