// Package contact decides who an event is about and what it changes about them:
// merge rules, ownership of keys, and the guard against late events (design of
// the merge rules: docs/merge-rules.md).
//
// It is pure: it works on contacts and owners that were read before and says what
// to write. Reading, locking and writing are the store's.
package contact

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Names of a contact's own fields, as in YAML, HTTP and templates.
const (
	ExtRef       = "ext_ref"
	Email        = "email"
	Phone        = "phone"
	FirstName    = "first_name"
	LastName     = "last_name"
	Language     = "language"
	Unsubscribed = "unsubscribed"
	embedded     = "embedded_data." // before an embedded key
)

// textFields are the fields that hold text, in the order they are shown.
var textFields = [...]string{ExtRef, Email, Phone, FirstName, LastName, Language}

// Patience is how long what needs a contact waits for it: identify and track travel in
// different batches.
const Patience = 5 * time.Minute

// Contact is one person of a directory with the origin of each of its values.
type Contact struct {
	ID        id.ID
	Directory id.ID

	ExtRef, Email, Phone, FirstName, LastName, Language string

	Unsubscribed bool
	EmbeddedData *jsonvalue.Object
	Stamps       Stamps
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// field is the place of a text field.
func (c *Contact) field(name string) *string {
	switch name {
	case ExtRef:
		return &c.ExtRef
	case Email:
		return &c.Email
	case Phone:
		return &c.Phone
	case FirstName:
		return &c.FirstName
	case LastName:
		return &c.LastName
	case Language:
		return &c.Language
	}
	return nil
}

// Attribute is the text value of an attribute that merge rules may name: a text
// field, or embedded_data.<key>. Missing is "".
func (c *Contact) Attribute(name string) string {
	if p := c.field(name); p != nil {
		return *p
	}
	return embeddedText(c.EmbeddedData, name)
}

// Value is the contact as filters, templates and tasks see it.
func (c *Contact) Value() *jsonvalue.Object {
	o := jsonvalue.NewObject(9)
	o.Set("id", c.ID.String())
	for _, f := range textFields {
		o.Set(f, *c.field(f))
	}
	o.Set(Unsubscribed, c.Unsubscribed)
	data := c.EmbeddedData
	if data == nil {
		data = jsonvalue.NewObject(0)
	}
	o.Set("embedded_data", data)
	return o
}

// Stamp says when, and by which event, a value was set. Later pairs win.
type Stamp struct {
	At    int64 // milliseconds since 1970
	Event id.ID // 0: by hand or by a task
}

// After reports whether s may replace a value stamped t: it is later, or the
// same moment and event once more. Of the same moment, what was done by hand wins.
func (s Stamp) After(t Stamp) bool {
	if s.At != t.At || s.Event == 0 {
		return s.At >= t.At
	}
	return t.Event != 0 && s.Event >= t.Event
}

// Stamps are the stamps of a contact's values by field name; embedded keys are
// written embedded_data.<key>.
type Stamps map[string]Stamp

// Text writes stamps as they are stored: a JSON object of "<milliseconds> <event>".
func (s Stamps) Text() string {
	o := jsonvalue.NewObject(len(s))
	for _, name := range slices.Sorted(maps.Keys(s)) {
		o.Set(name, strconv.FormatInt(s[name].At, 10)+" "+s[name].Event.String())
	}
	return jsonvalue.Text(o)
}

// ParseStamps reads what Text wrote.
func ParseStamps(text string) (Stamps, error) {
	o, err := jsonvalue.ParseObject([]byte(text))
	if err != nil {
		return nil, err
	}
	s := make(Stamps, o.Len())
	for name, v := range o.All() {
		t, _ := v.(string)
		at, event, _ := strings.Cut(t, " ")
		var stamp Stamp
		if stamp.At, err = strconv.ParseInt(at, 10, 64); err != nil {
			return nil, fault.New(fault.Internal, "stamp of %s: %q", name, t)
		}
		if event != "" {
			if stamp.Event, err = id.Parse(event); err != nil {
				return nil, err
			}
		}
		s[name] = stamp
	}
	return s, nil
}

// Input is what one event, task or person says about a contact. Empty texts and
// a nil Unsubscribed say nothing.
type Input struct {
	ID id.ID // names the contact itself; 0: the merge rules decide

	ExtRef, Email, Phone, FirstName, LastName, Language string

	Unsubscribed *bool
	EmbeddedData *jsonvalue.Object // null members say nothing

	Stamp          Stamp
	MayResubscribe bool // Unsubscribed false re-subscribes an existing contact
}

func (in *Input) field(name string) string {
	switch name {
	case ExtRef:
		return in.ExtRef
	case Email:
		return in.Email
	case Phone:
		return in.Phone
	case FirstName:
		return in.FirstName
	case LastName:
		return in.LastName
	case Language:
		return in.Language
	}
	return ""
}

// Attribute is as Contact.Attribute.
func (in *Input) Attribute(name string) string {
	if v := in.field(name); v != "" {
		return v
	}
	return embeddedText(in.EmbeddedData, name)
}

// Identifies reports whether the input says anything that tells one person from
// another. A language alone, say, does not.
func (in *Input) Identifies(rules []Rule) bool {
	if in.ExtRef != "" || in.Email != "" || in.Phone != "" || in.FirstName != "" || in.LastName != "" {
		return true
	}
	for _, r := range rules {
		if _, ok := r.value(in.Attribute, ""); ok {
			return true
		}
	}
	return false
}

func embeddedText(o *jsonvalue.Object, name string) string {
	if len(name) <= len(embedded) || name[:len(embedded)] != embedded {
		return ""
	}
	switch v := o.Get(name[len(embedded):]).(type) {
	case string:
		return v
	case float64:
		return jsonvalue.NumberText(v)
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}
