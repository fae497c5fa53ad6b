package plan

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

func lookupIn(env map[string]string) func(string) (string, bool) {
	return func(n string) (string, bool) { v, ok := env[n]; return v, ok }
}

func TestSecret_Resolve(t *testing.T) {
	t.Parallel()
	env := lookupIn(map[string]string{"A": "1", "B_2": "${A}", "EMPTY": ""})
	for in, want := range map[string]string{
		"":                   "",
		"plain":              "plain",
		"${A}":               "1",
		"x${A}y${A}":         "x1y1",
		"${B_2}":             "${A}", // what a reference brings is not looked at again
		"[${EMPTY}]":         "[]",
		"$${A}":              "${A}",
		"$$${A}":             "$${A}",
		"$A $ ${ ${} $}":     "$A $ ${ ${} $}",
		"${e://Field/x}":     "${e://Field/x}",
		"${{ total }} ${A-}": "${{ total }} ${A-}",
	} {
		got, err := Secret(in).Resolve(env)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
}

func TestSecret_MissingReference_IsNamed(t *testing.T) {
	t.Parallel()
	_, err := Secret("${NOPE} literal ${NOPE} ${NO2}").Resolve(lookupIn(nil))
	require.EqualError(t, err, "${NOPE}, ${NO2} are not set")
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.Equal(t, []string{"NOPE", "NO2"}, Secret("${NOPE}${NO2}$${NO3}${NOPE}").Refs())
}

func TestSecret_Printed_IsMasked(t *testing.T) {
	t.Parallel()
	require.Equal(t, "••••••", fmt.Sprint(Secret("hunter2")))
	require.Equal(t, "••••••${A}••••••", fmt.Sprintf("%v", Secret("x${A}y")))
	require.Equal(t, "[${A}]", fmt.Sprint([]Secret{"${A}"}))
	require.Equal(t, "••••••", fmt.Sprint(Secret("$${A}")))
}

const withReferences = `
version: 1
sources:
  - {name: "${NAME}", write_keys: ["${KEY}", literal], webhook_secrets: ["$${x}"]}
destinations:
  - {name: q, type: qualtrics, datacenter: "${DC}", api_token: tok}
surveys:
  - {name: s, url: "https://${HOST}/$${HOST}", secret: "pre${PART}"}
  - {name: t, question: {en: "${ASK}"}}
workflows:
  - name: w
    fields: [{name: f, path: $.a, type: string, default: "${DEF}"}]
    steps:
      - {id: call, task: web_service, with: {url: "https://${HOST}", headers: {Authorization: "Bearer ${TOKEN}"}, list: [1, "${ITEM}"]}}
`

func TestExpand_ReplacesTextsAndKeepsSecrets(t *testing.T) {
	t.Parallel()
	p := mustParse(t, withReferences)
	require.Equal(t, []string{"ASK", "DC", "DEF", "HOST", "ITEM", "KEY", "NAME", "PART", "TOKEN"}, p.Refs())
	require.Empty(t, p.Expand(anything))
	require.Equal(t, "value-of-NAME", p.Sources[0].Name)
	require.Equal(t, []Secret{"${KEY}", "literal"}, p.Sources[0].WriteKeys)
	require.Equal(t, "value-of-DC", p.Destinations[0].Datacenter)
	require.Equal(t, "https://value-of-HOST/${HOST}", p.Surveys[0].URL)
	require.Equal(t, "value-of-ASK", p.Surveys[1].Question["en"])
	require.Equal(t, "value-of-DEF", p.Workflows[0].Fields[0].Default)
	require.Equal(t, []any{1.0, "value-of-ITEM"}, p.Workflows[0].Steps[0].With.Get("list"))
	require.Equal(t, []string{"KEY", "PART", "TOKEN"}, p.SecretRefs())
}

func TestExpand_MissingVariables_AreAllReportedWithTheirPlace(t *testing.T) {
	t.Parallel()
	doc, _ := Parse("plan.yaml", []byte(withReferences))
	ps := doc.Expand(lookupIn(map[string]string{"NAME": "n", "HOST": "h", "ASK": "a"}))
	require.Equal(t, `plan.yaml:6:44: destinations[0].datacenter: ${DC} is not set
plan.yaml:12:58: workflows[0].fields[0].default: ${DEF} is not set
plan.yaml:14:125: workflows[0].steps[0].with.list[1]: ${ITEM} is not set
`, ps.Text())
}

func TestResolveSecrets_FillsHeadersOfACopy(t *testing.T) {
	t.Parallel()
	w := mustParse(t, `
version: 1
workflows:
  - name: w
    steps:
      - id: split
        branch:
          - steps: [{id: call, task: web_service, with: {body: "${TOKEN}", headers: {A: "Bearer ${TOKEN}", B: 1}}}]
`).Workflows[0]
	r, err := w.ResolveSecrets(lookupIn(map[string]string{"TOKEN": "t"}))
	require.NoError(t, err)
	require.Equal(t, `{"body":"${TOKEN}","headers":{"A":"Bearer t","B":1}}`, jsonvalue.Text(r.Steps[0].Branch[0].Steps[0].With))
	require.Equal(t, `{"body":"${TOKEN}","headers":{"A":"Bearer ${TOKEN}","B":1}}`, jsonvalue.Text(w.Steps[0].Branch[0].Steps[0].With))
	_, err = w.ResolveSecrets(lookupIn(nil))
	require.EqualError(t, err, "steps[0].branch[0].steps[0].with.headers.A: ${TOKEN} is not set")
}

func TestExtractLiterals_LeavesReferencesAlone(t *testing.T) {
	t.Parallel()
	p := mustParse(t, `
version: 1
sources:
  - {name: web shop, write_keys: ["${SOURCE_WEB_SHOP_WRITE_KEY_2}", abc, "$${x}"], webhook_secrets: [s1]}
  - {name: web-shop, write_keys: [def, ghi]}
destinations: [{name: q, type: qualtrics, api_token: tok}]
surveys: [{name: 調査, secret: s2}, {name: mixed, secret: "a${B}"}]
`)
	values := p.ExtractLiterals()
	require.Equal(t, map[string]string{
		"SOURCE_WEB_SHOP_WRITE_KEY_2_2":    "abc", // the plan itself uses …_2
		"SOURCE_WEB_SHOP_WRITE_KEY_3":      "${x}",
		"SOURCE_WEB_SHOP_WEBHOOK_SECRET_1": "s1",
		"SOURCE_WEB_SHOP_WRITE_KEY_1":      "def",
		"SOURCE_WEB_SHOP_WRITE_KEY_2_3":    "ghi",
		"DESTINATION_Q_API_TOKEN":          "tok",
		"SURVEY____SECRET":                 "s2",
	}, values)
	require.Equal(t, Secret("${SOURCE_WEB_SHOP_WRITE_KEY_2_2}"), p.Sources[0].WriteKeys[1])
	require.Equal(t, Secret("a${B}"), p.Surveys[1].Secret)
	require.Empty(t, p.ExtractLiterals())
	require.NotContains(t, string(Export(p)), "abc")
}
