package delivery

import (
	"slices"

	"github.com/segue-xm/segue/internal/core/status"
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

// One that has not ended may become anything but new, and may stay what it is: an
// attempt that failed again leaves another reason. So what OpenStatuses lists is
// what any change asks for.
var moves = status.Table[Status]{
	{From: Pending, To: []Status{Retrying, Held, Done, Rejected, Cancelled}},
	{From: Retrying, To: []Status{Held, Done, Rejected, Cancelled}},
	{From: Held, To: []Status{Retrying, Done, Rejected, Cancelled}},
	{From: Done}, {From: Rejected}, {From: Cancelled},
}

// OpenStatuses are the statuses of a delivery that has not ended.
func OpenStatuses() []Status { return moves.Open() }

// EndStatuses are the statuses of a delivery that has ended. A replay may begin such a
// one anew; nothing else does.
func EndStatuses() []Status {
	return slices.DeleteFunc(moves.All(), func(s Status) bool { return !s.Ended() })
}

// May reports whether a delivery in status s may become to.
func (s Status) May(to Status) bool { return moves.May(s, to) }

// Ended reports whether nothing will happen any more.
func (s Status) Ended() bool { return moves.Ended(s) }
