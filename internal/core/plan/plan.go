// Package plan is what a Segue installation is told to do: sources, directories,
// destinations, mappings, surveys and workflows, as people write them in YAML.
//
// The types here are the plan's whole vocabulary; they are stored as JSON with
// the same keys, one document per revision. Reading YAML, checking it and
// writing it back are in this package too. Compiling filters, mappings and
// workflows for speed is not, nor is finding out what they mean: see Checks.
//
//	doc, problems := plan.Parse("plan.yaml", text)
//	problems = append(problems, doc.Expand(os.LookupEnv)...)
//	problems = append(problems, doc.Validate(checks)...)
//	values := doc.Plan.ExtractLiterals()          // secrets written out, to be stored apart
//	changes := plan.Compare(current, doc.Plan)    // what applying it does
//	stored := plan.Encode(doc.Plan)               // one revision
package plan

import "github.com/segue-xm/segue/internal/core/jsonvalue"

// Plan is one complete configuration. Names are unique per list; order matters
// only where a field says so.
type Plan struct {
	Version      int           `json:"version"`
	Sources      []Source      `json:"sources,omitempty"`
	Directories  []Directory   `json:"directories,omitempty"`
	Destinations []Destination `json:"destinations,omitempty"`
	Mappings     []Mapping     `json:"mappings,omitempty"`
	Surveys      []Survey      `json:"surveys,omitempty"`
	Workflows    []Workflow    `json:"workflows,omitempty"`
}

// Secret is a text that must not be shown: a literal, or text with ${NAME}
// references. Secret.Resolve gives what it stands for; printing it masks it.
type Secret string

// Source is where events come from.
type Source struct {
	Name           string   `json:"name"`
	WriteKeys      []Secret `json:"write_keys,omitempty"`
	WebhookSecrets []Secret `json:"webhook_secrets,omitempty"`
	// Deletes says what a delete event does: "ignore" (default) records it,
	// "erase" erases the person in every directory the source's mappings feed; it is
	// not built yet, and a plan with it is refused when it is applied.
	Deletes string `json:"deletes,omitempty"`
}

// Directory holds contacts, mailing lists and transactions.
type Directory struct {
	Name    string `json:"name"`
	Default bool   `json:"default,omitempty"`
	// MergeRules are tried in order; each is a set of attributes that must all be
	// present and equal: ext_ref, email, phone, first_name, last_name, or
	// embedded_data.<key>. Default: ext_ref, then email, then phone.
	MergeRules   [][]string `json:"merge_rules,omitempty"`
	MailingLists []string   `json:"mailing_lists,omitempty"` // the first is the default list
	PhoneRegion  string     `json:"phone_region,omitempty"`  // for numbers without a country: "JP"
	Frequency    *Frequency `json:"frequency,omitempty"`
}

// Frequency limits how often one contact gets invitations.
type Frequency struct {
	PerContact Window `json:"per_contact"`
}

// Window is at most Messages in any span of Per.
type Window struct {
	Messages int      `json:"messages"`
	Per      Duration `json:"per"`
}

// Destination types.
const (
	TypeDirectory = "directory"
	TypeQualtrics = "qualtrics"
)

// Destination is where mappings deliver.
type Destination struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Directory  string `json:"directory,omitempty"`  // for type directory
	Datacenter string `json:"datacenter,omitempty"` // for type qualtrics
	APIToken   Secret `json:"api_token,omitempty"`
	// WorkflowHosts are hosts besides Qualtrics' own that the workflow URL of a
	// start_workflow mapping may name: host, host:port, or http://host. They never
	// get the token.
	WorkflowHosts []string `json:"workflow_hosts,omitempty"`
	Enabled       *bool    `json:"enabled,omitempty"` // default true; off holds deliveries
}

// IsEnabled reports whether deliveries go out now.
func (d Destination) IsEnabled() bool { return d.Enabled == nil || *d.Enabled }

// Actions of a mapping.
const (
	UpsertContact     = "upsert_contact"
	UpsertTransaction = "upsert_transaction"
	StartWorkflow     = "start_workflow"
)

// Modes of a mapping that writes contacts.
const (
	ModeUpsert     = "upsert"
	ModeUpdateOnly = "update_only"
	ModeCreateOnly = "create_only"
)

// Mapping is a filter, an action and its fields.
type Mapping struct {
	Name           string            `json:"name"`
	Source         string            `json:"source"`
	Destination    string            `json:"destination"`
	Action         string            `json:"action"`
	Mode           string            `json:"mode,omitempty"` // default upsert
	MayResubscribe bool              `json:"may_resubscribe,omitempty"`
	Workflow       string            `json:"workflow,omitempty"` // for start_workflow into the built-in directory
	When           *string           `json:"when,omitempty"`     // FQL; left out: the action's default; start_workflow has none
	Fields         *jsonvalue.Object `json:"fields,omitempty"`   // mapping kit; a key that is not there keeps the action's default, null removes it
	Enabled        *bool             `json:"enabled,omitempty"`
}

// IsEnabled reports whether the mapping takes events.
func (m Mapping) IsEnabled() bool { return m.Enabled == nil || *m.Enabled }

// Survey is what an invitation asks people to answer.
type Survey struct {
	Name string `json:"name"`
	// URL is a Liquid template over link, contact and transaction; empty means the
	// built-in short survey.
	URL    string `json:"url,omitempty"`
	Secret Secret `json:"secret,omitempty"` // signs POST /v1/responses
	// SurveyID (SV_…) is the survey in a Qualtrics account, for distributions that
	// the account sends.
	SurveyID string `json:"survey_id,omitempty"`
	// Question is what the built-in survey asks, by language ("en", "ja").
	Question map[string]string `json:"question,omitempty"`
}

// Workflow is what happens for an event: typed fields, a condition, steps.
type Workflow struct {
	Name    string  `json:"name"`
	Fields  []Field `json:"fields,omitempty"`
	When    string  `json:"when,omitempty"` // CEL over fields, contact, event
	Steps   []Step  `json:"steps,omitempty"`
	Enabled *bool   `json:"enabled,omitempty"`
}

// IsEnabled reports whether new runs start.
func (w Workflow) IsEnabled() bool { return w.Enabled == nil || *w.Enabled }

// Field types.
const (
	String  = "string"
	Number  = "number"
	Boolean = "boolean"
)

// Field is one typed value that a workflow reads from its payload.
type Field struct {
	Name     string `json:"name"`
	Path     string `json:"path"` // JSONPath
	Type     string `json:"type"` // string | number | boolean
	Required bool   `json:"required,omitempty"`
	Default  any    `json:"default,omitempty"` // used when missing
}

// What a failed step does to its run.
const (
	OnFailureStop     = "stop" // default
	OnFailureContinue = "continue"
)

// Step is one step of a workflow: exactly one of Task, Wait, Branch and Stop.
type Step struct {
	ID        string            `json:"id"`
	When      string            `json:"when,omitempty"` // CEL; judged when the step is reached
	Task      string            `json:"task,omitempty"` // a task kind
	With      *jsonvalue.Object `json:"with,omitempty"` // the task's settings; texts are Liquid templates
	OnFailure string            `json:"on_failure,omitempty"`
	Wait      *Wait             `json:"wait,omitempty"`
	Branch    []Branch          `json:"branch,omitempty"`
	Stop      *Stop             `json:"stop,omitempty"`
}

// Wait pauses a run.
type Wait struct {
	For Duration `json:"for"`
	// Response names an earlier distribute step: the wait also ends when its
	// invitation is answered.
	Response string `json:"response,omitempty"`
}

// Branch is one way of a branch step: the first whose When holds is taken; a
// branch without When is "otherwise".
type Branch struct {
	When  string `json:"when,omitempty"`
	Steps []Step `json:"steps,omitempty"`
}

// Stop ends the run there.
type Stop struct {
	Reason string `json:"reason,omitempty"`
}
