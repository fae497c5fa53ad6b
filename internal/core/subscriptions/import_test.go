package subscriptions_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/subscriptions"
)

var renew = flag.Bool("update", false, "write the golden files anew")

var acme = subscriptions.Options{Source: "web", Destination: "acme"}

// checks are those that a mapping alone can be held against.
var checks = plan.Checks{
	Filter: func(text string) error { _, err := fql.Compile(text); return err },
	Mapping: func(action string, fields *jsonvalue.Object, builtIn bool) error {
		_, err := mapping.ForAction(action, fields, builtIn)
		return err
	},
}

// planWith is a whole plan around mappings.
func planWith(yaml string) []byte {
	return []byte(yaml + `
sources: [{name: web}]
directories: [{name: customers}]
destinations:
  - {name: acme, type: qualtrics, api_token: "${TOKEN}"}
  - {name: xm, type: directory, directory: customers}
workflows: [{name: tour, steps: []}]
`)
}

func TestImport_Golden(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/export.json")
	require.NoError(t, err)
	for file, o := range map[string]subscriptions.Options{
		"testdata/account.yaml":   acme,
		"testdata/directory.yaml": {Source: "web", Destination: "xm", BuiltIn: true, Workflow: "tour"},
	} {
		out, err := subscriptions.Import(text, o)
		require.NoError(t, err)
		if *renew {
			require.NoError(t, os.WriteFile(file, []byte(out.YAML), 0o600))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), out.YAML, file)
		require.Len(t, out.Mappings, 5)
		require.Equal(t, 5, out.Skipped)

		doc, problems := plan.Parse(file, planWith(out.YAML))
		require.Empty(t, problems)
		require.Empty(t, doc.Expand(func(string) (string, bool) { return "t", true }))
		require.Empty(t, doc.Validate(checks).Text())
	}
}

// apply maps an event as a whole mapping of Segment's does.
func apply(t *testing.T, action string, complete, event *jsonvalue.Object) *jsonvalue.Object {
	t.Helper()
	fields := jsonvalue.NewObject(16)
	for _, f := range mapping.ActionFields(action) {
		fields.Set(f.Name, nil)
	}
	for k, v := range complete.All() {
		fields.Set(k, v)
	}
	m, err := mapping.ForAction(action, fields, false)
	require.NoError(t, err)
	out, err := m.Apply(event)
	require.NoError(t, err)
	return out
}

func TestImport_Mapping_MakesTheSamePayload(t *testing.T) {
	t.Parallel()
	event, err := jsonvalue.ParseObject([]byte(`{"type":"identify","userId":"u","email":"top@example.com","traits":{"email":"a@example.com","phone":"+1","firstName":"Jo","lastName":"Do","language":"DE"}}`))
	require.NoError(t, err)
	for _, text := range []string{
		`{"directoryId":"POOL_1"}`,
		`{"directoryId":"POOL_1","email":{"@path":"$.traits.email"},"phone":null,"extRef":{"@path":"$.userId"}}`,
		`{"directoryId":"POOL_1","unsubscribed":true,"embeddedData":{"a":{"@path":"$.traits.phone"},"cost":"${X}"}}`,
		`{"directoryId":"POOL_1","language":"FR","lastName":{"@path":"$.traits.lastName"}}`,
	} {
		complete, err := jsonvalue.ParseObject([]byte(text))
		require.NoError(t, err)
		want := apply(t, plan.UpsertContact, complete, event)
		out, err := subscriptions.Import([]byte(`[{"name":"x","actionSlug":"addContactToXmd","trigger":"type = \"identify\"","mapping":`+text+`}]`), acme)
		require.NoError(t, err)
		doc, problems := plan.Parse("x", planWith(out.YAML))
		require.Empty(t, problems)
		require.Empty(t, doc.Expand(func(string) (string, bool) { return "t", true }))
		m, err := mapping.ForAction(plan.UpsertContact, doc.Plan.Mappings[0].Fields, false)
		require.NoError(t, err)
		have, err := m.Apply(event)
		require.NoError(t, err)
		require.JSONEq(t, jsonvalue.Text(want), jsonvalue.Text(have), text)
	}
}

func TestImport_AllDefaults_IsAMappingWithoutFilter(t *testing.T) {
	t.Parallel()
	out, err := subscriptions.Import([]byte(`[{"name":"x","actionSlug":"addContactToXmd","trigger":"type  =  \"identify\"","mapping":{}}]`), acme)
	require.NoError(t, err)
	require.Nil(t, out.Mappings[0].When)
	require.Contains(t, out.YAML, "# directoryId is required and has no mapping")
}

func TestImport_Names_AreUniqueAndAllowed(t *testing.T) {
	t.Parallel()
	pattern := `{"name":%,"actionSlug":"addContactToXmd","trigger":"type = \"identify\"","mapping":{"directoryId":"P"}}`
	var all []string
	for _, n := range []string{`"a"`, `"a"`, `"a 2"`, `""`, `"***"`, `"日本 (1)"`, `"#: - x"`, `"x\ny"`, `"` + strings.Repeat("é", 300) + `"`} {
		all = append(all, strings.ReplaceAll(pattern, "%", n))
	}
	out, err := subscriptions.Import([]byte("["+strings.Join(all, ",")+"]"), acme)
	require.NoError(t, err)
	require.Len(t, out.Mappings, len(all))
	doc, problems := plan.Parse("x", planWith(out.YAML))
	require.Empty(t, problems)
	require.Empty(t, doc.Expand(func(string) (string, bool) { return "t", true }))
	require.Empty(t, doc.Validate(checks).Text())
}

func TestImport_NoExport_IsInvalid(t *testing.T) {
	t.Parallel()
	for text, place := range map[string]string{
		``: "", `5`: "want subscriptions", `{}`: "want subscriptions", `[`: "", strings.Repeat(" ", subscriptions.MaxSize+1): "bytes",
		`{"data":{}}`: "data: want", `{"subscriptions":5}`: "subscriptions: want", `{"subscriptions":"x"}`: "subscriptions: want",
		`{"data":{"destination":{"settings":{}}}}`:                                   "data: want",
		`[{"data":{"subscriptions":[]}},{"data":{"subscriptions":true}}]`:            "[1].data.subscriptions: want",
		`["x"` + strings.Repeat(`,{}`, 1000) + `]`:                                   "over 1000",
		"resource \"segment_destination_subscription\" \"a\" {\n  enabled = true\n}": "terraform show -json",
	} {
		_, err := subscriptions.Import([]byte(text), acme)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%.20q", text)
		require.ErrorContains(t, err, place)
	}
	_, err := subscriptions.Import([]byte(`[]`), subscriptions.Options{Source: "web"})
	require.ErrorContains(t, err, "destination")
}

// one is a subscription as the Public API writes it, without its braces.
const one = `"id":"s","name":"Keep","actionId":"uD9jEQ4DxJZzhzVqppM7UD","actionSlug":"addContactToXmd","destinationId":"d","modelId":"","enabled":true,"trigger":"type = \"identify\"","settings":{"directoryId":"POOL_1"}`

// terraform is the same as Terraform's provider keeps it, which knows no slug.
const terraform = `"id":"s","name":"Keep","action_id":"uD9jEQ4DxJZzhzVqppM7UD","destination_id":"d","model_id":null,"enabled":true,"reverse_etl_schedule":null,"trigger":"type = \"identify\"","settings":"{\"directoryId\":\"POOL_1\"}"`

func TestImport_EveryKindOfExport_IsTheSameMapping(t *testing.T) {
	t.Parallel()
	for kind, text := range map[string]string{
		"a list":                    `[{` + one + `}]`,
		"a single one":              `{` + one + `}`,
		"the API's list":            `{"data":{"subscriptions":[{` + one + `}],"pagination":{"current":"MA==","totalEntries":1}}}`,
		"the API's single one":      `{"data":{"subscription":{` + one + `}}}`,
		"the API's new one":         `{"data":{"destinationSubscription":{` + one + `}}}`,
		"an answer in an answer":    `{"data":{"data":{"subscriptions":[{` + one + `}]}}}`,
		"pages":                     `[{"data":{"subscriptions":[]}},{"data":{"subscriptions":[{` + one + `}]}}]`,
		"a setting of a library":    `{"subscriptions":"[{\"name\":\"Keep\",\"enabled\":true,\"partnerAction\":\"addContactToXmd\",\"subscribe\":\"type = \\\"identify\\\"\",\"mapping\":{\"directoryId\":\"POOL_1\"}}]"}`,
		"the code of a destination": `[{"name":"Keep","partnerAction":"addContactToXmd","subscribe":"type = \"identify\"","mapping":{"directoryId":"POOL_1"}}]`,
		"what Terraform shows":      `{"format_version":"1.0","values":{"outputs":{},"root_module":{"resources":[{"mode":"managed","type":"segment_destination","values":{"enabled":true}}],"child_modules":[{"resources":[{"mode":"managed","type":"segment_destination_subscription","values":{` + terraform + `}}]}]}}}`,
		"Terraform's state":         `{"version":4,"resources":[{"mode":"managed","type":"segment_source","instances":[{"attributes":{}}]},{"mode":"managed","type":"segment_destination_subscription","instances":[{"attributes":{` + terraform + `}}]}]}`,
	} {
		out, err := subscriptions.Import([]byte(text), acme)
		require.NoError(t, err, kind)
		require.Len(t, out.Mappings, 1, kind)
		require.Zero(t, out.Skipped, kind)
		m := out.Mappings[0]
		require.Equal(t, "Keep", m.Name, kind)
		require.Equal(t, plan.UpsertContact, m.Action, kind)
		require.Nil(t, m.When, kind)
		require.Equal(t, "POOL_1", m.Fields.Get("directoryId"), kind)
	}
}

func TestImport_ActionByIdOnly_IsToldFromTheFieldsOrNotAtAll(t *testing.T) {
	t.Parallel()
	for fields, action := range map[string]string{
		`{"directoryId":"P","email":{"@path":"$.traits.email"}}`:        plan.UpsertContact,
		`{"directoryId":"P","mailingListId":"CG_1","extRef":"x"}`:       plan.UpsertTransaction,
		`{"workflowUrl":"https://fra1.qualtrics.com/x","batch_size":1}`: plan.StartWorkflow,
		`{}`:                                   "",
		`{"email":{"@path":"$.traits.email"}}`: "",
		`{"directoryId":"P","client_id":"other"}`: "",
	} {
		out, err := subscriptions.Import([]byte(`[{"name":"x","action_id":"a1","trigger":"type = \"track\"","settings":`+fields+`}]`), acme)
		require.NoError(t, err)
		if action == "" {
			require.Empty(t, out.Mappings, fields)
			require.Contains(t, out.YAML, "# x ([0]): left out. it names its action by the id a1 only")
			continue
		}
		require.Equal(t, action, out.Mappings[0].Action, fields)
		require.Contains(t, out.Notes[0].Message, "is told from its fields")
	}
}

func TestImport_PartOfAnotherKind_LeavesOutThatSubscriptionWithItsPlace(t *testing.T) {
	t.Parallel()
	for bad, why := range map[string]string{
		`{"name":"x","actionSlug":"addContactToXmd","trigger":{"type":"track"},"settings":{}}`:                     "its trigger is no text",
		`{"name":"x","actionSlug":"addContactToXmd","trigger":"type = \"track\"","enabled":"yes","settings":{}}`:   "enabled is neither true nor false",
		`{"name":"x","actionSlug":"addContactToXmd","trigger":"type = \"track\"","settings":[]}`:                   "its mapping is no object",
		`{"name":"x","actionSlug":"addContactToXmd","trigger":"type = \"track\"","settings":"{"}`:                  "its mapping is a text that is no JSON object",
		`{"name":"x","actionSlug":"addContactToXmd","trigger":"(type = \"track\"","settings":{"directoryId":"P"}}`: "its trigger is not valid",
		`{"name":"x","actionSlug":"createOrUpdateContact","trigger":"type = \"track\"","settings":{}}`:             "is not an action",
		`{"name":"x","enabled":true}`: "it names no action",
		`7`:                           "it is no object",
	} {
		out, err := subscriptions.Import([]byte(`{"data":{"subscriptions":[{`+one+`},`+bad+`]}}`), acme)
		require.NoError(t, err)
		require.Len(t, out.Mappings, 1, bad)
		require.Equal(t, 1, out.Skipped, bad)
		require.Equal(t, "data.subscriptions[1]", out.Notes[0].At, bad)
		require.True(t, out.Notes[0].Skipped, bad)
		require.Contains(t, out.Notes[0].Message, why, bad)
		require.Contains(t, out.YAML, "(data.subscriptions[1]): left out. "+out.Notes[0].Message, bad)
	}
}

func TestImport_WorkflowElsewhere_IsToldForAnAccount(t *testing.T) {
	t.Parallel()
	for address, told := range map[string]bool{
		"https://segue.example.com/v1/workflows/x": true, "https://evilqualtrics.com/x": true,
		"https://fra1.qualtrics.com/triggers/api/v1/event": false, "https://FRA1.Qualtrics.com:443/x": false,
	} {
		text := `[{"name":"x","actionSlug":"triggerXflowWorkflow","trigger":"type = \"track\"","settings":{"workflowUrl":"` + address + `"}}]`
		out, err := subscriptions.Import([]byte(text), acme)
		require.NoError(t, err)
		require.Len(t, out.Mappings, 1)
		require.Equal(t, told, strings.Contains(out.YAML, "not at qualtrics.com"), address)
		out, err = subscriptions.Import([]byte(text), subscriptions.Options{Source: "web", Destination: "xm", BuiltIn: true, Workflow: "tour"})
		require.NoError(t, err)
		require.NotContains(t, out.YAML, "not at qualtrics.com")
	}
}

func TestImport_OnePageOfSeveral_SaysSo(t *testing.T) {
	t.Parallel()
	page := `{"data":{"subscriptions":[{` + one + `}],"pagination":{"current":"MA==","next":"Mg=="}}}`
	last := `{"data":{"subscriptions":[],"pagination":{"current":"Mg=="}}}`
	out, err := subscriptions.Import([]byte(page), acme)
	require.NoError(t, err)
	require.Contains(t, out.YAML, "# Note: this is one page")
	out, err = subscriptions.Import([]byte("["+page+","+last+"]"), acme)
	require.NoError(t, err)
	require.Empty(t, out.Notes)
}

func TestImport_Whole_IsAPlanThatStandsOnItsOwn(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/export.json")
	require.NoError(t, err)
	for _, o := range []subscriptions.Options{
		{Source: "web", Destination: "acme", Whole: true},
		{Source: "web", Destination: "xm", BuiltIn: true, Whole: true},
		{Source: "web", Destination: "xm", BuiltIn: true, Workflow: "tour", Whole: true},
	} {
		out, err := subscriptions.Import(text, o)
		require.NoError(t, err)
		doc, problems := plan.Parse("x", []byte(out.YAML))
		require.Empty(t, problems)
		require.Empty(t, doc.Expand(func(string) (string, bool) { return "t", true }))
		require.Empty(t, doc.Validate(checks).Text())
		require.Len(t, doc.Plan.Mappings, 5)
		require.Equal(t, o.BuiltIn, doc.Plan.Destinations[0].IsEnabled(), "an account must not be written to by Segment and Segue at once")
	}
}

func TestImport_Empty_IsAPlanWithoutMappings(t *testing.T) {
	t.Parallel()
	out, err := subscriptions.Import([]byte(`{"subscriptions":[]}`), acme)
	require.NoError(t, err)
	require.Contains(t, out.YAML, "mappings: []")
}

// FuzzImport holds that whatever an export says, what is written is a plan with
// the mappings counted and no others: a comment cannot break out.
func FuzzImport(f *testing.F) {
	text, err := os.ReadFile("testdata/export.json")
	require.NoError(f, err)
	f.Add(string(text))
	for _, s := range []string{
		`[{"name":"a\n  - name: b","actionSlug":"x\u2028- y","trigger":"\u0085"}]`, `[{"name":"x","trigger":"type = \"a\"","actionSlug":"addContactToXmd","mapping":{"email":{"@liquid":"\u0000{{"}}}]`,
		`[null,1,"",{}]`, `{"data":[]}`, `{"subscriptions":"[1]"}`, `{"values":{"resources":[{"mode":"managed","type":"x"}]}}`, `[{"settings":[]}]`, `[{"settings":"{"}]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out, err := subscriptions.Import([]byte(text), acme)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
			return
		}
		doc, problems := plan.Parse("x", []byte(out.YAML))
		require.Empty(t, problems)
		require.Len(t, doc.Plan.Mappings, len(out.Mappings))
		for i, m := range doc.Plan.Mappings {
			require.Equal(t, out.Mappings[i].Name, m.Name)
			require.Equal(t, out.Mappings[i].Action, m.Action)
		}
	})
}
