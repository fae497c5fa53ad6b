package mapping

import "github.com/segue-xm/segue/internal/jsonvalue"

// FieldTrace says how one field of a mapping came by its value.
type FieldTrace struct {
	Field     string `json:"field"`               // empty when the whole mapping is one directive
	Directive string `json:"directive,omitempty"` // empty for a plain value
	Path      string `json:"path,omitempty"`      // the first path that decided, as written
	Raw       any    `json:"raw"`                 // what the event has there
	Result    any    `json:"result"`
	Missing   bool   `json:"missing,omitempty"` // the result is undefined: the field is left out
	Error     string `json:"error,omitempty"`
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
	t.Missing = jsonvalue.IsUndefined(v)
	t.Result = visible(v)
	return t
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
