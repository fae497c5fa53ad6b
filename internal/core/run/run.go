// Package run is one execution of one version of a workflow for one event: what is
// kept of it and of its steps, and which status may follow which. How its steps are
// judged is flow's, and walking them the business of a Temporal workflow.
package run

import (
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
)

// Run is what is kept of a run.
type Run struct {
	ID         id.ID
	Workflow   id.ID
	Version    int64
	Event      id.ID
	Generation int
	Status     Status
	Contact    id.ID // 0: not known
	Directory  id.ID
	Fields     string // JSON: the typed fields with their states
	Payload    []byte // JSON: what the fields were read from; lists leave it out
	Reason     string // of a run that failed or was not started
	CreatedAt  int64  `db:"created_at"` // milliseconds
	EndedAt    int64  `db:"ended_at"`   // milliseconds; 0: not yet
	Job        id.ID  // the replay that made it; 0: the event's own processing
	ReplayOf   id.ID  `db:"replay_of"` // the run that it repeats; 0: none
}

// New is a run to make for a delivery.
type New struct {
	delivery.Ref
	Workflow  id.ID
	Version   int64
	Directory id.ID
	Status    Status // Pending or NotStarted
	Reason    string
	Fields    string // JSON
	Payload   []byte // JSON
	Contact   id.ID
	Rejected  string // set: the delivery cannot work at all, no run is made
}

// Start is a run whose Temporal workflow is to be started.
type Start struct{ Run, Workflow id.ID }

// Step is the record of a step that a run has reached: what it got and gave.
type Step struct {
	Run       id.ID
	Step      Path
	Position  int
	Kind      string // flow's kind, or a task's
	Status    StepStatus
	Attempts  int
	Input     string // JSON or ""
	Output    string // JSON or ""
	Error     string // of a step that failed, or of its last attempt
	StartedAt int64  `db:"started_at"` // milliseconds
	EndedAt   int64  `db:"ended_at"`   // milliseconds; 0: not yet
}

// Began is when the step was first tried.
func (s Step) Began() time.Time { return time.UnixMilli(s.StartedAt) }
