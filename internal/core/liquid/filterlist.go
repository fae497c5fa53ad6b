package liquid

import (
	"math"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

var listFilters = map[string]filter{
	"first":   {apply: func(r *run, v any, _ []any) (any, error) { return r.end(v, 0) }, cheap: true},
	"last":    {apply: func(r *run, v any, _ []any) (any, error) { return r.end(v, -1) }, cheap: true},
	"size":    {apply: size, cheap: true},
	"join":    {apply: join},
	"compact": listFilter(func(l []any, _ []any) []any { return slices.DeleteFunc(slices.Clone(l), isNil) }),
	"concat":  listFilter(func(l, args []any) []any { return append(slices.Clip(l), list(js.At(args, 0))...) }),
	"push":    listFilter(func(l, args []any) []any { return append(slices.Clip(l), js.At(args, 0)) }),
	"unshift": listFilter(func(l, args []any) []any { return append([]any{js.At(args, 0)}, l...) }),
	"pop":     listFilter(func(l []any, _ []any) []any { return l[:max(0, len(l)-1)] }),
	"shift":   listFilter(func(l []any, _ []any) []any { return l[min(1, len(l)):] }),
	"reverse": listFilter(func(l []any, _ []any) []any { return reverse(l) }),
	"uniq":    listFilter(func(l []any, _ []any) []any { return uniq(l) }),
	"slice":   {apply: slice},
	"sum":     {apply: sum, words: true},
	"map":     {apply: mapFilter, words: true},
	"sort": {apply: func(r *run, v any, args []any) (any, error) { return r.sorted(v, args, byValue) },
		passes: 16, words: true},
	"sort_natural": {apply: func(r *run, v any, args []any) (any, error) { return r.sorted(v, args, byLetters) },
		passes: 16, words: true},
	"array_to_sentence_string": {apply: sentence},
}

func listFilter(f func(l, args []any) []any) filter {
	return filter{apply: func(_ *run, v any, args []any) (any, error) { return f(list(v), args), nil }}
}

func isNil(v any) bool { return jsonvalue.IsNil(plain(v)) }

func reverse(l []any) []any {
	l = slices.Clone(l)
	slices.Reverse(l)
	return l
}

// end is the first or last element, or character of a text.
func (r *run) end(v any, index float64) (any, error) {
	switch v := v.(type) {
	case []any:
		return element(v, index), nil
	case string:
		if v == "" {
			return "", nil
		}
		if index < 0 {
			index = float64(js.Length(v) - 1)
		}
		return js.Property(v, jsonvalue.NumberText(index)), r.spend(len(v))
	}
	return "", nil
}

func size(r *run, v any, _ []any) (any, error) {
	switch v := v.(type) {
	case string:
		return float64(js.Length(v)), r.spend(len(v))
	case []any:
		return float64(len(v)), nil
	case *jsonvalue.Object:
		if n := v.Get("length"); js.Truthy(n) {
			return n, nil
		}
	}
	return 0.0, nil
}

func join(r *run, v any, args []any) (any, error) {
	separator := " "
	if s := js.At(args, 0); !jsonvalue.IsNil(s) {
		separator = r.text(s)
	}
	if weight(v, r.meter.Value) > r.meter.Value {
		return nil, ErrLarge
	}
	l := list(v)
	parts := make([]string, len(l))
	for i, e := range l {
		parts[i] = r.joinText(e)
	}
	return r.joined(parts, separator)
}

// joinText is an element as JavaScript's join writes it.
func (r *run) joinText(v any) string {
	v = plain(v)
	if o, ok := v.(*jsonvalue.Object); ok && r.options.ObjectsAsJSON {
		return jsonvalue.Text(o)
	}
	return string(js.AppendText(nil, v))
}

func (r *run) joined(parts []string, separator string) (any, error) {
	n := len(separator) * max(0, len(parts)-1)
	for _, p := range parts {
		n += len(p)
	}
	if err := r.makeText(n); err != nil {
		return nil, err
	}
	return strings.Join(parts, separator), nil
}

func sentence(r *run, v any, args []any) (any, error) {
	l, connector := list(v), "and"
	if c := js.At(args, 0); !jsonvalue.IsUndefined(c) {
		connector = r.text(c)
	}
	last := len(l) - 1
	switch len(l) {
	case 0:
		return "", nil
	case 1:
		return l[0], nil
	case 2:
		return js.Text(plain(l[0])) + " " + connector + " " + js.Text(plain(l[1])), nil
	}
	s, err := join(r, l[:last], []any{", "})
	if err != nil {
		return nil, err
	}
	return s.(string) + ", " + connector + " " + js.Text(plain(l[last])), nil
}

// uniq leaves out what was there before: equal texts, numbers and so on, and the same
// object or array.
func uniq(l []any) []any {
	seen := make(map[any]bool, len(l))
	out := make([]any, 0, len(l))
	for _, e := range l {
		key, known := identity(e)
		if !known || !seen[key] {
			out = append(out, e)
		}
		if known {
			seen[key] = true
		}
	}
	return out
}

// identity is a key that two values share when they are the same to a Map or Set of
// JavaScript. It is not known of empty arrays.
func identity(v any) (key any, known bool) {
	switch v := plain(v).(type) {
	case []any:
		if len(v) == 0 {
			return nil, false
		}
		type array struct {
			first *any
			n     int
		}
		return array{&v[0], len(v)}, true
	case float64:
		if v != v {
			return "\xffNaN", true // no text of the data is that
		}
		return v, true
	default:
		return v, true
	}
}

// slice cuts out elements, or characters of a text. Like liquidjs it joins a start and
// a length of an array as texts when one of them is a text.
func slice(r *run, v any, args []any) (any, error) {
	if jsonvalue.IsNil(v) {
		return []any{}, nil
	}
	l, isList := v.([]any)
	s, n := "", len(l)
	if !isList {
		s = r.text(v)
		n = runeCount(s)
	}
	start, length := js.At(args, 0), js.At(args, 1)
	if jsonvalue.IsUndefined(length) {
		length = 1.0
	}
	from, count := number(start), number(length)
	if from < 0 {
		from += float64(n)
		start = from
	}
	if from < 0 || count < 0 {
		if isList {
			return []any{}, nil
		}
		return "", nil
	}
	if isList {
		return sliced(l, start, add(start, length)), nil
	}
	i := upToWhole(from, n)
	return runes(s, i, i+upToWhole(count, n)), nil
}

// upToWhole is how many times a loop up to f runs, at most n.
func upToWhole(f float64, n int) int {
	if f != f {
		return 0
	}
	return int(min(max(math.Ceil(f), 0), float64(n)))
}

// property is a way to a member of an element, as filters take it: a.b is two steps.
type property struct {
	given bool
	keys  []string
}

// property is the way that a filter's argument names, charged for as many elements.
func (r *run) property(args []any, elements int) (property, error) {
	arg := js.At(args, 0)
	if !scriptTruthy(arg) {
		return property{}, nil
	}
	p := property{true, strings.Split(r.text(arg), ".")}
	return p, r.spend(perValue * len(p.keys) * elements)
}

func (p property) of(v any) any {
	for _, k := range p.keys {
		if jsonvalue.IsNil(v) {
			return v
		}
		v = member(v, k)
	}
	return v
}

func sum(r *run, v any, args []any) (any, error) {
	total, l := 0.0, list(v)
	p, err := r.property(args, len(l))
	if err != nil {
		return nil, err
	}
	for _, e := range l {
		if n := number(p.of(e)); n == n {
			total += n
		}
	}
	return total, nil
}

func mapFilter(r *run, v any, args []any) (any, error) {
	l := list(v)
	p, err := r.property(args, len(l))
	if err != nil {
		return nil, err
	}
	if !p.given {
		p.keys = []string{r.text(js.At(args, 0))}
	}
	out := make([]any, len(l))
	for i, e := range l {
		out[i] = p.of(e)
	}
	return out, nil
}

type sortable struct{ item, by any }

// sorted sorts by a property or the elements themselves. A comparison may contradict
// itself (a number is neither before nor behind a name), and what comes out then is a
// matter of the steps taken, which are those of JavaScript's engines for short arrays.
func (r *run) sorted(v any, args []any, compare func(a, b any) int) (any, error) {
	l := list(v)
	p, err := r.property(args, len(l))
	if err != nil {
		return nil, err
	}
	all := make([]sortable, len(l))
	for i, e := range l {
		all[i] = sortable{e, p.of(e)}
	}
	binaryInsertionSort(all, compare)
	out := make([]any, len(l))
	for i, s := range all {
		out[i] = s.item
	}
	return out, nil
}

const shortArray = 64

func binaryInsertionSort(all []sortable, compare func(a, b any) int) {
	if len(all) >= shortArray {
		slices.SortStableFunc(all, func(a, b sortable) int { return compare(a.by, b.by) })
		return
	}
	run := 1 // how many are in order already, or turned round, strictly falling
	if len(all) > 1 {
		falls := compare(all[1].by, all[0].by) < 0
		for run = 2; run < len(all) && (compare(all[run].by, all[run-1].by) < 0) == falls; run++ {
		}
		if falls {
			slices.Reverse(all[:run])
		}
	}
	for i := run; i < len(all); i++ {
		pivot, left, right := all[i], 0, i
		for left < right {
			if mid := (left + right) / 2; compare(pivot.by, all[mid].by) < 0 {
				right = mid
			} else {
				left = mid + 1
			}
		}
		copy(all[left+1:i+1], all[left:i])
		all[left] = pivot
	}
}

// nilLast orders when one of two is nothing.
func nilLast(a, b any) (order int, decided bool) {
	switch x, y := jsonvalue.IsNil(a), jsonvalue.IsNil(b); {
	case x && y:
		return 0, true
	case x:
		return 1, true
	case y:
		return -1, true
	}
	return 0, false
}

func byValue(a, b any) int {
	if o, decided := nilLast(a, b); decided {
		return o
	}
	o, _ := order(a, b)
	return o
}

func byLetters(a, b any) int {
	if o, decided := nilLast(a, b); decided {
		return o
	}
	return js.Compare(js.Lower(js.Text(plain(a))), js.Lower(js.Text(plain(b))))
}
