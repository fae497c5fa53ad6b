package fql

import (
	"slices"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Place is where a condition looks in an event: its Field and Path.
type Place struct{ Field, Path string }

// Clue is a text at a place.
type Clue struct {
	Place
	Text string
}

// Reader gives a function that finds what an event has at the place, as
// conditions find it.
func (p Place) Reader() func(event *jsonvalue.Object) any {
	return compileClause(&Condition{Field: p.Field, Path: p.Path}).lookup
}

// Clues are the clues that the filter asks for with =, wherever they stand in it.
func (f *Filter) Clues() []Clue { return appendClues(nil, f.tree) }

func appendClues(clues []Clue, n Node) []Clue {
	switch n := n.(type) {
	case *Condition:
		if n.Operator == Equal {
			clues = append(clues, n.clue())
		}
	case *Group:
		for _, child := range n.Children {
			clues = appendClues(clues, child)
		}
	}
	return clues
}

func (c *Condition) clue() Clue { return Clue{Place{c.Field, c.Path}, c.text()} }

// Needs are clues that make a match possible: an event for which none of them is
// true does not match, nor does judging it fail. nil means that any event could
// match. It lets a routing table pass over filters without judging them. Where
// the filter leaves a choice, the clues that cost least together are taken.
func (f *Filter) Needs(cost map[Clue]int) []Clue { return needs(f.tree, cost) }

// needs, in an "and", looks only at the children before the first that could
// fail: passing over the filter must not hide an error.
func needs(n Node, cost map[Clue]int) []Clue {
	switch n := n.(type) {
	case *Condition:
		if n.Operator == Equal {
			return []Clue{n.clue()}
		}
	case *Group:
		if n.Operator == joinOr {
			return needsOfAny(n, cost)
		}
		var best []Clue
		for _, child := range n.Children {
			if canFail(child) {
				break
			}
			if clues := needs(child, cost); clues != nil && (best == nil || total(clues, cost) < total(best, cost)) {
				best = clues
			}
		}
		return best
	}
	return nil
}

func needsOfAny(g *Group, cost map[Clue]int) []Clue {
	var all []Clue
	for _, child := range g.Children {
		clues := needs(child, cost)
		if clues == nil || canFail(child) {
			return nil
		}
		all = append(all, clues...)
	}
	return all
}

func total(clues []Clue, cost map[Clue]int) (sum int) {
	for _, c := range clues {
		sum += cost[c]
	}
	return sum
}

// canFail reports whether judging the node can end in an error.
func canFail(n Node) bool {
	switch n := n.(type) {
	case *Condition:
		return compileClause(n).broken
	case *Group:
		return len(n.Children) == 0 || slices.ContainsFunc(n.Children, canFail)
	}
	return false
}
