package delivery

import (
	"time"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// New is a delivery to write.
type New struct {
	Event       id.ID
	Mapping     id.ID
	Destination id.ID
	Action      string // plan.UpsertContact and so on
	Status      Status
	Reason      string
	Occurred    time.Time
	Payload     []byte
	Due         time.Time // when its Deliver workflow should look at it, unless it ended by then
}

// Open is a delivery whose effect is still to come.
type Open struct {
	Event       id.ID
	Mapping     id.ID
	Destination id.ID
	Action      string
	Status      Status
	Attempts    int
	OccurredAt  int64 `db:"occurred_at"` // milliseconds
	Payload     []byte
	Revision    int64
}

// Ref names the delivery.
func (d Open) Ref() Ref { return Ref{Event: d.Event, Mapping: d.Mapping} }

// Stamp is the moment and event that its values carry.
func (d Open) Stamp() contact.Stamp { return contact.Stamp{At: d.OccurredAt, Event: d.Event} }

// Remote is a delivery to a remote account that is due.
type Remote struct {
	Open
	Source     id.ID
	MessageID  string `db:"message_id"`
	AcceptedAt int64  `db:"accepted_at"` // milliseconds
	Result     string // JSON of earlier attempts, or ""
	Unsure     bool   // an earlier attempt may have had its effect
}

// Accepted is when the event was stored.
func (d Remote) Accepted() time.Time { return instant(d.AcceptedAt) }

// Opening is what an effect has to know of a delivery that it is about to make.
type Opening struct {
	Attempts int
	Job      id.ID // the replay that wrote it; 0: the event's own processing
	Forced   bool  // done before: the effect is made once more
}

// Mark is a delivery's new state after an attempt.
type Mark struct {
	Ref
	Action   string // for who watches; it is not written
	Status   Status
	Attempts int
	Reason   string
	Contact  id.ID
	Result   *jsonvalue.Object
	Due      time.Time // for one that has not ended
	Unsure   bool      // for one that has not ended: the effect may be there all the same
}

// ContactEffect is an upsert_contact delivery for the built-in directory.
type ContactEffect struct {
	Ref
	Input *contact.Input
	Mode  string
}

// TransactionEffect is an upsert_transaction delivery for the built-in directory.
type TransactionEffect struct {
	Ref
	Input *contact.Input
	List  string // name or id; "" = the directory's default list
	Date  time.Time
	Data  *jsonvalue.Object
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
