package delivery

import (
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Attempt is one try of a delivery at a remote account: the payload that its
// mapping made, and what earlier tries have left.
type Attempt struct {
	Event          id.ID             // for who follows it; it is not sent
	Action         string            // plan.UpsertContact, plan.UpsertTransaction or plan.StartWorkflow
	Payload        *jsonvalue.Object // not changed
	Mode           string            // plan.ModeUpsert and so on; empty: upsert
	MayResubscribe bool              // of the mapping: an update may sign an opted-out contact up again

	// Source, Mapping and MessageID together name the delivery, the same in every
	// attempt: a transaction's key is made of them.
	Source, Mapping, MessageID string
	// Accepted is when the event was stored: the date of a transaction without one.
	Accepted time.Time

	// Repeat: an earlier attempt may have had its effect, because it ended without a
	// usable answer or its process died. The effect is then looked for first.
	Repeat bool
	// Contact is the Outcome's of an earlier attempt: a contact that was just made is
	// not always found at once, and would be made again.
	Contact string
}

// Outcome is how an attempt at a remote account ended.
type Outcome struct {
	// Err is why the effect is not there, nil when it is. Its kind says whether trying
	// again can help, fault.RetryAfter when at the earliest.
	Err error
	// Unsure: it failed, and the effect may be there all the same.
	Unsure bool
	// Untried: this delivery is not to blame. The account's limit is used up, or it
	// does not answer and calls are stopped for now.
	Untried bool
	// Refused: the account does not take our credentials. Nothing will work until
	// they are mended.
	Refused bool

	RequestIDs []string // of all calls, for the account's support; also beside an error
	Contact    string   // the contact it is about, once that is known; also beside an error
	// Summary is for people and the record: contact, created, updated, transaction,
	// key, workflow, and found_done when an earlier attempt had done it. No personal
	// data.
	Summary *jsonvalue.Object
}
