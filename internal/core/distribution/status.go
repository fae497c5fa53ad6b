package distribution

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

// next lists what may follow each status. There is no way back: reports come
// late and twice, and what is known must not be unlearned. A link can be opened
// and answered before the row says sent, and an answer that arrives after the
// end still counts.
var next = map[Status][]Status{
	Pending:   {Sent, Opened, Started, Finished, Skipped, Failed, Expired, Cancelled},
	Sent:      {Opened, Started, Finished, Failed, Expired, Cancelled},
	Opened:    {Started, Finished, Expired, Cancelled},
	Started:   {Finished, Expired, Cancelled},
	Expired:   {Finished},
	Finished:  nil,
	Skipped:   nil,
	Failed:    nil,
	Cancelled: nil,
}

// Statuses are all statuses, in the order of an invitation's life.
func Statuses() []Status {
	return []Status{Pending, Sent, Opened, Started, Finished, Skipped, Failed, Expired, Cancelled}
}

// Valid reports whether s is one of Statuses.
func (s Status) Valid() bool {
	_, ok := next[s]
	return ok
}

// May reports whether an invitation in status s may become to. Staying is not a
// change, and reported as false.
func (s Status) May(to Status) bool {
	for _, n := range next[s] {
		if n == to {
			return true
		}
	}
	return false
}

// Before lists the statuses that may become s: what an update may ask for in its
// WHERE, so that it never goes backwards.
func (s Status) Before() []Status {
	var from []Status
	for _, f := range Statuses() {
		if f.May(s) {
			from = append(from, f)
		}
	}
	return from
}

// Over reports whether nothing more will be sent.
func (s Status) Over() bool {
	switch s {
	case Finished, Skipped, Failed, Expired, Cancelled:
		return true
	}
	return false
}

// Responded reports whether the person has answered.
func (s Status) Responded() bool { return s == Finished }
