// Package handover is how work is handed to Temporal: the names, ids, signals and
// inputs by which workflows are started and told things. Whoever starts them and
// who runs them agree here, and need not know each other. Histories hold all of it,
// for as long as runs wait: nothing here is renamed, retyped or removed.
package handover

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/id"
)

// TaskQueue is where all of Segue's workflows and activities run.
const TaskQueue = "segue"

// Types of workflows.
const (
	ProcessEvents = "ProcessEvents" // takes a Batch
	RunWorkflow   = "RunWorkflow"   // takes a RunInput
	Distribute    = "Distribute"    // takes a DistributionInput
	Deliver       = "Deliver"       // takes a DeliverInput
	Job           = "Job"           // takes a JobInput
)

// Signals, which carry nothing.
const (
	SignalAnswered = "answered" // an invitation of this run was answered; of a distribution, up to 0.1.0
	SignalWake     = "wake"     // a destination's or a distribution's queue may have something due; a job was resumed
)

// Search attributes. None holds personal data.
const (
	AttributeEvents   = "SegueEvents" // list: ids of events
	AttributeSource   = "SegueSource"
	AttributeWorkflow = "SegueWorkflow"
	AttributeOutcome  = "SegueOutcome" // status of a run
)

// MaxBatch is how many events one ProcessEvents takes. Their ids must fit into the
// 2 KB of a search attribute.
const MaxBatch = 100

// Batch is 1 to MaxBatch stored events.
type Batch struct {
	Events []id.ID `json:"events"`
}

// RunInput names a run.
type RunInput struct {
	Run id.ID `json:"run"`
}

// DistributionInput names a distribution.
type DistributionInput struct {
	Distribution id.ID `json:"distribution"`
}

// DeliverInput names the destination that a Deliver workflow drains.
type DeliverInput struct {
	Destination id.ID `json:"destination"`
}

// JobInput names a job.
type JobInput struct {
	Job id.ID `json:"job"`
}

// JobPriority is how urgent jobs are to Temporal, whose usual priority is 3: the
// work of a lone event goes before the pages of a job.
const JobPriority = 5

// Ids of workflows. One that runs already is used; the database, not Temporal,
// guards against doing things twice.

// RunID is the workflow id of a run.
func RunID(run id.ID) string { return "run/" + run.String() }

// DistributionID is the workflow id of a distribution.
func DistributionID(d id.ID) string { return "distribution/" + d.String() }

// DeliverID is the workflow id that drains a destination.
func DeliverID(d id.ID) string { return "deliver/" + d.String() }

// JobID is the workflow id of a job.
func JobID(j id.ID) string { return "job/" + j.String() }

// BatchID is the workflow id of a batch: of a single event its id, else a hash
// over all ids. Were it made from the first event alone, two batches that share
// their first event would be taken for one, and the other events of the second be
// lost.
func BatchID(events []id.ID) string {
	if len(events) == 1 {
		return "events/" + events[0].String()
	}
	sorted := slices.Sorted(slices.Values(events))
	h := sha256.New()
	for _, e := range sorted {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(e))) //nolint:errcheck // never fails
	}
	sum := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:15])
	return "events/" + strings.ToLower(sum)
}

// Kind is what is handed over.
type Kind string

// The kinds of what a row hands over. Events have their inbox, and deliveries their
// queue.
const (
	KindRun          Kind = "run"
	KindDistribution Kind = "distribution" // of one run, written up to 0.1.0
	KindJob          Kind = "job"
)

// Overdue is a run, distribution or job whose workflow was not seen running in time.
type Overdue struct {
	Kind  Kind
	ID    id.ID
	Tries int
}
