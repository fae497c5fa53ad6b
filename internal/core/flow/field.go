package flow

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/path"
	"github.com/segue-xm/segue/internal/core/plan"
)

// State says how a field came to its value.
type State string

// The states of a field. There is no other outcome.
const (
	Value     State = "value"      // read from the payload
	Default   State = "default"    // nothing there: the definition's default
	Missing   State = "missing"    // nothing there and no default
	WrongType State = "wrong_type" // something is there that the type does not take
)

// Field is one typed field of one run.
type Field struct {
	Name     string `json:"name"`
	Type     string `json:"type"` // string | number | boolean
	Required bool   `json:"required,omitempty"`
	State    State  `json:"state"`
	// Value is a string, float64 or bool by Type; nil when State is Missing or
	// WrongType.
	Value any    `json:"value"`
	Found *Found `json:"found,omitempty"` // for WrongType
}

// Found is what stood at a field's path instead of a value of its type.
type Found struct {
	Type string `json:"type"` // JSON name: string, number, boolean, array, object; nothing when Text says why
	Text string `json:"text"` // its JSON text, clipped to 64 characters
}

// Fields are the fields of one run, in the order of their definitions.
type Fields []Field

// Err is nil when every required field has a value; else an Invalid error that
// names each one that is missing or of the wrong type. It never quotes values.
func (f Fields) Err() error {
	var said []string
	for _, x := range f {
		switch {
		case !x.Required:
		case x.State == Missing:
			said = append(said, fmt.Sprintf("required field %s is missing", x.Name))
		case x.State == WrongType && x.Found.Type == notFollowed:
			said = append(said, fmt.Sprintf("required field %s: %s", x.Name, x.Found.Text))
		case x.State == WrongType:
			said = append(said, fmt.Sprintf("required field %s must be a %s, found %s", x.Name, x.Type, x.Found.Type))
		}
	}
	if len(said) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "%s", strings.Join(said, "; "))
}

// Object is the fields as conditions and templates see them: every defined name
// is there, null when it has no value.
func (f Fields) Object() *jsonvalue.Object {
	o := jsonvalue.NewObject(len(f))
	for _, x := range f {
		o.Set(x.Name, x.Value)
	}
	return o
}

// FieldSet is a list of field definitions with their paths compiled. Safe for
// concurrent use.
type FieldSet struct {
	defs  []plan.Field
	paths []fieldPath
}

// fieldPath is a field's path, or why it has none that can be followed.
type fieldPath struct {
	path *path.Path
	why  string
}

var fieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// CompileFields checks the definitions and compiles their paths. The error names
// every definition that is wrong.
func CompileFields(defs []plan.Field) (*FieldSet, error) { return compileFields(defs, false) }

// compileFields takes stored definitions as they are: one may have a path that an
// earlier release followed and this one does not. Runs that are under way have their
// fields already; for a new one, such a field is of the wrong type, with the reason.
func compileFields(defs []plan.Field, stored bool) (*FieldSet, error) {
	set := &FieldSet{defs: make([]plan.Field, len(defs)), paths: make([]fieldPath, len(defs))}
	copy(set.defs, defs)
	seen := map[string]bool{}
	var errs []error
	for i := range set.defs {
		d := &set.defs[i]
		at := func(key string) string { return fmt.Sprintf("fields[%d].%s", i, key) }
		switch {
		case !fieldName.MatchString(d.Name):
			errs = append(errs, fault.Field(at("name"), "%q: a name is letters, digits and _, at most 64, and starts with no digit", d.Name))
		case seen[d.Name]:
			errs = append(errs, fault.Field(at("name"), "%q is there twice", d.Name))
		}
		seen[d.Name] = true
		var err error
		switch set.paths[i].path, err = path.Read(d.Path); {
		case err != nil && stored:
			set.paths[i].why = fault.Words(err)
		case err != nil:
			errs = append(errs, fault.Field(at("path"), "%s", fault.Words(err)))
		}
		if converters[d.Type] == nil {
			errs = append(errs, fault.Field(at("type"), "%q: want string, number or boolean", d.Type))
			continue
		}
		if d.Default == nil {
			continue
		}
		v, ok := converters[d.Type](plainValue(d.Default))
		if !ok {
			errs = append(errs, fault.Field(at("default"), "is not a %s", d.Type))
		}
		d.Default = v
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return set, nil
}

// Extract reads the fields from a payload. It is total: every definition gives
// one Field. A path that comes to several values takes the first one, in the order
// of the document. Null is "nothing
// there", as is a path that leads nowhere. What each type takes:
//
//	string   text as it is; a number as JavaScript writes it (1e3 → "1000"); true and false → "true", "false"
//	number   a number; text, blanks around it cut off, that is a decimal number: -1, 2.50, 1e3, 007
//	         (no thousands separators, hexadecimal, Infinity or empty text)
//	boolean  true and false; the texts "true" and "false" in any case, blanks around them cut off
//	         (not 1, 0, "yes" or "on": what they mean is not ours to guess)
//
// Everything else is of the wrong type; the default does not replace it.
//
// The paths that can come by more than one value share a budget of steps, counted as
// they are made: the field of one that goes beyond it in this payload is of the wrong
// type, with that as the reason. So is a stored field whose path is none any more.
func (s *FieldSet) Extract(payload any) Fields {
	out := make(Fields, len(s.defs))
	budget := path.NewBudget(path.MaxSteps)
	for i, d := range s.defs {
		f := Field{Name: d.Name, Type: d.Type, Required: d.Required}
		found, why := s.paths[i].first(payload, budget)
		switch {
		case why != "":
			f.State, f.Found = WrongType, &Found{Type: notFollowed, Text: why}
		case jsonvalue.IsNil(found) && d.Default == nil:
			f.State = Missing
		case jsonvalue.IsNil(found):
			f.State, f.Value = Default, d.Default
		default:
			if v, ok := converters[d.Type](found); ok {
				f.State, f.Value = Value, v
			} else {
				f.State, f.Found = WrongType, &Found{Type: jsonvalue.TypeName(found), Text: clip(jsonvalue.Text(found), 64)}
			}
		}
		out[i] = f
	}
	return out
}

// notFollowed is the type that Found has when the path was not followed.
const notFollowed = "nothing"

// first is the first value that a path comes to, or why it was not followed.
func (p fieldPath) first(payload any, b *path.Budget) (v any, why string) {
	if p.path == nil {
		return nil, p.why
	}
	v, _, err := p.path.First(payload, b)
	if err != nil {
		return nil, err.Error()
	}
	return v, ""
}

// converters hold for each field type what it takes.
var converters = map[string]func(any) (any, bool){
	plan.String:  toString,
	plan.Number:  toNumber,
	plan.Boolean: toBoolean,
}

func toString(v any) (any, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case float64:
		if !finite(v) {
			return nil, false
		}
		return jsonvalue.NumberText(v), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return nil, false
}

var decimal = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

func toNumber(v any) (any, bool) {
	switch v := v.(type) {
	case float64:
		return v, finite(v)
	case string:
		s := strings.TrimSpace(v)
		if len(s) > 400 || !decimal.MatchString(s) {
			return nil, false
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, false
		}
		return f, true
	}
	return nil, false
}

func toBoolean(v any) (any, bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	return nil, false
}

func finite(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }

// plainValue makes a default read from YAML or JSON a jsonvalue.
func plainValue(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	}
	return v
}

// clip cuts s to n characters, marking the cut.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
