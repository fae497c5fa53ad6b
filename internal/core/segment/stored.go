package segment

import (
	"time"

	"github.com/segue-xm/segue/internal/core/id"
)

// Stored is an accepted event as it waits to be processed.
type Stored struct {
	ID         id.ID
	Source     id.ID
	Revision   int64  // of the plan that was in force; 0: there was none
	MessageID  string `db:"message_id"`
	AcceptedAt int64  `db:"accepted_at"` // milliseconds
	Body       []byte
}

// Accepted is when the event was stored.
func (s Stored) Accepted() time.Time { return time.UnixMilli(s.AcceptedAt).UTC() }
