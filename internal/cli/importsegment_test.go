package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const exported = `{"data": {"subscriptions": [
  {"name": "Keep contacts", "actionSlug": "addContactToXmd", "enabled": true, "modelId": "",
   "trigger": "type = \"identify\" and !(traits.internal = true)",
   "settings": {"directoryId": "POOL_1", "email": {"@path": "$.traits.email"}, "embeddedData": {"plan": {"@path": "$.traits.plan"}}}},
  {"name": "Orders", "actionSlug": "upsertContactTransaction", "enabled": true, "trigger": "type = \"track\", event = \"Order Completed\"",
   "settings": {"directoryId": "POOL_1", "mailingListId": "CG_1", "extRef": {"@path": "$.userId"}, "transactionData": {"@path": "$.properties"}}},
  {"name": "Tour", "actionSlug": "triggerXflowWorkflow", "enabled": false, "trigger": "event = \"Tour\"",
   "settings": {"workflowUrl": "https://fra1.qualtrics.com/triggers/api/v1/event?eventType=JsonEvent&s=1&t=2", "eventPayload": {"event": {"@path": "$.event"}}}},
  {"name": "Other", "actionSlug": "sendEvent", "enabled": true, "trigger": "type = \"track\"", "settings": {}}
]}}`

// around is a plan with what the mappings name, up to them.
const around = `version: 1
sources: [{name: web}]
directories: [{name: customers}]
destinations:
  - {name: xm, type: directory, directory: customers}
  - {name: acme, type: qualtrics, api_token: "${TOKEN}"}
workflows: [{name: tour}]
`

func TestImportSegment_PastedIntoAPlan_IsValid(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--destination", "acme"},
		{"--to", "directory", "--workflow", "tour"},
	} {
		o := run(t, Program{In: strings.NewReader(exported)}, append([]string{"import", "segment", "-f", "-"}, args...)...)
		require.Equal(t, 0, o.code, o.err)
		require.Contains(t, o.out, "# when: column 23: !(: the ! is ignored: the group means the same without it; write the opposite")
		require.Contains(t, o.out, "# Other (data.subscriptions[3]): left out.")
		require.Contains(t, o.err, "segue: note: Other (data.subscriptions[3]): ")
		require.Contains(t, o.err, "segue: 3 mappings taken over, 1 left out\n")
		_, mappings, _ := strings.Cut(o.out, "version: 1\n")
		o = run(t, Program{In: strings.NewReader(around + mappings)}, "validate", "-f", "-")
		require.Equal(t, 0, o.code, o.out+o.err)
	}
}

func TestImportSegment_Whole_IsValidAsItIs(t *testing.T) {
	t.Parallel()
	from := file(t, "export.json", exported)
	for _, to := range []string{"qualtrics", "directory"} {
		path := filepath.Join(t.TempDir(), "plan.yaml")
		o := run(t, Program{}, "import", "segment", "-f", from, "--to", to, "--whole", "-o", path)
		require.Equal(t, 0, o.code, o.err)
		require.Empty(t, o.out)
		o = run(t, Program{}, "validate", "-f", path)
		require.Equal(t, 0, o.code, o.out+o.err)
	}
}

func TestImportSegment_JSON_HasTheNotesAndThePlan(t *testing.T) {
	t.Parallel()
	o := run(t, Program{In: strings.NewReader(exported)}, "import", "segment", "--json", "-f", "-")
	require.Equal(t, 0, o.code, o.err)
	require.Empty(t, o.err)
	var v imported
	require.NoError(t, json.Unmarshal([]byte(o.out), &v))
	require.Equal(t, 3, v.Mappings)
	require.Equal(t, 1, v.Skipped)
	require.Contains(t, v.Plan, "- name: Keep contacts\n")
	require.Equal(t, "!(", v.Notes[0].Filter.Construct)
	require.Equal(t, 23, v.Notes[0].Filter.Column)
	require.True(t, v.Notes[len(v.Notes)-1].Skipped)

	path := filepath.Join(t.TempDir(), "plan.yaml")
	o = run(t, Program{In: strings.NewReader(exported)}, "import", "segment", "--json", "-f", "-", "-o", path)
	require.Equal(t, 0, o.code, o.err)
	require.NotContains(t, o.out, `"plan"`)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, v.Plan, string(text))
}

func TestImportSegment_ExitCodes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"data": {"sources": []}}`: "data: want subscriptions",
		`{"data": `:                 "line 1",
		`[{"actionSlug": "sendEvent", "trigger": "type = \"track\""}]`: "none of 1 subscription could be taken over",
	} {
		o := run(t, Program{In: strings.NewReader(text)}, "import", "segment", "-f", "-")
		require.Equal(t, 1, o.code, text)
		require.Contains(t, o.err, want)
	}
	require.Equal(t, 1, run(t, Program{}, "import", "segment", "-f", "no-such-file").code)
	for _, args := range [][]string{{}, {"-f", "-", "--to", "hubspot"}, {"-f", "-", "--workflow", "tour"}} {
		o := run(t, Program{In: strings.NewReader(exported)}, append([]string{"import", "segment"}, args...)...)
		require.Equal(t, 2, o.code, "%v: %s", args, o.err)
	}
	require.Equal(t, 0, run(t, Program{In: strings.NewReader(`{"data": {"subscriptions": []}}`)}, "import", "segment", "-f", "-").code)
}
