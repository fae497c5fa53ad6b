package checks_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops/checks"
)

func parse(t *testing.T, text string) *plan.Document {
	t.Helper()
	doc, problems := plan.Parse("plan.yaml", []byte(text))
	require.Empty(t, problems)
	return doc
}

func TestPlan_Onboarding_HasNoProblemsAndNoNotes(t *testing.T) {
	t.Parallel()
	doc := parse(t, string(plan.Onboarding()))
	require.Empty(t, doc.Validate(checks.Plan(checks.BuiltInTasks().Validate)).Text())
	require.Empty(t, checks.Notes(doc.Plan))
}

func TestPlan_MappingProblems_HaveTheirOwnPlaces(t *testing.T) {
	t.Parallel()
	c := checks.Plan(nil)
	doc := parse(t, `
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
`)
	problems := doc.Validate(c)
	require.Len(t, problems, 2)
	require.Equal(t, "mappings[0].fields.nope", problems[1].Field)
	require.Equal(t, "mappings[0].fields.email", problems[0].Field)
	require.Equal(t, 13, problems[0].Line)
	notes := checks.Notes(doc.Plan)
	require.Len(t, notes, 1)
	require.Equal(t, "mappings[0].when", notes[0].Field)
	require.Contains(t, notes[0].Message, "single quotes")
}

func TestPlan_Path_SaysOnlyWhatIsWrong(t *testing.T) {
	t.Parallel()
	require.NoError(t, checks.Plan(nil).Path("$.a[0]"))
	require.EqualError(t, checks.Plan(nil).Path("$["), "not a JSONPath: not terminated at 3 in $[")
}
