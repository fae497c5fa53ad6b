package distribution

import (
	"slices"

	"github.com/segue-xm/segue/internal/core/status"
)

// State says how far a distribution is. One of a single run, of 0.1.0, was pending,
// sending or waiting before it was done.
type State string

// The states of a distribution.
const (
	StateStanding  State = "standing" // of a workflow's step: its runs put people into it, and it has no end
	StateDone      State = "done"
	StateCancelled State = "cancelled" // called off by an operator
)

// Ended reports whether the distribution is over.
func (s State) Ended() bool { return s == StateDone || s == StateCancelled }

// Status says how far one person's invitation has come.
type Status string

// The statuses of an invitation.
const (
	Pending   Status = "pending"   // made, nothing sent yet
	Sent      Status = "sent"      // the first message was handed over
	Opened    Status = "opened"    // the personal link was followed
	Started   Status = "started"   // the survey tool says that answering began
	Finished  Status = "finished"  // answered
	Skipped   Status = "skipped"   // not sent, by rule; the reason says which
	Failed    Status = "failed"    // could not be sent, for good
	Expired   Status = "expired"   // the time to answer is over
	Cancelled Status = "cancelled" // called off by an operator
)

// A link can be opened and answered before the row says sent. Sent says no more than
// that a message was handed over: a mail server may send it back, and an account keep
// it by a rule of its own, so that one sent may turn out to have failed or been
// skipped. Who opened the link has got it, whatever is reported then. An answer that
// arrives after an end still counts, unless somebody called the invitation off: a
// mail can be in the mailbox though the server's "yes" was lost.
var moves = status.Table[Status]{
	{From: Pending, To: []Status{Sent, Opened, Started, Finished, Skipped, Failed, Expired, Cancelled}},
	{From: Sent, To: []Status{Opened, Started, Finished, Skipped, Failed, Expired, Cancelled}},
	{From: Opened, To: []Status{Started, Finished, Expired, Cancelled}},
	{From: Started, To: []Status{Finished, Expired, Cancelled}},
	{From: Finished},
	{From: Skipped, To: []Status{Finished}},
	{From: Failed, To: []Status{Finished}},
	{From: Expired, To: []Status{Finished}},
	{From: Cancelled},
}

// Statuses are all statuses, in the order of an invitation's life.
func Statuses() []Status { return moves.All() }

// OpenStatuses are the statuses of an invitation to which more may be sent.
func OpenStatuses() []Status { return []Status{Pending, Sent, Opened, Started} }

// May reports whether an invitation in status s may become to. Staying is not a
// change, and reported as false.
func (s Status) May(to Status) bool { return moves.May(s, to) }

// Before lists the statuses that may become s: what an update asks for in its
// WHERE, so that it never goes backwards.
func (s Status) Before() []Status { return moves.Before(s) }

// Over reports whether nothing more will be sent.
func (s Status) Over() bool { return !slices.Contains(OpenStatuses(), s) }

// MessageStatus says what became of a message.
type MessageStatus string

// The statuses of a message.
const (
	MessageReserved MessageStatus = "reserved" // it may go, and is on its way
	MessageSent     MessageStatus = "sent"
	MessageFailed   MessageStatus = "failed" // for good; frees its place in the frequency rule
)

var messageMoves = status.Table[MessageStatus]{
	{From: MessageReserved, To: []MessageStatus{MessageSent, MessageFailed}},
	{From: MessageSent}, {From: MessageFailed},
}

// May reports whether a message in status s may become to.
func (s MessageStatus) May(to MessageStatus) bool { return messageMoves.May(s, to) }

// Before lists the statuses that may become s.
func (s MessageStatus) Before() []MessageStatus { return messageMoves.Before(s) }

// Ended reports whether the message is not tried any more.
func (s MessageStatus) Ended() bool { return messageMoves.Ended(s) }
