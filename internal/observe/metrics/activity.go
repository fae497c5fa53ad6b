package metrics

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Activities is an interceptor that counts the attempts of activities. It belongs
// inside what translates their errors, so that it sees their kinds.
func (m *Metrics) Activities() interceptor.WorkerInterceptor { return &activityWatch{m: m} }

type activityWatch struct {
	interceptor.WorkerInterceptorBase
	m *Metrics
}

// InterceptActivity watches one attempt.
func (w *activityWatch) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	a := &activityAttempt{m: w.m}
	a.Next = next
	return a
}

type activityAttempt struct {
	interceptor.ActivityInboundInterceptorBase
	m *Metrics
}

// ExecuteActivity counts the attempt when it has ended, by panic too.
func (a *activityAttempt) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	name, begin, outcome := activity.GetInfo(ctx).ActivityType.Name, time.Now(), "panic"
	defer func() {
		a.m.activities.WithLabelValues(name, outcome).Inc()
		a.m.activitySeconds.WithLabelValues(name).Observe(seconds(begin))
	}()
	out, err := a.Next.ExecuteActivity(ctx, in)
	outcome = outcomeOf(err)
	return out, err
}

// outcomeOf is an error as a label.
func outcomeOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return fault.KindOf(err).String()
}
