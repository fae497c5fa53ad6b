package plan_test

import (
	"fmt"

	"github.com/segue-xm/segue/internal/core/plan"
)

func ExampleParse() {
	doc, problems := plan.Parse("plan.yaml", []byte(`version: 1
sources: [{name: web, write_keys: ["${WEB_WRITE_KEY}"]}]
mappings:
  - name: keep-contacts-current
    source: wbe
    destination: xm
    action: upsert_contact
    filter: type = "identify"
`))
	problems = append(problems, doc.Validate(plan.Checks{})...)
	fmt.Print(problems.Text())
	// Output:
	// plan.yaml:8:5: mappings[0].filter: unknown key "filter"; known are name, source, destination, action, mode, may_resubscribe, workflow, when, fields, enabled
	// plan.yaml:5:13: mappings[0].source: there is no source "wbe"; did you mean "web"?
	// plan.yaml:6:18: mappings[0].destination: there is no destination "xm"; there is none
}

func ExampleCompare() {
	old, _ := plan.Parse("old.yaml", []byte(`{version: 1, mappings: [{name: orders, when: type = "track"}, {name: tours}]}`))
	now, _ := plan.Parse("new.yaml", []byte(`{version: 1, mappings: [{name: orders, when: type = "page"}]}`))
	fmt.Print(plan.Compare(old.Plan, now.Plan).Text())
	// Output:
	// ~ mapping orders
	//     ~ when: "type = \"track\"" → "type = \"page\""
	// - mapping tours (archived)
}
