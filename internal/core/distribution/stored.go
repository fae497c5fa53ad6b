package distribution

import (
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Distribution is what is kept of a distribution.
type Distribution struct {
	ID          id.ID
	Run         id.ID
	Step        string
	Directory   id.ID
	Destination id.ID // whose account sends it; 0: we do
	Survey      string
	Channel     string
	Status      State
	Settings    string // JSON
	CreatedAt   int64  `db:"created_at"` // milliseconds
	EndedAt     int64  `db:"ended_at"`   // milliseconds; 0: not yet
}

// New is a distribution to one contact with what its mails need.
type New struct {
	Run         id.ID
	Step        string
	Directory   id.ID
	Destination id.ID // whose account sends it; 0: we do
	Survey      string
	Channel     string
	Settings    string // JSON
	Contact     id.ID
	Snapshot    string // JSON: contact, transaction, fields as they are now
	Expires     time.Time
}

// Invitation is an invitation with all it holds.
type Invitation struct {
	ID           id.ID
	Distribution id.ID
	Run          id.ID
	Contact      id.ID
	Token        string
	Status       Status
	Reason       string
	Snapshot     string // JSON
	CreatedAt    int64  `db:"created_at"` // these are milliseconds; 0: not yet, or never
	SentAt       int64  `db:"sent_at"`
	OpenedAt     int64  `db:"opened_at"`
	Opens        int
	StartedAt    int64  `db:"started_at"`
	FinishedAt   int64  `db:"finished_at"`
	ExpiresAt    int64  `db:"expires_at"`
	Response     string // JSON or ""
}

// Sent is when its first message was handed over, the zero time when none was.
func (i Invitation) Sent() time.Time { return instant(i.SentAt) }

// Expires is when the time to answer is over, the zero time when never.
func (i Invitation) Expires() time.Time { return instant(i.ExpiresAt) }

// Rule is what a reservation is judged by.
type Rule struct {
	Window
	IgnoreFrequency bool
	List            id.ID // whose opt-outs count beside the directory's; 0 = none
}

// Reservation is the right to send one message, or why there is none.
type Reservation struct {
	Invitation Invitation
	Verdict    Verdict
	Sent       bool      // this message went out before: nothing to do
	Since      time.Time // when this message was first reserved
	Email      string
	Language   string
}

// Answer is what a survey reports about an invitation.
type Answer struct {
	Token      string
	Finished   bool
	ResponseID string
	Answers    *jsonvalue.Object
}

// QueuedMessage is a message that waits for a remote account, or a look at what
// became of one.
type QueuedMessage struct {
	Invitation   id.ID
	Distribution id.ID
	Kind         Kind
	Tries        int
	Unsure       bool // an earlier attempt may have sent it
	Remote       string
	CreatedAt    int64 `db:"created_at"` // of the invitation
	ExpiresAt    int64 `db:"expires_at"` // of the invitation; 0: never
	Status       Status
}

// Made is when the invitation was made.
func (m QueuedMessage) Made() time.Time { return instant(m.CreatedAt) }

// Expires is when the invitation expires, the zero time when never.
func (m QueuedMessage) Expires() time.Time { return instant(m.ExpiresAt) }

// MessageState is what an attempt has left of a queued message.
type MessageState struct {
	Invitation id.ID
	Kind       Kind
	Done       bool // it leaves the queue
	Due        time.Time
	Tries      int
	Unsure     bool
	Remote     Remote // what was learnt; it is added to what is known
}

// instant is the time of milliseconds, the zero time for none.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
