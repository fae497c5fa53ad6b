package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
)

// description is the served OpenAPI document, as far as tests read it.
type description struct {
	OpenAPI    string                          `json:"openapi"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	OperationID string `json:"operationId"`
	Parameters  []struct {
		Name, In string
	} `json:"parameters"`
	Responses map[string]struct {
		Content map[string]struct{ Schema schema }
	} `json:"responses"`
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 string
	Required             []string
	Properties           map[string]schema
	Items                *schema
	AdditionalProperties any
}

func (b *bench) description() description {
	b.t.Helper()
	resp, err := b.app.Test(httptest.NewRequest("GET", "/api/openapi.json", nil))
	require.NoError(b.t, err)
	require.Equal(b.t, 200, resp.StatusCode, "the description needs no token")
	var d description
	require.NoError(b.t, json.NewDecoder(resp.Body).Decode(&d))
	return d
}

// check holds a JSON value to a schema: types, and keys that must be there.
func (d description) check(t *testing.T, at string, s schema, v any) {
	t.Helper()
	if s.Ref != "" {
		name := strings.TrimPrefix(s.Ref, "#/components/schemas/")
		require.Contains(t, d.Components.Schemas, name)
		s = d.Components.Schemas[name]
	}
	switch s.Type {
	case "array":
		list, ok := v.([]any)
		require.True(t, ok, "%s: want an array, have %v", at, v)
		for i, e := range list {
			d.check(t, fmt.Sprintf("%s[%d]", at, i), *s.Items, e)
		}
	case "object":
		object, ok := v.(map[string]any)
		require.True(t, ok, "%s: want an object, have %v", at, v)
		for _, key := range s.Required {
			require.Contains(t, object, key, at)
		}
		for key, e := range object {
			if p, ok := s.Properties[key]; ok {
				d.check(t, at+"."+key, p, e)
			} else if s.Properties != nil {
				require.Fail(t, "not described", "%s.%s", at, key)
			}
		}
	case "string":
		require.IsType(t, "", v, at)
	case "integer":
		require.IsType(t, 1.0, v, at)
	case "boolean":
		require.IsType(t, true, v, at)
	}
}

func TestOpenAPI_DescribesExactlyTheRoutesThatAreRegistered(t *testing.T) {
	b := setup(t)
	var registered, described []string
	for _, r := range b.app.GetRoutes(true) {
		if r.Method != "HEAD" {
			registered = append(registered, r.Method+" "+strings.ReplaceAll(r.Path, ":id", "{id}"))
		}
	}
	ids := map[string]string{}
	for path, methods := range b.description().Paths {
		for method, op := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
			require.Empty(t, ids[op.OperationID], "operationId %s twice", op.OperationID)
			ids[op.OperationID] = path
			require.Contains(t, op.Responses, "200")
		}
	}
	slices.Sort(registered)
	slices.Sort(described)
	require.Equal(t, registered, described)
}

func TestOpenAPI_EveryAnswerHasTheShapeDescribed(t *testing.T) {
	b := setup(t, func(o *Options) {
		o.Parts = func(context.Context) []Part { return []Part{{Name: "database", Status: "ok"}} }
	})
	s := b.tell()
	d := b.description()
	ids := map[string]string{
		"/api/events/{id}": s.identify.String(), "/api/events/{id}/why": s.identify.String(), "/api/runs/{id}": s.run.String(),
		"/api/distributions/{id}": s.distribution.String(), "/api/outbox/{id}": s.mail.String(), // the rest are a contact's
		"/api/destinations/{id}": "xm", "/api/destinations/{id}/test": "xm", "/api/destinations/{id}/directories": "xm", "/api/destinations/{id}/pause": "xm", "/api/destinations/{id}/resume": "xm",
	}
	checked := 0
	for path, methods := range d.Paths {
		for method, op := range methods {
			answer, ok := op.Responses["200"].Content["application/json"]
			if !ok || strings.HasPrefix(path, "/api/plan") {
				continue
			}
			v := ids[path]
			if v == "" {
				v = s.contact.String()
			}
			status, text, _ := b.request(strings.ToUpper(method), strings.ReplaceAll(strings.TrimPrefix(path, "/api"), "{id}", v), "")
			require.Equal(t, 200, status, text)
			var body any
			require.NoError(t, json.Unmarshal([]byte(text), &body))
			d.check(t, path, answer.Schema, body)
			for _, name := range answer.Schema.Required {
				if list, ok := body.(map[string]any)[name].([]any); ok && answer.Schema.Ref == "" {
					require.NotEmpty(t, list, "%s: the test should have one to look at", path)
				}
			}
			checked++
		}
	}
	require.Greater(t, checked, 20)
}

func TestLists_Empty_AreArraysAndHaveNoNext(t *testing.T) {
	b := setup(t)
	for path, want := range map[string]string{"/events": `{"events":[]}`, "/contacts": `{"contacts":[]}`, "/runs": `{"runs":[]}`, "/distributions": `{"distributions":[]}`,
		"/invitations": `{"invitations":[]}`, "/outbox": `{"mails":[]}`} {
		_, body, header := b.request("GET", path, "")
		require.Equal(t, want, body, path)
		require.Equal(t, "no-store", header.Get("Cache-Control"))
		_, body, _ = b.request("POST", path+"/search", `{"limit": 3, "cursor": null}`)
		require.Equal(t, want, body, path)
	}
}

func TestLists_Cursor_WalksThePages(t *testing.T) {
	b := setup(t)
	b.tell()
	var seen []string
	path := "/events?limit=1"
	for range 5 {
		var page struct {
			Events []Event
			Next   string
		}
		b.get(path, &page)
		for _, e := range page.Events {
			seen = append(seen, e.MessageID)
		}
		if page.Next == "" {
			break
		}
		path = "/events?limit=1&cursor=" + page.Next
	}
	require.Equal(t, []string{"m3", "m2", "m1"}, seen)
}

func TestLists_SameFiltersInQueryAndInBody(t *testing.T) {
	b := setup(t)
	s := b.tell()
	for _, c := range []struct{ query, body string }{
		{"/events?user_id=ada", `{"user_id":"ada"}`},
		{"/events?event=Seen&source=web&limit=2", `{"event":"Seen","source":"web","limit":2}`},
		{"/events?since=2026-03-01T12:00:00Z&until=2026-03-01T21:30:00%2B09:00", `{"since":"2026-03-01T12:00:00Z","until":"2026-03-01T21:30:00+09:00"}`},
		{"/contacts?email=ada%40example.com&directory=customers", `{"email":"ada@example.com","directory":"customers"}`},
		{"/runs?event=" + s.identify.String() + "&status=done&workflow=ask", `{"event":"` + s.identify.String() + `","status":"done","workflow":"ask"}`},
		{"/invitations?run=" + s.run.String(), `{"run":"` + s.run.String() + `"}`},
	} {
		path, _, _ := strings.Cut(c.query, "?")
		status, byQuery, _ := b.request("GET", c.query, "")
		require.Equal(t, 200, status, byQuery)
		_, byBody, _ := b.request("POST", path+"/search", c.body)
		require.Equal(t, byQuery, byBody)
		require.Contains(t, byQuery, `"id":`, "%s should find something", c.query)
	}
}

func TestLists_WhatIsNotUnderstood_IsRefusedByName(t *testing.T) {
	b := setup(t)
	b.tell()
	for _, c := range []struct{ method, path, body, field string }{
		{"GET", "/events?foo=1", "", "foo"},
		{"GET", "/events?type=track&type=page", "", "type"},
		{"GET", "/events?since=yesterday", "", "since"},
		{"GET", "/events?limit=0", "", "limit"},
		{"GET", "/events?limit=many", "", "limit"},
		{"GET", "/events?cursor=x", "", "cursor"},
		{"GET", "/events?type=a%00b", "", "type"},
		{"GET", "/contacts?user_id=a", "", "user_id"},
		{"GET", "/outbox?to=a", "", "to"},
		{"GET", "/contacts?directory=other", "", "directory"},
		{"POST", "/events/search", `{"foo":1}`, "foo"},
		{"POST", "/events/search", `{"type":["a"]}`, "type"},
		{"POST", "/events/search?type=a", `{}`, ""},
		{"POST", "/events/search", `[1]`, ""},
		{"POST", "/events/search", `{"type":"a"} {}`, ""},
		{"POST", "/plan/diff", `{"plan":"version: 1","secret":{}}`, "secret"},
		{"POST", "/plan/diff", `{"plan":1}`, "plan"},
		{"POST", "/plan/diff", `{}`, "plan"},
	} {
		p := b.problem(c.method, c.path, c.body)
		require.Equal(t, 400, p.Status, c.path)
		require.Equal(t, "invalid", p.Kind)
		require.Equal(t, c.field, p.Field, "%s %s: %s", c.path, c.body, p.Detail)
		require.NotEmpty(t, p.Detail)
	}
}

func TestAPI_WithoutToken_IsUnauthorized(t *testing.T) {
	b := setup(t)
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Basic " + token, token} {
		for _, rt := range b.routes() {
			r := httptest.NewRequest(rt.method, "/api"+rt.path, nil)
			r.Header.Set("Authorization", header)
			resp, err := b.app.Test(r)
			require.NoError(t, err)
			require.Equal(t, 401, resp.StatusCode, "%s %q", rt.path, header)
			require.Equal(t, "Bearer", resp.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestAPI_NothingThere_IsNotFound(t *testing.T) {
	b := setup(t)
	for _, path := range []string{"/events/0000000000zz", "/events/x", "/runs/0000000000zz", "/contacts/0000000000zz", "/contacts/0000000000zz/changes",
		"/contacts/0000000000zz/transactions", "/distributions/0000000000zz", "/outbox/0000000000zz", "/nothing", "/events/0000000000zz/why"} {
		p := b.problem("GET", path, "")
		require.Equal(t, 404, p.Status, path)
		require.Equal(t, "not_found", p.Kind)
	}
}

func TestReadBody_TooLargeOrCompressed_IsRefused(t *testing.T) {
	b := setup(t)
	require.Equal(t, 413, b.problem("POST", "/events/search", `{"type":"`+strings.Repeat("x", maxFilterBody)+`"}`).Status)
	r := httptest.NewRequest("POST", "/api/events/search", strings.NewReader("{}"))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Encoding", "gzip")
	resp, err := b.app.Test(r)
	require.NoError(t, err)
	require.Equal(t, 415, resp.StatusCode)
}

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
		{&PlanProblems{plan.Problems{{Message: "bad"}}}, 400, "invalid", "the plan has 1 problem; the first: bad"},
		{fmt.Errorf("query: %w", context.DeadlineExceeded), 503, "unavailable", "this took too long: ask for less, or later"},
	}
	for i, c := range cases {
		app.Get(fmt.Sprintf("/%d/:token", i), AccessLog(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))), func(*fiber.Ctx) error { return c.err })
	}
	for i, c := range cases {
		resp, err := app.Test(httptest.NewRequest("GET", fmt.Sprintf("/%d/path-secret?email=query-secret", i), nil))
		require.NoError(t, err)
		var p Problem
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&p))
		require.Equal(t, c.status, resp.StatusCode, c.detail)
		require.Equal(t, c.kind, p.Kind)
		require.Equal(t, c.detail, p.Detail)
		require.Equal(t, resp.Header.Get("X-Request-Id"), p.RequestID)
		require.Contains(t, log.String(), p.RequestID)
		if c.status == 429 {
			require.Equal(t, "2", resp.Header.Get("Retry-After"))
		}
	}
	require.Contains(t, log.String(), "plain secret", "the log has the cause")
	require.NotContains(t, log.String(), "path-secret")
	require.NotContains(t, log.String(), "query-secret")
	require.Contains(t, log.String(), "/0/:token")
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

func TestNamed_UnknownNameOfAFilter_IsNotNotFound(t *testing.T) {
	b := setup(t)
	b.tell()
	_, err := b.named(t.Context(), plan.KindWorkflow, "nope")
	require.Equal(t, fault.Invalid, fault.KindOf(err))
}
