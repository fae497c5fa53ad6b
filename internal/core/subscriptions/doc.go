// Package subscriptions takes over what people have set up at Segment: the
// subscriptions (actions with a trigger and a mapping) of a Qualtrics destination,
// as Segment's API exports them, become mappings of a plan.
//
//	out, err := subscriptions.Import(export, subscriptions.Options{Source: "web", Destination: "acme"})
//	fmt.Print(out.YAML)
//
// What will surprise is said in a comment above the mapping; what cannot be taken
// over stands there as a comment with its reason. It checks nothing against a
// running installation and applies nothing: that is for plan and its users.
package subscriptions
