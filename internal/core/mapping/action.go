package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Type is the type of an action's field.
type Type string

// The types. A datetime is a text or a number of milliseconds since 1970.
const (
	TypeString   Type = "string"
	TypeBoolean  Type = "boolean"
	TypeDatetime Type = "datetime"
	TypeObject   Type = "object"
	TypeURI      Type = "uri"
)

// Field is one field of an action's payload. Names, labels, types and defaults are
// those of Segment's Qualtrics destination, so that its mappings can be taken over.
type Field struct {
	Name     string `json:"name"`
	Label    string `json:"label"`
	Type     Type   `json:"type"`
	Required bool   `json:"required,omitempty"` // at a Qualtrics account; see ForAction
	Multiple bool   `json:"multiple,omitempty"` // a list of values; no field of today's actions is
	Default  any    `json:"default,omitempty"`  // a mapping; nil when the field has none
}

// optionalBuiltIn are the required fields that the built-in directory knows by
// itself: its own id, its default list, the workflow the mapping names.
var optionalBuiltIn = []string{"directoryId", "mailingListId", "workflowUrl"}

func pathTo(path string) any { return mustParse(fmt.Sprintf(`{"@path":%q}`, path)) }

func orElse(path, otherwise string) any {
	return mustParse(fmt.Sprintf(`{"@if":{"exists":{"@path":%[1]q},"then":{"@path":%[1]q},"else":%s}}`, path, otherwise))
}

func mustParse(text string) any {
	v, err := jsonvalue.Parse([]byte(text))
	if err != nil {
		panic(err) // only for texts in this file
	}
	return v
}

var directoryField = Field{Name: "directoryId", Label: "Directory ID", Type: TypeString, Required: true}

// personFields are what both contact actions know of a person, after the id.
var personFields = []Field{
	{Name: "email", Label: "Email", Type: TypeString, Default: orElse("$.email", `{"@path":"$.traits.email"}`)},
	{Name: "phone", Label: "Phone number", Type: TypeString, Default: pathTo("$.traits.phone")},
	{Name: "firstName", Label: "First Name", Type: TypeString, Default: pathTo("$.traits.firstName")},
	{Name: "lastName", Label: "Last Name", Type: TypeString, Default: pathTo("$.traits.lastName")},
	{Name: "language", Label: "Language", Type: TypeString, Default: orElse("$.traits.language", `"EN"`)},
	{Name: "unsubscribed", Label: "Contact is unsubscribed", Type: TypeBoolean, Default: false},
	{Name: "embeddedData", Label: "Contact embedded data", Type: TypeObject},
}

// actionFields are the payloads of the actions; spec: Segment's actions
// addContactToXmd, upsertContactTransaction and triggerXflowWorkflow.
var actionFields = map[string][]Field{
	plan.UpsertContact: slices.Concat(
		[]Field{
			directoryField,
			{Name: "extRef", Label: "External Data Reference", Type: TypeString, Default: pathTo("$.userId")},
		},
		personFields),
	plan.UpsertTransaction: slices.Concat(
		[]Field{
			directoryField,
			{Name: "mailingListId", Label: "Mailing list ID", Type: TypeString, Required: true, Default: pathTo("$.traits.qualtricsMailingListId")},
			{Name: "contactId", Label: "Contact ID", Type: TypeString, Default: pathTo("$.traits.qualtricsContactId")},
			{Name: "extRef", Label: "External Data Reference", Type: TypeString, Required: true, Default: orElse("$.userId", `{"@path":"$.anonymousId"}`)},
		},
		personFields,
		[]Field{
			{Name: "transactionDate", Label: "Date & time of transaction", Type: TypeDatetime, Default: pathTo("$.timestamp")},
			{Name: "transactionData", Label: "Transaction data", Type: TypeObject},
		}),
	plan.StartWorkflow: {
		{Name: "workflowUrl", Label: "Workflow URL", Type: TypeURI, Required: true},
		{Name: "eventPayload", Label: "Event payload", Type: TypeObject, Default: mustParse(`{
			"event": {"@path": "$.event"}, "type": {"@path": "$.type"}, "userId": {"@path": "$.userId"},
			"properties": {"@path": "$.properties"}, "traits": {"@path": "$.traits"}, "context": {"@path": "$.context"}}`)},
	},
}

// ActionFields are the fields of an action (plan.UpsertContact and so on), in the
// order in which people meet them; nil for an unknown action. The defaults are
// shared: do not change them.
func ActionFields(action string) []Field { return slices.Clone(actionFields[action]) }

// DefaultFilter is the filter of an action's mapping that names none; "" means that
// the mapping must name one.
func DefaultFilter(action string) string {
	switch action {
	case plan.UpsertContact:
		return `type = "identify"`
	case plan.UpsertTransaction:
		return `type = "track" and event = "Transaction Created"`
	}
	return ""
}

// ActionMapping makes an action's payload from events. It is immutable and safe
// for concurrent use.
type ActionMapping struct {
	kit     *Mapping
	fields  []Field
	builtIn bool
}

// ForAction compiles the mapping of an action: its default fields with the given
// ones over them. A field that is not given keeps its default, null removes it, an
// unknown one is an error. For the built-in directory directoryId, mailingListId
// and workflowUrl may be missing from the payload. fields may be nil and must not
// be changed afterwards. The error is Invalid and holds every problem; those of
// the kit are a *ValidationError.
func ForAction(action string, fields *jsonvalue.Object, builtIn bool) (*ActionMapping, error) {
	known, ok := actionFields[action]
	if !ok {
		return nil, fault.Field("action", "%q is not an action: want %s, %s or %s", action, plan.UpsertContact, plan.UpsertTransaction, plan.StartWorkflow)
	}
	var ps problems
	merged := jsonvalue.NewObject(len(known))
	for _, f := range known {
		given, there := fields.Get(f.Name), fields.Has(f.Name)
		switch {
		case there && given != nil:
			merged.Set(f.Name, given)
		case !there && builtIn && f.Name == "language":
			// Segment's default says EN whenever the event does not know, which would
			// reset everybody's language with each event. The built-in directory gives
			// EN to new contacts only.
			merged.Set(f.Name, pathTo("$.traits.language"))
		case !there && f.Default != nil:
			merged.Set(f.Name, f.Default)
		}
	}
	for k, v := range fields.All() {
		switch {
		case slices.ContainsFunc(known, func(f Field) bool { return f.Name == k }):
		case k == rootDirectiveKey:
			merged.Set(k, v)
		case strings.HasPrefix(k, internalPrefix): // bookkeeping in a mapping saved by Segment
		default:
			ps.addf("/"+k, "is not a field of %s", action)
		}
	}
	kit, err := Compile(merged)
	if invalid := (*ValidationError)(nil); errors.As(err, &invalid) {
		ps = append(ps, invalid.Problems...)
	}
	if len(ps) > 0 {
		return nil, &ValidationError{ps}
	}
	return &ActionMapping{kit: kit, fields: known, builtIn: builtIn}, nil
}

// Kit is the compiled mapping under the action's checks, for Explain and Problems.
func (a *ActionMapping) Kit() *Mapping { return a.kit }

func (a *ActionMapping) required(f Field) bool {
	return f.Required && !(a.builtIn && slices.Contains(optionalBuiltIn, f.Name))
}

// Apply makes the payload for an event: the kit's result, with empty values taken
// out, types coerced and every field checked. Fields the action does not know are
// left out. The payload shares parts with the event: change neither. The error is
// Invalid, final, and names every field at fault and why, never a value.
func (a *ActionMapping) Apply(event *jsonvalue.Object) (*jsonvalue.Object, error) {
	return a.ApplyWithin(event, NewWork())
}

// ApplyWithin is Apply for one of several mappings of an event, which share what
// may be done for it.
func (a *ActionMapping) ApplyWithin(event *jsonvalue.Object, w *Work) (*jsonvalue.Object, error) {
	v, err := a.kit.applyWithin(event, w)
	if err != nil {
		return nil, err
	}
	mapped, ok := v.(*jsonvalue.Object)
	if !ok {
		return nil, fault.New(fault.Invalid, "the mapping must make an object but it made %s", article(kindName(v)))
	}
	out := jsonvalue.NewObject(len(a.fields))
	var faults []fieldFault
	for _, f := range a.fields {
		v, reason := coerce(f, mapped.Get(f.Name))
		switch {
		case reason != "":
			faults = append(faults, fieldFault{f, reason})
		case !jsonvalue.IsUndefined(v):
			out.Set(f.Name, v)
		case a.required(f):
			faults = append(faults, fieldFault{f, "is required but missing"})
		}
	}
	if len(faults) > 0 {
		return nil, payloadError(faults)
	}
	return out, nil
}

type fieldFault struct {
	field  Field
	reason string
}

func payloadError(faults []fieldFault) error {
	if len(faults) == 1 {
		return fault.Field(faults[0].field.Name, "%s", faults[0].reason)
	}
	texts := make([]string, len(faults))
	for i, f := range faults {
		texts[i] = f.field.Name + ": " + f.reason
	}
	return fault.New(fault.Invalid, "%s", strings.Join(texts, "; "))
}
