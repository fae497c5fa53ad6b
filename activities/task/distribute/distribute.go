// Package distribute is the task that sends a survey to a contact. It makes the
// distribution and the invitation; sending, reminding and expiring are the work
// of the distribution's own orchestration.
package distribute

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Kind is the task's kind in a plan.
const Kind = "distribute"

// Email is the channel there is.
const Email = "email"

const maxReminders = 10

// Contacts is what the task needs of a directory.
type Contacts interface {
	// FindContact says who is meant; nobody is fault.NotFound. An empty directory
	// is the default one.
	FindContact(ctx context.Context, directory string, by task.ContactRef) (id.ID, error)
}

// Distributions is what the task needs of the store.
type Distributions interface {
	// CreateDistribution makes a distribution with its one invitation, which is
	// sent from then on. Unique by (Run, Step): a second call returns what the first
	// one made. An unknown survey is fault.Invalid.
	CreateDistribution(ctx context.Context, r Request) (distribution, invitation id.ID, err error)
}

// Request is one distribution to one contact. Subject, Message and those of the
// reminders are templates over fields, contact and link, rendered when sent.
type Request struct {
	Run             id.ID
	Step            string
	Directory       string
	Survey          string
	Channel         string
	Contact         id.ID
	Subject         string
	Message         string
	From            string
	ReplyTo         string
	Reminders       []Reminder
	Expires         time.Duration // after the invitation; 0: never
	IgnoreFrequency bool

	// Destination names whose account sends it; "" is the installation's own mail.
	Destination                string
	DirectoryID, MailingListID string // in that account
	Thanks                     *Thanks
}

// Thanks is what those get who have answered, from a remote account.
type Thanks struct {
	Subject string `json:"subject,omitempty"` // empty: the invitation's
	Message string `json:"message"`
}

// Reminder is one reminder; empty texts are the invitation's.
type Reminder struct {
	After   time.Duration // after the invitation
	Subject string
	Message string
}

// Config are the task's settings.
type Config struct {
	Survey          string           `json:"survey"`
	Directory       string           `json:"directory"`
	Contact         task.ContactRef  `json:"contact"`
	Channel         string           `json:"channel"`
	Subject         string           `json:"subject"`
	Message         string           `json:"message"`
	From            string           `json:"from"`
	ReplyTo         string           `json:"reply_to"`
	Reminders       []ReminderConfig `json:"reminders"`
	Expires         plan.Duration    `json:"expires"`
	IgnoreFrequency bool             `json:"ignore_frequency"`
	Destination     string           `json:"destination"`
	DirectoryID     string           `json:"directory_id"`
	MailingListID   string           `json:"mailing_list_id"`
	Thanks          *Thanks          `json:"thanks"`
}

// ReminderConfig is one element of reminders.
type ReminderConfig struct {
	After   plan.Duration `json:"after"`
	Subject string        `json:"subject"`
	Message string        `json:"message"`
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
	var errs []error
	bad := func(field, format string, args ...any) { errs = append(errs, fault.Field(field, format, args...)) }
	switch {
	case flow.IsTemplate(c.Channel):
	case c.Channel != "" && c.Channel != Email:
		bad("channel", "want email: this version has no other")
	case c.Subject == "":
		bad("subject", "is needed for email")
	}
	t.validateRemote(c, bad)
	if len(c.Reminders) > maxReminders {
		bad("reminders", "at most %d", maxReminders)
	}
	var last plan.Duration
	for i, r := range c.Reminders {
		at := fmt.Sprintf("reminders[%d].after", i)
		switch {
		case r.After <= 0:
			bad(at, "want a duration such as 3d, 1h30m or 45s")
		case r.After <= last:
			bad(at, "is not later than the reminder before it")
		case c.Expires > 0 && r.After >= c.Expires:
			bad(at, "is not before the invitation expires")
		}
		last = max(last, r.After)
	}
	message := func(at, text string) {
		if err := checkMessage(at, text); err != nil {
			errs = append(errs, err)
		}
	}
	message("subject", c.Subject)
	message("message", c.Message)
	if c.Thanks != nil {
		message("thanks.subject", c.Thanks.Subject)
		message("thanks.message", c.Thanks.Message)
	}
	for i, r := range c.Reminders {
		message(fmt.Sprintf("reminders[%d].subject", i), r.Subject)
		message(fmt.Sprintf("reminders[%d].message", i), r.Message)
	}
	return errors.Join(errs...)
}

// validateRemote checks what goes together with a destination.
func (t *Task) validateRemote(c Config, bad func(field, format string, args ...any)) {
	for _, s := range []struct{ field, value string }{{"directory_id", c.DirectoryID}, {"mailing_list_id", c.MailingListID}} {
		switch {
		case c.Destination == "" && s.value != "":
			bad(s.field, "means nothing without destination")
		case c.Destination != "" && s.value == "":
			bad(s.field, "is needed with destination")
		}
	}
	switch {
	case c.Thanks == nil:
	case c.Destination == "":
		bad("thanks", "means nothing without destination")
	case c.Thanks.Message == "":
		bad("thanks.message", "is required")
	}
}

// checkMessage checks a text that is rendered when it is sent, perhaps weeks
// later: what was not frozen with the invitation would write nothing then.
func checkMessage(at, text string) error {
	t, err := flow.CompileTemplate(at, text)
	if err != nil {
		return err
	}
	for _, name := range []string{"event", "steps"} {
		if t.Mentions(name) {
			return fault.Field(at, "a message can say fields, contact, transaction and link, not %s: make it a field", name)
		}
	}
	return nil
}

// Run makes the distribution. Called twice for the same run and step it returns
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
	channel := c.Channel
	if channel == "" {
		channel = Email
	}
	r := Request{
		Run: in.Run, Step: in.Step, Directory: c.Directory, Survey: c.Survey, Channel: channel, Contact: contact,
		Subject: c.Subject, Message: c.Message, From: c.From, ReplyTo: c.ReplyTo,
		Expires: c.Expires.Std(), IgnoreFrequency: c.IgnoreFrequency,
		Destination: c.Destination, DirectoryID: c.DirectoryID, MailingListID: c.MailingListID, Thanks: c.Thanks,
	}
	for _, m := range c.Reminders {
		r.Reminders = append(r.Reminders, Reminder{After: m.After.Std(), Subject: m.Subject, Message: m.Message})
	}
	distribution, invitation, err := t.distributions.CreateDistribution(ctx, r)
	if err != nil {
		return task.Output{}, err
	}
	values := jsonvalue.NewObject(3)
	values.Set("distribution", distribution.String())
	values.Set("invitation", invitation.String())
	values.Set("contact", contact.String())
	return task.Output{Values: values, Distribution: distribution, Contact: contact}, nil
}
