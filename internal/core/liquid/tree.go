package liquid

import (
	"math"
	"strconv"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
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

func (t *text) render(r *run) error { return at(t.line, r.out.write(t.s)) }

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
	return at(o.line, err)
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
			return at(n.of.line, err)
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
		err = at(n.line, r.makeText(len(made)))
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
	return at(n.line, r.out.write(jsonvalue.NumberText(v+n.before)))
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
		return at(n.line, err)
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
	return at(n.line, r.write(v))
}

// loopHead is what for and tablerow have in common.
type loopHead struct {
	variable string
	name     string // of the loop: its variable and what it goes through
	in       value
	args     map[string]value
	line     int
}

// items are what a loop goes through before it is cut.
func (h *loopHead) items(r *run) ([]any, error) {
	if s, ok := h.in.(*span); ok {
		low, n, err := s.bounds(r)
		if err != nil {
			return nil, err
		}
		if n > float64(r.meter.Rounds) {
			return nil, ErrRounds
		}
		v, err := r.numbers(low, n)
		l, _ := v.([]any)
		return l, err
	}
	v, err := h.in.eval(r)
	if err != nil {
		return nil, err
	}
	return r.enumerable(v)
}

// arg is a named argument, Undefined when it is not given.
func (h *loopHead) arg(r *run, name string) (any, error) {
	v, ok := h.args[name]
	if !ok {
		return undefined, nil
	}
	return v.eval(r)
}

// round counts a round and sets the loop's variable, which is the innermost.
func (r *run) round(v any) error {
	if r.meter.Rounds--; r.meter.Rounds < 0 {
		return ErrRounds
	}
	r.frames[len(r.frames)-1].v = v
	return r.spend(perValue)
}

type forLoop struct {
	loopHead
	body, otherwise []node
}

func (n *forLoop) render(r *run) error {
	items, err := n.items(r)
	if err != nil {
		return at(n.line, err)
	}
	if len(items) == 0 {
		return r.render(n.otherwise)
	}
	if items, err = n.cut(r, items); err != nil {
		return at(n.line, err)
	}
	l := &loop{length: len(items), name: n.name}
	base := len(r.frames)
	r.frames = append(r.frames, binding{"forloop", l}, binding{name: n.variable})
	for _, item := range items {
		if err := r.round(item); err != nil {
			return at(n.line, err)
		}
		r.stopped, r.broken = false, false
		if err := r.render(n.body); err != nil {
			return at(n.line, err)
		}
		if r.broken {
			break
		}
		l.i++
	}
	r.stopped, r.broken = false, false
	r.frames = r.frames[:base]
	return nil
}

// cut applies offset, limit and reversed, in this order, and notes where the loop
// ends for an offset: continue.
func (n *forLoop) cut(r *run, items []any) ([]any, error) {
	if r.continues == nil {
		r.continues = map[string]any{}
	}
	if len(n.args) == 0 {
		r.continues[n.name] = float64(len(items))
		return items, nil
	}
	last, ok := r.continues[n.name]
	if !ok || !scriptTruthy(last) {
		last = jsonvalue.NewObject(0)
	}
	r.frames = append(r.frames, binding{"continue", last})
	offset, err := n.arg(r, "offset")
	if err != nil {
		return nil, err
	}
	limit, err := n.arg(r, "limit")
	if err != nil {
		return nil, err
	}
	reversed, err := n.arg(r, "reversed")
	if err != nil {
		return nil, err
	}
	r.frames = r.frames[:len(r.frames)-1]
	if !jsonvalue.IsUndefined(offset) {
		items = sliced(items, offset, float64(len(items)))
	}
	if !jsonvalue.IsUndefined(limit) {
		items = sliced(items, 0.0, limit)
	}
	if !jsonvalue.IsUndefined(reversed) {
		if err := r.spend(perValue * len(items)); err != nil {
			return nil, err
		}
		items = reverse(items)
	}
	if !scriptTruthy(offset) {
		offset = 0.0
	}
	end := add(offset, float64(len(items)))
	r.continues[n.name] = end
	return items, r.meter.made(end)
}

// sliced is JavaScript's slice of an array.
func sliced(l []any, from, to any) []any {
	i, j := position(from, len(l)), position(to, len(l))
	return l[i:max(i, j)]
}

// position is a place in an array of n, from its end when it is negative.
func position(v any, n int) int {
	f := js.Number(primitive(v))
	if f != f {
		return 0
	}
	return js.Within(int(min(max(f, -1<<31), 1<<31)), n)
}

type table struct {
	loopHead
	body []node
}

func (n *table) render(r *run) error {
	items, err := n.items(r)
	if err != nil {
		return at(n.line, err)
	}
	offset, err := n.arg(r, "offset")
	if err != nil {
		return at(n.line, err)
	}
	limit, err := n.arg(r, "limit")
	if err != nil {
		return at(n.line, err)
	}
	cols, err := n.arg(r, "cols")
	if err != nil {
		return at(n.line, err)
	}
	if !scriptTruthy(offset) {
		offset = 0.0
	}
	if jsonvalue.IsUndefined(limit) {
		limit = float64(len(items))
	}
	items = sliced(items, offset, add(offset, limit))
	if !scriptTruthy(cols) {
		cols = float64(len(items))
	}
	l := &loop{length: len(items), name: n.name, table: true, cols: plain(cols)}
	base := len(r.frames)
	r.frames = append(r.frames, binding{"tablerowloop", l}, binding{name: n.variable})
	for _, item := range items {
		if err := r.round(item); err != nil {
			return at(n.line, err)
		}
		start := `<td class="col` + jsonvalue.NumberText(l.col0()+1) + `">`
		if l.col0() == 0 {
			start = `<tr class="row` + jsonvalue.NumberText(l.row()) + `">` + start
			if l.row() != 1 {
				start = "</tr>" + start
			}
		}
		if err := r.out.write(start); err != nil {
			return at(n.line, err)
		}
		if err := r.render(n.body); err != nil {
			return at(n.line, err)
		}
		if err := r.out.write("</td>"); err != nil {
			return at(n.line, err)
		}
		l.i++
	}
	r.frames = r.frames[:base]
	if len(items) == 0 {
		return nil
	}
	return at(n.line, r.out.write("</tr>"))
}

// loop is forloop or tablerowloop.
type loop struct {
	i, length int
	name      string
	table     bool
	cols      any
}

func (l *loop) col0() float64 { return math.Mod(float64(l.i), js.Number(l.cols)) }
func (l *loop) row() float64  { return math.Floor(float64(l.i)/js.Number(l.cols)) + 1 }

func (l *loop) member(name string) any {
	switch name {
	case "i", "index0":
		return float64(l.i)
	case "index":
		return float64(l.i + 1)
	case "length":
		return float64(l.length)
	case "rindex":
		return float64(l.length - l.i)
	case "rindex0":
		return float64(l.length - l.i - 1)
	case "first":
		return l.i == 0
	case "last":
		return l.i == l.length-1
	case "name":
		return l.name
	}
	if !l.table {
		return undefined
	}
	switch name {
	case "cols":
		return l.cols
	case "row":
		return l.row()
	case "col0":
		return l.col0()
	case "col":
		return l.col0() + 1
	case "col_first":
		return l.col0() == 0
	case "col_last":
		return l.col0()+1 == l.cols
	}
	return undefined
}

// text is what {{ forloop }} writes.
func (l *loop) text() string {
	s := `{"i":` + strconv.Itoa(l.i) + `,"length":` + strconv.Itoa(l.length) + `,"name":` + jsonvalue.Text(l.name)
	if l.table {
		s += `,"cols":` + jsonvalue.Text(l.cols)
	}
	return s + "}"
}
