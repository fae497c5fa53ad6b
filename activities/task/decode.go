package task

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// mode says whether texts still may be templates.
type mode bool

const (
	rendered mode = false
	written  mode = true
)

// decode fills a struct from settings. It differs from encoding/json in what
// templates need: where a number, a boolean or a duration is wanted, its text is
// taken too, because a template gives text; and settings as written may have a
// template there, which leaves the zero value. Unknown keys are errors. All
// errors are Invalid, with the path as Field, joined.
func decode(with *jsonvalue.Object, into any, m mode) error {
	d := decoder{mode: m}
	if with == nil {
		with = &jsonvalue.Object{}
	}
	d.value("", with, reflect.ValueOf(into).Elem())
	return errors.Join(d.errs...)
}

type decoder struct {
	mode mode
	errs []error
}

func (d *decoder) bad(at, format string, args ...any) {
	d.errs = append(d.errs, fault.Field(at, format, args...))
}

func (d *decoder) value(at string, v any, to reflect.Value) {
	if jsonvalue.IsNil(v) {
		return // null is the same as not there
	}
	switch to.Type() {
	case reflect.TypeFor[any]():
		to.Set(reflect.ValueOf(v))
		return
	case reflect.TypeFor[*jsonvalue.Object]():
		if o, ok := v.(*jsonvalue.Object); ok {
			to.Set(reflect.ValueOf(o))
		} else {
			d.want(at, "an object", v)
		}
		return
	}
	if to.Kind() == reflect.Pointer {
		if text, ok := v.(string); ok && d.template(text) {
			return
		}
		to.Set(reflect.New(to.Type().Elem()))
		d.value(at, v, to.Elem())
		return
	}
	if u, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok {
		text, ok := v.(string)
		switch {
		case !ok:
			d.want(at, "text", v)
		case d.template(text):
		default:
			if err := u.UnmarshalText([]byte(text)); err != nil {
				d.bad(at, "%v", err)
			}
		}
		return
	}
	switch to.Kind() {
	case reflect.String:
		if text, ok := v.(string); ok {
			to.SetString(text)
		} else {
			d.want(at, "text", v)
		}
	case reflect.Bool:
		d.boolean(at, v, to)
	case reflect.Int, reflect.Int64, reflect.Float64:
		d.number(at, v, to)
	case reflect.Struct:
		d.object(at, v, to)
	case reflect.Map:
		o, ok := v.(*jsonvalue.Object)
		if !ok {
			d.want(at, "an object", v)
			return
		}
		to.Set(reflect.MakeMapWithSize(to.Type(), o.Len()))
		for k, e := range o.All() {
			item := reflect.New(to.Type().Elem()).Elem()
			d.value(join(at, k), e, item)
			to.SetMapIndex(reflect.ValueOf(k), item)
		}
	case reflect.Slice:
		list, ok := v.([]any)
		if !ok {
			d.want(at, "a list", v)
			return
		}
		to.Set(reflect.MakeSlice(to.Type(), len(list), len(list)))
		for i, e := range list {
			d.value(fmt.Sprintf("%s[%d]", at, i), e, to.Index(i))
		}
	default:
		panic(fmt.Sprintf("settings of type %s are not supported", to.Type()))
	}
}

func (d *decoder) template(text string) bool { return d.mode == written && flow.IsTemplate(text) }

func (d *decoder) want(at, what string, v any) {
	d.bad(at, "want %s, have %s", what, jsonvalue.TypeName(v))
}

func (d *decoder) boolean(at string, v any, to reflect.Value) {
	switch v := v.(type) {
	case bool:
		to.SetBool(v)
		return
	case string:
		switch text := strings.ToLower(strings.TrimSpace(v)); {
		case d.template(v):
			return
		case text == "true" || text == "false":
			to.SetBool(text == "true")
			return
		}
	}
	d.want(at, "true or false", v)
}

func (d *decoder) number(at string, v any, to reflect.Value) {
	n, ok := v.(float64)
	if text, isText := v.(string); isText {
		if d.template(text) {
			return
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		n, ok = f, err == nil
	}
	switch {
	case !ok || math.IsNaN(n) || math.IsInf(n, 0):
		d.want(at, "a number", v)
	case to.Kind() == reflect.Float64:
		to.SetFloat(n)
	case n != math.Trunc(n) || math.Abs(n) > 1<<53:
		d.bad(at, "want a whole number")
	default:
		to.SetInt(int64(n))
	}
}

func (d *decoder) object(at string, v any, to reflect.Value) {
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		d.want(at, "an object", v)
		return
	}
	fields := structFields(to.Type())
	for k, e := range o.All() {
		index, ok := fields[k]
		if !ok {
			known := make([]string, 0, len(fields))
			for name := range fields {
				known = append(known, name)
			}
			slices.Sort(known)
			d.bad(join(at, k), "there is no such setting; there are %s", strings.Join(known, ", "))
			continue
		}
		d.value(join(at, k), e, to.FieldByIndex(index))
	}
}

// structFields are the settings of a struct, those of embedded ones among them: json
// keys and where the fields are.
func structFields(t reflect.Type) map[string][]int {
	out := make(map[string][]int, t.NumField())
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && name != "-" && name != "" {
			out[name] = f.Index
		}
	}
	return out
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}
