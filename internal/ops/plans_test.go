package ops_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/internal/ops/opstest"
)

func TestApplyFile_SameTextAgain_LeavesEditsAlone(t *testing.T) {
	b := opstest.New(t)
	ctx := t.Context()
	file := ops.PlanInput{File: "/etc/segue/plan.yaml", Plan: opstest.Plan, Secrets: map[string]string{"WEB_KEY": "k"}}
	require.NoError(t, b.Plans.ApplyFile(ctx, file))
	edited := file
	edited.Plan += "surveys: [{name: nps}]\n"
	out, err := b.Plans.Apply(ctx, edited, "api")
	require.NoError(t, err)
	require.Equal(t, int64(2), out.Revision)

	require.NoError(t, b.Plans.ApplyFile(ctx, file), "a restart")
	revision, p, err := b.Plans.Current(ctx)
	require.NoError(t, err)
	require.Equal(t, int64(2), revision)
	require.Len(t, p.Surveys, 1)

	file.Plan += "# another text\n"
	file.Secrets = nil // it was given before
	require.NoError(t, b.Plans.ApplyFile(ctx, file))
	_, p, err = b.Plans.Current(ctx)
	require.NoError(t, err)
	require.Empty(t, p.Surveys, "a changed file counts")
}

func TestApplyFile_BadPlan_IsTriedAgainAtTheNextStart(t *testing.T) {
	b := opstest.New(t)
	bad := ops.PlanInput{File: "plan.yaml", Plan: "version: 2\n"}
	for range 2 {
		var problems *ops.PlanProblems
		require.ErrorAs(t, b.Plans.ApplyFile(t.Context(), bad), &problems)
	}
}

func TestApply_TellsWhoWantsToKnow(t *testing.T) {
	b := opstest.New(t)
	told := 0
	b.Plans.Saved = func(context.Context) { told++ }
	b.ApplyPlan()
	require.Equal(t, 1, told)
	_, err := b.Plans.Apply(t.Context(), ops.PlanInput{Plan: "version: 2"}, "test")
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.Equal(t, 1, told)
}

func TestJudge_SecretNobodyGave_IsNamedWithItsPlace(t *testing.T) {
	b := opstest.New(t)
	_, _, err := b.Plans.Judge(t.Context(), ops.PlanInput{File: "p.yaml", Plan: opstest.Plan})
	var problems *ops.PlanProblems
	require.ErrorAs(t, err, &problems)
	require.Equal(t, plan.Problems{{
		File: "p.yaml", Line: 4, Column: 18, Field: "sources[0].write_keys[0]", Message: "${WEB_KEY} is not set, and was not given before",
	}}, problems.Problems)
	b.ApplyPlan()
	_, secrets, err := b.Plans.Judge(t.Context(), ops.PlanInput{Plan: opstest.Plan})
	require.NoError(t, err, "it was given before")
	require.Empty(t, secrets)
}
