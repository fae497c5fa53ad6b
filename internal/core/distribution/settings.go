package distribution

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Settings are what a step says of the messages it has sent, under the keys of a
// plan. Subjects and messages are templates over fields, contact and link, rendered
// when they are sent.
type Settings struct {
	Subject         string        `json:"subject"`
	Message         string        `json:"message"`
	From            string        `json:"from,omitempty"` // empty: the installation's
	ReplyTo         string        `json:"reply_to,omitempty"`
	Reminders       []Reminder    `json:"reminders,omitempty"`
	Expires         plan.Duration `json:"expires,omitempty"` // after the invitation; 0: never
	IgnoreFrequency bool          `json:"ignore_frequency,omitempty"`

	// Where a remote account that sends them puts the person, and what it sends those
	// who have answered.
	DirectoryID   string  `json:"directory_id,omitempty"`
	MailingListID string  `json:"mailing_list_id,omitempty"`
	Thanks        *Thanks `json:"thanks,omitempty"`
}

// Reminder is one reminder; empty texts are the invitation's.
type Reminder struct {
	After   plan.Duration `json:"after"` // the invitation
	Subject string        `json:"subject"`
	Message string        `json:"message"`
}

// Thanks is what those get who have answered.
type Thanks struct {
	Subject string `json:"subject,omitempty"` // empty: the invitation's
	Message string `json:"message"`
}

const maxReminders = 10

// Validate reports everything that is wrong with settings for messages that a remote
// account sends, or that go from here. Their errors are Invalid and name the field.
func (s Settings) Validate(remote bool) error {
	var errs []error
	bad := func(field, format string, args ...any) { errs = append(errs, fault.Field(field, format, args...)) }
	s.checkRemote(remote, bad)
	s.checkReminders(bad)
	message := func(at, text string) {
		if err := checkMessage(at, text); err != nil {
			errs = append(errs, err)
		}
	}
	message("subject", s.Subject)
	message("message", s.Message)
	if s.Thanks != nil {
		message("thanks.subject", s.Thanks.Subject)
		message("thanks.message", s.Thanks.Message)
	}
	for i, r := range s.Reminders {
		message(fmt.Sprintf("reminders[%d].subject", i), r.Subject)
		message(fmt.Sprintf("reminders[%d].message", i), r.Message)
	}
	return errors.Join(errs...)
}

func (s Settings) checkReminders(bad func(field, format string, args ...any)) {
	if len(s.Reminders) > maxReminders {
		bad("reminders", "at most %d", maxReminders)
	}
	var last plan.Duration
	for i, r := range s.Reminders {
		at := fmt.Sprintf("reminders[%d].after", i)
		switch {
		case r.After <= 0:
			bad(at, "want a duration such as 3d, 1h30m or 45s")
		case r.After <= last:
			bad(at, "is not later than the reminder before it")
		case s.Expires > 0 && r.After >= s.Expires:
			bad(at, "is not before the invitation expires")
		}
		last = max(last, r.After)
	}
}

// checkRemote checks what goes together with a destination.
func (s Settings) checkRemote(remote bool, bad func(field, format string, args ...any)) {
	for _, f := range []struct{ field, value string }{{"directory_id", s.DirectoryID}, {"mailing_list_id", s.MailingListID}} {
		switch {
		case !remote && f.value != "":
			bad(f.field, "means nothing without destination")
		case remote && f.value == "":
			bad(f.field, "is needed with destination")
		}
	}
	switch {
	case s.Thanks == nil:
	case !remote:
		bad("thanks", "means nothing without destination")
	case s.Thanks.Message == "":
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

// Stored is the settings as a distribution keeps them, in JSON.
type Stored struct {
	Settings
	SurveyID string `json:"survey_id,omitempty"` // the survey's, in the account that sends it
}

// ReadStored reads what a distribution keeps.
func ReadStored(text string) (s Stored, err error) {
	return s, json.Unmarshal([]byte(text), &s)
}

// Text is what a distribution keeps.
func (s Stored) Text() (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}

// keptReminder is a reminder as a distribution keeps it: rows are older than the
// keys of Reminder, and are read by the versions that wrote them.
type keptReminder struct {
	After            time.Duration
	Subject, Message string
}

// MarshalJSON writes a reminder as a distribution keeps it.
func (r Reminder) MarshalJSON() ([]byte, error) {
	return json.Marshal(keptReminder{r.After.Std(), r.Subject, r.Message})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Reminder) UnmarshalJSON(b []byte) error {
	var k keptReminder
	err := json.Unmarshal(b, &k)
	*r = Reminder{plan.Duration(k.After), k.Subject, k.Message}
	return err
}
