package qualtrics

import (
	"errors"

	"github.com/segue-xm/segue/internal/outside/courier/pace"
)

// The groups. Their limits are calls per minute for all users of a brand together,
// as digests of Qualtrics' guides list them; of the calls that share a group the
// strictest one's.
const (
	Reads               pace.Group = "reads"
	ContactWrites       pace.Group = "contact_writes"
	ContactSearch       pace.Group = "contact_search"
	TransactionWrites   pace.Group = "transaction_writes"
	MailingListWrites   pace.Group = "mailing_list_writes"
	Distributions       pace.Group = "distributions"
	DistributionHistory pace.Group = "distribution_history"
	WorkflowStarts      pace.Group = "workflow_starts"
)

var limits = pace.Limits{All: 3000, Groups: map[pace.Group]int{
	Reads: 3000, ContactWrites: 500, ContactSearch: 500, TransactionWrites: 500, MailingListWrites: 500,
	Distributions: 3000, DistributionHistory: 300, WorkflowStarts: 3000,
}}

// NewPace returns a pace by an account's limits.
func NewPace(o pace.Options) *pace.Pace {
	o.Limits, o.Answered = limits, answered
	return pace.New(o)
}

// answered reports whether it was the account that refused a call. A 200 that fails
// was not the account's.
func answered(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status >= 300 && e.Status < 500
}
