package task

import (
	"errors"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/run"
)

// ContactRef names a contact of a directory: by the first of ID, ExtRef, Email
// and Phone that is not empty, or as the directory's merge rules decide over all
// that are given.
type ContactRef struct {
	ID     id.ID  `json:"id"`
	ExtRef string `json:"ext_ref"`
	Email  string `json:"email"`
	Phone  string `json:"phone"`
}

// IsZero reports whether nobody is named.
func (r ContactRef) IsZero() bool { return r == ContactRef{} }

// ContactRequest is what a task wants a directory to know about somebody. Empty
// texts and nils say nothing.
type ContactRequest struct {
	Key       string // idempotency key
	Run       id.ID
	Step      run.Path
	Event     id.ID  // whose time decides which value is newer
	Directory string // name; empty: the default directory
	Mode      string // plan.ModeUpsert, ModeUpdateOnly, ModeCreateOnly
	// MailingList is a list of the directory to put the contact on; empty: none.
	MailingList string

	ContactRef                    // who; an ID beats the merge rules
	FirstName, LastName, Language string
	Unsubscribed                  *bool
	MayResubscribe                bool
	EmbeddedData                  *jsonvalue.Object
}

// IsNotYet reports whether err came from NotYet.
func IsNotYet(err error) bool {
	var outer *fault.Error
	return errors.As(err, &outer) && outer.Kind == fault.Unavailable && fault.KindOf(outer.Unwrap()) == fault.NotFound
}

// NotYet turns "there is no such contact" into "not yet": the event that makes
// the contact travels in another batch and may come later than the one that
// started the run. The retry policy of tasks tries for a few minutes and then
// fails the step. Other errors pass.
func NotYet(err error) error {
	if err == nil || fault.KindOf(err) != fault.NotFound {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "the contact is not known yet")
}
