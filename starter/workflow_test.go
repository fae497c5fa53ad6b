package starter_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/segment"
)

// trigger posts to the URL of the workflow "ask" and returns the event's id.
func (f *fixture) trigger(body string, header ...string) id.ID {
	f.t.Helper()
	a := f.send(http.MethodPost, "/v1/workflows/"+f.token(), body, header...)
	require.Equal(f.t, http.StatusAccepted, a.status, a.body)
	var got struct{ ID id.ID }
	require.NoError(f.t, json.Unmarshal([]byte(a.body), &got))
	require.NotZero(f.t, got.ID)
	return got.ID
}

func TestWorkflowURL_AnyJSON_IsStoredAsItCame(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, body := range []string{
		`{"event":"E","type":"track","userId":7,"messageId":"m","n":1.50}`, ` [1, {"messageId":"x"}] `, `"text"`, `12345678901234567890`, `null`, `true`, `{}`,
	} {
		v := f.trigger(body, "X-API-TOKEN", "whatever")
		require.Equal(t, body, f.body(v))
		row, err := f.reader.EventRow(t.Context(), v)
		require.NoError(t, err)
		require.Equal(t, f.named(plan.KindSource, "workflow:ask"), row.Source)
		require.Equal(t, segment.Accepted, row.Status)
	}
	rows := f.stored()
	require.Equal(t, []string{"track", "E", "7", "m"}, []string{rows[0].Type, rows[0].Name, rows[0].UserID, rows[0].MessageID})
	f.eventually("dispatched", func() bool { return len(f.launcher.started()) == len(rows) })
}

func TestWorkflowURL_SameEvent_IsTheSameID(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		key := f.trigger(`{"n":1}`, "Idempotency-Key", "k")
		require.Equal(t, key, f.trigger(`{"n":2}`, "Idempotency-Key", "k"))
		f.pass(24 * time.Hour)
		require.Equal(t, key, f.trigger(`{"n":3,"messageId":"m"}`, "Idempotency-Key", "k"), "the header wins over the body")

		message := f.trigger(`{"n":1,"messageId":"m"}`)
		require.NotEqual(t, key, message)
		require.Equal(t, message, f.trigger(`{"n":2,"messageId":"m"}`))
		require.Len(t, f.stored(), 2)
	})
}

func TestWorkflowURL_IDsThatDiffer_AreKeptApart(t *testing.T) {
	t.Parallel()
	f := setup(t)
	long := strings.Repeat("k", 300)
	seen := map[id.ID]bool{}
	for _, key := range []string{long + "1", long + "2"} {
		seen[f.trigger(`{}`, "Idempotency-Key", key)] = true
		seen[f.trigger(`{"messageId":"m`+key+`"}`)] = true
		require.True(t, seen[f.trigger(`{}`, "Idempotency-Key", key)])
	}
	// Both are the same floating-point number.
	for _, number := range []string{"12345678901234567890", "12345678901234567891"} {
		seen[f.trigger(`{"messageId":`+number+`}`)] = true
	}
	require.Len(t, seen, 6)
	require.Len(t, f.stored(), 6)
}

func TestWorkflowURL_SameBody_IsTheSameEventForTenMinutes(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		f.pass(9 * time.Minute) // the spans of time that the hash counts end in a minute
		first := f.trigger(`{"n":1}`)
		require.Equal(t, first, f.trigger(`{"n":1}`))
		require.NotEqual(t, first, f.trigger(`{"n":2}`))
		f.pass(2 * time.Minute)
		require.Equal(t, first, f.trigger(`{"n":1}`), "across the boundary")
		f.pass(8 * time.Minute)
		require.Equal(t, first, f.trigger(`{"n":1}`), "ten minutes")
		f.pass(time.Second)
		second := f.trigger(`{"n":1}`)
		require.NotEqual(t, first, second, "more than ten minutes after the first")
		require.Equal(t, second, f.trigger(`{"n":1}`))
		f.pass(2 * time.Minute)
		require.Equal(t, second, f.trigger(`{"n":1}`))
		require.Len(t, f.stored(), 3)
	})
}

func TestWorkflowURL_Refused(t *testing.T) {
	t.Parallel()
	f := setup(t)
	path := "/v1/workflows/" + f.token()
	for i, body := range []string{``, `{`, `{"a":1} {}`, `a=1&b=2`, "{\"a\":\"\x00\"}", "{\"a\":\"\xff\"}", strings.Repeat("[", 1<<19),
		`"` + strings.Repeat("x", 1<<20) + `"`} {
		a := f.send(http.MethodPost, path, body)
		require.Equal(t, http.StatusBadRequest, a.status, "%.40q", body)
		a.problem(t)
		rows := f.stored()
		require.Len(t, rows, i+1, "recorded: %.40q", body)
		require.NotEmpty(t, rows[i].Refusal)
	}
	a := f.send(http.MethodPost, path, gzipped(t, strings.Repeat(" ", 8<<20)), "Content-Encoding", "gzip")
	require.Equal(t, http.StatusBadRequest, a.status)

	for _, token := range []string{"nothing", strings.ToUpper(f.token()), f.token() + "x", "%00", "%ff"} {
		a := f.send(http.MethodPost, "/v1/workflows/"+token, `{}`)
		require.Equal(t, http.StatusNotFound, a.status)
		require.NotContains(t, a.problem(t).Detail, f.token())
	}
}

func TestWorkflowURL_ArchivedWorkflow_IsNotFound(t *testing.T) {
	t.Parallel()
	f := setup(t)
	token := f.token()
	f.trigger(`{"n":1}`)
	p := f.plan()
	p.Workflows = nil
	f.save(p)
	require.NoError(t, f.access.Refresh(t.Context()))
	require.Equal(t, http.StatusNotFound, f.send(http.MethodPost, "/v1/workflows/"+token, `{}`).status)
}

func TestWorkflowURL_LastUse_IsNotedOnceAMinute(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		workflow := f.named(plan.KindWorkflow, "ask")
		used := func() time.Time {
			at, err := f.reader.WorkflowURLUsed(t.Context(), workflow)
			require.NoError(t, err)
			return at
		}
		require.True(t, used().IsZero())
		f.trigger(`{"n":1}`)
		f.eventually("noted", func() bool { return used().Equal(start) })
		f.pass(59 * time.Second)
		f.trigger(`{"n":2}`)
		f.pass(time.Second)
		f.trigger(`{"n":3}`)
		f.eventually("noted", func() bool { return used().Equal(start.Add(time.Minute)) })
	})
}

// TestWorkflowURL_WhatIsKept_DoesNotReferToTheRequest: the memory of a request is
// used for the next one while events wait for their commit.
func TestWorkflowURL_WhatIsKept_DoesNotReferToTheRequest(t *testing.T) {
	t.Parallel()
	f := setup(t)
	path := "/v1/workflows/" + f.token()
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for worker := range 8 {
		wg.Go(func() {
			for i := range 25 {
				key := strings.Repeat(string(rune('a'+worker)), 20+i)
				a, err := f.try(http.MethodPost, path, `{"key":"`+key+`","userId":"`+key+`","event":"`+key+`"}`, "Idempotency-Key", key)
				if err != nil || a.status != http.StatusAccepted {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	require.Empty(t, errs)
	rows := f.stored()
	require.Len(t, rows, 200)
	for _, r := range rows {
		require.Equal(t, r.MessageID, r.UserID)
		require.Equal(t, r.MessageID, r.Name)
		require.Contains(t, f.body(r.ID), `"key":"`+r.MessageID+`"`)
	}
}
