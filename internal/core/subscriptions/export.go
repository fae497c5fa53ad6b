package subscriptions

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Limits of an export; no real one comes near.
const (
	MaxSize          = 4 << 20 // bytes
	maxSubscriptions = 1000
)

// containers are the members under which exports keep subscriptions: the answers
// of the Public API, the settings of a destination, what Terraform shows of its
// state (values …) and the state itself (resources …).
var containers = []string{
	"data", "subscriptions", "subscription", "destinationSubscription",
	"values", "root_module", "child_modules", "resources", "instances", "attributes",
}

const terraformType = "segment_destination_subscription"

// reader collects the subscriptions of an export.
type reader struct {
	found []subscription
	more  bool // the last page read says that another one follows
}

// read finds the subscriptions in an export, wherever one of the known kinds keeps
// them. An error names the place that is of no known kind.
func read(text []byte) (*reader, error) {
	if len(text) > MaxSize {
		return nil, fault.New(fault.Invalid, "the export has %d bytes; %d are read", len(text), MaxSize)
	}
	if hcl.Match(text) {
		return nil, fault.New(fault.Invalid, "this is Terraform's own language; want the JSON of terraform show -json")
	}
	v, err := jsonvalue.Parse(text)
	if err != nil {
		return nil, err
	}
	r := &reader{}
	return r, r.walk(v, "")
}

var hcl = regexp.MustCompile(`^\s*(import\s*\{|(resource|data|module|terraform|provider|variable|locals)\s+["{])`)

// walk reads what stands at a place of the export.
func (r *reader) walk(v any, at string) error {
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			if err := r.item(e, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		return nil
	case *jsonvalue.Object:
		if isSubscription(v) {
			return r.add(v, at)
		}
		if inside, err := r.inside(v, at); inside {
			return err
		}
	case string: // the setting "subscriptions" of a destination is a JSON text
		list, err := jsonvalue.Parse([]byte(v))
		if _, ok := list.([]any); ok && err == nil {
			return r.walk(list, at)
		}
	}
	where := ""
	if at != "" {
		where = at + ": "
	}
	return fault.New(fault.Invalid, `%swant subscriptions: an array of objects with trigger, actionSlug and settings, or {"data": {"subscriptions": […]}} around it`, where)
}

// item reads an element of an array. One that is no subscription is kept, so that
// it is told in its place; it spoils no other.
func (r *reader) item(v any, at string) error {
	if o, ok := v.(*jsonvalue.Object); ok && !isSubscription(o) {
		if inside, err := r.inside(o, at); inside {
			return err
		}
	}
	return r.add(v, at)
}

// inside reads the subscriptions kept within an object and reports whether it is
// one that keeps them.
func (r *reader) inside(o *jsonvalue.Object, at string) (bool, error) {
	if kind, ok := o.Get("type").(string); ok && o.Has("mode") && kind != terraformType {
		return true, nil // another resource of Terraform
	}
	is := false
	for _, key := range containers {
		if !o.Has(key) {
			continue
		}
		is = true
		if err := r.walk(o.Get(key), strings.TrimPrefix(at+"."+key, ".")); err != nil {
			return true, err
		}
	}
	if page, ok := o.Get("pagination").(*jsonvalue.Object); ok && is {
		r.more = textOf(page, "next") != ""
	}
	return is, nil
}

func (r *reader) add(v any, at string) error {
	if len(r.found) == maxSubscriptions {
		return fault.New(fault.Invalid, "the export has over %d subscriptions", maxSubscriptions)
	}
	r.found = append(r.found, readOne(v, at))
	return nil
}
