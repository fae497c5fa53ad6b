package mapping_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
)

func payloadOf(t *testing.T, action, fields, event string) (*jsonvalue.Object, error) {
	t.Helper()
	a, err := mapping.ForAction(action, object(t, fields), true)
	require.NoError(t, err)
	return a.Apply(object(t, event))
}

func TestForAction_DefaultsAreOverlaid(t *testing.T) {
	t.Parallel()
	event := `{"userId":7,"email":"","traits":{"email":"a@example.com","firstName":"Ann","phone":null,"age":5}}`
	p, err := payloadOf(t, plan.UpsertContact, `{"lastName":"Lee","language":null,"embeddedData":{"age":{"@path":"$.traits.age"},"none":null}}`, event)
	require.NoError(t, err)
	require.Equal(t, `{"extRef":"7","firstName":"Ann","lastName":"Lee","unsubscribed":false,"embeddedData":{"age":5,"none":null}}`, jsonvalue.Text(p))

	a, err := mapping.ForAction(plan.UpsertContact, nil, true)
	require.NoError(t, err)
	p, err = a.Apply(object(t, `{"traits":{"language":""}}`))
	require.NoError(t, err)
	require.Equal(t, `{"unsubscribed":false}`, jsonvalue.Text(p)) // "" exists, so no EN, and is dropped
}

func TestForAction_UnknownActionOrField_IsRefused(t *testing.T) {
	t.Parallel()
	_, err := mapping.ForAction("nope", nil, true)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	_, err = mapping.ForAction(plan.StartWorkflow, object(t, `{"email":"x"}`), true)
	require.ErrorContains(t, err, "/email is not a field of start_workflow")
	_, err = mapping.ForAction(plan.StartWorkflow, object(t, `{"__segment_internal_sync_mode":"upsert"}`), true)
	require.NoError(t, err)
}

func TestActionMapping_Required_DependsOnTheDestination(t *testing.T) {
	t.Parallel()
	for _, action := range []string{plan.UpsertContact, plan.UpsertTransaction, plan.StartWorkflow} {
		remote, err := mapping.ForAction(action, nil, false)
		require.NoError(t, err)
		_, err = remote.Apply(object(t, `{"userId":"u"}`))
		require.ErrorContains(t, err, "is required but missing", action)
		builtIn, err := mapping.ForAction(action, nil, true)
		require.NoError(t, err)
		_, err = builtIn.Apply(object(t, `{"userId":"u"}`))
		require.NoError(t, err, action)
	}
	_, err := payloadOf(t, plan.UpsertTransaction, `{}`, `{"userId":"","anonymousId":"a"}`) // "" exists, and then is dropped
	require.EqualError(t, err, "extRef: is required but missing")
}

func TestActionMapping_Coercion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ fields, want string }{
		{`{"email":5}`, `"email":"5"`},
		{`{"email":true}`, `"email":"true"`},
		{`{"email":["x"]}`, `"email":"x"`},
		{`{"email":[""]}`, `"email":""`}, // empty values are taken out before an array is opened
		{`{"email":[null]}`, `"email":""`},
		{`{"unsubscribed":[null]}`, `"unsubscribed":false`},
		{`{"unsubscribed":[""]}`, `unsubscribed: must be a boolean but it was a string`},
		{`{"email":[["x"]]}`, `email: must be a string but it was an array`},
		{`{"unsubscribed":"true"}`, `"unsubscribed":true`},
		{`{"unsubscribed":1}`, `"unsubscribed":true`},
		{`{"unsubscribed":0}`, `"unsubscribed":false`},
		{`{"unsubscribed":""}`, ``},
		{`{"embeddedData":[{"a":1}]}`, `embeddedData: must be an object but it was an array`},
		{`{"email":["a","b"]}`, `email: must be a string but it was an array`},
		{`{"email":{"a":1}}`, `email: must be a string but it was an object`},
		{`{"unsubscribed":"TRUE"}`, `unsubscribed: must be a boolean but it was a string`},
		{`{"unsubscribed":2}`, `unsubscribed: must be a boolean but it was a number`},
		{`{"embeddedData":"x"}`, `embeddedData: must be an object but it was a string`},
		{`{"embeddedData":[],"email":[]}`, `email: must be a string but it was an array; embeddedData: must be an object but it was an array`},
	} {
		base := `{"extRef":null,"language":null,"unsubscribed":null}`
		fields := object(t, base)
		for k, v := range object(t, c.fields).All() {
			fields.Set(k, v)
		}
		p, err := payloadOf(t, plan.UpsertContact, jsonvalue.Text(fields), `{}`)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			require.Equal(t, c.want, err.Error(), c.fields)
			continue
		}
		require.Equal(t, "{"+c.want+"}", jsonvalue.Text(p), c.fields)
	}
}

func TestActionMapping_WorkflowURL_MustBeHTTP(t *testing.T) {
	t.Parallel()
	for u, ok := range map[string]bool{
		"https://iad1.qualtrics.com/triggers?s=1&t=2": true, "http://127.0.0.1:8080/x": true,
		"ftp://example.com/": false, "/x": false, "https://example.com/日本": false, "https://": false,
		"https://x/a|b": false, "https://x/{a}": false, "https://x/ y": false, "https://x?x=[1]": false, "https://x/%zz": false, "https://[::1]/x?a=%20": true,
	} {
		_, err := payloadOf(t, plan.StartWorkflow, `{"workflowUrl":"`+u+`"}`, `{}`)
		require.Equal(t, ok, err == nil, "%s: %v", u, err)
	}
}

func TestTransactionOf_Dates(t *testing.T) {
	t.Parallel()
	read := func(date string) (mapping.Transaction, error) {
		return mapping.TransactionOf(object(t, `{"extRef":"u","transactionDate":`+date+`}`))
	}
	for date, want := range map[string]string{
		`"2025-05-06T07:08:09.123Z"`:      "2025-05-06T07:08:09.123Z",
		`"2025-05-06T07:08:09+02:00"`:     "2025-05-06T05:08:09Z",
		`"2025-05-06T07:08:09+0200"`:      "2025-05-06T05:08:09Z",
		`"2025-05-06 07:08:09"`:           "2025-05-06T07:08:09Z",
		`"2025-05-06 07:08:09 +0200"`:     "2025-05-06T05:08:09Z",
		`"2025-05-06"`:                    "2025-05-06T00:00:00Z",
		`" 2025-05-06T07:08 "`:            "2025-05-06T07:08:00Z",
		`"Tue, 06 May 2025 07:08:09 GMT"`: "2025-05-06T07:08:09Z",
		`"Tue May 06 2025 09:08:09 GMT+0200 (Central European Summer Time)"`: "2025-05-06T07:08:09Z",
		`"May 6, 2025"`:      "2025-05-06T00:00:00Z",
		`"6 May 2025 07:08"`: "2025-05-06T07:08:00Z",
		`"5/6/2025"`:         "2025-05-06T00:00:00Z",
		`1746515289123`:      "2025-05-06T07:08:09.123Z",
		`1.5`:                "1970-01-01T00:00:00.001Z",
	} {
		tx, err := read(date)
		require.NoError(t, err, date)
		require.Equal(t, want, tx.Date.Format(time.RFC3339Nano), date)
		require.Equal(t, time.UTC, tx.Date.Location(), date)
	}
	for _, date := range []string{`"soon"`, `"1746515289123"`, `"20250506"`, `"2025-13-45"`, `"2025-02-30"`, `true`, `1e300`, `{}`, `"2025-05-06 07:08:09 XYZ"`} {
		_, err := read(date)
		var f *fault.Error
		require.ErrorAs(t, err, &f, date)
		require.Equal(t, "transactionDate", f.Field, date)
		_, err = payloadOf(t, plan.UpsertTransaction, `{"transactionDate":`+date+`}`, `{"userId":"u"}`)
		require.ErrorAs(t, err, &f, date) // refused by the mapping already
	}
	for _, date := range []string{`null`, `""`} {
		tx, err := read(date)
		require.NoError(t, err)
		require.Nil(t, tx.Date)
	}
}

func TestTransactionOf_StoredPayload_KeepsNestedData(t *testing.T) {
	t.Parallel()
	p, err := payloadOf(t, plan.UpsertTransaction,
		`{"mailingListId":"CG_1","transactionData":{"@path":"$.properties"},"email":"a@example.com","unsubscribed":true}`,
		`{"userId":"u","timestamp":"2025-05-06T07:08:09Z","properties":{"total":1.5,"items":[{"a":null}]}}`)
	require.NoError(t, err)
	tx, err := mapping.TransactionOf(object(t, jsonvalue.Text(p)))
	require.NoError(t, err)
	require.Equal(t, "u", tx.ExtRef)
	require.Equal(t, "a@example.com", tx.Email)
	require.Empty(t, tx.Language)
	require.Equal(t, "CG_1", tx.MailingListID)
	require.Empty(t, tx.ContactID)
	require.True(t, *tx.Unsubscribed)
	require.Nil(t, tx.EmbeddedData)
	require.Equal(t, `{"total":1.5,"items":[{"a":null}]}`, jsonvalue.Text(tx.Data))

	c := mapping.ContactOf(object(t, `{"email":5,"unsubscribed":"x"}`))
	require.Equal(t, mapping.Contact{}, c)
}

func TestActionFields_EveryDefaultCompiles(t *testing.T) {
	t.Parallel()
	for _, action := range []string{plan.UpsertContact, plan.UpsertTransaction, plan.StartWorkflow} {
		fields := mapping.ActionFields(action)
		require.NotEmpty(t, fields)
		for _, f := range fields {
			require.NotEmpty(t, f.Label, f.Name)
			require.NotEmpty(t, f.Type, f.Name)
		}
	}
	require.Nil(t, mapping.ActionFields("nope"))
	require.Equal(t, `type = "identify"`, mapping.DefaultFilter(plan.UpsertContact))
	require.Empty(t, mapping.DefaultFilter(plan.StartWorkflow))
}

func TestForAction_BuiltIn_DoesNotResetTheLanguage(t *testing.T) {
	t.Parallel()
	event, err := jsonvalue.ParseObject([]byte(`{"type":"identify","userId":"u1","traits":{"email":"a@example.com"}}`))
	require.NoError(t, err)
	for builtIn, want := range map[bool]string{true: "", false: "EN"} {
		fields, err := jsonvalue.ParseObject([]byte(`{"directoryId":"POOL_1"}`))
		require.NoError(t, err)
		m, err := mapping.ForAction(plan.UpsertContact, fields, builtIn)
		require.NoError(t, err)
		payload, err := m.Apply(event)
		require.NoError(t, err)
		require.Equal(t, want, mapping.ContactOf(payload).Language)
	}
}
