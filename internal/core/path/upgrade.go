package path

import (
	"strings"

	"github.com/ohler55/ojg/jp"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Finding is something in a path that releases before 0.2 understood in another way.
type Finding struct {
	What    string // what is read in another way, as it stands in the path
	Was     string // how it was read, and how it is read now
	Rewrite string // the path as it is written now; empty when only a person can say
}

// Upgrade says what about a path that an earlier release may have stored is not as it
// was: an old form (with its rewrite), one that has no rewrite, and what is a path of
// the standard too but meant something else. Nothing, for all other paths.
func Upgrade(text string) []Finding {
	if _, err := jp.ParseString(text); err != nil {
		return nil // no earlier release had it
	}
	q, old, err := read(text)
	if err != nil {
		return []Finding{{What: "no path any more", Was: fault.Words(err)}}
	}
	var list []Finding
	if old {
		list = append(list, Finding{What: "an old form", Was: "it is read as its rewrite, which means the same", Rewrite: q.text()})
	}
	d := differences{told: map[string]bool{}}
	d.query(q)
	return append(list, d.list...)
}

// differences collects, each once, what a path has that ojg read in another way.
type differences struct {
	list []Finding
	told map[string]bool
}

func (d *differences) tell(what, was string) {
	if !d.told[what] {
		d.told[what] = true
		d.list = append(d.list, Finding{What: what, Was: was})
	}
}

func (d *differences) query(q *query) {
	for _, s := range q.segments {
		if s.descendant {
			d.tell("..", "the values farthest down came first; now those above come before those below them, as in the document")
		}
		for _, sel := range s.selectors {
			switch {
			case sel.kind == selectFilter:
				d.condition(sel.filter)
			case sel.kind == selectSlice && sel.slice.step != nil && *sel.slice.step < 0 && (sel.slice.start != nil || sel.slice.end != nil):
				d.tell("a slice backwards", "took the nearest element where it starts or ends beyond the list; now it takes none there")
			}
		}
	}
}

func (d *differences) condition(x *expr) {
	switch x.op {
	case opOr, opAnd:
		d.chain(x)
	case opUnequal:
		if !x.args[1].whole {
			d.tell("!=", "a number held beside anything but a whole number written behind the != was dropped; now it is kept unless the two are equal")
		}
	case opEqual:
		if x.args[0].op != opLiteral && x.args[1].op != opLiteral {
			d.tell("== between two paths", "lists and objects were never equal; now those are that hold the same")
		}
	case opLessEqual, opGreaterEqual:
		if !ordered(x.args[0]) && !ordered(x.args[1]) {
			d.tell("<= and >= of what has no order", "never held; now equal values, and two paths to nothing, are also less or equal")
		}
	case opLength:
		d.tell("length", "counted the bytes of a text, and no members of an object; now it counts characters, and members")
	case opMatch, opSearch:
		d.pattern(x)
	}
	for _, a := range x.args {
		if a.op == opExists && a.closed {
			d.tell("a path alone in parentheses", "held where its value was true; now it holds where it leads to anything")
		}
		d.condition(a)
	}
	if x.query != nil {
		d.query(x.query)
	}
}

// chain finds where && did not bind stronger than ||, and ! took all that came after it.
func (d *differences) chain(x *expr) {
	for i, a := range x.args {
		if x.op == opOr && i > 0 && a.op == opAnd && !a.closed {
			d.tell("|| before &&", "was read from left to right; now && binds stronger: write (… || …) && … where that was meant")
		}
		if negated(a) && i < len(x.args)-1 {
			d.tell("! before && and ||", "took all that comes after it; now it takes what stands next to it: write !(…) where all was meant")
		}
	}
}

// negated says whether a part of a chain ends with something behind a !.
func negated(x *expr) bool {
	if x.op == opAnd && !x.closed {
		return negated(x.args[len(x.args)-1])
	}
	return x.op == opNot && !x.closed
}

// ordered says whether an operand is written out, and a number or a text.
func ordered(x *expr) bool {
	switch x.literal.(type) {
	case float64, string:
		return true
	}
	return x.op == opLength || x.op == opCount
}

func (d *differences) pattern(x *expr) {
	text, _ := x.args[1].literal.(string)
	switch {
	case x.pattern == nil:
		d.tell("a pattern from the event", "was a regular expression of Go; now it is an I-Regexp (RFC 9485)")
	case x.pattern.expr == nil:
		d.tell("the pattern '"+text+"'", "was a regular expression of Go; as an I-Regexp (RFC 9485), which it is now, it "+x.pattern.why+", and so it matches nothing")
	case text == "":
		d.tell("an empty pattern", "matched nothing; now it matches as any other")
	case x.op == opMatch && strings.Contains(text, "|"):
		d.tell("the pattern '"+text+"'", "| separated the start of the text from its end; now match takes the whole text for each alternative")
	}
}

// Notes says what in a path that is read will surprise: that it is of an old form, and
// patterns that match nothing.
func Notes(text string) (notes []string) {
	q, old, err := read(text)
	if err != nil {
		return nil
	}
	if old {
		notes = append(notes, "is of an old form: it is read as "+q.text()+", and better written so")
	}
	q.visit(func(x *expr) {
		if x.pattern != nil && x.pattern.expr == nil {
			notes = append(notes, "the pattern '"+x.args[1].literal.(string)+"' "+x.pattern.why+": it matches nothing")
		}
	})
	return notes
}

// visit shows every part of every condition.
func (q *query) visit(show func(*expr)) {
	for _, s := range q.segments {
		for _, sel := range s.selectors {
			if sel.kind == selectFilter {
				sel.filter.visit(show)
			}
		}
	}
}

func (x *expr) visit(show func(*expr)) {
	show(x)
	for _, a := range x.args {
		a.visit(show)
	}
	if x.query != nil {
		x.query.visit(show)
	}
}
