package plan

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCompare_SaysWhatApplyWouldDo(t *testing.T) {
	t.Parallel()
	old := mustParse(t, `
version: 1
sources: [{name: web, write_keys: [aaa]}]
directories: [{name: d, merge_rules: [[email]], frequency: {per_contact: {messages: 2, per: 30d}}}]
mappings:
  - {name: gone, source: web}
  - {name: same, fields: {a: 1, b: 2}}
  - {name: m, when: type = "track", fields: {a: {"@path": $.a}, b: 1}}
workflows:
  - name: w
    steps:
      - {id: one, task: t, with: {subject: hi}}
      - {id: two, stop: {}}
      - {id: three, task: web_service, with: {headers: {Authorization: Bearer xyz}}}
`)
	updated := mustParse(t, `
version: 1
sources: [{name: web, write_keys: [bbb]}]
directories: [{name: d, merge_rules: [[email], [phone]], frequency: {per_contact: {messages: 3, per: 30d}}}]
mappings:
  - {name: m, fields: {a: {"@path": $.b}, c: null}}
  - {name: same, fields: {b: 2, a: 1}}
surveys: [{name: s}]
workflows:
  - name: w
    steps:
      - {id: new, wait: {for: 1h}}
      - {id: three, task: web_service, with: {headers: {Authorization: Bearer abc}}}
      - {id: one, task: t, with: {subject: ho}}
`)
	cs := Compare(old, updated)
	require.Equal(t, `~ source web
    ~ write_keys: another ["••••••"]
~ directory d
    ~ merge_rules: [["email"]] → [["email"],["phone"]]
    ~ frequency.per_contact.messages: 2 → 3
~ mapping m
    ~ fields.a.@path: "$.a" → "$.b"
    + fields.c: null
    - fields.b: 1
    - when: "type = \"track\""
- mapping gone (archived)
+ survey s
~ workflow w
    + steps[new]: {"id":"new","wait":{"for":"1h"}}
    ~ steps[three].with.headers.Authorization: another "••••••"
    ~ steps[one].with.subject: "hi" → "ho"
    - steps[two]: {"id":"two","stop":{}}
    ~ steps: ["one","three"] → ["three","one"]
`, cs.Text())

	b, err := json.Marshal(cs[1])
	require.NoError(t, err)
	require.JSONEq(t, `{"op":"change","kind":"directory","name":"d","fields":[
		{"op":"change","path":"merge_rules","before":[["email"]],"after":[["email"],["phone"]]},
		{"op":"change","path":"frequency.per_contact.messages","before":2,"after":3}]}`, string(b))
}

func TestCompare_SamePlan_NoChanges(t *testing.T) {
	t.Parallel()
	doc, _ := Parse("", Example())
	require.Empty(t, Compare(doc.Plan, doc.Plan))
	require.Equal(t, "no changes\n", Compare(nil, nil).Text())
	for _, c := range Compare(nil, doc.Plan) {
		require.Equal(t, Add, c.Op)
	}
	require.Len(t, Compare(doc.Plan, nil), 13)
}
