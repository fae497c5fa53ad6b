// Package status says which status may follow which. A thing with a life has a
// Table; its own package gives it names and asks it.
//
//	var moves = status.Table[Status]{{Pending, []Status{Done}}, {Done, nil}}
//	moves.May(Pending, Done)
package status

import "slices"

// Table lists the statuses of a thing, in the order of its life, and what may
// follow each. There is no way that is not listed: reports come late and twice, and
// what is known must not be unlearned.
type Table[S ~string] []Moves[S]

// Moves are what may follow one status.
type Moves[S ~string] struct {
	From S
	To   []S
}

// All are the statuses, in the order of the table.
func (t Table[S]) All() []S {
	list := make([]S, len(t))
	for i, m := range t {
		list[i] = m.From
	}
	return list
}

// May reports whether from may become to. Staying is not a change, and reported as
// false.
func (t Table[S]) May(from, to S) bool {
	return slices.ContainsFunc(t, func(m Moves[S]) bool { return m.From == from && slices.Contains(m.To, to) })
}

// Before lists the statuses that may become s: what an update asks for in its WHERE,
// so that it never goes backwards.
func (t Table[S]) Before(s S) []S {
	var from []S
	for _, m := range t {
		if slices.Contains(m.To, s) {
			from = append(from, m.From)
		}
	}
	return from
}

// Ended reports whether nothing may follow s.
func (t Table[S]) Ended(s S) bool {
	return slices.ContainsFunc(t, func(m Moves[S]) bool { return m.From == s && len(m.To) == 0 })
}

// Open lists the statuses that something may follow.
func (t Table[S]) Open() []S {
	return slices.DeleteFunc(t.All(), t.Ended)
}
