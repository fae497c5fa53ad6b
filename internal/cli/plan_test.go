package cli

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops"
)

const planText = `version: 1
sources:
  - {name: web, write_keys: ["${WEB_KEY}"]}
directories:
  - {name: customers, default: true}
destinations:
  - {name: xm, type: directory, directory: customers}
mappings:
  - {name: keep, source: web, destination: xm, action: upsert_contact, when: type = "identify"}
`

func TestValidate_Onboarding_IsValid(t *testing.T) {
	t.Parallel()
	o := run(t, Program{In: strings.NewReader(string(plan.Onboarding()))}, "validate", "-f", "-")
	require.Equal(t, 0, o.code, o.out+o.err)
	require.Equal(t, "stdin: valid\n", o.out)
	require.Contains(t, o.err, "${SEGUE_DEMO_WRITE_KEY} is not set here")
}

func TestValidate_Problems_ComeAllAtOnceWithTheirPlaces(t *testing.T) {
	t.Parallel()
	text := planText + `    fields: {emial: {"@path": "$.x"}, email: {"@pth": "$.x"}}
  - {name: two, source: webb, destination: xm, action: upsert_contact, when: type = "a" && event = "b"}
workflows:
  - name: w
    fields: [{name: u, path: "$[", type: string}]
    when: fields.u >
    steps: [{id: a, task: nope}]
surveys: [{name: s, url: "${NO_SUCH_NAME}"}]
typo: 1
`
	text = strings.Replace(text, "  - {name: keep, source: web, destination: xm, action: upsert_contact, when: type = \"identify\"}\n",
		"  - name: keep\n    source: web\n    destination: xm\n    action: upsert_contact\n    when: type = 'x'\n", 1)
	path := file(t, "plan.yaml", text)
	o := run(t, Program{}, "validate", "-f", path)
	require.Equal(t, 1, o.code)
	for _, want := range []string{
		":14:21: mappings[0].fields.emial: is not a field", ":14:46: mappings[0].fields.email: has an invalid directive", ":15:25: mappings[1].source: there is no source", ":15:78: mappings[1].when: ",
		":18:30: workflows[0].fields[0].path: not a JSONPath", ":19:11: workflows[0].when: not a condition", ":20:13: workflows[0].steps[0]", ":21:26: surveys[0].url: ", ":22:1: typo: unknown key",
	} {
		require.Contains(t, o.out, path+want)
	}
	require.Contains(t, o.err, "segue: note: "+path+":13:11: mappings[0].when: 'x': this is destination-filter FQL")
	require.Contains(t, o.err, "segue: "+path+": ")

	var v struct {
		Valid           bool
		Problems, Notes plan.Problems
		Unset           []string
	}
	o = run(t, Program{}, "validate", "--json", "-f", path)
	require.Equal(t, 1, o.code)
	require.NoError(t, json.Unmarshal([]byte(o.out), &v))
	require.False(t, v.Valid)
	require.GreaterOrEqual(t, len(v.Problems), 9)
	require.Len(t, v.Notes, 1)
	require.Equal(t, []string{"WEB_KEY"}, v.Unset)
}

// planServer answers plan calls and keeps the last input.
func planServer(t *testing.T, got *ops.PlanInput, reply func(w http.ResponseWriter, path string)) string {
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusUnauthorized)
			_ = json.NewEncoder(w).Encode(ops.Problem{Kind: "unauthorized", Detail: "this token is not known", Status: 401})
			return
		}
		if r.Method == http.MethodPost {
			_ = json.NewDecoder(r.Body).Decode(got)
		}
		reply(w, r.URL.Path)
	}
	return server(t, map[string]http.HandlerFunc{"/api/plan": h, "/api/plan/diff": h, "/api/plan/apply": h})
}

func TestApply_Secrets_AreThoseThePlanNames(t *testing.T) {
	t.Parallel()
	var in ops.PlanInput
	url := planServer(t, &in, func(w http.ResponseWriter, path string) {
		answer(w, ops.PlanChanges{Revision: map[string]int64{"/api/plan/diff": 6, "/api/plan/apply": 7}[path], Changes: plan.Changes{{Op: plan.Add, Kind: "source", Name: "web"}}})
	})
	p := Program{Environ: []string{"WEB_KEY=k1", "OTHER=k2"}}
	path := file(t, "plan.yaml", planText)
	o := run(t, p, "apply", "-f", path, "--url", url, "--token", "secret")
	require.Equal(t, 0, o.code, o.err)
	require.Equal(t, ops.PlanInput{File: path, Plan: planText, Secrets: map[string]string{"WEB_KEY": "k1"}}, in)
	require.Equal(t, "+ source web\nrevision 7\n", o.out)
	o = run(t, p, "diff", "-f", path, "--url", url, "--token", "secret")
	require.Equal(t, "+ source web\n", o.out)
	o = run(t, p, "diff", "-f", path, "--url", url, "--token", "secret", "--json")
	require.Contains(t, o.out, `"revision": 6`)
}

func TestApply_ServersProblems_AreShown(t *testing.T) {
	t.Parallel()
	var in ops.PlanInput
	url := planServer(t, &in, func(w http.ResponseWriter, _ string) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(ops.Problem{Kind: "invalid", Detail: "the plan has 1 problem", Problems: plan.Problems{{File: "p", Line: 3, Column: 1, Field: "a", Message: "wrong"}}})
	})
	o := run(t, Program{In: strings.NewReader(planText)}, "apply", "-f", "-", "--url", url, "--token", "secret")
	require.Equal(t, outcome{"p:3:1: a: wrong\n", "segue: stdin: 1 problem\n", 1}, o)
}

func TestExport_Token_IsTakenFromTheDataDirectory(t *testing.T) {
	t.Parallel()
	url := planServer(t, &ops.PlanInput{}, func(w http.ResponseWriter, _ string) {
		w.Header().Set("Segue-Revision", "3")
		_, _ = w.Write([]byte("version: 1\n"))
	})
	dir := strings.TrimSuffix(file(t, tokenFile, "secret\n"), tokenFile)
	require.Equal(t, outcome{out: "version: 1\n"}, run(t, Program{}, "export", "--url", url, "--data-dir", dir))
	o := run(t, Program{}, "export", "--url", url, "--token", "wrong", "--data-dir", dir)
	require.Equal(t, outcome{err: "segue: this token is not known; see --token and --data-dir\n", code: 1}, o)
}

func TestExport_NoServer_SaysSo(t *testing.T) {
	t.Parallel()
	o := run(t, Program{}, "export", "--url", "http://127.0.0.1:1", "--data-dir", t.TempDir())
	require.Equal(t, 1, o.code)
	require.Contains(t, o.err, "segue: no answer from http://127.0.0.1:1")
}
