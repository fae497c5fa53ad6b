package liquid

import (
	"slices"
	"time"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid/lex"
)

// Options say what a template may use and how it writes. The zero Options are
// liquidjs' defaults, without its files.
type Options struct {
	// HTML escapes what is written, but for what the template captured and what the
	// filters escape, escape_once and newline_to_br gave. The filter raw does nothing.
	HTML bool
	// ObjectsAsJSON writes objects as JSON, where JavaScript has [object Object].
	ObjectsAsJSON bool
	// KnownFilters refuses filters that do not exist, which liquidjs passes over.
	KnownFilters bool
	// TagsOff are refused; FiltersOff fail when they are reached.
	TagsOff, FiltersOff map[string]bool
}

// Scope is what a template reads.
type Scope struct {
	// Root has the variables as its members: an object as a rule.
	Root any
	// Now is what the words "now" and "today" mean as a date; false: they are texts
	// like others. Without it they are errors.
	Now func() (time.Time, bool)
}

// Template is a parsed template. Safe for concurrent use.
type Template struct {
	nodes   []node
	options *Options
	paths   [][]string
}

// Parse reads a template. An error is an *Error.
func Parse(text string, o Options) (*Template, error) {
	all, err := lex.Tokens(text)
	if err != nil {
		return nil, err
	}
	t := &Template{options: &o}
	p := parser{tokens: all, template: t}
	for len(p.tokens) > 0 {
		n, err := p.node(p.next())
		if err != nil {
			return nil, err
		}
		if n != nil {
			t.nodes = append(t.nodes, n)
		}
	}
	return t, nil
}

// Render evaluates the template and takes what it does from m. An error is an *Error;
// ErrSteps and its like are in it.
func (t *Template) Render(s Scope, m *Meter) (string, error) {
	r := run{scope: s, options: t.options, meter: m, out: &buffer{meter: m}}
	if err := r.render(t.nodes); err != nil {
		return "", lex.At(1, err)
	}
	return string(r.out.text), nil
}

// Paths are the variables in the template, each with the members behind it that are
// written out: a.b["c"][x] gives a, b, c. Names that the template assigns are among them.
func (t *Template) Paths() [][]string { return t.paths }

// Reads reports whether the template names a variable.
func (t *Template) Reads(variable string) bool {
	return slices.ContainsFunc(t.paths, func(p []string) bool { return len(p) > 0 && p[0] == variable })
}

// run is one rendering.
type run struct {
	scope     Scope
	options   *Options
	meter     *Meter
	out       *buffer
	stack     []any              // of expressions
	frames    []binding          // of loops, the innermost last
	assigned  map[string]any     // by assign and capture
	counts    map[string]float64 // by increment and decrement; they hide the data's members
	cycles    map[string]int
	continues map[string]any // where loops ended
	stopped   bool           // by break or continue, until the loop around
	broken    bool           // it was break
	depth     int            // of expressions in filters' arguments
}

type binding struct {
	name string
	v    any
}

// spawn is a run of which only v is seen.
func (r *run) spawn(v any) *run {
	return &run{scope: Scope{Root: v, Now: r.scope.Now}, options: r.options, meter: r.meter, depth: r.depth}
}

func (r *run) spend(n int) error { return r.meter.spend(n) }
func (r *run) make(n int) error  { return r.meter.make(n) }

// makeText charges a text of n bytes before it is made.
func (r *run) makeText(n int) error { return r.meter.makeText(n) }

// look charges what is looked at in a value that may be written as text: of an object
// that is written as JSON, all of it.
func (r *run) look(v any) error {
	if o, ok := v.(*jsonvalue.Object); ok && r.options.ObjectsAsJSON {
		return r.spend(weight(o, r.meter.Steps))
	}
	return r.meter.read(v)
}

// write writes a value.
func (r *run) write(v any) error {
	if !r.options.HTML {
		if _, isText := v.(string); !isText {
			if err := r.look(v); err != nil {
				return err
			}
		}
		return r.out.write(r.text(v))
	}
	if m, ok := v.(markup); ok {
		return r.out.write(string(m))
	}
	if err := r.look(v); err != nil {
		return err
	}
	return r.out.write(escapeHTML.Replace(r.text(v)))
}
