// Package replay is stored events looked at again through the plan in force: what
// is asked for, and what becomes of each pair of event and mapping when today's
// plan is compared with what was done.
//
//	v := replay.Judge(before, today, force)
//	if v.Outcome.Writes() { … }
package replay

import (
	"encoding/json"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
)

// Input is what a replay was asked for, as its job keeps it. Zero fields do not
// restrict. The range is fixed when the job is made: what comes later is not part
// of it.
type Input struct {
	Source  id.ID      `json:"source,omitempty"`
	Mapping id.ID      `json:"mapping,omitempty"` // only this one is judged
	Type    string     `json:"type,omitempty"`
	Name    string     `json:"event,omitempty"`
	IDs     []id.ID    `json:"ids,omitempty"`   // ascending
	Since   *time.Time `json:"since,omitempty"` // as it was asked
	Until   *time.Time `json:"until,omitempty"` // as it was asked
	After   id.ID      `json:"after"`           // events above this one
	Before  id.ID      `json:"before"`          // and below this one
	DryRun  bool       `json:"dry_run,omitempty"`
	Force   bool       `json:"force,omitempty"`
}

// MaxIDs is how many events may be named one by one.
const MaxIDs = 1000

// Read reads what a job keeps.
func Read(input string) (in Input, err error) {
	if err := json.Unmarshal([]byte(input), &in); err != nil {
		return in, fault.Wrap(fault.Invalid, err, "the job's input cannot be read")
	}
	return in, nil
}

// Cursor is how far a replay has come: the events of its last page are those above
// From and not above To.
type Cursor struct {
	From id.ID `json:"from"`
	To   id.ID `json:"to"`
}

// ReadCursor reads what a page has left; before the first page, text is "" and the
// cursor stands at the beginning of the range.
func ReadCursor(text string, in Input) (c Cursor, err error) {
	if text == "" {
		return Cursor{in.After, in.After}, nil
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return c, fault.Wrap(fault.Invalid, err, "the job's cursor cannot be read")
	}
	return c, nil
}

// Text is the cursor as a job keeps it.
func (c Cursor) Text() string {
	b, _ := json.Marshal(c) //nolint:errchkjson // two ids
	return string(b)
}

// Event is a stored event with what has become of it.
type Event struct {
	ID         id.ID
	Source     id.ID
	MessageID  string `db:"message_id"`
	AcceptedAt int64  `db:"accepted_at"` // milliseconds
	Refusal    string // why it was refused at the door; "" when it was not
	Waiting    bool   // it is in the inbox still
	Body       []byte
}

// Before is what was made of an event under a mapping: its delivery.
type Before struct {
	Event       id.ID
	Mapping     id.ID
	Destination id.ID
	Action      string
	Status      delivery.Status
	Attempts    int
	UpdatedAt   int64  `db:"updated_at"` // milliseconds
	Payload     []byte // nil when it is not kept any more
	Job         id.ID  // the replay that wrote it last; 0: the event's own processing
}

// Run is the latest run of an event in a workflow.
type Run struct {
	Event    id.ID
	Workflow id.ID
	Version  int64
	Status   string
	Reason   string
}

// Write is a delivery that a replay writes, or begins anew.
type Write struct {
	delivery.New
	Revision int64 // of the plan that made it
	Forced   bool  // done before: its effect is made once more
	Unsure   bool  // an earlier attempt may have had its effect
	Judged   int64 // when the delivery was last changed before it was judged; 0: there was none
}

// Detail is what a report says of a pair beside its outcome. It names fields and no
// values: a report outlives the people in it.
type Detail struct {
	Action  string          `json:"action,omitempty"`
	Status  delivery.Status `json:"status,omitempty"` // of what was there, or of what is to be written
	Reason  string          `json:"reason,omitempty"`
	Differs []string        `json:"differs,omitempty"` // what today's plan makes otherwise
}

// Text is the detail as a report keeps it; "" when it says nothing.
func (d Detail) Text() string {
	b, _ := json.Marshal(d) //nolint:errchkjson // texts
	if string(b) == "{}" {
		return ""
	}
	return string(b)
}

// ReadDetail reads a row of a report; one that cannot be read says nothing.
func ReadDetail(text string) (d Detail) {
	if text != "" && json.Unmarshal([]byte(text), &d) != nil {
		return Detail{}
	}
	return d
}
