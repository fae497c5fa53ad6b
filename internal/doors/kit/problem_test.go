package kit

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops"
)

func TestErrorHandler_TellsKindsAndHidesInternals(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ErrorHandler: ErrorHandler(slog.New(slog.NewTextHandler(&log, nil)))})
	limited := fault.New(fault.RateLimited, "slow down")
	limited.RetryAfter = 1500 * time.Millisecond
	cases := []struct {
		err    error
		status int
		kind   string
		detail string
	}{
		{fault.Field("email", "too long"), 400, "invalid", "too long"},
		{fmt.Errorf("save: %w", fault.New(fault.Conflict, "it has contacts")), 409, "conflict", "it has contacts"},
		{fault.Wrap(fault.Unavailable, fmt.Errorf("dial tcp secret-host"), "database"), 503, "unavailable", "database"},
		{fault.Wrap(fault.Internal, fmt.Errorf("secret"), "secret too"), 500, "internal", "internal error"},
		{fmt.Errorf("plain secret"), 500, "internal", "internal error"},
		{limited, 429, "rate_limited", "slow down"},
		{fiber.ErrMethodNotAllowed, 405, "invalid", "Method Not Allowed"},
		{fiber.ErrRequestEntityTooLarge, 413, "invalid", "Request Entity Too Large"},
		{&ops.PlanProblems{Problems: plan.Problems{{Message: "bad"}}}, 400, "invalid", "the plan has 1 problem; the first: bad"},
		{fmt.Errorf("query: %w", context.DeadlineExceeded), 503, "unavailable", "this took too long: ask for less, or later"},
	}
	for i, c := range cases {
		app.Get(fmt.Sprintf("/%d/:token", i), func(*fiber.Ctx) error { return c.err })
	}
	for i, c := range cases {
		resp, err := app.Test(httptest.NewRequest("GET", fmt.Sprintf("/%d/path-secret?email=query-secret", i), nil))
		require.NoError(t, err)
		var p ops.Problem
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&p))
		require.Equal(t, c.status, resp.StatusCode, c.detail)
		require.Equal(t, c.kind, p.Kind)
		require.Equal(t, c.detail, p.Detail)
		require.Equal(t, resp.Header.Get("X-Request-Id"), p.RequestID)
		require.Equal(t, c.status >= 500, strings.Contains(log.String(), p.RequestID), "what is ours to look at is in the log")
		if c.status == 429 {
			require.Equal(t, "2", resp.Header.Get("Retry-After"))
		}
	}
	require.Contains(t, log.String(), "plain secret", "the log has the cause")
	require.NotContains(t, log.String(), "path-secret")
	require.NotContains(t, log.String(), "query-secret")
	require.Contains(t, log.String(), "/:token")
}

func TestTokens_EmptyOnesCountForNothing(t *testing.T) {
	t.Parallel()
	check := Tokens("", "a", "b")
	require.True(t, check("a"))
	require.True(t, check("b"))
	require.False(t, check(""))
	require.False(t, check("c"))
	require.False(t, Tokens()(""))
}
