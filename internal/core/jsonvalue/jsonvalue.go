// Package jsonvalue is JSON as JavaScript sees it: objects keep the order of
// their keys, numbers are doubles, and text comes out as JSON.stringify writes
// it. Filters and mappings need exactly that to give Segment's results.
//
// A value is a Go any holding one of
//
//	nil         null
//	bool
//	float64
//	string
//	[]any       array, elements are values (or Undefined)
//	*Object     object with ordered keys
//	Undefined   JavaScript's undefined: "not there"; never made by Parse
//
// It is not a general JSON library: what only has to be carried is kept as the
// bytes that came in.
package jsonvalue

import (
	"iter"
	"slices"
	"strconv"
)

// Undefined is the value of what is not there.
type Undefined struct{}

// IsUndefined reports whether v is Undefined.
func IsUndefined(v any) bool { _, ok := v.(Undefined); return ok }

// IsNil reports whether v is null or Undefined.
func IsNil(v any) bool { return v == nil || IsUndefined(v) }

// Object is a JSON object whose keys are enumerated as JavaScript does:
// integer-like keys first, ascending, then the others as they were first set.
// The zero Object is empty and ready; a nil *Object reads as empty. Reading is
// safe for concurrent use while nobody writes.
type Object struct {
	members []member
	index   map[string]int // positions by key, only for large objects
	ints    bool           // some key is integer-like: enumeration must sort
}

type member struct {
	key string
	val any
}

// indexFrom is the size from which a map pays for itself over a scan.
const indexFrom = 32

// NewObject returns an object with room for n keys.
func NewObject(n int) *Object { return &Object{members: make([]member, 0, n)} }

// Len is the number of keys.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.members)
}

func (o *Object) find(key string) int {
	if o == nil {
		return -1
	}
	if o.index != nil {
		if i, ok := o.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if o.members[i].key == key {
			return i
		}
	}
	return -1
}

// Get returns the value of a key, or Undefined.
func (o *Object) Get(key string) any {
	if i := o.find(key); i >= 0 {
		return o.members[i].val
	}
	return Undefined{}
}

// Has reports whether the key is there, whatever its value.
func (o *Object) Has(key string) bool { return o.find(key) >= 0 }

// Set sets a key; a key already there keeps its place.
func (o *Object) Set(key string, v any) {
	if i := o.find(key); i >= 0 {
		o.members[i].val = v
		return
	}
	o.members = append(o.members, member{key, v})
	o.ints = o.ints || integerLike(key)
	switch {
	case o.index != nil:
		o.index[key] = len(o.members) - 1
	case len(o.members) == indexFrom:
		o.index = make(map[string]int, 2*indexFrom)
		o.number()
	}
}

// number fills the index.
func (o *Object) number() {
	for i := range o.members {
		o.index[o.members[i].key] = i
	}
}

// Delete removes a key if it is there.
func (o *Object) Delete(key string) {
	i := o.find(key)
	if i < 0 {
		return
	}
	o.members = slices.Delete(o.members, i, i+1)
	if o.index != nil {
		clear(o.index)
		o.number()
	}
}

// All yields keys and values in JavaScript's order.
func (o *Object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if o == nil {
			return
		}
		if o.ints {
			for _, i := range o.order() {
				if !yield(o.members[i].key, o.members[i].val) {
					return
				}
			}
			return
		}
		for i := range o.members {
			if !yield(o.members[i].key, o.members[i].val) {
				return
			}
		}
	}
}

// order is the enumeration order as positions in members.
func (o *Object) order() []int {
	pos := make([]int, len(o.members))
	rank := make([]uint64, len(o.members))
	for i := range o.members {
		pos[i] = i
		rank[i] = 1 << 40
		if k := o.members[i].key; integerLike(k) {
			rank[i], _ = strconv.ParseUint(k, 10, 64)
		}
	}
	slices.SortStableFunc(pos, func(a, b int) int {
		switch {
		case rank[a] < rank[b]:
			return -1
		case rank[a] > rank[b]:
			return 1
		}
		return 0
	})
	return pos
}

// Keys returns the keys in JavaScript's order. With ValueForKey, SetValueForKey
// and RemoveValueForKey it lets ojg's JSONPath walk an Object.
func (o *Object) Keys() []string {
	keys := make([]string, 0, o.Len())
	for k := range o.All() {
		keys = append(keys, k)
	}
	return keys
}

// ValueForKey is Get in the form ojg's jp.Keyed asks for.
func (o *Object) ValueForKey(key string) (any, bool) {
	if i := o.find(key); i >= 0 {
		return o.members[i].val, true
	}
	return nil, false
}

// SetValueForKey is Set in the form ojg's jp.Keyed asks for.
func (o *Object) SetValueForKey(key string, v any) { o.Set(key, v) }

// RemoveValueForKey is Delete in the form ojg's jp.Keyed asks for.
func (o *Object) RemoveValueForKey(key string) { o.Delete(key) }

// integerLike reports whether JavaScript treats the key as an array index:
// canonical decimal from 0 to 2^32-2.
func integerLike(k string) bool {
	if k == "" || k[0] > '9' || len(k) > 10 || (k[0] == '0' && len(k) > 1) {
		return false
	}
	for i := range len(k) {
		if k[i] < '0' || k[i] > '9' {
			return false
		}
	}
	n, _ := strconv.ParseUint(k, 10, 64)
	return n <= 1<<32-2
}
