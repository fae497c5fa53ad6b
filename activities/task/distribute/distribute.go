// Package distribute is the task that sends a survey to a contact. It makes the
// invitation, in the standing distribution of the step; sending, reminding and expiring are the work
// of the distribution's own orchestration.
package distribute

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/run"
)

// Kind is the task's kind in a plan.
const Kind = plan.TaskDistribute

// Email is the channel there is.
const Email = "email"

// Contacts is what the task needs of a directory.
type Contacts interface {
	// FindContact says who is meant; nobody is fault.NotFound. An empty directory
	// is the default one.
	FindContact(ctx context.Context, directory string, by task.ContactRef) (id.ID, error)
}

// Distributions is what the task needs of the store.
type Distributions interface {
	// Invite makes an invitation in the distribution of the step, which is sent from
	// then on. Unique by (Run, Step): a second call returns what the first one made. An
	// unknown survey is fault.Invalid.
	Invite(ctx context.Context, r Request) (distribution, invitation id.ID, err error)
}

// Request is one invitation of one contact.
type Request struct {
	Run         id.ID
	Step        run.Path
	Directory   string
	Survey      string
	Channel     string
	Contact     id.ID
	Destination string // whose account sends it; "" is the installation's own mail
	Settings    distribution.Settings
}

// Config are the task's settings: what is asked whom, and by whose messages.
type Config struct {
	Survey      string          `json:"survey"`
	Directory   string          `json:"directory"`
	Contact     task.ContactRef `json:"contact"`
	Channel     string          `json:"channel"`
	Destination string          `json:"destination"`
	distribution.Settings
}

// Task distributes surveys. Make it with New.
type Task struct {
	contacts      Contacts
	distributions Distributions
}

// New makes the task.
func New(c Contacts, d Distributions) *Task { return &Task{contacts: c, distributions: d} }

// Spec describes the task.
func (t *Task) Spec() task.Spec {
	return task.Spec{
		Kind:    Kind,
		Title:   "Send a survey",
		Doc:     "Invites a contact to a survey, reminds and expires. Somebody who opted out or got enough messages is not written to. Later steps see distribution, invitation and contact (ids). A contact that is not there is waited for, for a few minutes.",
		Local:   true,
		Timeout: 10 * time.Second,
		Fields: []task.FieldSpec{
			{Name: "survey", Type: "text", Doc: "The survey's name", Required: true},
			{Name: "directory", Type: "text", Doc: "The directory's name; left out: the default directory"},
			{Name: "contact", Type: "object", Doc: "ext_ref, email, phone or id; left out: whom the run is about"},
			{Name: "channel", Type: "text", Doc: "email, the default"},
			{Name: "subject", Type: "text", Doc: "A template over fields, contact and link, rendered when sent; needed for email", Deferred: true},
			{Name: "message", Type: "text", Doc: "A template over fields, contact and link, rendered when sent; {{ link.url }} is the personal link", Required: true, Deferred: true},
			{Name: "from", Type: "text", Doc: "The sender's address; left out: the installation's"},
			{Name: "reply_to", Type: "text", Doc: "Where answers go"},
			{Name: "reminders", Type: "list", Doc: "Each: after (since the invitation), and subject and message when they differ", Deferred: true},
			{Name: "expires", Type: "duration", Doc: "When the link stops working, since the invitation; left out: never"},
			{Name: "ignore_frequency", Type: "boolean", Doc: "Send even if the contact got enough messages"},
			{Name: "destination", Type: "text", Doc: "A destination of type qualtrics, whose account then sends the survey's survey_id, its reminders and thanks; left out: mail from here"},
			{Name: "directory_id", Type: "text", Doc: "With destination: the account's directory (POOL_…) into which the contact is put"},
			{Name: "mailing_list_id", Type: "text", Doc: "With destination: the account's mailing list (CG_…) that the contact is put on"},
			{Name: "thanks", Type: "object", Doc: "With destination: subject and message for those who have answered", Deferred: true},
		},
	}
}

// Validate checks settings.
func (t *Task) Validate(c Config) error {
	var err error
	switch {
	case flow.IsTemplate(c.Channel):
	case c.Channel != "" && c.Channel != Email:
		err = fault.Field("channel", "want email: this version has no other")
	case c.Subject == "":
		err = fault.Field("subject", "is needed for email")
	}
	return errors.Join(err, c.Settings.Validate(c.Destination != ""))
}

// Run makes the invitation. Called twice for the same run and step it returns
// the first one's.
func (t *Task) Run(ctx context.Context, in task.Input[Config]) (task.Output, error) {
	c := in.Config
	contact := in.ContactID
	if !c.Contact.IsZero() {
		var err error
		if contact, err = t.contacts.FindContact(ctx, c.Directory, c.Contact); err != nil {
			return task.Output{}, task.NotYet(err)
		}
	}
	if contact == 0 {
		return task.Output{}, fault.Field("contact", "names nobody, and the run is about nobody yet")
	}
	distribution, invitation, err := t.distributions.Invite(ctx, Request{
		Run: in.Run, Step: in.Step, Directory: c.Directory, Survey: c.Survey, Channel: cmp.Or(c.Channel, Email),
		Contact: contact, Destination: c.Destination, Settings: c.Settings,
	})
	if err != nil {
		return task.Output{}, err
	}
	values := jsonvalue.NewObject(3)
	values.Set("distribution", distribution.String())
	values.Set("invitation", invitation.String())
	values.Set("contact", contact.String())
	return task.Output{Values: values, Distribution: distribution, Contact: contact}, nil
}
