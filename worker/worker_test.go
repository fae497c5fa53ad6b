package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	sdk "go.temporal.io/sdk/worker"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/activities/task/builtin"
	"github.com/segue-xm/segue/internal/core/fault"
)

// who stands for personal data in errors.
const who = "hana.sato@example.com"

func TestTranslate_KindsDecideWhetherItIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err   error
		kind  string
		final bool
		delay time.Duration
	}{
		{fault.New(fault.Invalid, "%s", who), "invalid", true, 0},
		{fault.New(fault.NotFound, "%s", who), "not_found", true, 0},
		{fault.New(fault.Conflict, "%s", who), "conflict", true, 0},
		{fault.New(fault.Unauthorized, "%s", who), "unauthorized", true, 0},
		{fault.New(fault.Unavailable, "%s", who), "unavailable", false, 0},
		{fault.New(fault.Internal, "%s", who), "internal", false, 0},
		{errors.New(who), "internal", false, 0},
		{&fault.Error{Kind: fault.RateLimited, Message: who, RetryAfter: 40 * time.Second}, "rate_limited", false, 40 * time.Second},
		{fmt.Errorf("resolve %s: %w", who, fault.Field("email", "%s", who)), "invalid", true, 0},
		{task.NotYet(fault.New(fault.NotFound, "%s", who)), "unavailable", false, 0},
	} {
		var app *temporal.ApplicationError
		require.ErrorAs(t, Translate(c.err), &app)
		require.Equal(t, c.kind, app.Type())
		require.Equal(t, c.final, app.NonRetryable(), c.kind)
		require.Equal(t, c.delay, app.NextRetryDelay())
		require.NotContains(t, app.Error(), who)
		require.NoError(t, app.Unwrap(), "the cause has words too")
		require.False(t, app.HasDetails())
	}
}

// atBorder runs an activity behind the border.
func atBorder(t *testing.T, local bool, do func(ctx context.Context) (string, error)) (out, logs string, err error) {
	t.Helper()
	var logged strings.Builder
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(sdk.Options{Interceptors: []interceptor.WorkerInterceptor{&errorBorder{log: slog.New(slog.NewTextHandler(&logged, nil))}}})
	env.RegisterActivityWithOptions(do, activity.RegisterOptions{Name: "Do"})
	execute := env.ExecuteActivity
	if local {
		execute = env.ExecuteLocalActivity
	}
	v, err := execute(do)
	if err == nil {
		require.NoError(t, v.Get(&out))
	}
	return out, logged.String(), err
}

func TestBorder_WordsStayInTheLog(t *testing.T) {
	t.Parallel()
	for _, local := range []bool{false, true} {
		for name, do := range map[string]func(context.Context) (string, error){
			"an error": func(context.Context) (string, error) { return who, fault.New(fault.Invalid, "%s", who) },
			"a panic":  func(context.Context) (string, error) { panic(who) },
		} {
			out, logged, err := atBorder(t, local, do)
			require.Error(t, err, name)
			require.Empty(t, out)
			require.NotContains(t, err.Error(), who, name)
			var stack *temporal.PanicError
			require.NotErrorAs(t, err, &stack, "a panic's stack would be in the history")
			require.Contains(t, logged, who, "an operator finds it in the log")
		}
		out, logged, err := atBorder(t, local, func(context.Context) (string, error) { return "ok", nil })
		require.NoError(t, err)
		require.Equal(t, "ok", out)
		require.Empty(t, logged)
	}
}

// names collects what Register registers.
type names struct {
	sdk.ActivityRegistry
	list map[string]bool
}

func (n *names) RegisterActivity(a any) { n.list[fmt.Sprintf("%T", a)] = true }
func (n *names) RegisterActivityWithOptions(_ any, o activity.RegisterOptions) {
	n.list[o.Name] = true
}

func TestRegister_EachKindOfTaskByItsOwnName(t *testing.T) {
	t.Parallel()
	tasks := builtin.Registry(builtin.Deps{})
	n := &names{list: map[string]bool{}}
	runs := &activities.Runs{Tasks: tasks}
	Register(n, Options{Events: &activities.Events{}, Effects: &activities.Effects{}, Runs: runs, Distributions: &activities.Distributions{}, Jobs: &activities.Jobs{}})
	for _, spec := range tasks.Kinds() {
		require.True(t, n.list[spec.Kind], spec.Kind)
	}
}

func TestLogger_OnlyWarningsAndAbove(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	l := Logger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	l = log.With(l, "worker", "w")
	l.Debug("quiet")
	l.Info("quiet")
	l.Error("Activity error.", "error", "quiet: the border said it")
	l.Warn("heard")
	require.NotContains(t, out.String(), "quiet")
	require.Contains(t, out.String(), "heard")
	require.Contains(t, out.String(), "worker=w")
}
