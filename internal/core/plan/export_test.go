package plan

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// requireRoundTrip holds Export and Encode to their promises.
func requireRoundTrip(t *testing.T, p *Plan) {
	t.Helper()
	code := Encode(p)
	q, err := Decode(code)
	require.NoError(t, err)
	require.Equal(t, string(code), string(Encode(q)))

	text := Export(p)
	require.Equal(t, string(code), string(Encode(p)), "Export changed the plan")
	doc, ps := Parse("export.yaml", text)
	require.Empty(t, ps.Text(), string(text))
	require.Empty(t, doc.Expand(lookupIn(nil)).Text(), string(text))
	require.Equal(t, string(code), string(Encode(doc.Plan)), string(text))
	require.Equal(t, string(text), string(Export(doc.Plan)))
	require.Empty(t, Compare(p, doc.Plan))
}

func TestExport_Examples_ComeBackEqual(t *testing.T) {
	t.Parallel()
	tour, err := os.ReadFile("testdata/tour.yaml")
	require.NoError(t, err)
	for name, text := range map[string][]byte{"example": Example(), "onboarding": Onboarding(), "tour": tour} {
		doc, ps := Parse(name, text)
		require.Empty(t, ps)
		require.Empty(t, doc.Expand(anything))
		require.Empty(t, doc.Validate(Checks{}).Text())
		requireRoundTrip(t, doc.Plan)
		golden := "testdata/" + name + ".export.yaml"
		if *update {
			require.NoError(t, os.WriteFile(golden, Export(doc.Plan), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), string(Export(doc.Plan)))
	}
}

// awkward are texts that YAML would read otherwise if written carelessly.
var awkward = []string{
	"", " ", "a ", " a", "a  b", "true", "Yes", "NO", "on", "null", "Null", "~", "y", "12", "1.5", "1e3", "0x1f", "012", "1_000",
	"1:30", "2026-10-22", ".inf", "-", "- a", "a: b", "a #b", "#a", "a:", "{a}", "[a]", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a`",
	"'", `"`, `it's "so"`, `\`, "$", "$.a", "${A}", "$${A}", "$$${A}", "${", "${x y}", "${{ a }}", "?", "? a", ",", "a,b", "<<", "=",
	"a\nb", "a\nb\n", "a\n\nb", "a\n\n", "\na", "\n", " a\nb", "a\n b", "a \nb", "a\n \nb", "a\r\nb", "a\tb", "\t", "a\n\tb", "---", "...", "a\n---\nb",
	"日本語", "é", "\u0085", "\u2028", "\ufeff", "\u00a0", "\x00", "\x7f", "\u200b", "😀", "\U000e0001", "14d", "1e5", "5d3", "3", "0d", "１２",
}

func TestExport_AwkwardTexts_ComeBackEqual(t *testing.T) {
	t.Parallel()
	for _, s := range awkward {
		fields := jsonvalue.NewObject(3)
		fields.Set("text", s)
		fields.Set("list", []any{s, []any{s}})
		inner := jsonvalue.NewObject(1)
		if s != "<<" { // as a plain key YAML itself would refuse it; see below
			inner.Set(s, s)
		}
		fields.Set("object", inner)
		p := &Plan{Version: 1, Mappings: []Mapping{{Name: s, When: &s, Fields: fields}},
			Surveys:   []Survey{{Name: s, Question: map[string]string{"en": s}}},
			Workflows: []Workflow{{Name: s, Fields: []Field{{Default: s}}, Steps: []Step{{ID: s, With: fields, Branch: []Branch{{}, {When: s, Steps: []Step{{}}}}}, {Stop: &Stop{}}}}}}
		requireRoundTrip(t, p)
	}
}

func TestExport_KeyNamedLikeAMergeKey_IsQuoted(t *testing.T) {
	t.Parallel()
	fields := jsonvalue.NewObject(1)
	fields.Set("<<", "x")
	requireRoundTrip(t, &Plan{Version: 1, Mappings: []Mapping{{Fields: fields}}})
}

func TestExport_Numbers_ComeBackEqual(t *testing.T) {
	t.Parallel()
	for _, f := range []float64{0, 1, -1, 0.1, 1e21, 1e-7, 1.7976931348623157e308, 5e-324, 1 << 53, 123456789012345680000, -2.5e-10} {
		fields := jsonvalue.NewObject(1)
		fields.Set("n", f)
		requireRoundTrip(t, &Plan{Version: 1, Mappings: []Mapping{{Fields: fields}}, Workflows: []Workflow{{Fields: []Field{{Default: f}}}}})
	}
}

func TestExport_Secrets_StayAsWritten(t *testing.T) {
	t.Parallel()
	p := mustParse(t, withReferences)
	text := string(Export(p))
	require.Contains(t, text, `write_keys: ["${KEY}", "literal"]`)
	require.Contains(t, text, `Authorization: "Bearer ${TOKEN}"`)
	require.Contains(t, text, `datacenter: "$${DC}"`) // not expanded yet: a plain text to Export
	requireRoundTrip(t, p)
}

func TestDecode_UnknownKeyOrRest_IsAnError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "[]", `{"version":1}{}`, `{"version":1,"later":true}`, `{"version":"1"}`} {
		_, err := Decode([]byte(text))
		require.Error(t, err, text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Example())
	f.Add(Onboarding())
	f.Add([]byte(withReferences))
	f.Add([]byte("version: 1\nmappings:\n- fields: {<<: &a {b: *a}, ? x : y, 1: 2}\n"))
	f.Add([]byte("version: 1\n---\nversion: !!binary aGk=\n"))
	f.Add([]byte("version: !!bool \"\"\nsources: !!null x\nmappings: [{enabled: !!bool , fields: {a: !!bool x, b: !!int x, c: !!float , d: .nan, e: -0, f: -.0}}]\n"))
	for _, s := range awkward {
		f.Add([]byte("version: 1\nmappings:\n- name: " + s + "\n  fields: {a: " + s + ", " + s + ": 1}\n"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, ps := Parse("fuzz.yaml", text)
		for _, p := range ps {
			require.NotEmpty(t, p.Message)
		}
		if doc == nil {
			require.NotEmpty(t, ps)
			return
		}
		if len(ps) > 0 {
			doc.Validate(fakeChecks())
			return
		}
		doc.Expand(anything)
		doc.Validate(fakeChecks())
		requireRoundTrip(t, doc.Plan)
		doc.Plan.ExtractLiterals()
		requireRoundTrip(t, doc.Plan)
	})
}
