package job

import "github.com/segue-xm/segue/internal/core/status"

// Status says how far a job is.
type Status string

// The statuses. A job is running from the beginning.
const (
	Running   Status = "running"
	Paused    Status = "paused" // by an operator; the page under way is finished
	Done      Status = "done"
	Failed    Status = "failed"    // it cannot go on; the reason says why
	Cancelled Status = "cancelled" // by an operator; what was done stays
)

// The page that was under way when somebody paused the job can be its last.
var moves = status.Table[Status]{
	{From: Running, To: []Status{Paused, Done, Failed, Cancelled}},
	{From: Paused, To: []Status{Running, Done, Failed, Cancelled}},
	{From: Done}, {From: Failed}, {From: Cancelled},
}

// Statuses are all statuses, in the order of a job's life.
func Statuses() []Status { return moves.All() }

// May reports whether a job in status s may become to.
func (s Status) May(to Status) bool { return moves.May(s, to) }

// Before lists the statuses that may become s.
func (s Status) Before() []Status { return moves.Before(s) }

// Ended reports whether the job is over.
func (s Status) Ended() bool { return moves.Ended(s) }
