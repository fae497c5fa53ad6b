package fql

// Conditions is how many conditions the filter has: judging it looks at so many
// values at most, each once.
func (f *Filter) Conditions() int { return conditions(f.tree) }

func conditions(n Node) int {
	g, ok := n.(*Group)
	if !ok {
		return 1
	}
	sum := 0
	for _, child := range g.Children {
		sum += conditions(child)
	}
	return sum
}
