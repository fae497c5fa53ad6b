package distribution

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/run"
)

// Distribution is what is kept of a distribution: the standing one of a workflow's
// step, or one of before there were any, of one run.
type Distribution struct {
	ID        id.ID
	Workflow  id.ID // 0: of one run
	Run       id.ID // 0: of all the workflow's runs
	Step      string
	Survey    string // of a standing one: the newest version's
	Channel   string
	Status    State
	CreatedAt int64 `db:"created_at"` // milliseconds
	EndedAt   int64 `db:"ended_at"`   // milliseconds; 0: not yet
}

// Asked is what is asked of whom, and by whose messages. A step says it, and a
// version of its workflow pins it for each invitation.
type Asked struct {
	Directory   id.ID
	Destination id.ID // whose account sends it; 0: we do
	Survey      string
	Channel     string
	Settings    string // JSON of a Stored
}

// New is an invitation to make, for one contact in a step of a run.
type New struct {
	Workflow id.ID
	Version  int64
	Run      id.ID
	Step     run.Path
	Asked
	Contact  id.ID
	Snapshot string // JSON: contact, transaction, fields as they are now
}

// VersionKey names what is asked by its content: invitations that ask and say the
// same in one distribution share it.
func (n New) VersionKey(distribution id.ID) []byte {
	h := sha256.New()
	for _, v := range []int64{int64(distribution), n.Version, int64(n.Directory), int64(n.Destination)} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(v)))
	}
	for _, s := range []string{n.Survey, n.Channel, n.Settings} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	return h.Sum(nil)[:16]
}

// Due is an invitation for which something is to be done now.
type Due struct {
	Invitation id.ID
	Kind       Kind
	Tries      int
	Status     Status
	SentAt     int64  `db:"sent_at"` // milliseconds; 0: not yet
	Version    []byte // names what it asks: equal ones ask the same
}

// Sent is when its first message was handed over, the zero time when none was.
func (d Due) Sent() time.Time { return instant(d.SentAt) }

// Invitation is an invitation with all it holds.
type Invitation struct {
	ID           id.ID
	Distribution id.ID
	Run          id.ID
	Step         run.Path // in the run; "" when it has a distribution of its own
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

// StepResponse is what somebody answered to the invitation that a step sent.
type StepResponse struct {
	Step     run.Path
	Response string // JSON
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
	Invitation id.ID
	Kind       Kind
	Tries      int
	Unsure     bool // an earlier attempt may have sent it
	Remote     string
	CreatedAt  int64 `db:"created_at"` // of the invitation
	ExpiresAt  int64 `db:"expires_at"` // of the invitation; 0: never
	Status     Status
	SentAt     int64 `db:"sent_at"` // of the invitation, milliseconds; 0: not yet
}

// Sent is when the invitation was sent, the zero time when it was not.
func (m QueuedMessage) Sent() time.Time { return instant(m.SentAt) }

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
	Next       Then   // what follows once it is done
}

// instant is the time of milliseconds, the zero time for none.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
