package api

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/doors/kit"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/internal/ops/opstest"
)

// bench is an installation behind its HTTP API.
type bench struct {
	*opstest.Bench
	t   *testing.T
	app *fiber.App
}

const token = "a-token"

func setup(t *testing.T, change ...func(*ops.Options)) *bench {
	t.Helper()
	b := &bench{Bench: opstest.New(t, change...), t: t}
	b.app = fiber.New(fiber.Config{DisableStartupMessage: true, ErrorHandler: kit.ErrorHandler(slog.New(slog.DiscardHandler))})
	Register(b.app.Group("/api"), b.Operations, kit.BearerAuth(kit.Tokens("", token)))
	return b
}

// request asks the API and returns status, body, and headers.
func (b *bench) request(method, path, body string) (int, string, http.Header) {
	b.t.Helper()
	r := httptest.NewRequest(method, "/api"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := b.app.Test(r, -1)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	return resp.StatusCode, string(text), resp.Header
}

// get asks for JSON that must be there.
func (b *bench) get(path string, to any) {
	b.t.Helper()
	status, body, _ := b.request("GET", path, "")
	require.Equal(b.t, 200, status, body)
	require.NoError(b.t, json.Unmarshal([]byte(body), to), body)
}

// problem asks for what must fail.
func (b *bench) problem(method, path, body string) ops.Problem {
	b.t.Helper()
	status, text, header := b.request(method, path, body)
	require.Equal(b.t, "application/problem+json", header.Get("Content-Type"), text)
	var p ops.Problem
	require.NoError(b.t, json.Unmarshal([]byte(text), &p))
	require.Equal(b.t, status, p.Status)
	require.NotEmpty(b.t, p.RequestID)
	require.Equal(b.t, header.Get("X-Request-Id"), p.RequestID)
	return p
}

// applyPlan applies the test plan over HTTP.
func (b *bench) applyPlan() ops.PlanChanges {
	b.t.Helper()
	body, err := json.Marshal(ops.PlanInput{File: "plan.yaml", Plan: opstest.Plan, Secrets: map[string]string{"WEB_KEY": "k", "OTHER": "not of the plan"}})
	require.NoError(b.t, err)
	status, text, _ := b.request("POST", "/plan/apply", string(body))
	require.Equal(b.t, 200, status, text)
	var out ops.PlanChanges
	require.NoError(b.t, json.Unmarshal([]byte(text), &out))
	return out
}
