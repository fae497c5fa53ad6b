package subscriptions

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Options say where the mappings belong.
type Options struct {
	Source      string // required; a source of the plan
	Destination string // required; a destination of the plan
	// BuiltIn: the destination is the built-in directory, not a Qualtrics account.
	// Ids of Qualtrics are left out then, and actions that start a workflow name
	// Workflow.
	BuiltIn  bool
	Workflow string // for BuiltIn; empty: the mapping's own name, to be changed
	// Whole: write a plan that can be applied, with the source, the destination and
	// the workflows that the mappings name. Else it has mappings alone.
	Whole bool
}

// Result is what an export became.
type Result struct {
	// YAML is a plan with comments. It parses; unless it is a whole one, whether the
	// source, destination and workflow exist is for the plan it goes into.
	YAML     string
	Mappings []plan.Mapping
	Notes    []Note
	Skipped  int // subscriptions that are only a comment
}

// Note is something about one subscription that its owner should know.
type Note struct {
	At      string       `json:"at,omitempty"`   // the subscription's place in the export; "" for the export itself
	Name    string       `json:"name,omitempty"` // of the mapping or, when there is none, of the subscription
	Message string       `json:"message"`
	Filter  *fql.Finding `json:"filter,omitempty"`  // what Message says, when it is about the trigger's text
	Skipped bool         `json:"skipped,omitempty"` // it is not among the mappings; the first such note says why
}

// Import turns an export of a destination's subscriptions into mappings. An error
// is Invalid: the text is no export at all. A subscription that Segue cannot take
// over is no error: see Result.Notes.
func Import(text []byte, o Options) (Result, error) {
	for field, v := range map[string]string{"source": o.Source, "destination": o.Destination} {
		if strings.TrimSpace(v) == "" {
			return Result{}, fault.Field(field, "is required")
		}
	}
	export, err := read(text)
	if err != nil {
		return Result{}, err
	}
	w := &writer{options: o, names: map[string]bool{}}
	if export.more {
		w.out.Notes = append(w.out.Notes, Note{Message: "this is one page of the list; what is on the next ones is missing here"})
	}
	for _, s := range export.found {
		w.add(s)
	}
	out := w.result()
	if _, problems := plan.Parse("import", []byte(out.YAML)); len(problems) > 0 {
		return Result{}, fault.Wrap(fault.Internal, problems.Err(), "the mappings written do not read back")
	}
	return out, nil
}

// remark is what a note says.
type remark struct {
	text   string
	filter *fql.Finding
}

// remarks collects what to know about a subscription.
type remarks []remark

func (r *remarks) add(format string, args ...any) {
	*r = append(*r, remark{text: fmt.Sprintf(format, args...)})
}

// convert makes a mapping of a subscription. notes are what to know about it; with
// a trouble there is no mapping.
func convert(s subscription, name string, o Options) (m plan.Mapping, notes remarks, trouble string) {
	action := actions[s.slug]
	switch {
	case s.trouble != "":
		return m, nil, s.trouble
	case s.slug == "":
		return m, nil, "it names no action"
	case action == "":
		return m, nil, fmt.Sprintf("%q is not an action of Segment's destination for Qualtrics", s.slug)
	}
	m = plan.Mapping{Name: name, Source: o.Source, Destination: o.Destination, Action: action}
	if s.guessed {
		notes.add("the export names the action by an id only; that it is %s is told from its fields", s.slug)
	}
	if s.model {
		notes.add("at Segment it is fed by rows of a warehouse (Reverse ETL), not by events of a source")
	}
	if !s.enabled {
		m.Enabled = new(bool)
	}
	if trouble = setFilter(&m, s.trigger, &notes); trouble != "" {
		return m, notes, trouble
	}
	m.Fields = fieldsOf(action, s.mapping, o.BuiltIn, &notes)
	if o.BuiltIn && action == plan.StartWorkflow {
		if m.Workflow = o.Workflow; m.Workflow == "" {
			m.Workflow = name
		}
		if o.Whole {
			notes.add("its workflow has no steps yet: say there what shall happen")
		} else if o.Workflow == "" {
			notes.add("name a workflow of the plan here")
		}
	}
	made, err := mapping.ForAction(action, m.Fields, o.BuiltIn)
	if err != nil {
		return m, notes, "its mapping is refused, at Segment too: " + mappingError(err)
	}
	for _, p := range made.Kit().Problems() {
		notes.add("fails on every event that reaches it: %s", p)
	}
	missing(action, m.Fields, o.BuiltIn, &notes)
	if host := elsewhere(m.Fields); host != "" {
		notes.add("workflowUrl is at %s, not at qualtrics.com: list it in the destination's workflow_hosts. "+
			"A workflow of the plan is started by its name, through a destination of the built-in directory", host)
	}
	return m, notes, ""
}

// setFilter sets when, unless the action's default says the same.
func setFilter(m *plan.Mapping, trigger string, notes *remarks) (trouble string) {
	if trigger == "" {
		return "it has no trigger: it never ran at Segment"
	}
	f, err := fql.Compile(trigger)
	for _, finding := range fql.Lint(trigger) {
		*notes = append(*notes, remark{"when: " + placed(finding), &finding})
	}
	if err != nil {
		return "its trigger is not valid, it never ran at Segment: " + fault.Public(err)
	}
	if standard := mapping.DefaultFilter(m.Action); standard != "" {
		if d, err := fql.Compile(standard); err == nil && d.Tree().String() == f.Tree().String() {
			return ""
		}
	}
	m.When = &trigger
	return ""
}

// placed is a finding with its place.
func placed(f fql.Finding) string {
	if f.Line > 1 {
		return fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f)
	}
	return fmt.Sprintf("column %d: %s", f.Column, f)
}

func mappingError(err error) string {
	var invalid *mapping.ValidationError
	if errors.As(err, &invalid) {
		return invalid.Error()
	}
	return fault.Public(err)
}

// segmentOwn are the keys with which Segment keeps books in a mapping, and the
// settings of batches, which Segue makes by itself.
var segmentOwn = []string{"__segment_internal_", "enable_batching", "batch_size", "batch_keys", "batch_bytes"}

// root is the one of Segment's own keys that means something.
const root = "__segment_internal_directive"

func isSegments(key string) bool {
	for _, own := range segmentOwn {
		if key != root && strings.HasPrefix(key, own) {
			return true
		}
	}
	return false
}

// fieldsOf is a complete mapping of Segment's, where a missing field has no
// mapping, as fields of a plan, where a missing field keeps its default.
func fieldsOf(action string, given *jsonvalue.Object, builtIn bool, notes *remarks) *jsonvalue.Object {
	out := jsonvalue.NewObject(8)
	known := map[string]bool{}
	for _, f := range mapping.ActionFields(action) {
		known[f.Name] = true
		v := given.Get(f.Name)
		if builtIn && holdsID(f.Name) && isDirective(v) {
			notes.add("%s comes from the event: the built-in directory knows its own names and ids, not those of Qualtrics", f.Name)
		}
		switch {
		case builtIn && f.Name == "directoryId":
			if !jsonvalue.IsNil(v) {
				notes.add("directoryId %s is left out: the destination names its directory", jsonvalue.Text(v))
			}
		case builtIn && f.Name == "workflowUrl":
			if !jsonvalue.IsNil(v) {
				notes.add("workflowUrl is left out: the workflow is named instead")
			}
		case builtIn && isID(f.Name, v):
			notes.add("%s %s is left out: the built-in directory has its own", f.Name, jsonvalue.Text(v))
			if f.Default != nil {
				out.Set(f.Name, nil)
			}
		case jsonvalue.IsNil(v):
			if f.Default != nil {
				out.Set(f.Name, nil)
			}
		case f.Default == nil || !same(v, f.Default):
			out.Set(f.Name, v)
		}
	}
	for k, v := range given.All() {
		switch {
		case known[k] || isSegments(k):
		case k == root:
			out.Set(k, v)
		default:
			notes.add("%q is left out: the action has no such field", k)
		}
	}
	if out.Len() == 0 {
		return nil
	}
	return out
}

// holdsID reports whether a field is for ids of Qualtrics that an event can bring
// along.
func holdsID(field string) bool { return field == "mailingListId" || field == "contactId" }

// isID reports whether a value is an id of Qualtrics, which means nothing to the
// built-in directory.
func isID(field string, v any) bool {
	s, ok := v.(string)
	return ok && s != "" && holdsID(field)
}

func isDirective(v any) bool {
	_, ok := v.(*jsonvalue.Object)
	return ok
}

// missing tells of required fields without a mapping.
func missing(action string, fields *jsonvalue.Object, builtIn bool, notes *remarks) {
	if builtIn || fields.Has(root) {
		return
	}
	for _, f := range mapping.ActionFields(action) {
		if f.Required && (fields.Has(f.Name) && fields.Get(f.Name) == nil || !fields.Has(f.Name) && f.Default == nil) {
			notes.add("%s is required and has no mapping: every event is rejected", f.Name)
		}
	}
}

// elsewhere is the host of a workflow's URL that is written down and is not
// Qualtrics', else "".
func elsewhere(fields *jsonvalue.Object) string {
	text, _ := fields.Get("workflowUrl").(string)
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || strings.HasSuffix("."+strings.ToLower(u.Hostname()), ".qualtrics.com") {
		return ""
	}
	return u.Host
}

// same compares two mappings, whatever the order of their keys.
func same(a, b any) bool {
	switch a := a.(type) {
	case *jsonvalue.Object:
		o, ok := b.(*jsonvalue.Object)
		if !ok || a.Len() != o.Len() {
			return false
		}
		for k, v := range a.All() {
			if !o.Has(k) || !same(v, o.Get(k)) {
				return false
			}
		}
		return true
	case []any:
		l, ok := b.([]any)
		if !ok || len(a) != len(l) {
			return false
		}
		for i := range a {
			if !same(a[i], l[i]) {
				return false
			}
		}
		return true
	}
	return a == b
}
