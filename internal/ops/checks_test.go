package ops_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities/task/builtin"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/internal/ops/opstest"
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
	require.EqualError(t, ops.Checks(nil).Path("$["), "not a JSONPath: want a name in quotes, an index, a slice, * or ?, found end, at character 3")
	require.EqualError(t, ops.Checks(nil).Path("$[?(@.a =~ /x/)]"), "not a JSONPath of RFC 9535: write search(@.a, '…') for =~, or match(@.a, '…') for the whole text")
}

func TestJudge_PathsThatSurprise_AreNoted(t *testing.T) {
	t.Parallel()
	text := strings.Replace(opstest.Plan, "path: $.userId", `path: "l[?match(@, '\\\\d')]"`, 1)
	v := ops.Judge("plan.yaml", []byte(text), func(string) (string, bool) { return "k", true }, ops.Checks(nil))
	require.Empty(t, v.Problems)
	require.Len(t, v.Notes, 2)
	for i, want := range []string{"is of an old form: it is read as $.l[?match(@, '\\\\d')]", "which is no I-Regexp: write [0-9]: it matches nothing"} {
		require.Equal(t, "workflows[0].fields[0].path", v.Notes[i].Field)
		require.NotZero(t, v.Notes[i].Line)
		require.Contains(t, v.Notes[i].Message, want)
	}
}
