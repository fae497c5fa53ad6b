package flow_test

import (
	"fmt"

	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

func Example() {
	w, err := flow.Compile(plan.Workflow{
		Name:   "onboarding-feedback",
		Fields: []plan.Field{{Name: "steps", Path: "$.properties.steps_completed", Type: plan.Number}},
		When:   "fields.steps > 2",
		Steps:  []plan.Step{{ID: "ask", Task: "distribute", When: "!contact.unsubscribed"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	event, _ := jsonvalue.Parse([]byte(`{"properties": {"steps_completed": "3"}}`))
	fields := w.Fields().Extract(event)
	scope := flow.Scope{Fields: fields.Object(), Event: event}

	starts, _, err := w.Starts(scope)
	fmt.Println(starts, err)

	_, err = w.Judge("ask", scope) // nobody is known yet
	fmt.Println(err)
	// Output:
	// true <nil>
	// step ask: when: condition clause `!contact.unsubscribed` (line 1, column 1) cannot be evaluated: no such overload; contact.unsubscribed is null
}
