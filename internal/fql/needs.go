package fql

import "slices"

// Needs tells what the filter certainly requires of an event's type and of its
// name (the field event): no event with another one matches or makes judging
// fail. nil means that any could match; an empty list, that none can. It lets a
// routing table pass over filters without judging them. The lists must not be
// changed.
func (f *Filter) Needs() (types, names []string) { return f.types, f.names }

// allowed is a set of texts a field may have, or everything.
type allowed struct {
	only bool
	set  []string
}

func (a allowed) texts() []string {
	if !a.only {
		return nil
	}
	return slices.Clip(a.set)
}

// requires is what a node lets through of one field. In an "and" only the
// children before the first that could fail count: skipping the filter must
// not hide an error.
func requires(n Node, field string) allowed {
	switch n := n.(type) {
	case *Condition:
		if n.Field == field && n.Operator == Equal {
			return allowed{true, []string{n.text()}}
		}
	case *Group:
		if n.Operator == joinOr {
			return requiresAny(n, field)
		}
		var all allowed
		for _, child := range n.Children {
			if canFail(child) {
				break
			}
			all = all.and(requires(child, field))
		}
		return all
	}
	return allowed{}
}

func requiresAny(g *Group, field string) allowed {
	some := allowed{only: true, set: []string{}}
	for _, child := range g.Children {
		a := requires(child, field)
		if !a.only || canFail(child) {
			return allowed{}
		}
		for _, text := range a.set {
			if !slices.Contains(some.set, text) {
				some.set = append(some.set, text)
			}
		}
	}
	return some
}

func (a allowed) and(b allowed) allowed {
	switch {
	case !a.only:
		return b
	case !b.only:
		return a
	}
	both := allowed{only: true, set: []string{}}
	for _, text := range a.set {
		if slices.Contains(b.set, text) {
			both.set = append(both.set, text)
		}
	}
	return both
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
