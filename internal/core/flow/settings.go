package flow

import (
	"errors"
	"fmt"
	"slices"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid"
)

// Settings are a step's settings with every text in them compiled as a template.
// Keys are not templates. Safe for concurrent use.
type Settings struct{ root *jsonvalue.Object }

// CompileSettings compiles every text of an object. The error names each text
// that is no template by its path under name, as in "with.contact.email".
func CompileSettings(name string, with *jsonvalue.Object) (*Settings, error) {
	var errs []error
	root, _ := compileTexts(name, with, &errs).(*jsonvalue.Object)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Settings{root: root}, nil
}

// compileTexts is a copy of v with templates in the place of texts that need
// evaluating.
func compileTexts(name string, v any, errs *[]error) any {
	switch v := v.(type) {
	case string:
		t, err := CompileTemplate(name, v)
		if err != nil {
			*errs = append(*errs, err)
			return nil
		}
		if t.liquid == nil {
			return v
		}
		return deferrable{t, v}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = compileTexts(fmt.Sprintf("%s[%d]", name, i), e, errs)
		}
		return out
	case *jsonvalue.Object:
		out := jsonvalue.NewObject(v.Len())
		for k, e := range v.All() {
			out.Set(k, compileTexts(name+"."+k, e, errs))
		}
		return out
	}
	return v
}

// deferrable is a template that may also stay as it was written.
type deferrable struct {
	template *Template
	text     string
}

// Render gives the settings with every template evaluated; a text stays a text,
// whatever it holds. Keys of the object itself that deferred names keep their
// texts as they were written, templates and all: they are rendered later, when
// what they speak of is known (the link of an invitation). What one rendering may do
// at most, all of them may do together.
func (s *Settings) Render(scope Scope, deferred ...string) (*jsonvalue.Object, error) {
	out := jsonvalue.NewObject(s.root.Len())
	root, effort := scope.root(), newEffort()
	for k, v := range s.root.All() {
		r, err := renderTexts(v, root, effort, slices.Contains(deferred, k))
		if err != nil {
			return nil, err
		}
		out.Set(k, r)
	}
	return out, nil
}

// RenderKey is Render for one key: Undefined when it is not there.
func (s *Settings) RenderKey(key string, scope Scope) (any, error) {
	return renderTexts(s.root.Get(key), scope.root(), newEffort(), false)
}

func renderTexts(v any, scope *jsonvalue.Object, effort *liquid.Meter, keep bool) (any, error) {
	switch v := v.(type) {
	case deferrable:
		if keep {
			return v.text, nil
		}
		return v.template.render(scope, effort)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			r, err := renderTexts(e, scope, effort, keep)
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	case *jsonvalue.Object:
		out := jsonvalue.NewObject(v.Len())
		for k, e := range v.All() {
			r, err := renderTexts(e, scope, effort, keep)
			if err != nil {
				return nil, err
			}
			out.Set(k, r)
		}
		return out, nil
	}
	return v, nil
}

// RenderObject is CompileSettings and Render in one, for previews.
func RenderObject(with *jsonvalue.Object, scope Scope) (*jsonvalue.Object, error) {
	s, err := CompileSettings("with", with)
	if err != nil {
		return nil, err
	}
	return s.Render(scope)
}

// walkTemplates visits the templates of compiled settings, in order.
func walkTemplates(v any, visit func(*Template)) {
	switch v := v.(type) {
	case deferrable:
		visit(v.template)
	case []any:
		for _, e := range v {
			walkTemplates(e, visit)
		}
	case *jsonvalue.Object:
		for _, e := range v.All() {
			walkTemplates(e, visit)
		}
	}
}
