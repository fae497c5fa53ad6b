package path

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// text is the query as this package writes it; parsed again, it is the same query.
func (q *query) text() string {
	var b strings.Builder
	q.write(&b)
	return b.String()
}

func (q *query) write(b *strings.Builder) {
	if q.relative {
		b.WriteByte('@')
	} else {
		b.WriteByte('$')
	}
	for _, s := range q.segments {
		s.write(b)
	}
}

func (s segment) write(b *strings.Builder) {
	if s.descendant {
		b.WriteString("..")
	}
	if first := s.selectors[0]; len(s.selectors) == 1 && (first.kind == selectWildcard && s.descendant || first.kind == selectName && shorthand(first.name)) {
		if !s.descendant {
			b.WriteByte('.')
		}
		if first.kind == selectWildcard {
			b.WriteByte('*')
		}
		b.WriteString(first.name)
		return
	}
	b.WriteByte('[')
	for i, sel := range s.selectors {
		if i > 0 {
			b.WriteByte(',')
		}
		sel.write(b)
	}
	b.WriteByte(']')
}

// shorthand says whether a name can stand behind a dot.
func shorthand(name string) bool {
	for i, r := range name {
		if !nameRune(r, i == 0) {
			return false
		}
	}
	return name != ""
}

func (s selector) write(b *strings.Builder) {
	switch s.kind {
	case selectName:
		writeQuoted(b, s.name)
	case selectIndex:
		b.WriteString(strconv.Itoa(s.index))
	case selectWildcard:
		b.WriteByte('*')
	case selectSlice:
		for i, n := range []*int{s.slice.start, s.slice.end, s.slice.step} {
			if i == 1 || i == 2 && n != nil {
				b.WriteByte(':')
			}
			if n != nil {
				b.WriteString(strconv.Itoa(*n))
			}
		}
	case selectFilter:
		b.WriteByte('?')
		s.filter.write(b, 0)
	}
}

// writeQuoted writes a text between single quotes.
func writeQuoted(b *strings.Builder, text string) {
	b.WriteByte('\'')
	for _, r := range text {
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
}

// binding is how strongly an operator binds what stands beside it.
func (o op) binding() int {
	switch o {
	case opOr:
		return 1
	case opAnd:
		return 2
	}
	return 3
}

var names = map[op]string{opLength: "length", opCount: "count", opValue: "value", opMatch: "match", opSearch: "search"}

func (x *expr) write(b *strings.Builder, within int) {
	switch x.op {
	case opOr, opAnd:
		if x.op.binding() < within {
			b.WriteByte('(')
			defer b.WriteByte(')')
		}
		for i, a := range x.args {
			if i > 0 {
				b.WriteString(map[op]string{opOr: " || ", opAnd: " && "}[x.op])
			}
			a.write(b, x.op.binding()+1)
		}
	case opNot:
		b.WriteByte('!')
		if a := x.args[0]; a.op >= opEqual && a.op <= opGreaterEqual || a.op == opNot {
			b.WriteByte('(')
			defer b.WriteByte(')')
		}
		x.args[0].write(b, 3)
	case opExists, opQuery, opNodes:
		x.query.write(b)
	case opLiteral:
		if s, ok := x.literal.(string); ok {
			writeQuoted(b, s)
			return
		}
		if n, ok := x.literal.(float64); ok && math.IsInf(n, 0) {
			b.WriteString(map[bool]string{true: "1e999", false: "-1e999"}[n > 0])
			return
		}
		b.Write(jsonvalue.Append(nil, x.literal))
	default:
		if name, ok := names[x.op]; ok {
			b.WriteString(name + "(")
			for i, a := range x.args {
				if i > 0 {
					b.WriteString(", ")
				}
				a.write(b, 0)
			}
			b.WriteByte(')')
			return
		}
		x.args[0].write(b, 0)
		for _, c := range comparisons {
			if c.op == x.op {
				b.WriteString(" " + c.text + " ")
			}
		}
		x.args[1].write(b, 0)
	}
}

// Straight is the text of the path that goes down by these keys and positions, each a
// string or an int.
func Straight(keys []any) string {
	q := &query{}
	for _, k := range keys {
		s := selector{kind: selectIndex}
		switch k := k.(type) {
		case string:
			s = selector{kind: selectName, name: k}
		case int:
			s.index = k
		}
		q.segments = append(q.segments, segment{selectors: []selector{s}})
	}
	return q.text()
}
