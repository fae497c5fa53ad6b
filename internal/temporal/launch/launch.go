// Package launch starts Segue's Temporal workflows: with their ids, search
// attributes and summaries, so that operators find them and starting twice does no
// harm.
package launch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/run"
)

// startTimeout bounds one start, so that a Temporal that hangs is noticed.
const startTimeout = 10 * time.Second

// The search attributes, as a start sets them.
var (
	attributeEvents   = temporal.NewSearchAttributeKeyKeywordList(handover.AttributeEvents)
	attributeSource   = temporal.NewSearchAttributeKeyKeyword(handover.AttributeSource)
	attributeWorkflow = temporal.NewSearchAttributeKeyKeyword(handover.AttributeWorkflow)
	attributeOutcome  = temporal.NewSearchAttributeKeyKeyword(handover.AttributeOutcome)
)

// Attributes are the search attributes with their types, for registering them.
func Attributes() map[string]enumspb.IndexedValueType {
	return map[string]enumspb.IndexedValueType{
		handover.AttributeEvents:   enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST,
		handover.AttributeSource:   enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		handover.AttributeWorkflow: enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		handover.AttributeOutcome:  enumspb.INDEXED_VALUE_TYPE_KEYWORD,
	}
}

// Launcher starts workflows. Safe for concurrent use.
type Launcher struct {
	Client client.Client
	// ConsoleURL is where the details of an execution point to; "" leaves the
	// pointer out.
	ConsoleURL string
	// HasAttributes says whether the namespace has Segue's search attributes; until
	// it is set, executions are started without.
	HasAttributes atomic.Bool
}

// options are common to all starts. An id may be used again, and a workflow that
// runs already is used: the database guards against doing things twice.
func (l *Launcher) options(workflowID, summary, page string, attributes ...temporal.SearchAttributeUpdate) client.StartWorkflowOptions {
	o := client.StartWorkflowOptions{
		ID: workflowID, TaskQueue: handover.TaskQueue, EnableEagerStart: true,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            summary,
	}
	if l.ConsoleURL != "" && page != "" {
		o.StaticDetails = "[Open in the console](" + l.ConsoleURL + page + ")"
	}
	if l.HasAttributes.Load() && len(attributes) > 0 {
		o.TypedSearchAttributes = temporal.NewSearchAttributes(attributes...)
	}
	return o
}

func (l *Launcher) start(ctx context.Context, o client.StartWorkflowOptions, workflow string, in any) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	_, err := l.Client.ExecuteWorkflow(ctx, o, workflow, in)
	return fault.Wrap(fault.Unavailable, err, "start %s", o.ID)
}

// ProcessEvents starts the processing of 1 to MaxBatch stored events. source names
// where they are from, "" when from several.
func (l *Launcher) ProcessEvents(ctx context.Context, events []id.ID, source string) error {
	attributes := make([]string, len(events))
	for i, e := range events {
		attributes[i] = e.String()
	}
	updates := []temporal.SearchAttributeUpdate{attributeEvents.ValueSet(attributes)}
	if source != "" {
		updates = append(updates, attributeSource.ValueSet(clip(source)))
	}
	page := "/events"
	if len(events) == 1 {
		page += "/" + attributes[0]
	}
	summary := fmt.Sprintf("%d events", len(events))
	if len(events) == 1 {
		summary = "event " + attributes[0]
	}
	return l.start(ctx, l.options(handover.BatchID(events), summary, page, updates...), handover.ProcessEvents, handover.Batch{Events: events})
}

// StartRun starts the workflow of a run; workflow is its name, "" when not known.
func (l *Launcher) StartRun(ctx context.Context, v id.ID, workflow string) error {
	summary := "run " + v.String()
	// Set from the start, which tells RunWorkflow that the namespace knows it.
	attributes := []temporal.SearchAttributeUpdate{attributeOutcome.ValueSet(string(run.Running))}
	if workflow != "" {
		summary = clip(workflow) + " · " + summary
		attributes = append(attributes, attributeWorkflow.ValueSet(clip(workflow)))
	}
	return l.start(ctx, l.options(handover.RunID(v), summary, "/runs/"+v.String(), attributes...), handover.RunWorkflow, handover.RunInput{Run: v})
}

// WakeDistribution makes sure that what is due in a distribution is sent.
func (l *Launcher) WakeDistribution(ctx context.Context, d id.ID) error {
	o := l.options(handover.DistributionID(d), "distribution "+d.String(), "/distributions/"+d.String())
	return l.wake(ctx, o, handover.Distribute, handover.DistributionInput{Distribution: d})
}

// StartJob starts the workflow of a job, or tells the running one, which may be about
// to end because the job was paused, that it goes on; kind is shown to operators.
func (l *Launcher) StartJob(ctx context.Context, j id.ID, kind string) error {
	o := l.options(handover.JobID(j), strings.TrimSpace(kind+" job")+" "+j.String(), "/jobs/"+j.String())
	o.Priority = temporal.Priority{PriorityKey: handover.JobPriority}
	return l.wake(ctx, o, handover.Job, handover.JobInput{Job: j})
}

// WakeDelivery makes sure that a destination's queue is drained.
func (l *Launcher) WakeDelivery(ctx context.Context, destination id.ID) error {
	return l.wake(ctx, l.options(handover.DeliverID(destination), "deliver", ""), handover.Deliver, handover.DeliverInput{Destination: destination})
}

// wake starts a workflow, or tells the running one to look again.
func (l *Launcher) wake(ctx context.Context, o client.StartWorkflowOptions, workflow string, in any) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	o.EnableEagerStart = false // not offered together with a signal
	o.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED
	_, err := l.Client.SignalWithStartWorkflow(ctx, o.ID, handover.SignalWake, nil, o, workflow, in)
	return fault.Wrap(fault.Unavailable, err, "start %s", o.ID)
}

// Answered tells a run that an invitation was answered. It may have ended; that is no
// error.
func (l *Launcher) Answered(ctx context.Context, run id.ID) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err := l.Client.SignalWorkflow(ctx, handover.RunID(run), "", handover.SignalAnswered, nil)
	if notFound(err) {
		return nil
	}
	return fault.Wrap(fault.Unavailable, err, "signal %s", handover.RunID(run))
}

// clip keeps a keyword within what every visibility store takes.
func clip(s string) string {
	const limit = 255
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}

func notFound(err error) bool {
	var gone *serviceerror.NotFound
	return errors.As(err, &gone)
}
