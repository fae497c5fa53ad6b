// Package delivery is the life of one event under one mapping: its statuses, how
// they follow each other, and how long to wait before trying again.
package delivery

import (
	"time"

	"github.com/segue-xm/segue/internal/core/id"
)

// Status says how far a delivery is.
type Status string

// The statuses. Done, Rejected and Cancelled are ends.
const (
	Pending   Status = "pending"   // mapped, its effect is on the way
	Retrying  Status = "retrying"  // failed for now, will be tried again
	Held      Status = "held"      // its destination is switched off
	Done      Status = "done"      // the effect is there
	Rejected  Status = "rejected"  // can never work; the reason says why
	Cancelled Status = "cancelled" // given up by an operator
)

// Ended reports whether nothing will happen any more.
func (s Status) Ended() bool { return s == Done || s == Rejected || s == Cancelled }

// Ref names a delivery.
type Ref struct {
	Event   id.ID `json:"e"`
	Mapping id.ID `json:"m"`
}

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
