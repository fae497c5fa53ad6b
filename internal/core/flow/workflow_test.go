package flow

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

const onboarding = `{
  "name": "onboarding-feedback",
  "fields": [
    {"name": "user", "path": "$.userId", "type": "string", "required": true},
    {"name": "steps", "path": "$.properties.steps_completed", "type": "number"},
    {"name": "skipped", "path": "$.properties.skipped", "type": "boolean", "default": false}
  ],
  "when": "!fields.skipped && fields.steps > 2",
  "steps": [
    {"id": "pause", "wait": {"for": "1h"}},
    {"id": "ask", "task": "distribute", "when": "!contact.unsubscribed", "with": {
      "survey": "onboarding", "contact": {"ext_ref": "{{ fields.user }}"}, "channel": "email",
      "subject": "How was the tour, {{ contact.first_name }}?", "message": "…{{ link.url }}…",
      "reminders": [{"after": "3d", "subject": "Still, {{ contact.first_name }}?"}], "expires": "14d"}},
    {"id": "answered", "wait": {"for": "14d", "response": "ask"}},
    {"id": "way", "branch": [
      {"when": "steps.answered.response != null", "steps": [{"id": "thank", "task": "web_service", "on_failure": "continue", "with": {"url": "https://x.test", "n": 3}}]},
      {"when": "fields.steps > 4", "steps": []},
      {"steps": [{"id": "end", "stop": {"reason": "no answer"}}]}
    ]}
  ]
}`

func workflow(t testing.TB, text string) plan.Workflow {
	var w plan.Workflow
	require.NoError(t, json.Unmarshal([]byte(text), &w))
	return w
}

func TestWorkflow_FromEventToVerdicts(t *testing.T) {
	t.Parallel()
	w, err := Compile(workflow(t, onboarding))
	require.NoError(t, err)

	fields := w.Fields().Extract(parsed(t, `{"userId":"u1","properties":{"steps_completed":"3"}}`))
	require.NoError(t, fields.Err())
	scope := Scope{Fields: fields.Object(), Contact: parsed(t, `{"first_name":"Ann","unsubscribed":false}`)}
	ok, reason, err := w.Starts(scope)
	require.NoError(t, err)
	require.True(t, ok)
	require.Empty(t, reason)

	b, err := json.Marshal(w.Program(func(kind string) bool { return kind == "distribute" }))
	require.NoError(t, err)
	require.JSONEq(t, `[{"id":"pause","kind":"wait"},{"id":"ask","kind":"task","task":"distribute","local":true},{"id":"answered","kind":"wait"},
		{"id":"way","kind":"branch","branches":[[{"id":"thank","kind":"task","task":"web_service","continue":true}],[],[{"id":"end","kind":"stop"}]]}]`, string(b))

	v, err := w.Judge("pause", scope)
	require.NoError(t, err)
	require.Equal(t, Verdict{Wait: time.Hour}, v)
	v, err = w.Judge("answered", scope)
	require.NoError(t, err)
	require.Equal(t, Verdict{Wait: 14 * 24 * time.Hour, Response: "ask"}, v)
	v, err = w.Judge("ask", scope)
	require.NoError(t, err)
	require.Equal(t, Verdict{}, v)
	v, err = w.Judge("way", scope)
	require.NoError(t, err)
	require.Equal(t, Verdict{Branch: 2}, v, "otherwise")
	v, err = w.Judge("end", scope)
	require.NoError(t, err)
	require.Equal(t, Verdict{Stop: true, Reason: "no answer"}, v)

	scope.Steps = parsed(t, `{"answered":{"response":"r1"}}`)
	v, err = w.Judge("way", scope)
	require.NoError(t, err)
	require.Equal(t, Verdict{Branch: 0}, v, "the condition is judged at its moment")

	scope.Contact = parsed(t, `{"unsubscribed":true}`)
	v, err = w.Judge("ask", scope)
	require.NoError(t, err)
	require.Equal(t, Verdict{Skip: true, Reason: "condition `!contact.unsubscribed` does not hold"}, v)
}

func TestWorkflow_Starts_NotWhenConditionFailsToHold(t *testing.T) {
	t.Parallel()
	w, err := Compile(workflow(t, onboarding))
	require.NoError(t, err)
	ok, reason, err := w.Starts(Scope{Fields: parsed(t, `{"steps":2,"skipped":false}`)})
	require.NoError(t, err)
	require.False(t, ok)
	require.Contains(t, reason, "fields.steps > 2")
	_, _, err = w.Starts(Scope{Fields: parsed(t, `{"steps":null,"skipped":false}`)})
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.ErrorContains(t, err, "fields.steps > 2")
}

func TestWorkflow_StepErrors_NameTheStep(t *testing.T) {
	t.Parallel()
	w, err := Compile(workflow(t, onboarding))
	require.NoError(t, err)
	_, err = w.Judge("ask", Scope{})
	require.ErrorContains(t, err, "step ask: when: ")
	require.ErrorContains(t, err, "contact.unsubscribed is null")
	_, err = w.Judge("nope", Scope{})
	require.Equal(t, fault.NotFound, fault.KindOf(err))
}

func TestWorkflow_StepWith_DeferredTextsStayAsWritten(t *testing.T) {
	t.Parallel()
	w, err := Compile(workflow(t, onboarding))
	require.NoError(t, err)
	scope := Scope{Fields: parsed(t, `{"user":"u1"}`), Contact: parsed(t, `{"first_name":"Ann"}`)}
	with, err := w.StepWith("ask", scope, "message", "reminders")
	require.NoError(t, err)
	require.Equal(t, `{"survey":"onboarding","contact":{"ext_ref":"u1"},"channel":"email","subject":"How was the tour, Ann?","message":"…{{ link.url }}…",`+
		`"reminders":[{"after":"3d","subject":"Still, {{ contact.first_name }}?"}],"expires":"14d"}`, jsonvalue.Text(with))
	with, err = w.StepWith("thank", scope)
	require.NoError(t, err)
	require.Equal(t, `{"url":"https://x.test","n":3}`, jsonvalue.Text(with))
	with, err = w.StepWith("pause", scope)
	require.NoError(t, err)
	require.Equal(t, `{}`, jsonvalue.Text(with))

	about, err := w.StepContact("ask", scope)
	require.NoError(t, err)
	require.Equal(t, `{"ext_ref":"u1"}`, jsonvalue.Text(about))
	about, err = w.StepContact("thank", scope)
	require.NoError(t, err)
	require.Nil(t, about)
}

func TestCompile_SaysEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := Compile(workflow(t, `{"name":"w",
	  "fields":[{"name":"a","path":"$.a","type":"date"}],
	  "when":"fields.a >",
	  "steps":[
	    {"id":"x","task":"web_service","with":{"body":{"k":["{{ a | shout }}"]}}},
	    {"id":"x","stop":{}},
	    {"id":"","stop":{}},
	    {"id":"two","stop":{},"wait":{"for":"1h"}},
	    {"id":"none"},
	    {"id":"resp","wait":{"for":"1h","response":"later"}},
	    {"id":"zero","wait":{}},
	    {"id":"later","task":"t","on_failure":"retry"},
	    {"id":"br","branch":[{"steps":[{"id":"in","when":"nope","stop":{}}]},{"when":"true"}]},
	    {"id":"w","wait":{"for":"1h"},"with":{"a":1}}
	  ]}`))
	for _, want := range []string{
		"fields[0].type", "when: not a condition", `steps[0].with.body.k[0]: not a template`, `steps[1].id: "x" is there twice`, "steps[2].id",
		"steps[3]: a step is exactly one", "steps[4]: a step is exactly one", `steps[5].wait.response: "later"`, "steps[6].wait.for", "steps[7].on_failure",
		"steps[8].branch[0].when: only the last", "steps[8].branch[0].steps[0].when", "steps[9].with",
	} {
		require.ErrorContains(t, err, want)
	}
	var one *fault.Error
	require.ErrorAs(t, err, &one)
	require.Equal(t, fault.Invalid, one.Kind)
}

func TestCompile_BoundsNesting(t *testing.T) {
	t.Parallel()
	s := plan.Step{ID: "leaf", Stop: &plan.Stop{}}
	for i := range 30 {
		s = plan.Step{ID: "s" + strings.Repeat("x", i), Branch: []plan.Branch{{Steps: []plan.Step{s}}}}
	}
	_, err := Compile(plan.Workflow{Steps: []plan.Step{s}})
	require.ErrorContains(t, err, "nested deeper")
}

func TestRenderObject_KeepsTextsTexts(t *testing.T) {
	t.Parallel()
	out, err := RenderObject(parsed(t, `{"b":"{{ fields.n }}","a":[true,null,"x{{ fields.s }}",{"k{{":"{{ fields.n }}"}],"n":1}`), Scope{Fields: parsed(t, `{"n":3,"s":"\"q\""}`)})
	require.NoError(t, err)
	require.Equal(t, `{"b":"3","a":[true,null,"x\"q\"",{"k{{":"3"}],"n":1}`, jsonvalue.Text(out))
	_, err = RenderObject(parsed(t, `{"a":"{% if %}"}`), Scope{})
	require.ErrorContains(t, err, "with.a")
}

func BenchmarkWorkflow(b *testing.B) {
	w, err := Compile(workflow(b, onboarding))
	require.NoError(b, err)
	payload := parsed(b, `{"userId":"u1","properties":{"steps_completed":"3"}}`)
	scope := Scope{Fields: w.Fields().Extract(payload).Object(), Contact: parsed(b, `{"first_name":"Ann","unsubscribed":false}`), Event: payload}
	b.Run("extract", func(b *testing.B) {
		for b.Loop() {
			w.Fields().Extract(payload)
		}
	})
	b.Run("starts", func(b *testing.B) {
		for b.Loop() {
			_, _, _ = w.Starts(scope)
		}
	})
	b.Run("step with", func(b *testing.B) {
		for b.Loop() {
			_, _ = w.StepWith("ask", scope)
		}
	})
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			_, _ = Compile(workflow(b, onboarding))
		}
	})
}
