package api

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/ops/opstest"
)

var update = flag.Bool("update", false, "write the golden files")

var anID = regexp.MustCompile(`(%22|\b)([0-9a-z]{12})\b`)

// numbered replaces ids by numbers in the order in which they come up.
func numbered() func(string) string {
	names := map[string]string{}
	return func(text string) string {
		return anID.ReplaceAllStringFunc(text, func(found string) string {
			v := strings.TrimPrefix(found, "%22")
			if _, err := id.Parse(v); err != nil || strings.Trim(v, "0123456789") == "" || strings.Trim(v, "abcdefghijklmnopqrstuvwxyz") == "" {
				return found
			}
			if names[v] == "" {
				names[v] = fmt.Sprintf("#%d", len(names)+1)
			}
			return strings.TrimSuffix(found, v) + names[v]
		})
	}
}

// TestAnswers_TextOnTheWire_IsWhatItWas holds every answer to its bytes: clients
// were written against them. A field may be added; then -update.
func TestAnswers_TextOnTheWire_IsWhatItWas(t *testing.T) {
	b := setup(t)
	s := b.Tell()
	ctx := t.Context()
	xm, keep, pay := b.Name(plan.KindDestination, "xm"), b.Name(plan.KindMapping, "keep"), b.Name(plan.KindMapping, "pay")
	stored, err := b.Store.StoreEvents(ctx, []store.NewEvent{{Source: b.Name(plan.KindSource, "web"), Type: "track", Name: "Paid", UserID: "ada", MessageID: "m4",
		Body: []byte(`{"type":"track","event":"Paid","userId":"ada","properties":{"z":1,"a":[{"y":2,"b":null}]}}`)}}, time.Minute)
	require.NoError(t, err)
	paid := stored[0].ID
	require.NoError(t, b.Store.WriteDeliveries(ctx, []delivery.New{
		{Event: paid, Mapping: keep, Destination: xm, Action: plan.UpsertContact, Status: delivery.Pending, Occurred: opstest.Time, Payload: []byte(`{"z":1,"a":2}`), Due: opstest.Time},
		{Event: paid, Mapping: pay, Destination: xm, Action: plan.UpsertTransaction, Status: delivery.Pending, Occurred: opstest.Time, Payload: []byte(`{}`), Due: opstest.Time},
	}))
	require.NoError(t, b.Store.MarkDeliveries(ctx, []delivery.Mark{{Ref: delivery.Ref{Event: paid, Mapping: pay}, Status: delivery.Retrying, Attempts: 2, Reason: "away", Due: opstest.Time.Add(time.Minute)}}))
	run := b.DB.Next()
	b.Do(`INSERT INTO runs (id, workflow, version, event, generation, status, directory, fields, payload, created_at, reason)
		VALUES (?, ?, 1, ?, 0, 'not_started', 1, ?, x'7b7d', 5, 'user: required field is missing')`, run, b.Name(plan.KindWorkflow, "ask"), paid,
		`[{"name":"user","type":"string","required":true,"state":"missing","value":null},{"name":"n","type":"number","state":"value","value":12.5},`+
			`{"name":"on","type":"boolean","state":"default","value":false},{"name":"t","type":"number","state":"wrong_type","value":null,"found":{"type":"string","text":"\"<12&\""}}]`)
	b.Do(`INSERT INTO outbox (id, message_id, recipient, subject, text, html, headers, sent_at) VALUES (?, 'y', 'ada@example.com', 'Hi <there>', 'none', '', ?, 7)`,
		b.DB.Next(), `{"From":"z <a@b.example>","List-Unsubscribe":"<http://x.example/u/1>","A":"b"}`)
	name := numbered()
	var out strings.Builder
	ask := func(path string) {
		_, text, _ := b.request("GET", path, "")
		out.WriteString(name("GET "+path+"\n"+text) + "\n")
	}
	for _, path := range []string{
		"/sources", "/workflows", "/destinations", "/destinations/xm", "/destinations/xm/directories", "/plan", "/check/upgrade", "/overview", "/events", "/events/" + s.Identify.String(),
		"/events/" + s.Identify.String() + "/why", "/events/" + s.Refused.String() + "/why", "/events/" + paid.String() + "/why", "/contacts", "/contacts/" + s.Contact.String(),
		"/contacts/" + s.Contact.String() + "/transactions", "/contacts/" + s.Contact.String() + "/changes", "/runs", "/runs/" + run.String(), "/runs?limit=1",
		"/distributions", "/distributions/" + s.Distribution.String(), "/invitations", "/outbox", "/outbox/" + s.Mail.String(),
	} {
		ask(path)
	}
	require.NoError(t, b.Store.PauseDestination(ctx, xm, "api", "moving"))
	ask("/destinations")
	ask("/events/" + paid.String())
	if *update {
		require.NoError(t, os.WriteFile("testdata/answers.txt", []byte(out.String()), 0o600))
	}
	want, err := os.ReadFile("testdata/answers.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
}
