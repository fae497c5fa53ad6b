package task

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Registry holds the kinds of task of a process. It is filled at start and then
// only read; reading is safe for concurrent use.
type Registry struct {
	kinds map[string]entry
	order []Spec
}

type entry struct {
	spec     Spec
	validate func(with *jsonvalue.Object) error
	run      func(ctx context.Context, in RawInput) (Output, error)
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{kinds: map[string]entry{}} }

var kindName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// Add puts a task into a registry. It panics, at start, on a kind that is there
// already and on a Spec that does not describe the settings C exactly.
func Add[C any](r *Registry, t Task[C]) {
	spec := t.Spec()
	if err := r.check(spec, reflect.TypeFor[C]()); err != nil {
		panic(fmt.Sprintf("task %q: %v", spec.Kind, err))
	}
	prepare := func(with *jsonvalue.Object, m mode) (C, error) {
		var c C
		if err := errors.Join(missing(spec, with), decode(with, &c, m)); err != nil {
			return c, err
		}
		return c, t.Validate(c)
	}
	r.order = append(r.order, spec)
	r.kinds[spec.Kind] = entry{
		spec: spec,
		validate: func(with *jsonvalue.Object) error {
			_, err := prepare(with, written)
			return err
		},
		run: func(ctx context.Context, in RawInput) (Output, error) {
			c, err := prepare(in.With, rendered)
			if err != nil {
				return Output{}, err
			}
			return t.Run(ctx, Input[C]{Context: in.Context, Config: c})
		},
	}
}

func (r *Registry) check(s Spec, config reflect.Type) error {
	switch {
	case !kindName.MatchString(s.Kind):
		return errors.New("a kind is small letters, digits and _")
	case r.Has(s.Kind):
		return errors.New("this kind is registered twice")
	case s.Timeout <= 0:
		return errors.New("its spec has no timeout")
	case config.Kind() != reflect.Struct:
		return errors.New("its settings are no struct")
	}
	var described []string
	for _, f := range s.Fields {
		described = append(described, f.Name)
	}
	var taken []string
	for name := range structFields(config) {
		taken = append(taken, name)
	}
	slices.Sort(described)
	slices.Sort(taken)
	if !slices.Equal(described, taken) {
		return fmt.Errorf("its spec describes the settings %v, it takes %v", described, taken)
	}
	return nil
}

// missing names the required settings that are not there or empty.
func missing(s Spec, with *jsonvalue.Object) error {
	var errs []error
	for _, f := range s.Fields {
		v := with.Get(f.Name)
		if text, ok := v.(string); f.Required && (jsonvalue.IsNil(v) || (ok && strings.TrimSpace(text) == "")) {
			errs = append(errs, fault.Field(f.Name, "is needed"))
		}
	}
	return errors.Join(errs...)
}

// Kinds are the specs of all tasks, in the order they were added.
func (r *Registry) Kinds() []Spec { return slices.Clone(r.order) }

// Has reports whether a kind is known.
func (r *Registry) Has(kind string) bool { _, ok := r.kinds[kind]; return ok }

// Spec is the description of a kind.
func (r *Registry) Spec(kind string) (Spec, bool) {
	e, ok := r.kinds[kind]
	return e.spec, ok
}

// IsLocal reports whether a kind may run as a local activity.
func (r *Registry) IsLocal(kind string) bool { return r.kinds[kind].spec.Local }

// Validate checks settings as they are written in a definition: unknown keys,
// types, what the task demands. Texts may hold templates; what they give is
// checked when the step runs. The error joins an Invalid error, with the
// setting's path as Field, for each thing that is wrong.
func (r *Registry) Validate(kind string, with *jsonvalue.Object) error {
	e, err := r.entry(kind)
	if err != nil {
		return err
	}
	return e.validate(with)
}

// Run decodes and checks rendered settings and runs the task, within the spec's
// timeout. A panic of the task is an Internal error; the values of secret
// settings are taken out of error texts.
func (r *Registry) Run(ctx context.Context, kind string, in RawInput) (out Output, err error) {
	e, err := r.entry(kind)
	if err != nil {
		return Output{}, err
	}
	if err := ctx.Err(); err != nil {
		return Output{}, fault.Wrap(fault.Unavailable, err, "task %s was not started", kind)
	}
	ctx, cancel := context.WithTimeout(ctx, e.spec.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			out, err = Output{}, fault.New(fault.Internal, "task %s panicked: %v", kind, p)
		}
		err = e.conceal(err, in.With)
	}()
	return e.run(ctx, in)
}

func (r *Registry) entry(kind string) (entry, error) {
	e, ok := r.kinds[kind]
	if !ok {
		known := make([]string, 0, len(r.order))
		for _, s := range r.order {
			known = append(known, s.Kind)
		}
		return entry{}, fault.Field("task", "there is no task %q; there are %s", kind, strings.Join(known, ", "))
	}
	return e, nil
}

// Masked is what stands in the place of a secret.
const Masked = "•••"

// Redact gives settings for display: every value under a secret setting is
// Masked. Settings of an unknown kind are masked altogether.
func (r *Registry) Redact(kind string, with *jsonvalue.Object) *jsonvalue.Object {
	e, known := r.kinds[kind]
	out := jsonvalue.NewObject(with.Len())
	for k, v := range with.All() {
		if !known || e.secret(k) {
			v = mask(v)
		}
		out.Set(k, v)
	}
	return out
}

func (e entry) secret(name string) bool {
	return slices.ContainsFunc(e.spec.Fields, func(f FieldSpec) bool { return f.Name == name && f.Secret })
}

// mask replaces the leaves of a value, so that the shape still tells something.
func mask(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = mask(e)
		}
		return out
	case *jsonvalue.Object:
		out := jsonvalue.NewObject(v.Len())
		for k, e := range v.All() {
			out.Set(k, mask(e))
		}
		return out
	}
	return Masked
}

// conceal takes secret texts out of an error.
func (e entry) conceal(err error, with *jsonvalue.Object) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	clean := text
	for _, f := range e.spec.Fields {
		if f.Secret {
			clean = concealTexts(clean, with.Get(f.Name))
		}
	}
	if clean == text {
		return err
	}
	return &fault.Error{Kind: fault.KindOf(err), Message: clean, RetryAfter: fault.RetryAfter(err)}
}

func concealTexts(text string, secret any) string {
	const least = 4 // shorter ones would hit ordinary words
	switch v := secret.(type) {
	case string:
		if len(v) >= least {
			text = strings.ReplaceAll(text, v, Masked)
		}
	case []any:
		for _, x := range v {
			text = concealTexts(text, x)
		}
	case *jsonvalue.Object:
		for _, x := range v.All() {
			text = concealTexts(text, x)
		}
	}
	return text
}
