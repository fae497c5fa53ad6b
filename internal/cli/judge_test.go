package cli

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities/task/builtin"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/doors/api"
	"github.com/segue-xm/segue/internal/doors/kit"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/internal/ops/opstest"
)

const erasing = `version: 1
sources:
  - name: web
    write_keys: [k]
    deletes: erase
`

// planServing serves the API over an empty store, and judges as a process does.
func planServing(t *testing.T) (url string, plans *ops.Plans) {
	b := opstest.New(t)
	b.Plans.Checks = ops.Checks(builtin.Registry(builtin.Deps{}).Validate)
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ErrorHandler: kit.ErrorHandler(slog.New(slog.DiscardHandler))})
	api.Register(app.Group("/api"), b.Operations, kit.BearerAuth(kit.Tokens("secret")))
	server := httptest.NewServer(adaptor.FiberApp(app))
	t.Cleanup(server.Close)
	return server.URL, b.Plans
}

// TestPlan_IsJudgedAlikeWhoeverAsks: what is wrong with a plan, and where, is the
// same for validate, diff and apply, for the API, and for a process that starts
// with the plan.
func TestPlan_IsJudgedAlikeWhoeverAsks(t *testing.T) {
	url, plans := planServing(t)
	files, err := filepath.Glob("../core/plan/testdata/bad/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range append(files, file(t, "erasing.yaml", erasing), file(t, "nothing.yaml", "")) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		// Values for every secret: what a server was given before is its own matter.
		var p Program
		lookup := func(name string) (string, bool) {
			return "value of " + name, !strings.HasPrefix(name, "MISSING") || strings.HasSuffix(name, "SECRET")
		}
		if doc, _ := plan.Parse(path, text); doc != nil {
			for _, name := range doc.Plan.Refs() {
				if v, ok := lookup(name); ok {
					p.Environ = append(p.Environ, name+"="+v)
				}
			}
		}

		var validated struct{ Problems plan.Problems }
		require.NoError(t, json.Unmarshal([]byte(run(t, p, "validate", "--json", "-f", path).out), &validated))
		want := validated.Problems
		require.NotEmpty(t, want, path)
		require.Equal(t, want.Text(), run(t, p, "diff", "-f", path, "--url", url, "--token", "secret").out, path)
		require.Equal(t, want.Text(), run(t, p, "apply", "-f", path, "--url", url, "--token", "secret").out, path)

		in := ops.NewPlanInput(path, text, lookup)
		body, err := json.Marshal(in)
		require.NoError(t, err)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/plan/validate", strings.NewReader(string(body)))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer secret")
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		var problem ops.Problem
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&problem))
		require.NoError(t, answer.Body.Close())
		require.Equal(t, want, problem.Problems, path)

		var atStart *ops.PlanProblems
		require.ErrorAs(t, plans.ApplyFile(t.Context(), in), &atStart, path)
		require.Equal(t, want, atStart.Problems, path)
	}
}

func TestPlan_WhatThisVersionCannotDo_IsRefusedAtItsPlace(t *testing.T) {
	t.Parallel()
	o := run(t, Program{In: strings.NewReader(erasing)}, "validate", "-f", "-")
	require.Equal(t, 1, o.code)
	require.Equal(t, "stdin:5:14: sources[0].deletes: this version cannot erase people yet: leave it out, delete events are kept\n", o.out)
}
