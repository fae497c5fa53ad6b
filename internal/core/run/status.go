package run

import "github.com/segue-xm/segue/internal/core/status"

// Status says how far a run is.
type Status string

// The statuses of a run.
const (
	Pending    Status = "pending"     // written, its workflow is still to begin
	Running    Status = "running"     // its workflow walks the steps
	Done       Status = "done"        // all its steps were done, or one stopped it
	Failed     Status = "failed"      // a step failed, or it could not go on; the reason says which
	NotStarted Status = "not_started" // its fields or its condition did not let it
	Cancelled  Status = "cancelled"   // called off by an operator
)

// A run that is not started is so from the beginning: nothing becomes it.
var moves = status.Table[Status]{
	{From: Pending, To: []Status{Running, Failed, Cancelled}},
	{From: Running, To: []Status{Done, Failed, Cancelled}},
	{From: Done}, {From: Failed}, {From: NotStarted}, {From: Cancelled},
}

// Statuses are all statuses, in the order of a run's life.
func Statuses() []Status { return moves.All() }

// OpenStatuses are the statuses of a run that has not ended.
func OpenStatuses() []Status { return moves.Open() }

// May reports whether a run in status s may become to.
func (s Status) May(to Status) bool { return moves.May(s, to) }

// Before lists the statuses that may become s.
func (s Status) Before() []Status { return moves.Before(s) }

// Ended reports whether the run is over, or never was.
func (s Status) Ended() bool { return moves.Ended(s) }

// StepStatus says how far a step of a run is.
type StepStatus string

// The statuses of a step. A step that was not reached has no record.
const (
	StepRunning StepStatus = "running" // it is tried, perhaps again
	StepWaiting StepStatus = "waiting" // for time, or for an answer
	StepDone    StepStatus = "done"
	StepSkipped StepStatus = "skipped" // its condition did not hold
	StepFailed  StepStatus = "failed"  // for good; the error says why
)

// What a step waits for was judged when it was reached: it is neither tried nor
// skipped any more.
var stepMoves = status.Table[StepStatus]{
	{From: StepRunning, To: []StepStatus{StepWaiting, StepDone, StepSkipped, StepFailed}},
	{From: StepWaiting, To: []StepStatus{StepDone, StepFailed}},
	{From: StepDone}, {From: StepSkipped}, {From: StepFailed},
}

// OpenSteps are the statuses of a step that has not ended.
func OpenSteps() []StepStatus { return stepMoves.Open() }

// May reports whether a step in status s may become to.
func (s StepStatus) May(to StepStatus) bool { return stepMoves.May(s, to) }

// Before lists the statuses that may become s.
func (s StepStatus) Before() []StepStatus { return stepMoves.Before(s) }

// Ended reports whether the step is over.
func (s StepStatus) Ended() bool { return stepMoves.Ended(s) }
