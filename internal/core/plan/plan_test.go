package plan

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fakeChecks find fault with texts that hold the word "bad".
func fakeChecks() Checks {
	judge := func(what string) func(string) error {
		return func(s string) error {
			if strings.Contains(s, "bad") {
				return errors.New("bad " + what)
			}
			return nil
		}
	}
	return Checks{
		Filter: judge("filter"), Condition: judge("condition"), Path: judge("path"), Template: judge("template"),
		Mapping: func(_ string, fields *jsonvalue.Object, builtIn bool) error {
			var errs []error
			for k := range fields.All() {
				if strings.Contains(k, "bad") {
					errs = append(errs, fault.Field(k, "no such field"))
				}
			}
			if !builtIn && !fields.Has("directoryId") && !fields.Has("workflowUrl") {
				errs = append(errs, errors.New("directoryId is required"))
			}
			return errors.Join(errs...)
		},
		Task: func(kind string, with *jsonvalue.Object) error {
			if strings.Contains(kind, "bad") {
				return errors.New("no such task")
			}
			if kind == TaskDistribute && !with.Has("survey") {
				return fault.Field("survey", "is required")
			}
			return nil
		},
	}
}

// Each bad plan stands beside the problems it must give, all of them, a line each.
func TestBadPlans_GiveExactlyTheseProblems(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			doc, ps := Parse(filepath.Base(file), text)
			if doc != nil {
				ps = append(ps, doc.Expand(func(n string) (string, bool) { return "x", !strings.HasPrefix(n, "MISSING") })...)
				ps = append(ps, doc.Validate(fakeChecks())...)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(ps.sorted().Text()), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.NotEmpty(t, ps)
			require.Equal(t, string(want), ps.sorted().Text())
		})
	}
}

func mustParse(t testing.TB, text string) *Plan {
	t.Helper()
	doc, ps := Parse("plan.yaml", []byte(text))
	require.Empty(t, ps.Text())
	return doc.Plan
}

func TestParse_KeyOrderOfFields_IsKept(t *testing.T) {
	t.Parallel()
	p := mustParse(t, "version: 1\nmappings:\n- fields: {zeta: 1, alpha: {\"@path\": $.a, x: [true, null, 1.5]}, mid: 2026-10-22}\n")
	require.Equal(t, `{"zeta":1,"alpha":{"@path":"$.a","x":[true,null,1.5]},"mid":"2026-10-22"}`, jsonvalue.Text(p.Mappings[0].Fields))
}

func TestParse_WrittenAndLeftOut_AreKeptApart(t *testing.T) {
	t.Parallel()
	p := mustParse(t, "version: 1\nmappings:\n- {name: a, when: '', fields: {}, enabled: true}\n- {name: b}\ndestinations: []\nsources:\n")
	require.Empty(t, *p.Mappings[0].When)
	require.NotNil(t, p.Mappings[0].Fields)
	require.True(t, *p.Mappings[0].Enabled)
	require.Equal(t, Mapping{Name: "b"}, p.Mappings[1])
	require.Nil(t, p.Destinations)
	require.Nil(t, p.Sources)
}

func TestParse_AnchorsAndMergeKeys_AreExpanded(t *testing.T) {
	t.Parallel()
	p := mustParse(t, `
version: 1
mappings:
  - &base {name: a, source: web, fields: &f {b: 1, a: 2}}
  - <<: *base
    name: b
  - {name: c, fields: {<<: [*f, {c: 3}], a: 9}}
  - {name: d, fields: *f}
`)
	require.Equal(t, "b", p.Mappings[1].Name)
	require.Equal(t, "web", p.Mappings[1].Source)
	require.Equal(t, `{"a":9,"b":1,"c":3}`, jsonvalue.Text(p.Mappings[2].Fields))
	require.Equal(t, `{"b":1,"a":2}`, jsonvalue.Text(p.Mappings[3].Fields))
}

func TestParse_Limits_EndWithAProblem(t *testing.T) {
	t.Parallel()
	merges := "version: 1\nmappings:\n- name: a\n  fields:\n    a0: &a0 {k: v}\n"
	bomb := "version: 1\nmappings:\n- name: a\n  fields:\n    a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := '1'; i <= '9'; i++ {
		ref := "*a" + string(i-1)
		bomb += "    a" + string(i) + ": &a" + string(i) + " [" + strings.Repeat(ref+",", 9) + ref + "]\n"
		merges += "    a" + string(i) + ": &a" + string(i) + " {<<: [" + strings.Repeat(ref+",", 9) + ref + "]}\n"
	}
	for name, c := range map[string]struct{ text, want string }{
		"alias bomb":  {bomb, "more than 100000 values"},
		"merge bomb":  {merges, "more than 100000 values"},
		"depth":       {"version: 1\nmappings:\n- fields: {a: " + strings.Repeat("[", 120) + strings.Repeat("]", 120) + "}\n", "nested deeper than 100 levels"},
		"cycle":       {"version: 1\nmappings:\n- fields: &a {b: [*a]}\n", `the anchor "a" contains itself`},
		"merge cycle": {"version: 1\nmappings:\n- fields: &a {<<: *a}\n", `the anchor "a" contains itself`},
		"size":        {strings.Repeat("#", MaxSize+1), "a plan may have 4194304"},
		"key":         {"version: 1\n" + strings.Repeat("k", 101) + ": 1\n", "longer than 100 characters"},
	} {
		_, ps := Parse("plan.yaml", []byte(c.text))
		require.NotEmpty(t, ps, name)
		require.Contains(t, ps.Text(), c.want, name)
		require.LessOrEqual(t, len(ps), maxProblems+1, name)
	}
}

func TestParse_ManyProblems_AreCutOff(t *testing.T) {
	t.Parallel()
	_, ps := Parse("plan.yaml", []byte("version: 1\nsources:\n"+strings.Repeat("- {nmae: x}\n", 5000)))
	require.Len(t, ps, maxProblems+1)
	require.Contains(t, ps[maxProblems].Message, "more")
	require.Equal(t, fault.Invalid, fault.KindOf(ps.Err()))
	require.NoError(t, Problems(nil).Err())
}

func TestValidate_WithoutText_SaysTheFieldAlone(t *testing.T) {
	t.Parallel()
	p := &Plan{Version: 1, Mappings: []Mapping{{Name: "m", Source: "nowhere", Destination: "xm", Action: UpsertContact}}}
	require.Equal(t, "mappings[0].source: there is no source \"nowhere\"; there is none\n"+
		"mappings[0].destination: there is no destination \"xm\"; there is none\n", p.Validate(Checks{}).Text())
}

// A hostile plan must end in seconds: nothing may be quadratic in its parts.
func TestParse_LargestPlans_AreJudgedInReasonableTime(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]string{
		"mappings":  "- {name: a%d, source: nowhere%d, destination: no%d}\n",
		"wrong key": "- {name: a%d, suorce: nowhere%d, destination: no%d}\n",
	} {
		var b strings.Builder
		b.WriteString("version: 1\nmappings:\n")
		for i := range 24_000 {
			fmt.Fprintf(&b, part, i, i, i)
		}
		doc, _ := Parse(name, []byte(b.String()))
		start := time.Now()
		require.Len(t, doc.Validate(fakeChecks()), maxProblems+1, name)
		Compare(doc.Plan, &Plan{})
		require.Less(t, time.Since(start), 20*time.Second, name)
	}
}

func TestProblems_OfOtherPackages_LandOnTheirField(t *testing.T) {
	t.Parallel()
	var ps Problems
	ps.addError("mappings[0].fields", errors.Join(
		fault.Field("/email/@replace/pattern", "too long"),
		fault.Field("/list/0/a b", "odd"),
		fault.Field("phone", "unknown"),
		errors.Join(errors.New("plain")),
		nil,
	))
	ps.addError("x", nil)
	require.Equal(t, `mappings[0].fields.email.@replace.pattern: too long
mappings[0].fields.list[0]["a b"]: odd
mappings[0].fields.phone: unknown
mappings[0].fields: plain
`, ps.Text())
}

func TestPosition_OfWhatIsNotWritten_IsItsParents(t *testing.T) {
	t.Parallel()
	doc, _ := Parse("p", []byte("version: 1\nmappings:\n  - name: a\n    fields:\n      \"a b\": {c.d: 1}\n"))
	require.Equal(t, Position{3, 5}, doc.Position("mappings[0].source"))
	require.Equal(t, Position{5, 20}, doc.Position(`mappings[0].fields["a b"]["c.d"]`))
	require.Equal(t, Position{5, 14}, doc.Position(`mappings[0].fields["a b"].x`))
	require.Equal(t, Position{1, 1}, doc.Position("nothing"))
}
