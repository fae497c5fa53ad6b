package subscriptions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
)

// actions are Segment's names of the actions.
var actions = map[string]string{
	"addContactToXmd":          plan.UpsertContact,
	"upsertContactTransaction": plan.UpsertTransaction,
	"triggerXflowWorkflow":     plan.StartWorkflow,
}

// The names a subscription's parts have, by who wrote it: the Public API (trigger,
// actionSlug, settings), the code and the settings of destinations (subscribe,
// partnerAction, mapping), Terraform (action_slug …).
var (
	triggerKeys = []string{"trigger", "subscribe"}
	actionKeys  = []string{"partnerAction", "partner_action", "actionSlug", "action_slug", "action"}
	idKeys      = []string{"actionId", "action_id"}
	modelKeys   = []string{"modelId", "model_id"}
	mappingKeys = []string{"mapping", "settings", "fields"}
)

// subscription is one action of a destination as exported.
type subscription struct {
	at      string // its place in the export
	name    string
	enabled bool
	trigger string
	slug    string            // Segment's name of the action
	guessed bool              // the export names the action by an id; slug is told from the fields
	model   bool              // fed by a table of a warehouse
	mapping *jsonvalue.Object // nil: none
	trouble string            // why it cannot be taken over at all
}

// isSubscription tells a subscription from what may stand around it.
func isSubscription(o *jsonvalue.Object) bool {
	return slices.ContainsFunc(slices.Concat(triggerKeys, actionKeys, idKeys), o.Has)
}

func readOne(v any, at string) subscription {
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return subscription{at: at, trouble: "it is no object"}
	}
	s := subscription{at: at, enabled: true, slug: textOf(o, actionKeys...), model: textOf(o, modelKeys...) != ""}
	s.name, _ = o.Get("name").(string)
	s.name = strings.TrimSpace(s.name)
	switch b := o.Get("enabled").(type) {
	case bool:
		s.enabled = b
	case nil, jsonvalue.Undefined:
	default:
		s.trouble = "enabled is neither true nor false"
	}
	switch t := first(o, triggerKeys...).(type) {
	case string:
		s.trigger = strings.TrimSpace(t)
	case nil:
	default:
		s.trouble = "its trigger is no text"
	}
	switch m := first(o, mappingKeys...).(type) {
	case *jsonvalue.Object:
		s.mapping = m
	case nil:
	case string: // Terraform's jsonencode
		var err error
		if s.mapping, err = jsonvalue.ParseObject([]byte(m)); err != nil {
			s.trouble = "its mapping is a text that is no JSON object"
		}
	default:
		s.trouble = "its mapping is no object"
	}
	if id := textOf(o, idKeys...); s.slug == "" && id != "" && s.trouble == "" {
		if s.slug = actionOf(s.mapping); s.slug == "" {
			s.trouble = fmt.Sprintf("it names its action by the id %s only, and its fields do not tell which one that is", id)
		}
		s.guessed = true
	}
	return s
}

// ownFields are fields that only one action has, or that it cannot do without.
var ownFields = []struct {
	slug   string
	fields []string
}{
	{"triggerXflowWorkflow", []string{"workflowUrl"}},
	{"upsertContactTransaction", []string{"mailingListId", "contactId", "transactionDate", "transactionData"}},
	{"addContactToXmd", []string{"directoryId"}},
}

// actionOf tells an action from the fields that a mapping names; "" when they are
// not those of one.
func actionOf(m *jsonvalue.Object) string {
	for _, own := range ownFields {
		if !slices.ContainsFunc(own.fields, m.Has) {
			continue
		}
		known := mapping.ActionFields(actions[own.slug])
		for k := range m.All() {
			if !isSegments(k) && k != root && !slices.ContainsFunc(known, func(f mapping.Field) bool { return f.Name == k }) {
				return ""
			}
		}
		return own.slug
	}
	return ""
}

// first is the first of the keys that says something.
func first(o *jsonvalue.Object, keys ...string) any {
	for _, k := range keys {
		if v := o.Get(k); !jsonvalue.IsNil(v) && v != "" {
			return v
		}
	}
	return nil
}

func textOf(o *jsonvalue.Object, keys ...string) string {
	s, _ := first(o, keys...).(string)
	return strings.TrimSpace(s)
}
