// Package delivery is the life of one event under one mapping: what is kept of it,
// its statuses and how they follow each other, and how long to wait before trying
// again.
package delivery

import (
	"time"

	"github.com/segue-xm/segue/internal/core/id"
)

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
