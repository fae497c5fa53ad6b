package segment

// Status says how far an event is. No column holds it: it follows from its refusal,
// its place in the inbox and its deliveries.
type Status string

// The statuses of an event. What still moves is said before what ended badly.
const (
	Accepted  Status = "accepted"  // waits to be processed
	Processed Status = "processed" // every delivery ended, also when there was none
	Retrying  Status = "retrying"  // some delivery is retrying or held
	Failed    Status = "failed"    // some delivery ended rejected
	Invalid   Status = "invalid"   // refused at the door
)

// Statuses are all statuses of an event, in the order of its life.
func Statuses() []Status { return []Status{Accepted, Processed, Retrying, Failed, Invalid} }
