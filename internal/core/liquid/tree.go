package liquid

import (
	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid/lex"
)

// node is a piece of a template that writes something.
type node interface {
	render(r *run) error
}

// render writes nodes up to a break or continue.
func (r *run) render(nodes []node) error {
	for _, n := range nodes {
		if err := r.spend(perValue); err != nil {
			return err
		}
		if err := n.render(r); err != nil {
			return err
		}
		if r.stopped {
			break
		}
	}
	return nil
}

type text struct {
	s    string
	line int
}

func (t *text) render(r *run) error { return lex.At(t.line, r.out.write(t.s)) }

type section []node

func (s section) render(r *run) error { return r.render(s) }

type output struct {
	of   *filtered
	line int
}

func (o *output) render(r *run) error {
	v, err := o.of.eval(r)
	if err == nil {
		err = r.write(v)
	}
	return lex.At(o.line, err)
}

// stop is break or continue.
type stop struct{ broken bool }

func (s stop) render(r *run) error {
	r.stopped = true
	r.broken = r.broken || s.broken
	return nil
}

// branch is one way of an if, elsif, unless or else; that without a condition is
// taken.
type branch struct {
	when *filtered
	not  bool
	body []node
}

type conditional struct{ branches []branch }

func (n *conditional) render(r *run) error {
	for _, b := range n.branches {
		if b.when != nil {
			v, err := b.when.eval(r)
			if err != nil {
				return err
			}
			if truthy(v) == b.not {
				continue
			}
		}
		return r.render(b.body)
	}
	return nil
}

type when struct {
	values []value
	body   []node
}

// choice is case: all whens that hold are taken.
type choice struct {
	of        *filtered
	whens     []when
	otherwise []node
}

func (n *choice) render(r *run) error {
	v, err := n.of.eval(r)
	if err != nil {
		return err
	}
	v = plain(v)
	taken := false
	for _, w := range n.whens {
		holds, err := r.anyEqual(v, w.values)
		if err != nil {
			return lex.At(n.of.line, err)
		}
		if holds {
			taken = true
			if err := r.render(w.body); err != nil {
				return err
			}
		}
	}
	if taken {
		return nil
	}
	return r.render(n.otherwise)
}

func (r *run) anyEqual(v any, values []value) (bool, error) {
	for _, w := range values {
		x, err := w.eval(r)
		if err == nil {
			err = r.meter.read(v)
		}
		if err == nil {
			err = r.meter.read(x)
		}
		if err != nil || equal(v, x) {
			return err == nil, err
		}
	}
	return false, nil
}

type assign struct {
	name string
	of   *filtered
}

func (n *assign) render(r *run) error {
	v, err := n.of.eval(r)
	if err == nil {
		r.assign(n.name, v)
	}
	return err
}

func (r *run) assign(name string, v any) {
	if r.assigned == nil {
		r.assigned = map[string]any{}
	}
	r.assigned[name] = v
}

type capture struct {
	name string
	body []node
	line int
}

func (n *capture) render(r *run) error {
	around := r.out
	r.out = &buffer{meter: r.meter}
	err := r.render(n.body)
	made := r.out.text
	r.out = around
	if err == nil {
		err = lex.At(n.line, r.makeText(len(made)))
	}
	if err != nil {
		return err
	}
	if r.options.HTML {
		r.assign(n.name, markup(made))
	} else {
		r.assign(n.name, string(made))
	}
	return nil
}

// count is increment, which writes the count and then adds one, or decrement, which
// first takes one away.
type count struct {
	name          string
	before, after float64
	line          int
}

func (n *count) render(r *run) error {
	v, ok := r.counts[n.name]
	if !ok {
		root, _ := r.scope.Root.(*jsonvalue.Object)
		v, _ = root.Get(n.name).(float64)
	}
	if r.counts == nil {
		r.counts = map[string]float64{}
	}
	r.counts[n.name] = v + n.before + n.after
	return lex.At(n.line, r.out.write(jsonvalue.NumberText(v+n.before)))
}

// cycle writes its values in turn, counted for all cycles of the same text and group.
type cycle struct {
	group  value
	values []*filtered
	text   string
	line   int
}

func (n *cycle) render(r *run) error {
	group, err := n.group.eval(r)
	if err == nil {
		err = r.meter.read(group)
	}
	if err != nil {
		return lex.At(n.line, err)
	}
	key := js.Text(plain(group)) + n.text
	if r.cycles == nil {
		r.cycles = map[string]int{}
	}
	i := r.cycles[key]
	r.cycles[key] = (i + 1) % len(n.values)
	v, err := n.values[i].eval(r)
	if err != nil || !scriptTruthy(plain(v)) { // liquidjs writes no 0 and no false here
		return err
	}
	return lex.At(n.line, r.write(v))
}
