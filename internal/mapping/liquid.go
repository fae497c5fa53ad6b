package mapping

import (
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/osteele/liquid"
	"github.com/osteele/liquid/render"

	"github.com/segue-xm/segue/internal/jsonvalue"
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
	// patternFilters are those that search with regular expressions.
	patternFilters = []string{"normalize_whitespace", "slugify", "truncatewords"}
)

// liquidTemplate is a @liquid text, parsed. The engine gives control flow, scopes
// and the grammar of expressions. What values are and what filters and comparisons
// do differs between it and Segment's, so the text is rewritten first: literals
// become constants, comparisons and outputs become filters, all of which are ours.
type liquidTemplate struct {
	template  *liquid.Template
	constants map[string]any    // by their name in the rewritten text
	variables map[string]string // name in the rewritten text → key of the event
	cost      int               // steps of the engine itself
}

var liquidEngine = sync.OnceValue(func() *liquid.Engine {
	e := liquid.NewEngine()
	for name, f := range liquidFilters {
		factor := 1
		if slices.Contains(patternFilters, name) {
			factor = perPattern
		}
		e.RegisterFilter(name, func(v any, run *liquidRun, args ...any) (any, error) {
			if err := run.read(factor, v, args); err != nil {
				return nil, err
			}
			out, err := f(run, v, args)
			if err != nil {
				return nil, err
			}
			if err := run.made(out); err != nil {
				return nil, err
			}
			return liquidValue{out}, nil
		})
	}
	for _, name := range disabledFilters {
		e.RegisterFilter(name, func(any, *liquidRun, ...any) (any, error) {
			return nil, fmt.Errorf("filter %q is disabled", name)
		})
	}
	for name, step := range map[string]counter{"increment": {first: 0, step: 1}, "decrement": {first: -1, step: 0}} {
		e.RegisterTag(name, step.render)
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
	return &liquidTemplate{parsed, r.constants, r.variables, len(text) + 100*(len(r.constants)+len(r.variables))}, nil
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
	bindings := make(map[string]any, len(t.constants)+len(t.variables)+2)
	for name, v := range t.constants {
		bindings[name] = v
	}
	for name, key := range t.variables {
		bindings[name] = liquidValue{liquidProperty(root.value, key)}
	}
	bindings[runName] = run
	bindings[rootName] = liquidValue{root.value}
	out := &boundedText{}
	if rerr := t.template.FRender(out, bindings); rerr != nil {
		return "", rerr
	}
	return string(out.text), nil
}

// liquidRun is what one rendering may still use. It travels as an argument of
// every filter.
type liquidRun struct {
	root   any
	room   int // bytes that filters may still make
	budget *budget
}

// made charges a value that a filter made.
func (r *liquidRun) made(v any) error {
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

// read charges what a filter looks at.
func (r *liquidRun) read(factor int, v any, args []any) error {
	n := factor * reading(v)
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
	if _, ok := v.(*jsonvalue.Object); ok {
		return perValue
	}
	return weight(v, maxWeight)
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

// counter is {% increment x %}, which prints and then counts up from 0, or
// {% decrement x %}, which counts down from 0 and then prints.
type counter struct{ first, step float64 }

func (c counter) render(ctx render.Context) (string, error) {
	name := ctx.TagArgs()
	v, _ := ctx.Get(name).(liquidValue)
	n, ok := v.v.(float64)
	if !ok {
		n = 0
	}
	n += c.first
	ctx.Set(name, liquidValue{n + c.step})
	return jsonvalue.NumberText(n), nil
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
