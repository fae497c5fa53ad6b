package contact

import (
	"bytes"
	"strings"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// DefaultLanguage is what a new contact speaks when nobody says. It carries no
// stamp: whoever says something else later is right.
const DefaultLanguage = "EN"

// Change is one value before and after; before is nil when it was not there.
type Change struct {
	Field  string
	Before any
	After  any
}

// Diff writes changes as an object: field -> [before, after].
func Diff(changes []Change) *jsonvalue.Object {
	o := jsonvalue.NewObject(len(changes))
	for _, c := range changes {
		o.Set(c.Field, []any{c.Before, c.After})
	}
	return o
}

// merge puts what the input says into c, value by value, where the input is not
// older than what is there, and returns what changed. touched is true also when
// only a stamp moved: the same value said again later must outlive what was said
// in between.
//
// Empty never wins. unsubscribed: false on an existing contact re-subscribes only
// when the input may.
func (c *Contact) merge(in *Input, isNew bool) (changes []Change, touched bool) {
	if c.Stamps == nil {
		c.Stamps = Stamps{}
	}
	for _, f := range textFields {
		v := strings.TrimSpace(in.field(f))
		if v == "" || !c.yields(f, in.Stamp) {
			continue
		}
		p := c.field(f)
		touched = c.stamp(f, in.Stamp) || touched
		if *p == v {
			continue
		}
		changes = append(changes, Change{f, textOrNil(*p), v})
		*p = v
	}
	if isNew && c.Language == "" {
		c.Language = DefaultLanguage
	}
	if u := in.Unsubscribed; u != nil && (*u || isNew || in.MayResubscribe) && c.yields(Unsubscribed, in.Stamp) {
		touched = c.stamp(Unsubscribed, in.Stamp) || touched
		if c.Unsubscribed != *u {
			changes = append(changes, Change{Unsubscribed, c.Unsubscribed, *u})
			c.Unsubscribed = *u
		}
	}
	more, also := c.mergeEmbedded(in)
	return append(changes, more...), touched || also
}

// yields reports whether a value may be replaced by one of this stamp: nobody set
// it yet, or not later.
func (c *Contact) yields(name string, to Stamp) bool {
	set, has := c.Stamps[name]
	return !has || to.After(set)
}

// stamp moves the stamp of a value and reports whether it moved.
func (c *Contact) stamp(name string, to Stamp) bool {
	moved := c.Stamps[name] != to
	c.Stamps[name] = to
	return moved
}

func (c *Contact) mergeEmbedded(in *Input) (changes []Change, touched bool) {
	for k, v := range in.EmbeddedData.All() {
		name := embedded + k
		if v == nil || v == "" || !c.yields(name, in.Stamp) {
			continue
		}
		if c.EmbeddedData == nil {
			c.EmbeddedData = jsonvalue.NewObject(in.EmbeddedData.Len())
		}
		touched = c.stamp(name, in.Stamp) || touched
		before := c.EmbeddedData.Get(k)
		if same(before, v) {
			continue
		}
		if jsonvalue.IsUndefined(before) {
			before = nil
		}
		changes = append(changes, Change{name, before, v})
		c.EmbeddedData.Set(k, v)
	}
	return changes, touched
}

// same compares values by their JSON text.
func same(a, b any) bool {
	if jsonvalue.IsUndefined(a) {
		return false
	}
	return bytes.Equal(jsonvalue.Append(nil, a), jsonvalue.Append(nil, b))
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
