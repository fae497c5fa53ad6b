package subscriptions

import (
	"strings"

	"github.com/segue-xm/segue/internal/fault"
	"github.com/segue-xm/segue/internal/jsonvalue"
	"github.com/segue-xm/segue/internal/plan"
)

// Limits of an export; no real one comes near.
const (
	MaxSize          = 4 << 20 // bytes
	maxSubscriptions = 1000
)

// actions are Segment's names of the actions.
var actions = map[string]string{
	"addContactToXmd":          plan.UpsertContact,
	"upsertContactTransaction": plan.UpsertTransaction,
	"triggerXflowWorkflow":     plan.StartWorkflow,
}

// The names a subscription's parts have, by who wrote it: the Public API (trigger,
// actionSlug, settings), the code of destinations (subscribe, partnerAction,
// mapping), Terraform (action_slug …).
var (
	triggerKeys = []string{"trigger", "subscribe"}
	actionKeys  = []string{"partnerAction", "partner_action", "actionSlug", "action_slug", "action", "actionId", "action_id"}
	mappingKeys = []string{"mapping", "settings", "fields"}
)

// subscription is one action of a destination as exported.
type subscription struct {
	name    string
	enabled bool
	trigger string
	slug    string            // Segment's name of the action
	mapping *jsonvalue.Object // nil: none
	trouble string            // why it cannot be taken over at all
}

// read finds the subscriptions in an export: an array, or an object that has one
// under "subscriptions", which the API puts under "data".
func read(text []byte) ([]subscription, error) {
	if len(text) > MaxSize {
		return nil, fault.New(fault.Invalid, "the export has %d bytes; %d are read", len(text), MaxSize)
	}
	v, err := jsonvalue.Parse(text)
	if err != nil {
		return nil, err
	}
	for range 2 {
		o, ok := v.(*jsonvalue.Object)
		if !ok {
			break
		}
		for _, key := range []string{"data", "subscriptions"} {
			if o.Has(key) {
				v = o.Get(key)
				break
			}
		}
	}
	list, ok := v.([]any)
	switch {
	case !ok:
		return nil, fault.New(fault.Invalid, `want an array of subscriptions, or {"subscriptions": [...]}`)
	case len(list) > maxSubscriptions:
		return nil, fault.New(fault.Invalid, "the export has %d subscriptions; %d are read", len(list), maxSubscriptions)
	}
	out := make([]subscription, len(list))
	for i, e := range list {
		out[i] = readOne(e)
	}
	return out, nil
}

func readOne(v any) subscription {
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return subscription{trouble: "it is no object"}
	}
	s := subscription{enabled: true, name: textOf(o, "name"), slug: textOf(o, actionKeys...)}
	if b, ok := o.Get("enabled").(bool); ok {
		s.enabled = b
	}
	s.trigger = textOf(o, triggerKeys...)
	switch m := first(o, mappingKeys...).(type) {
	case *jsonvalue.Object:
		s.mapping = m
	case nil, jsonvalue.Undefined:
	case string: // Terraform's jsonencode
		var err error
		if s.mapping, err = jsonvalue.ParseObject([]byte(m)); err != nil {
			s.trouble = "its mapping is a text that is no JSON object"
		}
	default:
		s.trouble = "its mapping is no object"
	}
	return s
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
