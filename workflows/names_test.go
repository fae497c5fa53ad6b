package workflows_test

import (
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/workflows"
)

// registered are workflows by the names under which a worker knows them.
type registered map[string]any

func (r registered) RegisterWorkflowWithOptions(w any, o workflow.RegisterOptions) { r[o.Name] = w }

// Whoever hands work over names a workflow by its type; histories, and a workflow
// that continues as new, by its function.
func TestRegister_NamesAreThoseOfHandoverAndOfTheFunctions(t *testing.T) {
	t.Parallel()
	r := registered{}
	workflows.Register(r)
	require.Len(t, r, 5)
	for _, name := range []string{handover.ProcessEvents, handover.RunWorkflow, handover.Distribute, handover.Deliver, handover.Job} {
		require.Contains(t, r, name)
		function := runtime.FuncForPC(reflect.ValueOf(r[name]).Pointer()).Name()
		require.True(t, strings.HasSuffix(function, "/workflows."+name), function)
	}
}

// What runs for weeks is not to depend on a database's driver, nor on how a partner
// is called.
func TestWorkflows_LinkNoDriverAndNothingOfOursButCoreAndActivities(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	const ours = "github.com/segue-xm/segue/"
	deps := strings.Fields(string(out))
	require.Contains(t, deps, ours+"activities")
	for _, dep := range deps {
		for _, driver := range []string{"database/sql", "github.com/jmoiron/sqlx", "github.com/jackc/pgx", "modernc.org/sqlite", "github.com/mattn/go-sqlite3"} {
			require.False(t, dep == driver || strings.HasPrefix(dep, driver+"/") && dep != "database/sql/driver", dep)
		}
		name, own := strings.CutPrefix(dep, ours)
		allowed := name == "workflows" || name == "activities" || strings.HasPrefix(name, "activities/task") || strings.HasPrefix(name, "internal/core/")
		require.True(t, !own || allowed, dep)
	}
}
