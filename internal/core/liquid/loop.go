package liquid

import (
	"math"
	"strconv"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid/lex"
)

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
	got, err := v.eval(r)
	if err != nil {
		return nil, err
	}
	return got, r.meter.read(got) // a list is read as a number by its text
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
		return lex.At(n.line, err)
	}
	if len(items) == 0 {
		return r.render(n.otherwise)
	}
	if items, err = n.cut(r, items); err != nil {
		return lex.At(n.line, err)
	}
	l := &loop{length: len(items), name: n.name}
	base := len(r.frames)
	r.frames = append(r.frames, binding{"forloop", l}, binding{name: n.variable})
	for _, item := range items {
		if err := r.round(item); err != nil {
			return lex.At(n.line, err)
		}
		r.stopped, r.broken = false, false
		if err := r.render(n.body); err != nil {
			return lex.At(n.line, err)
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
		return lex.At(n.line, err)
	}
	offset, err := n.arg(r, "offset")
	if err != nil {
		return lex.At(n.line, err)
	}
	limit, err := n.arg(r, "limit")
	if err != nil {
		return lex.At(n.line, err)
	}
	cols, err := n.arg(r, "cols")
	if err != nil {
		return lex.At(n.line, err)
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
	l := &loop{length: len(items), name: n.name, table: true, cols: plain(cols), width: js.Number(plain(cols))}
	base := len(r.frames)
	r.frames = append(r.frames, binding{"tablerowloop", l}, binding{name: n.variable})
	for _, item := range items {
		if err := r.round(item); err != nil {
			return lex.At(n.line, err)
		}
		start := `<td class="col` + jsonvalue.NumberText(l.col0()+1) + `">`
		if l.col0() == 0 {
			start = `<tr class="row` + jsonvalue.NumberText(l.row()) + `">` + start
			if l.row() != 1 {
				start = "</tr>" + start
			}
		}
		if err := r.out.write(start); err != nil {
			return lex.At(n.line, err)
		}
		if err := r.render(n.body); err != nil {
			return lex.At(n.line, err)
		}
		if err := r.out.write("</td>"); err != nil {
			return lex.At(n.line, err)
		}
		l.i++
	}
	r.frames = r.frames[:base]
	if len(items) == 0 {
		return nil
	}
	return lex.At(n.line, r.out.write("</tr>"))
}

// loop is forloop or tablerowloop.
type loop struct {
	i, length int
	name      string
	table     bool
	cols      any
	width     float64 // cols as a number
}

func (l *loop) col0() float64 { return math.Mod(float64(l.i), l.width) }
func (l *loop) row() float64  { return math.Floor(float64(l.i)/l.width) + 1 }

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
