package mapping

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// FieldTrace says how one field of a mapping came by its value.
type FieldTrace struct {
	Field      string `json:"field"`                // empty when the whole mapping is one directive
	Directive  string `json:"directive,omitempty"`  // empty for a plain value
	Path       string `json:"path,omitempty"`       // the first path that decided, as written
	Raw        any    `json:"raw"`                  // what the event has there
	Conversion string `json:"conversion,omitempty"` // in words, how the result came of the raw value; empty when it is that value
	Result     any    `json:"result"`
	Missing    bool   `json:"missing,omitempty"` // the result is undefined: the field is left out
	Error      string `json:"error,omitempty"`
}

// UnmarshalJSON reads a trace back, its values as they were.
func (t *FieldTrace) UnmarshalJSON(b []byte) error {
	type plain FieldTrace
	trace := struct {
		*plain
		Raw    jsonvalue.Value `json:"raw"`
		Result jsonvalue.Value `json:"result"`
	}{plain: (*plain)(t)}
	err := json.Unmarshal(b, &trace)
	t.Raw, t.Result = trace.Raw.V, trace.Result.V
	return err
}

// Explain evaluates every top-level field by itself and tells what it saw. Raw
// and Result may share parts with the event: do not change them.
func (m *Mapping) Explain(event *jsonvalue.Object) []FieldTrace {
	out := make([]FieldTrace, len(m.fields))
	// Some of it is done twice here, to tell what decided.
	root := scope{event, &budget{left: 4 * maxWork}}
	for i, f := range m.fields {
		out[i] = trace(f, root)
	}
	return out
}

func trace(f fieldNode, event scope) FieldTrace {
	t := FieldTrace{Field: f.name, Directive: f.directive}
	if written, p, ok := deciding(f.node, event); ok {
		t.Path, t.Raw = written, visible(p.get(event))
	}
	v, err := f.node.eval(event)
	if err != nil {
		t.Error = err.Error()
		return t
	}
	if t.Missing = jsonvalue.IsUndefined(v); !t.Missing {
		t.Conversion = strings.Join(conversions(f.node, event), ", then ")
	}
	t.Result = visible(v)
	return t
}

// Explain is the kit's Explain with what the action's checks do to each field. A
// required field that nothing is mapped to has a trace too.
func (a *ActionMapping) Explain(event *jsonvalue.Object) []FieldTrace {
	traces := a.kit.Explain(event)
	if len(traces) == 1 && traces[0].Field == "" { // one directive makes the whole payload
		return traces
	}
	for _, f := range a.fields {
		i := slices.IndexFunc(traces, func(t FieldTrace) bool { return t.Field == f.Name })
		if i < 0 && !a.required(f) {
			continue
		}
		if i < 0 {
			i = len(traces)
			traces = append(traces, FieldTrace{Field: f.Name, Missing: true})
		}
		t := &traces[i]
		if t.Error != "" {
			continue
		}
		t.check(f, a.required(f))
	}
	return traces
}

// check brings the result to the field's type and tells how.
func (t *FieldTrace) check(f Field, required bool) {
	var result any = jsonvalue.Undefined{}
	if !t.Missing {
		result = t.Result
	}
	v, reason := coerce(f, result)
	switch {
	case reason != "":
		t.Error = reason
		return
	case jsonvalue.IsUndefined(v) && required:
		t.Error = "is required but missing"
	}
	if how := coercion(result, v); how != "" {
		t.Conversion = strings.TrimPrefix(t.Conversion+", then "+how, ", then ")
	}
	t.Missing, t.Result = jsonvalue.IsUndefined(v), visible(v)
}

// coercion says in words what the checks made of a value, or nothing.
func coercion(from, to any) string {
	var steps []string
	switch {
	case jsonvalue.IsUndefined(from):
		return ""
	case jsonvalue.IsUndefined(to):
		return "left out because it is empty"
	}
	if l, ok := from.([]any); ok && len(l) == 1 {
		if _, still := to.([]any); !still {
			steps, from = append(steps, "the only element of the array"), l[0]
		}
	}
	if have, want := kindName(from), kindName(to); have != want {
		steps = append(steps, have+" to "+want)
	}
	return strings.Join(steps, ", then ")
}

// conversions says in words what the directives do to the value at the path that
// decides, from the path outwards.
func conversions(n node, event scope) []string {
	switch n := n.(type) {
	case *condition:
		if branch, err := n.choose(event); err == nil && branch != nil {
			return conversions(branch, event)
		}
	case *letterCase:
		return append(conversions(n.value, event), n.operator+" case")
	case *replace:
		return append(conversions(n.value, event), "parts replaced")
	case *each:
		return append(conversions(n.items, event), "each element mapped")
	case *flatten:
		return append(conversions(n.value, event), "flattened")
	case *encode:
		return append(conversions(n.value, event), "written as JSON")
	case *decode:
		return append(conversions(n.value, event), "read as JSON")
	case *excludeNull:
		return append(conversions(n.value, event), "nulls left out")
	case *rendered:
		return []string{"put into a text"}
	case *liquidNode:
		return []string{"rendered by Liquid"}
	case *merge:
		return []string{"objects merged"}
	case *transform:
		return []string{"mapped twice"}
	}
	return nil
}

// visible is v as encoding/json can write it: undefined is null, in arrays too.
// Objects write themselves.
func visible(v any) any {
	switch v := v.(type) {
	case jsonvalue.Undefined:
		return nil
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = visible(e)
		}
		return out
	}
	return v
}

// deciding finds the path whose value became the result: of a condition, that of
// the branch that was taken.
func deciding(n node, event scope) (written string, p path, ok bool) {
	switch n := n.(type) {
	case *lookup:
		return n.written, n.path, true
	case *condition:
		if branch, err := n.choose(event); err == nil && branch != nil {
			if written, p, ok = deciding(branch, event); ok {
				return written, p, ok
			}
		}
		return deciding(n.test, event)
	case *letterCase:
		return deciding(n.value, event)
	case *replace:
		return deciding(n.value, event)
	case *each:
		return deciding(n.items, event)
	case *flatten:
		return deciding(n.value, event)
	case *encode:
		return deciding(n.value, event)
	case *decode:
		return deciding(n.value, event)
	case *excludeNull:
		return deciding(n.value, event)
	case *rendered:
		return n.template.first()
	}
	return "", nil, false
}
