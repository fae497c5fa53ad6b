// Package path is JSONPath as RFC 9535 has it: what a workflow's fields read an
// event with.
//
//	p, err := path.Parse("$.items[?@.price > 100].sku")
//	b := path.NewBudget(path.MaxSteps)
//	v, found, err := p.First(payload, b)
//
// Values are those of jsonvalue. A path that only goes straight down (names and
// indexes) is followed by ojg; everything else by an evaluator that counts its steps
// while it makes them, so that the same path and payload always get the same verdict,
// and none takes a worker for long.
//
// What releases before took beyond the standard is rewritten by Read, and told by
// Upgrade.
package path
