package mapping_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
)

// segmentActions are Segment's names of the actions.
var segmentActions = map[any]string{
	"addContactToXmd":          plan.UpsertContact,
	"upsertContactTransaction": plan.UpsertTransaction,
	"triggerXflowWorkflow":     plan.StartWorkflow,
}

// refusedDates are texts that Segment's destination reads as the current time.
var refusedDates = map[any]bool{"1746515289123": true, "20250506": true, "2025-13-45": true}

// TestActionMapping_Conformance holds payloads and refusals against what Segment's
// destination sent and refused, when SEGUE_CONFORMANCE names a directory with
// qualtrics_calls.jsonl.
func TestActionMapping_Conformance(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SEGUE_CONFORMANCE")
	if dir == "" {
		t.Skip("SEGUE_CONFORMANCE is not set")
	}
	compared, refused, exceptions := 0, 0, 0
	for _, c := range readCorpus(t, filepath.Join(dir, "qualtrics_calls.jsonl")) {
		action, ok := segmentActions[c.want.Get("action")]
		given, isMapping := c.mapping.(*jsonvalue.Object)
		event, isEvent := c.want.Get("event").(*jsonvalue.Object)
		if !ok || !isMapping || !isEvent || c.feature == "settings" || c.feature == "subscription" {
			continue
		}
		outcome := c.want.Get("outcome").(*jsonvalue.Object)
		fields := jsonvalue.NewObject(16)
		for _, f := range mapping.ActionFields(action) {
			fields.Set(f.Name, nil) // in the corpus a field that is not there has no mapping
		}
		for k, v := range given.All() {
			fields.Set(k, v)
		}
		a, err := mapping.ForAction(action, fields, false)
		var invalid *mapping.ValidationError
		if outcome.Get("kind") == "mapping" {
			require.ErrorAs(t, err, &invalid, c.id)
			refused++
			continue
		}
		require.NoError(t, err, c.id)
		payload, err := a.Apply(event)
		switch {
		case outcome.Get("kind") == "validation":
			require.Error(t, err, "%s: %s", c.id, outcome.Get("message"))
			refused++
		case refusedDates[given.Get("transactionDate")]:
			require.Error(t, err, c.id)
			exceptions++
		case c.feature == "workflow/url forms" && outcome.Get("status") == "error":
			require.Error(t, err, c.id)
			refused++
		default:
			require.NoError(t, err, c.id)
			compared += comparePayload(t, c, action, payload)
		}
	}
	t.Logf("%d payloads compared, %d refused alike, %d dates refused on purpose", compared, refused, exceptions)
}

// comparePayload holds a payload against the first request that carries it.
func comparePayload(t *testing.T, c corpusCase, action string, payload *jsonvalue.Object) int {
	t.Helper()
	requests := c.want.Get("requests").([]any)
	if len(requests) == 0 {
		return 0
	}
	first := requests[0].(*jsonvalue.Object)
	body := first.Get("body")
	switch {
	case action == plan.StartWorkflow:
		sent := payload.Get("eventPayload")
		if jsonvalue.IsUndefined(sent) {
			sent = nil
		}
		require.True(t, sameJSON(sent, body), "%s: %s", c.id, jsonvalue.Text(payload))
		return 1
	case action == plan.UpsertContact:
		want := jsonvalue.NewObject(8)
		for k, v := range payload.All() {
			if k != "directoryId" {
				want.Set(k, v)
			}
		}
		require.True(t, sameJSON(want, body), "%s: %s\n%s", c.id, jsonvalue.Text(payload), jsonvalue.Text(body))
		return 1
	}
	last := requests[len(requests)-1].(*jsonvalue.Object)
	sent, ok := last.Get("body").(*jsonvalue.Object)
	if !ok || !sent.Has("$RANDOM16") {
		return 0
	}
	sent = sent.Get("$RANDOM16").(*jsonvalue.Object)
	tx, err := mapping.TransactionOf(payload)
	require.NoError(t, err, c.id)
	require.Equal(t, sent.Get("mailingListId"), tx.MailingListID, c.id)
	if tx.Date != nil {
		require.Equal(t, sent.Get("transactionDate"), tx.Date.Format("2006-01-02 15:04:05"), c.id)
	}
	return 1
}

func TestActionMapping_ValidationError_IsFault(t *testing.T) {
	t.Parallel()
	_, err := mapping.ForAction(plan.UpsertContact, object(t, `{"nope":1,"email":{"@nope":1}}`), true)
	var invalid *mapping.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Len(t, invalid.Problems, 2)
	require.Equal(t, "/nope", invalid.Problems[0].Path)
	require.Equal(t, "/email", invalid.Problems[1].Path)
}
