package workflows_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/workflows"
)

var silent = log.NewStructuredLogger(slog.New(slog.DiscardHandler))

// histories are the files of all releases. Each release adds a directory, made by
// go test ./internal/app -run TestHistories -keep v0.2.0; none is ever changed.
func histories(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/histories/*/*.json")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 4)
	return files
}

func TestReplay_HistoriesOfEveryRelease(t *testing.T) {
	t.Parallel()
	types := map[string]bool{}
	for _, file := range histories(t) {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/histories/"), ".json"), func(t *testing.T) {
			r := worker.NewWorkflowReplayer()
			workflows.Register(r)
			require.NoError(t, r.ReplayWorkflowHistoryFromJSONFile(silent, file))
		})
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, name := range []string{"ProcessEvents", "RunWorkflow", "Distribute", "Deliver", "Job"} {
			if strings.Contains(string(text), `"name": "`+name+`"`) {
				types[name] = true
			}
		}
	}
	require.GreaterOrEqual(t, len(types), 4, "each type of workflow has a history, once it was released")
}

// TestReplay_ChangedWorkflow_IsNoticed proves that the test above can fail.
func TestReplay_ChangedWorkflow_IsNoticed(t *testing.T) {
	t.Parallel()
	changed := map[string]any{
		"process-events": func(ctx workflow.Context, in handover.Batch) (workflows.Outcome, error) {
			if err := workflow.Sleep(ctx, 1); err != nil {
				return workflows.Outcome{}, err
			}
			return workflows.ProcessEvents(ctx, in)
		},
		"run-answered": func(ctx workflow.Context, in handover.RunInput) (activities.RunEnd, error) {
			if err := workflow.Sleep(ctx, 1); err != nil {
				return activities.RunEnd{}, err
			}
			return workflows.RunWorkflow(ctx, in)
		},
		"distribute": func(ctx workflow.Context, in handover.DistributionInput) error { return nil },
		"deliver": func(ctx workflow.Context, in handover.DeliverInput) error {
			if err := workflows.Deliver(ctx, in); err != nil {
				return err
			}
			return workflow.Sleep(ctx, 1)
		},
	}
	names := map[string]string{"process-events": "ProcessEvents", "run-answered": "RunWorkflow", "distribute": "Distribute", "deliver": "Deliver"}
	for prefix, fn := range changed {
		found := false
		for _, file := range histories(t) {
			if !strings.HasPrefix(filepath.Base(file), prefix) {
				continue
			}
			found = true
			r := worker.NewWorkflowReplayer()
			r.RegisterWorkflowWithOptions(fn, workflow.RegisterOptions{Name: names[prefix]})
			require.Error(t, r.ReplayWorkflowHistoryFromJSONFile(silent, file), file)
		}
		require.True(t, found, prefix)
	}
}

func TestHistories_NameNoMachine(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	require.NoError(t, err)
	for _, file := range histories(t) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, s := range []string{host, "127.0.0.1", "/home/", "/root/", "/tmp/"} {
			require.NotContains(t, string(text), s, file)
		}
	}
}
