// Package task is the extension point of workflows: a task is a step with an
// effect. It says what it is called, what settings it takes and what it does;
// forms, checks when a definition is saved, documentation and masking follow from
// that. The built-in tasks are packages below this one.
//
//	reg := task.NewRegistry()
//	task.Add(reg, webservice.New(webservice.Options{}))
//	err := reg.Validate("web_service", step.With)    // when a definition is saved
//	out, err := reg.Run(ctx, "web_service", input)   // in an activity
//
// Waiting, branching, conditions, retries and the record of what ran are not
// here: the orchestration and the store do those.
package task

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/run"
)

// Task is one kind of step with an effect; C holds its settings, a struct with
// json tags. A Task is made once and used by many runs at the same time.
type Task[C any] interface {
	// Spec describes the task; always the same.
	Spec() Spec
	// Validate checks settings beyond their types. It is called when a definition
	// is saved, when texts may still hold templates (flow.IsTemplate) and settings
	// of other types whose text is a template are zero; and again before Run, with
	// everything rendered. It has no effects and reads nothing.
	Validate(C) error
	// Run has the effect. It may be called again with the same Key, also while an
	// earlier call is still running elsewhere, and must then have no second effect
	// and give the same output. The fault kind of its error decides whether it is
	// tried again (fault.Kind.Final); fault.RetryAfter says when.
	Run(ctx context.Context, in Input[C]) (Output, error)
}

// Spec describes a kind of task: for forms, checks and documentation.
type Spec struct {
	Kind  string `json:"kind"`  // as in a plan: snake_case
	Title string `json:"title"` // for people
	Doc   string `json:"doc"`   // one paragraph
	// Local says that a call is short SQL on the built-in store, so that it may run
	// as a local activity.
	Local bool `json:"local,omitempty"`
	// Timeout bounds one call of Run; it must be set.
	Timeout time.Duration `json:"-"`
	Fields  []FieldSpec   `json:"fields"`
}

// FieldSpec describes one setting; Name is its json key in C.
type FieldSpec struct {
	Name     string `json:"name"`
	Type     string `json:"type"` // text | number | boolean | duration | object | list | any
	Doc      string `json:"doc"`
	Required bool   `json:"required,omitempty"` // must be there and not empty
	Secret   bool   `json:"secret,omitempty"`   // never shown, never in an error
	// Deferred settings keep their templates when the step runs: they are rendered
	// when a message is sent, from what was frozen then (fields, contact, link).
	Deferred bool `json:"deferred,omitempty"`
}

// Deferred are the names of the deferred settings.
func (s Spec) Deferred() []string {
	var names []string
	for _, f := range s.Fields {
		if f.Deferred {
			names = append(names, f.Name)
		}
	}
	return names
}

// Context is what a task knows of the run it works for.
type Context struct {
	// Key is the idempotency key, "<run>/<path of the step>": the same in every attempt, never
	// the same for two steps.
	Key       string
	Run       id.ID
	Workflow  string // its name
	Step      run.Path
	Event     id.ID // the event that started the run
	ContactID id.ID // whom the run is about; zero while nobody is known

	// What conditions and templates see, as package jsonvalue has it; nil when not
	// there.
	Contact any
	Payload any // the event as it came in
	Fields  any
	Steps   any
}

// Input is one call of a task.
type Input[C any] struct {
	Context
	Config C // rendered and decoded
}

// RawInput is Input before decoding.
type RawInput struct {
	Context
	With *jsonvalue.Object // rendered settings
}

// Output is what a task leaves.
type Output struct {
	// Values are what later steps see as steps.<id>; nil is empty. They are stored
	// and shown: no secrets.
	Values *jsonvalue.Object
	// Distribution is set by a task that made one.
	Distribution id.ID
	// Contact is set by a task that settled whom the run is about.
	Contact id.ID
}
