// Package launch starts Segue's Temporal workflows: with their ids, search
// attributes and summaries, so that operators find them and starting twice does no
// harm.
package launch

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/workflows"
)

// MaxBatch is how many events one ProcessEvents takes. Their keys must fit into the
// 2 KB of a search attribute.
const MaxBatch = 100

// startTimeout bounds one start, so that a Temporal that hangs is noticed.
const startTimeout = 10 * time.Second

// Attributes are the search attributes with their types, for registering them.
func Attributes() map[string]enumspb.IndexedValueType {
	return map[string]enumspb.IndexedValueType{
		workflows.AttributeEvents.GetName():   enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST,
		workflows.AttributeSource.GetName():   enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		workflows.AttributeWorkflow.GetName(): enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		workflows.AttributeOutcome.GetName():  enumspb.INDEXED_VALUE_TYPE_KEYWORD,
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
		ID: workflowID, TaskQueue: workflows.TaskQueue, EnableEagerStart: true,
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

func (l *Launcher) start(ctx context.Context, o client.StartWorkflowOptions, workflow, in any) error {
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
	updates := []temporal.SearchAttributeUpdate{workflows.AttributeEvents.ValueSet(attributes)}
	if source != "" {
		updates = append(updates, workflows.AttributeSource.ValueSet(clip(source)))
	}
	page := "/events"
	if len(events) == 1 {
		page += "/" + attributes[0]
	}
	summary := fmt.Sprintf("%d events", len(events))
	if len(events) == 1 {
		summary = "event " + attributes[0]
	}
	return l.start(ctx, l.options(BatchID(events), summary, page, updates...), workflows.ProcessEvents, activities.Batch{Events: events})
}

// BatchID is the workflow id of a batch: of a single event its key, else a hash
// over all its ids. Were it made from the first event alone, two batches that share
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

// StartRun starts the workflow of a run; workflow is its name, "" when not known.
func (l *Launcher) StartRun(ctx context.Context, run id.ID, workflow string) error {
	summary := "run " + run.String()
	// Set from the start, which tells RunWorkflow that the namespace knows it.
	attributes := []temporal.SearchAttributeUpdate{workflows.AttributeOutcome.ValueSet("running")}
	if workflow != "" {
		summary = clip(workflow) + " · " + summary
		attributes = append(attributes, workflows.AttributeWorkflow.ValueSet(clip(workflow)))
	}
	return l.start(ctx, l.options(workflows.RunID(run), summary, "/runs/"+run.String(), attributes...), workflows.RunWorkflow, activities.RunInput{Run: run})
}

// StartDistribution starts the workflow of a distribution.
func (l *Launcher) StartDistribution(ctx context.Context, d id.ID) error {
	return l.start(ctx, l.options(workflows.DistributionID(d), "distribution "+d.String(), "/distributions/"+d.String()),
		workflows.Distribute, activities.DistributionInput{Distribution: d})
}

// WakeDelivery makes sure that a destination's queue is drained: it starts the
// workflow, or tells the running one to look again.
func (l *Launcher) WakeDelivery(ctx context.Context, destination id.ID) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	o := l.options(workflows.DeliverID(destination), "deliver", "")
	o.EnableEagerStart = false // not offered together with a signal
	o.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED
	_, err := l.Client.SignalWithStartWorkflow(ctx, o.ID, workflows.SignalWake, nil, o, workflows.Deliver, activities.DeliverInput{Destination: destination})
	return fault.Wrap(fault.Unavailable, err, "start %s", o.ID)
}

// Answered tells a run and a distribution that an invitation was answered. Either
// may have ended; that is no error.
func (l *Launcher) Answered(ctx context.Context, run, distribution id.ID) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var errs []error
	for _, w := range []string{workflows.RunID(run), workflows.DistributionID(distribution)} {
		err := l.Client.SignalWorkflow(ctx, w, "", workflows.SignalAnswered, nil)
		if err != nil && !notFound(err) {
			errs = append(errs, fault.Wrap(fault.Unavailable, err, "signal %s", w))
		}
	}
	return errors.Join(errs...)
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
