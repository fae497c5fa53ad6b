package traces

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"

	"github.com/segue-xm/segue/internal/core/handover"
)

// headerKey is where Temporal's own tracers look for a trace, in every language.
const headerKey = "_tracer-data"

// Propagators carry a trace from the start of a workflow to its activities: for
// client.Options. Workflows hand it on and look at nothing of it.
func (t *Traces) Propagators() []workflow.ContextPropagator {
	if t == nil {
		return nil
	}
	return []workflow.ContextPropagator{propagator{}}
}

type propagator struct{}

// inWorkflow is where a workflow's context has the header.
type inWorkflow struct{}

// Inject puts the trace of a start or a signal into its header.
func (propagator) Inject(ctx context.Context, w workflow.HeaderWriter) error {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return nil
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	payload, err := converter.GetDefaultDataConverter().ToPayload(carrier)
	if err != nil {
		return err
	}
	w.Set(headerKey, payload)
	return nil
}

// Extract gives an activity the trace of its header. One that cannot be read is none.
func (propagator) Extract(ctx context.Context, r workflow.HeaderReader) (context.Context, error) {
	payload, ok := r.Get(headerKey)
	if !ok {
		return ctx, nil
	}
	carrier := propagation.MapCarrier{}
	if err := converter.GetDefaultDataConverter().FromPayload(payload, &carrier); err != nil {
		return ctx, nil //nolint:nilerr // no activity fails for its trace
	}
	return propagation.TraceContext{}.Extract(ctx, carrier), nil
}

// InjectFromWorkflow hands the header on.
func (propagator) InjectFromWorkflow(ctx workflow.Context, w workflow.HeaderWriter) error {
	if payload, ok := ctx.Value(inWorkflow{}).(*commonpb.Payload); ok {
		w.Set(headerKey, payload)
	}
	return nil
}

// ExtractToWorkflow keeps the header.
func (propagator) ExtractToWorkflow(ctx workflow.Context, r workflow.HeaderReader) (workflow.Context, error) {
	if payload, ok := r.Get(headerKey); ok {
		ctx = workflow.WithValue(ctx, inWorkflow{}, payload)
	}
	return ctx, nil
}

// Activities is an interceptor that makes a span of each attempt of an activity. It
// belongs inside what translates their errors.
func (t *Traces) Activities() []interceptor.WorkerInterceptor {
	if t == nil {
		return nil
	}
	return []interceptor.WorkerInterceptor{&activityTraces{t: t}}
}

type activityTraces struct {
	interceptor.WorkerInterceptorBase
	t *Traces
}

// InterceptActivity traces one attempt.
func (a *activityTraces) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	i := &activityTrace{t: a.t}
	i.Next = next
	return i
}

type activityTrace struct {
	interceptor.ActivityInboundInterceptorBase
	t *Traces
}

// drains are the workflows that work for whoever is in a queue, or in a job: each of
// their rounds has a trace of its own.
var drains = map[string]bool{handover.Distribute: true, handover.Deliver: true, handover.Job: true}

var attributePanic = attribute.Bool("segue.panic", true)

// ExecuteActivity traces what belongs to a traced event, and the rounds of queues.
func (a *activityTrace) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	info := activity.GetInfo(ctx)
	workflowType := ""
	if info.WorkflowType != nil {
		workflowType = info.WorkflowType.Name
	}
	if !trace.SpanContextFromContext(ctx).IsValid() && !drains[workflowType] {
		return a.Next.ExecuteActivity(ctx, in)
	}
	ctx, span := a.t.tracer.Start(ctx, "activity "+info.ActivityType.Name, trace.WithAttributes(
		attribute.String("temporal.workflow.type", workflowType), attribute.String("temporal.workflow.id", info.WorkflowExecution.ID),
		attribute.Int("temporal.attempt", int(info.Attempt)),
	))
	done := false
	defer func() {
		if !done { // it panics: the border above says so
			span.SetAttributes(attributePanic)
			span.End()
		}
	}()
	out, err := a.Next.ExecuteActivity(ctx, in)
	done = true
	end(span, err)
	return out, err
}
