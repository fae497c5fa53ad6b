package delivery

import (
	"time"

	"github.com/segue-xm/segue/internal/core/id"
)

const (
	firstRetry = 5 * time.Second
	maxRetry   = 30 * time.Minute
	// Patience is how long a delivery that fails for now is tried before it is
	// rejected.
	Patience = 3 * 24 * time.Hour
	// MinAttempts is how often it is tried at least, however old its event is.
	MinAttempts = 12
)

// Backoff is how long to wait after the given number of failed attempts: doubled
// each time up to half an hour, never shorter than what the other side asked for.
func Backoff(attempts int, asked time.Duration) time.Duration {
	d := firstRetry
	for ; attempts > 1 && d < maxRetry; attempts-- {
		d *= 2
	}
	return max(min(d, maxRetry), asked)
}

// Tired reports whether a delivery was tried for long enough. An old event, held or
// waiting for long, still gets its tries.
func Tired(event id.ID, attempts int, now time.Time) bool {
	return now.Sub(event.Time()) >= Patience && attempts >= MinAttempts
}

// HeldUntil is when a held delivery is due: never, until somebody releases it.
var HeldUntil = time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)

// Drained says how far a destination's queue was drained.
type Drained struct {
	Done  int           `json:"done"`
	Empty bool          `json:"empty,omitempty"` // nothing waits that time alone will make due
	Next  time.Duration `json:"next,omitempty"`  // until the next delivery is due
}
