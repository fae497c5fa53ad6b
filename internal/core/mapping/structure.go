package mapping

import (
	"encoding/json"
	"strconv"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// merge puts objects over each other, the last one on top.
type merge struct {
	path          string
	objects       []node // from bottom to top
	keepUndefined bool
}

func (m *merge) eval(root scope) (any, error) {
	out := jsonvalue.NewObject(8)
	for _, n := range m.objects {
		v, err := n.eval(root)
		if err != nil {
			return nil, err
		}
		if err := root.weigh(v, m.path); err != nil {
			return nil, err
		}
		assign(out, v)
	}
	if m.keepUndefined {
		return out, nil
	}
	return withoutUndefined(out), nil
}

// assign is JavaScript's Object.assign: texts and arrays count by index, other
// values that are not objects count for nothing.
func assign(dst *jsonvalue.Object, v any) {
	switch v := v.(type) {
	case *jsonvalue.Object:
		for k, e := range v.All() {
			dst.Set(k, e)
		}
	case []any:
		for i, e := range v {
			dst.Set(strconv.Itoa(i), e)
		}
	case string:
		for i, u := range js.Units(v) {
			dst.Set(strconv.Itoa(i), u)
		}
	}
}

func withoutUndefined(o *jsonvalue.Object) *jsonvalue.Object {
	out := jsonvalue.NewObject(o.Len())
	for k, e := range o.All() {
		if !jsonvalue.IsUndefined(e) {
			out.Set(k, e)
		}
	}
	return out
}

// transform resolves a mapping on the result of another.
type transform struct {
	path           string
	apply, mapping node
}

func (t *transform) eval(root scope) (any, error) {
	switch root.value.(type) {
	case *jsonvalue.Object:
	case jsonvalue.Undefined:
		root = root.of(jsonvalue.NewObject(0))
	default: // an item of @arrayPath, or what another apply made
		return nil, failf(t.path, "data must be an object, got %s", kindName(root.value))
	}
	v, err := t.apply.eval(root)
	if err != nil {
		return nil, err
	}
	if err := root.weigh(v, t.path); err != nil {
		return nil, err
	}
	return t.mapping.eval(root.of(v))
}

// flatten joins the keys of nested objects.
type flatten struct {
	path       string
	value      node
	separator  string
	omitArrays bool
}

func (f *flatten) eval(root scope) (any, error) {
	v, err := f.value.eval(root)
	if err != nil {
		return nil, err
	}
	if err := root.weigh(v, f.path); err != nil {
		return nil, err
	}
	out := jsonvalue.NewObject(8)
	room := maxWeight
	if !f.into(out, "", v, &room) || !root.budget.spend(maxWeight-room) {
		return nil, root.refused(f.path)
	}
	return out, nil
}

// into reports false when the joined keys need more than the room.
func (f *flatten) into(out *jsonvalue.Object, prefix string, v any, room *int) bool {
	member := func(key string, e any) bool {
		if prefix != "" {
			key = prefix + f.separator + key
		}
		*room -= len(key)
		return *room >= 0 && f.into(out, key, e, room)
	}
	switch v := v.(type) {
	case *jsonvalue.Object:
		for k, e := range v.All() {
			if !member(k, e) {
				return false
			}
		}
		return true
	case []any:
		if f.omitArrays {
			break
		}
		for i, e := range v {
			if !member(strconv.Itoa(i), e) {
				return false
			}
		}
		return true
	}
	if !jsonvalue.IsUndefined(v) {
		out.Set(prefix, v)
	}
	return true
}

// encode writes JSON text.
type encode struct {
	path  string
	value node
}

func (e *encode) eval(root scope) (any, error) {
	v, err := e.value.eval(root)
	if err != nil || jsonvalue.IsUndefined(v) {
		return v, err
	}
	if err := root.weigh(v, e.path); err != nil {
		return nil, err
	}
	s := jsonvalue.Text(v)
	if !root.budget.spend(len(s)) || len(s) > maxWeight {
		return nil, root.refused(e.path)
	}
	return s, nil
}

// decode reads JSON text; what is not JSON stays text.
type decode struct {
	path  string
	value node
}

func (d *decode) eval(root scope) (any, error) {
	v, err := d.value.eval(root)
	if err != nil {
		return nil, err
	}
	s, ok := v.(string)
	if ok && !root.budget.spend(len(s)) {
		return nil, root.refused(d.path)
	}
	if !ok || !json.Valid([]byte(s)) { // strict, where jsonvalue.Parse may be lenient
		return v, nil
	}
	if parsed, err := jsonvalue.Parse([]byte(s)); err == nil {
		return parsed, root.weigh(parsed, d.path)
	}
	return s, nil
}

// excludeNull makes null undefined and takes null members out of objects.
type excludeNull struct {
	path  string
	value node
}

func (x *excludeNull) eval(root scope) (any, error) {
	v, err := x.value.eval(root)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return jsonvalue.Undefined{}, nil
	}
	if err := root.weigh(v, x.path); err != nil {
		return nil, err
	}
	return withoutNulls(v), nil
}

// withoutNulls is v itself when there is nothing to take out.
func withoutNulls(v any) any {
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return v
	}
	out := jsonvalue.NewObject(o.Len())
	changed := false
	for k, e := range o.All() {
		kept := withoutNulls(e)
		if e == nil {
			changed = true
			continue
		}
		if _, inner := e.(*jsonvalue.Object); inner && kept != e {
			changed = true
		}
		out.Set(k, kept)
	}
	if !changed {
		return v
	}
	return out
}
