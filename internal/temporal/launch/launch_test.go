package launch

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
)

// started is what a Temporal client was asked to start.
func started(t *testing.T, l *Launcher, do func(ctx context.Context) error) client.StartWorkflowOptions {
	t.Helper()
	c := mocks.NewClient(t)
	var got client.StartWorkflowOptions
	c.On("ExecuteWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Run(func(a mock.Arguments) {
		got = a.Get(1).(client.StartWorkflowOptions)
	}).Return(nil, nil).Once()
	l.Client = c
	require.NoError(t, do(t.Context()))
	return got
}

func TestProcessEvents_FullBatch_KeysFitIntoASearchAttribute(t *testing.T) {
	t.Parallel()
	var ids []id.ID
	for i := range handover.MaxBatch {
		ids = append(ids, id.ID(1<<59+i))
	}
	l := &Launcher{ConsoleURL: "https://segue.example.com"}
	l.HasAttributes.Store(true)
	o := started(t, l, func(ctx context.Context) error { return l.ProcessEvents(ctx, ids, strings.Repeat("ö", 300)) })
	keys, ok := o.TypedSearchAttributes.GetKeywordList(attributeEvents)
	require.True(t, ok)
	require.Len(t, keys, handover.MaxBatch)
	require.Less(t, len(`["`+strings.Join(keys, `","`)+`"]`), 2048)
	source, _ := o.TypedSearchAttributes.GetKeyword(attributeSource)
	require.LessOrEqual(t, len(source), 255)
	require.True(t, utf8.ValidString(source))
	require.Equal(t, "100 events", o.StaticSummary)
	require.Contains(t, o.StaticDetails, "https://segue.example.com/events)")
	require.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, o.WorkflowIDConflictPolicy)
	require.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, o.WorkflowIDReusePolicy)
}

func TestStartRun_TellsTheWorkflowWhetherOutcomesAreKnown(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} {
		l := &Launcher{}
		l.HasAttributes.Store(known)
		o := started(t, l, func(ctx context.Context) error { return l.StartRun(ctx, 7, "") })
		outcome, ok := o.TypedSearchAttributes.GetKeyword(attributeOutcome)
		require.Equal(t, known, ok)
		if known {
			require.Equal(t, "running", outcome)
		}
		require.Equal(t, handover.RunID(7), o.ID)
		require.Empty(t, o.StaticDetails, "no console, no pointer to it")
	}
}

func TestStart_TemporalAway_IsUnavailable(t *testing.T) {
	t.Parallel()
	c := mocks.NewClient(t)
	c.On("ExecuteWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil, errors.New("connection refused"))
	l := &Launcher{Client: c}
	for _, err := range []error{l.ProcessEvents(t.Context(), []id.ID{1}, ""), l.StartRun(t.Context(), 1, "")} {
		require.Equal(t, fault.Unavailable, fault.KindOf(err))
	}
}

func TestWake_StartsOrSignals(t *testing.T) {
	t.Parallel()
	c := mocks.NewClient(t)
	l := &Launcher{Client: c}
	c.On("SignalWithStartWorkflow", mock.Anything, handover.DeliverID(3), handover.SignalWake, nil, mock.Anything, handover.Deliver, handover.DeliverInput{Destination: 3}).Return(nil, nil).Once()
	require.NoError(t, l.WakeDelivery(t.Context(), 3))
	c.On("SignalWithStartWorkflow", mock.Anything, handover.DistributionID(4), handover.SignalWake, nil, mock.Anything, handover.Distribute, handover.DistributionInput{Distribution: 4}).Return(nil, nil).Once()
	require.NoError(t, l.WakeDistribution(t.Context(), 4))
}

func TestStartJob_StartsOrSignals_BehindEvents(t *testing.T) {
	t.Parallel()
	c := mocks.NewClient(t)
	var o client.StartWorkflowOptions
	c.On("SignalWithStartWorkflow", mock.Anything, handover.JobID(3), handover.SignalWake, nil, mock.Anything, handover.Job, handover.JobInput{Job: 3}).Run(func(a mock.Arguments) {
		o = a.Get(4).(client.StartWorkflowOptions)
	}).Return(nil, nil).Once()
	require.NoError(t, (&Launcher{Client: c, ConsoleURL: "https://segue.example.com"}).StartJob(t.Context(), 3, "replay"))
	require.Equal(t, handover.JobPriority, o.Priority.PriorityKey)
	require.Greater(t, o.Priority.PriorityKey, 3, "what has no priority has 3")
	require.Equal(t, "replay job "+id.ID(3).String(), o.StaticSummary)
	require.Contains(t, o.StaticDetails, "/jobs/"+id.ID(3).String())
}

func TestAnswered_TellsTheRun_OrFindsItEnded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		fails bool
	}{
		"runs":        {},
		"has ended":   {serviceerror.NewNotFound("x"), false},
		"is not told": {errors.New("connection refused"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := mocks.NewClient(t)
			m.On("SignalWorkflow", mock.Anything, handover.RunID(1), "", handover.SignalAnswered, nil).Return(c.err).Once()
			require.Equal(t, c.fails, (&Launcher{Client: m}).Answered(t.Context(), 1) != nil)
		})
	}
}
