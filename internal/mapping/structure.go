package mapping

import (
	"encoding/json"
	"strconv"

	"github.com/segue-xm/segue/internal/jsonvalue"
)

// merge puts objects over each other, the last one on top.
type merge struct {
	path          string
	objects       []node // from bottom to top
	keepUndefined bool
}

func (m *merge) eval(root any) (any, error) {
	out := jsonvalue.NewObject(8)
	for _, n := range m.objects {
		v, err := n.eval(root)
		if err != nil {
			return nil, err
		}
		if weight(v, maxWeight) > maxWeight {
			return nil, failf(m.path, "%s", tooLarge)
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
		for i, u := range units(v) {
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

func (t *transform) eval(root any) (any, error) {
	switch root.(type) {
	case *jsonvalue.Object:
	case jsonvalue.Undefined:
		root = jsonvalue.NewObject(0)
	default: // an item of @arrayPath, or what another apply made
		return nil, failf(t.path, "data must be an object, got %s", kindName(root))
	}
	v, err := t.apply.eval(root)
	if err != nil {
		return nil, err
	}
	if weight(v, maxWeight) > maxWeight {
		return nil, failf(t.path, "%s", tooLarge)
	}
	return t.mapping.eval(v)
}

// flatten joins the keys of nested objects.
type flatten struct {
	path       string
	value      node
	separator  string
	omitArrays bool
}

func (f *flatten) eval(root any) (any, error) {
	v, err := f.value.eval(root)
	if err != nil {
		return nil, err
	}
	if weight(v, maxWeight) > maxWeight {
		return nil, failf(f.path, "%s", tooLarge)
	}
	out := jsonvalue.NewObject(8)
	room := maxWeight
	if !f.into(out, "", v, &room) {
		return nil, failf(f.path, "%s", tooLarge)
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

func (e *encode) eval(root any) (any, error) {
	v, err := e.value.eval(root)
	if err != nil || jsonvalue.IsUndefined(v) {
		return v, err
	}
	if weight(v, maxWeight) > maxWeight {
		return nil, failf(e.path, "%s", tooLarge)
	}
	return jsonvalue.Text(v), nil
}

// decode reads JSON text; what is not JSON stays text.
type decode struct{ value node }

func (d *decode) eval(root any) (any, error) {
	v, err := d.value.eval(root)
	if err != nil {
		return nil, err
	}
	s, ok := v.(string)
	if !ok || !json.Valid([]byte(s)) { // strict, where jsonvalue.Parse may be lenient
		return v, nil
	}
	if parsed, err := jsonvalue.Parse([]byte(s)); err == nil {
		return parsed, nil
	}
	return s, nil
}

// excludeNull makes null undefined and takes null members out of objects.
type excludeNull struct{ value node }

func (x *excludeNull) eval(root any) (any, error) {
	v, err := x.value.eval(root)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return jsonvalue.Undefined{}, nil
	}
	return withoutNulls(v), nil
}

func withoutNulls(v any) any {
	o, ok := v.(*jsonvalue.Object)
	if !ok || !holdsNull(o) {
		return v
	}
	out := jsonvalue.NewObject(o.Len())
	for k, e := range o.All() {
		if e != nil {
			out.Set(k, withoutNulls(e))
		}
	}
	return out
}

func holdsNull(o *jsonvalue.Object) bool {
	for _, e := range o.All() {
		if e == nil {
			return true
		}
		if inner, ok := e.(*jsonvalue.Object); ok && holdsNull(inner) {
			return true
		}
	}
	return false
}
