package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
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
	AnyOf                []schema
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
	if len(s.AnyOf) == 2 && s.AnyOf[1].Type == "null" {
		if v == nil {
			return
		}
		d.check(t, at, s.AnyOf[0], v)
		return
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
			_, done := op.Responses["200"]
			_, begun := op.Responses["202"]
			require.NotEqual(t, done, begun, path)
		}
	}
	slices.Sort(registered)
	slices.Sort(described)
	require.Equal(t, registered, described)
}

func TestOpenAPI_EveryAnswerHasTheShapeDescribed(t *testing.T) {
	b := setup(t, func(o *ops.Options) {
		o.Parts = func(context.Context) []ops.Part { return []ops.Part{{Name: "database", Status: "ok"}} }
	})
	s := b.Tell()
	d := b.description()
	ids := map[string]string{
		"/api/events/{id}": s.Identify.String(), "/api/events/{id}/why": s.Identify.String(), "/api/runs/{id}": s.Run.String(),
		"/api/distributions/{id}": s.Distribution.String(), "/api/outbox/{id}": s.Mail.String(), // the rest are a contact's
		"/api/destinations/{id}": "xm", "/api/destinations/{id}/test": "xm", "/api/destinations/{id}/directories": "xm", "/api/destinations/{id}/pause": "xm", "/api/destinations/{id}/resume": "xm",
		"/api/events/{id}/process": s.Identify.String(),
	}
	for _, path := range []string{"", "/items", "/items/search", "/pause", "/resume", "/cancel"} { // each has its own
		v := b.Replayed(job.Page{Items: []job.Item{{Subject: s.Identify, Part: b.Name(plan.KindMapping, "keep"), Outcome: "new", Detail: `{"status":"pending","differs":["email"]}`}}})
		if path == "/resume" {
			_, err := b.Jobs.Pause(t.Context(), v)
			require.NoError(t, err)
		}
		ids["/api/jobs/{id}"+path] = v.String()
	}
	checked := 0
	for path, methods := range d.Paths {
		for method, op := range methods {
			want, sent := 200, ""
			if _, begins := op.Responses["202"]; begins {
				want = 202
			}
			if path == "/api/replays" {
				sent = `{"filter":{"source":"web"},"dry_run":true}`
			}
			answer, ok := op.Responses[strconv.Itoa(want)].Content["application/json"]
			if !ok || strings.HasPrefix(path, "/api/plan") {
				continue
			}
			v := ids[path]
			if v == "" {
				v = s.Contact.String()
			}
			status, text, _ := b.request(strings.ToUpper(method), strings.ReplaceAll(strings.TrimPrefix(path, "/api"), "{id}", v), sent)
			require.Equal(t, want, status, text)
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
		"/jobs": `{"jobs":[]}`, "/invitations": `{"invitations":[]}`, "/outbox": `{"mails":[]}`} {
		_, body, header := b.request("GET", path, "")
		require.Equal(t, want, body, path)
		require.Equal(t, "no-store", header.Get("Cache-Control"))
		_, body, _ = b.request("POST", path+"/search", `{"limit": 3, "cursor": null}`)
		require.Equal(t, want, body, path)
	}
}

func TestLists_Cursor_WalksThePages(t *testing.T) {
	b := setup(t)
	b.Tell()
	var seen []string
	path := "/events?limit=1"
	for range 5 {
		var page struct {
			Events []ops.Event
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
	s := b.Tell()
	for _, c := range []struct{ query, body string }{
		{"/events?user_id=ada", `{"user_id":"ada"}`},
		{"/events?event=Seen&source=web&limit=2", `{"event":"Seen","source":"web","limit":2}`},
		{"/events?since=2026-03-01T12:00:00Z&until=2026-03-01T21:30:00%2B09:00", `{"since":"2026-03-01T12:00:00Z","until":"2026-03-01T21:30:00+09:00"}`},
		{"/contacts?email=ada%40example.com&directory=customers", `{"email":"ada@example.com","directory":"customers"}`},
		{"/runs?event=" + s.Identify.String() + "&status=done&workflow=ask", `{"event":"` + s.Identify.String() + `","status":"done","workflow":"ask"}`},
		{"/invitations?run=" + s.Run.String(), `{"run":"` + s.Run.String() + `"}`},
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
	b.Tell()
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
		for _, rt := range routes(b.Operations) {
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

// refusing answers every call as an account does that does not know the token.
type refusing struct{}

func (refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusUnauthorized, Request: r, Header: http.Header{}, Body: http.NoBody}, nil
}

func TestDestinations_TroubleWithAnAccount_IsNotTheCallers(t *testing.T) {
	b := setup(t, func(o *ops.Options) {
		o.Accounts = func(context.Context, plan.Destination) (*qualtrics.Client, error) {
			return qualtrics.New(qualtrics.Options{APIToken: "t", Transport: refusing{}})
		}
	})
	body, err := json.Marshal(ops.PlanInput{Plan: "version: 1\ndestinations: [{name: acme, type: qualtrics, api_token: t}]\n"})
	require.NoError(t, err)
	status, text, _ := b.request("POST", "/plan/apply", string(body))
	require.Equal(t, 200, status, text)
	require.Equal(t, 409, b.problem("GET", "/destinations/acme/directories", "").Status, "401 would be about this API's token")
	var found ops.Connection
	_, text, _ = b.request("POST", "/destinations/acme/test", "")
	require.NoError(t, json.Unmarshal([]byte(text), &found))
	require.False(t, found.OK)
	require.NotEmpty(t, found.Problem)
	status, text, _ = b.request("POST", "/destinations/acme/pause", `{"note":"moving house"}`)
	require.Equal(t, 200, status)
	require.Contains(t, text, `"by":"api","note":"moving house"`)
	status, text, _ = b.request("POST", "/destinations/acme/resume", "")
	require.Equal(t, 200, status)
	require.Contains(t, text, `"status":"ok"`)
	require.Equal(t, 404, b.problem("POST", "/destinations/nowhere/pause", "").Status)
	require.Equal(t, 400, b.problem("POST", "/destinations/acme/pause", `{"nota":"x"}`).Status)
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
