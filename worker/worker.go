// Package worker is the Temporal side of Segue: which workflows and activities a
// process serves, with what limits, and the sweepers that repeat every hand-over
// that did not arrive.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	sdk "go.temporal.io/sdk/worker"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/workflows"
)

// Options are what a worker serves.
type Options struct {
	Client        client.Client
	Events        *activities.Events
	Effects       *activities.Effects
	Runs          *activities.Runs
	Distributions *activities.Distributions
	Jobs          *activities.Jobs
	// Interceptors watch activities, the first outermost. They see errors as they are,
	// before anything of them goes to Temporal.
	Interceptors []interceptor.WorkerInterceptor
	Logger       *slog.Logger
}

// The SDK would otherwise hash the whole executable at each start, which takes
// half a second. Segue's versions are told apart by workflow.GetVersion instead.
func init() { sdk.SetBinaryChecksum("segue") }

// New returns a worker that is not started yet.
func New(o Options) sdk.Worker {
	w := sdk.New(o.Client, handover.TaskQueue, sdk.Options{
		WorkflowTaskPollerBehavior: sdk.NewPollerBehaviorAutoscaling(sdk.PollerBehaviorAutoscalingOptions{}),
		ActivityTaskPollerBehavior: sdk.NewPollerBehaviorAutoscaling(sdk.PollerBehaviorAutoscalingOptions{}),
		// Local activities write to one database; more at a time only wait there.
		MaxConcurrentLocalActivityExecutionSize: 32,
		MaxConcurrentActivityExecutionSize:      100,
		MaxConcurrentWorkflowTaskExecutionSize:  100,
		WorkerStopTimeout:                       5 * time.Second,
		Interceptors:                            append([]interceptor.WorkerInterceptor{&errorBorder{log: o.Logger}}, o.Interceptors...),
		DisableRegistrationAliasing:             true,
	})
	workflows.Register(w)
	Register(w, o)
	return w
}

// Register makes the activities known: those of each concern by their method
// names, and each kind of task by its own name.
func Register(r sdk.ActivityRegistry, o Options) {
	r.RegisterActivity(o.Events)
	r.RegisterActivity(o.Effects.UpsertContacts)
	r.RegisterActivity(o.Effects.UpsertTransactions)
	r.RegisterActivity(o.Effects.StartRuns)
	r.RegisterActivity(o.Effects.DeliverDue)
	r.RegisterActivity(o.Runs.BeginRun)
	r.RegisterActivity(o.Runs.JudgeStep)
	r.RegisterActivity(o.Runs.EndWait)
	r.RegisterActivity(o.Runs.EndRun)
	r.RegisterActivity(o.Distributions)
	r.RegisterActivity(o.Jobs)
	for _, spec := range o.Runs.Tasks.Kinds() {
		r.RegisterActivityWithOptions(o.Runs.RunTask, activity.RegisterOptions{Name: spec.Kind})
	}
}

// errorBorder translates errors of activities into Temporal's: what can never work
// is not tried again, and a delay that the other side asked for is kept. The text
// that goes to Temporal names only the kind: the words may speak of people, and are
// kept in the database and the log.
type errorBorder struct {
	interceptor.WorkerInterceptorBase
	log *slog.Logger
}

func (b *errorBorder) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	i := &activityBorder{log: b.log}
	i.Next = next
	return i
}

type activityBorder struct {
	interceptor.ActivityInboundInterceptorBase
	log *slog.Logger
}

func (i *activityBorder) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	out, err := i.execute(ctx, in)
	if err == nil {
		return out, nil
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil, context.Canceled // as the SDK wants to hear it
	}
	info := activity.GetInfo(ctx)
	if ctx.Err() == nil {
		i.log.WarnContext(ctx, "activity failed", "activity", info.ActivityType.Name, "workflow", info.WorkflowExecution.ID, "attempt", info.Attempt, "error", err)
	}
	return nil, Translate(err)
}

// execute makes a panic an error here, because the SDK would send its text and
// stack to Temporal.
func (i *activityBorder) execute(ctx context.Context, in *interceptor.ExecuteActivityInput) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.New(fault.Internal, "panic: %v\n%s", p, debug.Stack())
		}
	}()
	return i.Next.ExecuteActivity(ctx, in)
}

// Translate gives an error its Temporal form.
func Translate(err error) error {
	kind := fault.KindOf(err)
	text := "see the console: " + kind.String()
	if kind.Final() {
		return temporal.NewNonRetryableApplicationError(text, kind.String(), nil)
	}
	return temporal.NewApplicationErrorWithOptions(text, kind.String(), temporal.ApplicationErrorOptions{NextRetryDelay: fault.RetryAfter(err)})
}

// Logger lets Temporal's SDK log through slog, from warnings up: what it says below
// is about its own workings.
func Logger(l *slog.Logger) log.Logger {
	return log.NewStructuredLogger(slog.New(quiet{l.Handler()}))
}

// quiet drops what is below a warning, and what the border logged better: with its
// cause, which the SDK is not told.
type quiet struct{ slog.Handler }

// Handle logs a record, once.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "Activity error." {
		return nil
	}
	return q.Handler.Handle(ctx, r)
}

// Enabled reports whether a level is logged.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

// WithAttrs keeps the wrapper.
func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }

// WithGroup keeps the wrapper.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
