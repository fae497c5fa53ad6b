// Package mapping is the mapping kit: it makes an action's payload from an event.
//
// A mapping is JSON in which an object with one @-key is a directive
// ({"@path": "$.traits.email"}) and everything else stands for itself. It behaves
// as Segment's own mapping kit does, so that a mapping that works there works
// here unchanged:
//
//	m, err := mapping.Compile(value)    // once, when a plan is read
//	payload, err := m.Apply(event)      // many times, from any goroutine
//
// On top of the kit are the three actions with their fields, default mappings
// and the checks a payload must pass (ForAction), and the typed view of a payload
// that the built-in directory works with (ContactOf, TransactionOf).
//
// The package is pure: no clock, no I/O, and an event is never changed. Deciding
// which events a mapping gets is the filter's work, not done here.
package mapping
