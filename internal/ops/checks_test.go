package ops_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities/task/builtin"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops"
)

func judge(text string, checks plan.Checks) ops.Verdict {
	return ops.Judge("plan.yaml", []byte(text), plan.Lookup(nil), checks)
}

func TestPlan_Onboarding_HasNoProblemsAndNoNotes(t *testing.T) {
	t.Parallel()
	v := judge(string(plan.Onboarding()), ops.Checks(builtin.Registry(builtin.Deps{}).Validate))
	require.Empty(t, v.Problems.Text())
	require.Empty(t, v.Notes)
	require.Equal(t, []string{"SEGUE_DEMO_WRITE_KEY"}, v.Unset)
}

func TestPlan_MappingProblems_HaveTheirOwnPlaces(t *testing.T) {
	t.Parallel()
	v := judge(`
version: 1
sources: [{name: web, write_keys: [k]}]
directories: [{name: d, default: true}]
destinations: [{name: xm, type: directory, directory: d}]
mappings:
  - name: m
    source: web
    destination: xm
    action: upsert_contact
    when: type = 'x'
    fields:
      email: {"@pth": a}
      nope: b
      lastName: {"@liquid": "{% broken"}
`, ops.Checks(nil))
	problems := v.Problems
	require.Len(t, problems, 2)
	require.Equal(t, "mappings[0].fields.nope", problems[1].Field)
	require.Equal(t, "mappings[0].fields.email", problems[0].Field)
	require.Equal(t, 13, problems[0].Line)
	notes := v.Notes
	require.Len(t, notes, 1)
	require.Equal(t, "mappings[0].when", notes[0].Field)
	require.Equal(t, 11, notes[0].Line)
	require.Contains(t, notes[0].Message, "single quotes")
}

func TestPlan_Path_SaysOnlyWhatIsWrong(t *testing.T) {
	t.Parallel()
	require.NoError(t, ops.Checks(nil).Path("$.a[0]"))
	require.EqualError(t, ops.Checks(nil).Path("$["), "not a JSONPath: not terminated at 3 in $[")
}
