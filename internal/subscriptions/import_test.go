package subscriptions_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/fault"
	"github.com/segue-xm/segue/internal/fql"
	"github.com/segue-xm/segue/internal/jsonvalue"
	"github.com/segue-xm/segue/internal/mapping"
	"github.com/segue-xm/segue/internal/plan"
	"github.com/segue-xm/segue/internal/subscriptions"
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
	one := `{"name":%,"actionSlug":"addContactToXmd","trigger":"type = \"identify\"","mapping":{"directoryId":"P"}}`
	var all []string
	for _, n := range []string{`"a"`, `"a"`, `"a 2"`, `""`, `"***"`, `"日本 (1)"`, `"#: - x"`, `"x\ny"`, `"` + strings.Repeat("é", 300) + `"`} {
		all = append(all, strings.ReplaceAll(one, "%", n))
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
	for _, text := range []string{``, `5`, `{}`, `{"data":{}}`, `{"subscriptions":5}`, `[`, strings.Repeat(" ", subscriptions.MaxSize+1)} {
		_, err := subscriptions.Import([]byte(text), acme)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%.20q", text)
	}
	_, err := subscriptions.Import([]byte(`[]`), subscriptions.Options{Source: "web"})
	require.ErrorContains(t, err, "destination")
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
		`[null,1,"",{}]`, `{"data":[]}`, `[{"settings":[]}]`, `[{"settings":"{"}]`,
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
