package flow

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLint_WarnsOfWhatIsHardlyMeant(t *testing.T) {
	t.Parallel()
	require.Empty(t, Lint(workflow(t, onboarding)))
	got := Lint(workflow(t, `{"name":"w","fields":[{"name":"a","path":"$.a","type":"string"}],
		"when":"fields.a == 'x' && fields.b == 'y' && fields['c'] == null",
		"steps":[
		  {"id":"one","task":"web_service","with":{"url":"https://x.test/{{ fields.gone }}/{{ fields.a }}/{{ \"fields.quoted\" }}","body":["{{ steps.two.body }}"]}},
		  {"id":"two","stop":{},"when":"steps.one.status == 200 && steps['three'].x == null"}]}`))
	require.Equal(t, []Warning{
		{"when", `there is no field "b": it always reads as null`},
		{"when", `there is no field "c": it always reads as null`},
		{"steps[0].with.url", `there is no field "gone": it always reads as null`},
		{"steps[0].with.body[0]", `there is no step "two" before this one: it always reads as null`},
		{"steps[1].when", `there is no step "three" before this one: it always reads as null`},
	}, got)
	require.Equal(t, []Warning{{"steps", "the workflow has no task: a run has no effect"}}, Lint(workflow(t, `{"name":"w","steps":[{"id":"a","stop":{}}]}`)))
}

func TestTemplate_Mentions(t *testing.T) {
	t.Parallel()
	c, err := CompileTemplate("t", `{{ contact.event }} {% if link.url %}{{ "steps" | append: fields.a }}{% endif %}`)
	require.NoError(t, err)
	for name, want := range map[string]bool{"contact": true, "link": true, "fields": true, "event": false, "steps": false} {
		require.Equal(t, want, c.Mentions(name), name)
	}
}
