package delivery

import (
	"time"

	"github.com/segue-xm/segue/internal/core/id"
)

// HeldUntil is when a held delivery is due: never, until somebody releases it.
var HeldUntil = time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)

// Tired reports whether a delivery was tried for long enough. An old event, held or
// waiting for long, still gets its tries.
func Tired(event id.ID, attempts int, now time.Time) bool {
	return now.Sub(event.Time()) >= Patience && attempts >= MinAttempts
}

// Drained says how far a destination's queue was drained.
type Drained struct {
	Done  int           `json:"done"`
	Empty bool          `json:"empty,omitempty"` // nothing waits that time alone will make due
	Next  time.Duration `json:"next,omitempty"`  // until the next delivery is due
}
