package api

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/internal/ops/opstest"
)

func TestPlan_ApplyDiffExport_RoundTrip(t *testing.T) {
	b := setup(t)
	first := b.applyPlan()
	require.Equal(t, int64(1), first.Revision)
	require.NotEmpty(t, first.Changes)
	again := b.applyPlan()
	require.Equal(t, int64(1), again.Revision, "the same plan with the same secrets is no change")
	require.Empty(t, again.Changes)
	names, err := b.Store.SecretNames(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]bool{"WEB_KEY": true}, names, "only what the plan names is kept")

	status, yaml, header := b.request("GET", "/plan", "")
	require.Equal(t, 200, status)
	require.Equal(t, "1", header.Get("Segue-Revision"))
	require.Equal(t, "application/yaml", header.Get("Content-Type"))
	require.Contains(t, yaml, "${WEB_KEY}")

	// The export says the same; its secret was given before.
	body, err := json.Marshal(ops.PlanInput{Plan: yaml})
	require.NoError(t, err)
	status, text, _ := b.request("POST", "/plan/diff", string(body))
	require.Equal(t, 200, status, text)
	require.JSONEq(t, `{"revision":1,"changes":[]}`, text)
	status, text, _ = b.request("POST", "/plan/validate", string(body))
	require.Equal(t, 200, status)
	require.JSONEq(t, `{"valid":true}`, text)
	status, text, _ = b.request("POST", "/plan/apply", string(body))
	require.Equal(t, 200, status)
	require.JSONEq(t, `{"revision":1,"changes":[]}`, text)

	body, err = json.Marshal(ops.PlanInput{Plan: opstest.Plan + "surveys: [{name: nps, secret: literal-secret}]\n"})
	require.NoError(t, err)
	status, text, _ = b.request("POST", "/plan/apply", string(body))
	require.Equal(t, 200, status, text)
	require.NotContains(t, text, "literal-secret")
	_, yaml, _ = b.request("GET", "/plan", "")
	require.NotContains(t, yaml, "literal-secret")
	require.Contains(t, yaml, "${SURVEY_NPS_SECRET}")
}

func TestPlan_AllProblemsAtOnce_WithTheirPlaces(t *testing.T) {
	b := setup(t)
	body, err := json.Marshal(ops.PlanInput{File: "p.yaml", Plan: strings.Replace(opstest.Plan, "source: web, destination: xm, action: upsert_contact", "source: wob, destination: xm, action: nope", 1)})
	require.NoError(t, err)
	for _, path := range []string{"/plan/validate", "/plan/diff", "/plan/apply"} {
		p := b.problem("POST", path, string(body))
		require.Equal(t, 400, p.Status)
		require.Equal(t, "invalid", p.Kind)
		var fields []string
		for _, one := range p.Problems {
			require.Equal(t, "p.yaml", one.File)
			fields = append(fields, one.Field)
		}
		require.Subset(t, fields, []string{"mappings[0].source", "mappings[0].action", "sources[0].write_keys[0]"}, "the last is the secret that is not set")
		require.NotZero(t, p.Problems[0].Line)
	}
	rev, err := b.Store.CurrentRevision(t.Context())
	require.NoError(t, err)
	require.Zero(t, rev)
}

func TestSources_WriteKeys_AreResolved(t *testing.T) {
	b := setup(t)
	_, body, _ := b.request("GET", "/sources", "")
	require.Equal(t, `{"sources":[]}`, body)
	b.applyPlan()
	_, body, _ = b.request("GET", "/sources", "")
	require.JSONEq(t, `{"sources":[{"id":"`+b.Name(plan.KindSource, "web").String()+`","name":"web","write_keys":["k"]}]}`, body)
	b.Sources.Secrets = nil
	_, body, _ = b.request("GET", "/sources", "")
	require.Contains(t, body, `"write_keys":[]`)
}

func TestWorkflows_URLs_AreToldWhereTheyAreKnown(t *testing.T) {
	b := setup(t)
	_, body, _ := b.request("GET", "/workflows", "")
	require.Equal(t, `{"workflows":[]}`, body)
	b.applyPlan()
	_, body, _ = b.request("GET", "/workflows", "")
	require.Contains(t, body, `"urls":[]`)
	b.Workflows.Tokens = func(context.Context, id.ID) ([]string, error) { return []string{"t1"}, nil }
	b.Workflows.PublicURL = "https://segue.example.com"
	_, body, _ = b.request("GET", "/workflows", "")
	require.Contains(t, body, `"version":1`)
	require.Contains(t, body, `"urls":["https://segue.example.com/v1/workflows/t1"]`)
}
