// Package liquid evaluates Liquid templates as liquidjs 10.30.1 does, over the
// values of package jsonvalue. Messages, steps' settings and @liquid of the mapping
// kit use it.
//
//	t, err := liquid.Parse(text, liquid.Options{})
//	out, err := t.Render(liquid.Scope{Root: event}, &liquid.Meter{Steps: 8 << 20, Rounds: 1000, Text: 1 << 20})
//
// There is no clock, no file and no chance: a template and its values give the same
// text or the same error always. What a rendering may do is bounded by counting, and
// the count is taken before the work is done.
package liquid
