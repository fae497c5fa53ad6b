package plan

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// tree is v, a plan or a part of one, as JSON values with the keys of its json
// tags in order. Secrets stay Secret, so that whoever shows the tree decides.
func tree(v reflect.Value) any {
	switch v.Type() {
	case typeSecret:
		return v.Interface()
	case typeDuration:
		return Duration(v.Int()).String()
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		if o, ok := v.Interface().(*jsonvalue.Object); ok {
			return o
		}
		return tree(v.Elem())
	case reflect.Struct:
		o := jsonvalue.NewObject(v.NumField())
		for _, k := range keysOf(v.Type()) {
			f := v.Field(k.index)
			if k.omitEmpty && isEmpty(f) {
				continue
			}
			o.Set(k.name, tree(f))
		}
		if v.Type() == typeStep {
			hideHeaders(o)
		}
		return o
	case reflect.Slice:
		a := make([]any, v.Len())
		for i := range a {
			a[i] = tree(v.Index(i))
		}
		return a
	case reflect.Map:
		o := jsonvalue.NewObject(v.Len())
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		for _, k := range keys {
			o.Set(k.String(), tree(v.MapIndex(k)))
		}
		return o
	case reflect.Int:
		return float64(v.Int())
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return v.Interface()
	}
	panic("plan: no JSON for " + v.Type().String())
}

var typeStep = reflect.TypeFor[Step]()

// hideHeaders makes Secret of the header texts of a step's tree: see isSecretPath.
func hideHeaders(step *jsonvalue.Object) {
	with, _ := step.Get("with").(*jsonvalue.Object)
	headers, ok := with.Get("headers").(*jsonvalue.Object)
	if !ok {
		return
	}
	hidden := jsonvalue.NewObject(headers.Len())
	for k, h := range headers.All() {
		if s, ok := h.(string); ok {
			h = Secret(s)
		}
		hidden.Set(k, h)
	}
	copied := jsonvalue.NewObject(with.Len())
	for k, w := range with.All() {
		copied.Set(k, w)
	}
	copied.Set("headers", hidden)
	step.Set("with", copied)
}

// isEmpty is encoding/json's rule for omitempty.
func isEmpty(v reflect.Value) bool {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
		return v.Len() == 0
	}
	return v.IsZero() && v.Kind() != reflect.Struct
}
