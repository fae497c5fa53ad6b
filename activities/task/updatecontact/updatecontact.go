// Package updatecontact is the task that writes a contact of a directory. Which
// contact that is, and which value is newer, the directory decides.
package updatecontact

import (
	"context"
	"errors"
	"time"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Kind is the task's kind in a plan.
const Kind = "update_contact"

// Contacts is what the task needs of a directory.
type Contacts interface {
	// UpsertContact writes a contact and returns who it is, and whether this call
	// or an earlier one with the same key changed anything. Nobody there in the
	// mode update_only is fault.NotFound.
	UpsertContact(ctx context.Context, r task.ContactRequest) (contact id.ID, changed bool, err error)
}

// Config are the task's settings.
type Config struct {
	Directory      string  `json:"directory"`
	Contact        Contact `json:"contact"`
	Mode           string  `json:"mode"`
	MayResubscribe bool    `json:"may_resubscribe"`
	MailingList    string  `json:"mailing_list"`
}

// Contact is what to write. Empty texts write nothing.
type Contact struct {
	ExtRef       string            `json:"ext_ref"`
	Email        string            `json:"email"`
	Phone        string            `json:"phone"`
	FirstName    string            `json:"first_name"`
	LastName     string            `json:"last_name"`
	Language     string            `json:"language"`
	Unsubscribed *bool             `json:"unsubscribed"`
	EmbeddedData *jsonvalue.Object `json:"embedded_data"`
}

// Task writes contacts. Make it with New.
type Task struct{ contacts Contacts }

// New makes the task.
func New(c Contacts) *Task { return &Task{contacts: c} }

// Spec describes the task.
func (t *Task) Spec() task.Spec {
	return task.Spec{
		Kind:    Kind,
		Title:   "Update a contact",
		Doc:     "Creates or updates a contact of a directory. The run is about this contact from then on. Later steps see contact (its id) and changed.",
		Local:   true,
		Timeout: 10 * time.Second,
		Fields: []task.FieldSpec{
			{Name: "directory", Type: "text", Doc: "The directory's name; left out: the default directory"},
			{Name: "contact", Type: "object", Doc: "ext_ref, email, phone, first_name, last_name, language, unsubscribed, embedded_data. Without ext_ref, email and phone: whom the run is about", Required: true},
			{Name: "mode", Type: "text", Doc: "upsert, update_only or create_only; default upsert. With update_only a contact that is not there is waited for, for a few minutes"},
			{Name: "mailing_list", Type: "text", Doc: "A mailing list of the directory to put the contact on"},
			{Name: "may_resubscribe", Type: "boolean", Doc: "Whether unsubscribed: false opts somebody in again who opted out"},
		},
	}
}

var modes = map[string]string{"": plan.ModeUpsert, plan.ModeUpsert: plan.ModeUpsert, plan.ModeUpdateOnly: plan.ModeUpdateOnly, plan.ModeCreateOnly: plan.ModeCreateOnly}

// Validate checks settings.
func (t *Task) Validate(c Config) error {
	if modes[c.Mode] == "" && !flow.IsTemplate(c.Mode) {
		return fault.Field("mode", "want upsert, update_only or create_only")
	}
	return nil
}

// Run writes the contact. Called twice with one key, it writes the same values
// with the same event's time, which changes nothing.
func (t *Task) Run(ctx context.Context, in task.Input[Config]) (task.Output, error) {
	c := in.Config.Contact
	who := task.ContactRef{ExtRef: c.ExtRef, Email: c.Email, Phone: c.Phone}
	if who.IsZero() {
		who.ID = in.ContactID
	}
	if who.IsZero() {
		return task.Output{}, fault.Field("contact", "names nobody: ext_ref, email and phone are empty, and the run is about nobody yet")
	}
	contact, changed, err := t.contacts.UpsertContact(ctx, task.ContactRequest{
		Key: in.Key, Run: in.Run, Step: in.Step, Event: in.Event, Directory: in.Config.Directory, Mode: modes[in.Config.Mode], MailingList: in.Config.MailingList,
		ContactRef: who, FirstName: c.FirstName, LastName: c.LastName, Language: c.Language,
		Unsubscribed: c.Unsubscribed, MayResubscribe: in.Config.MayResubscribe, EmbeddedData: c.EmbeddedData,
	})
	if err != nil {
		if modes[in.Config.Mode] == plan.ModeUpdateOnly || who.ID != 0 {
			err = task.NotYet(err)
		}
		return task.Output{}, err
	}
	if contact == 0 {
		return task.Output{}, errors.New("the directory returned no contact")
	}
	values := jsonvalue.NewObject(2)
	values.Set("contact", contact.String())
	values.Set("changed", changed)
	return task.Output{Values: values, Contact: contact}, nil
}
