package ops_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/internal/ops/opstest"
)

// stored puts a version of the workflow ask beside the one in force, as an earlier
// release may have left it.
func stored(t *testing.T, b *opstest.Bench, version int64, path string) {
	t.Helper()
	def, err := json.Marshal(plan.Workflow{Name: "ask", Fields: []plan.Field{{Name: "user", Path: path, Type: plan.String}}})
	require.NoError(t, err)
	b.Do(`INSERT INTO workflow_versions (workflow, version, created_at, definition) VALUES (?, ?, 1, ?)`, b.Name(plan.KindWorkflow, "ask"), version, def)
}

func runOf(b *opstest.Bench, version int64, status string) {
	b.Do(`INSERT INTO runs (id, workflow, version, event, generation, status, directory, fields, payload, created_at) VALUES (?, ?, ?, ?, 0, ?, 1, '[]', x'7b7d', 5)`,
		b.DB.Next(), b.Name(plan.KindWorkflow, "ask"), version, b.DB.Next(), status)
}

func TestUpgrades_PlanInForceAndVersionsWithRunsUnderWay_AreLookedAt(t *testing.T) {
	b := opstest.New(t)
	text := strings.Replace(opstest.Plan, "path: $.userId", "path: userId", 1)
	_, err := b.Plans.Apply(t.Context(), ops.PlanInput{Plan: text, Secrets: map[string]string{"WEB_KEY": "k"}}, "test")
	require.NoError(t, err)
	stored(t, b, 2, "$.items[?(@.a =~ /x/)]")
	stored(t, b, 3, "$..userId")
	stored(t, b, 4, "$.a..b")
	stored(t, b, 5, "userId")
	stored(t, b, 6, "$.fine")
	runOf(b, 2, "running")
	runOf(b, 2, "done")
	runOf(b, 3, "done")
	runOf(b, 4, "pending")
	runOf(b, 5, "running")
	runOf(b, 6, "running")
	got, err := b.Upgrades.Look(t.Context())
	require.NoError(t, err)
	const at = "workflows/ask/fields/user/path"
	require.Equal(t, ops.UpgradeReport{Revision: 1, Findings: []ops.UpgradeFinding{
		{Place: at, Text: "userId", What: "an old form", Was: "it is read as its rewrite, which means the same", Rewrite: "$.userId"},
		{Place: at, Version: 2, Text: "$.items[?(@.a =~ /x/)]", What: "no path any more",
			Was: "not a JSONPath of RFC 9535: write search(@.a, '…') for =~, or match(@.a, '…') for the whole text"},
		{Place: at, Version: 4, Text: "$.a..b", What: "..", Was: "the values farthest down came first; now those above come before those below them, as in the document"},
	}}, got, "5 says no more than the plan in force, and 3 has ended")
}

func TestUpgrades_NoPlan_IsNothing(t *testing.T) {
	got, err := opstest.New(t).Upgrades.Look(t.Context())
	require.NoError(t, err)
	require.Equal(t, ops.UpgradeReport{Findings: []ops.UpgradeFinding{}}, got)
}

func TestUpgrades_Templates_AreLookedAtToo(t *testing.T) {
	b := opstest.New(t)
	text := opstest.Plan + "surveys: [{name: nps, url: \"https://x.example/?{{ contact.embedded_data.n | divided_by: 2 }}\"}]\n"
	_, err := b.Plans.Apply(t.Context(), ops.PlanInput{Plan: text, Secrets: map[string]string{"WEB_KEY": "k"}}, "test")
	require.NoError(t, err)
	got, err := b.Upgrades.Look(t.Context())
	require.NoError(t, err)
	require.Len(t, got.Findings, 1)
	require.Equal(t, "surveys/nps/url", got.Findings[0].Place)
	require.Contains(t, got.Findings[0].What, "divided_by")
}
