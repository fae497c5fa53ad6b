package ops

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Every text of a step's settings is a template, and is looked at where it stands.
func TestLooker_Settings_EachTextHasItsPlace(t *testing.T) {
	t.Parallel()
	with, err := jsonvalue.ParseObject([]byte(`{"subject":"old","reminders":[{"after":"3d","message":"x\nold"},{"message":"new"}],"contact":{"ext_ref":"old"},"n":3}`))
	require.NoError(t, err)
	l := looker{seen: map[UpgradeFinding]bool{}, templates: func(text string) []liquid.Finding {
		if !strings.Contains(text, "old") {
			return nil
		}
		return []liquid.Finding{{Line: 1 + strings.Count(text, "\n"), What: "old", Was: "older", Rewrite: "new"}}
	}}
	w := plan.Workflow{Name: "w", Steps: []plan.Step{{ID: "way", Branch: []plan.Branch{{Steps: []plan.Step{{ID: "ask", Task: "distribute", With: with}}}}}}}
	l.workflow(w, 0)
	l.workflow(w, 1)
	l.template("surveys/nps/url", 0, "old"+strings.Repeat("é", 300))
	var places []string
	for _, f := range l.out.Findings {
		require.LessOrEqual(t, len([]rune(f.Text)), 200)
		places = append(places, f.Place)
	}
	const at = "workflows/w/steps/ask/with/"
	require.Equal(t, []string{at + "subject", at + "reminders/0/message", at + "contact/ext_ref", "surveys/nps/url"}, places)
	require.Equal(t, UpgradeFinding{Place: at + "reminders/0/message", Line: 2, Text: "x\nold", What: "old", Was: "older", Rewrite: "new"}, l.out.Findings[1])
}
