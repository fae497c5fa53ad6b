package api

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/ops"
)

func (b *bench) begun(path, body string) (j ops.Job) {
	b.t.Helper()
	status, text, _ := b.request("POST", path, body)
	require.Equal(b.t, 202, status, text)
	require.NoError(b.t, json.Unmarshal([]byte(text), &j))
	return j
}

func TestReplays_AreAcceptedAsJobs(t *testing.T) {
	b := setup(t)
	s := b.Tell()
	j := b.begun("/replays", `{"filter":{"source":"web","mapping":"keep","type":"identify","event":"x","since":"2026-01-01T00:00:00Z","until":"2026-12-01T00:00:00Z"},"dry_run":true,"force":true}`)
	require.Equal(t, []any{job.Replay, job.Running, "api", int64(0), int64(3)}, []any{j.Kind, j.Status, j.Author, j.Done, *j.Total})
	require.Equal(t, ops.ReplayFilter{Source: "web", Mapping: "keep", Type: "identify", Event: "x", Since: j.Replay.Filter.Since, Until: j.Replay.Filter.Until}, j.Replay.Filter)
	require.True(t, j.Replay.DryRun && j.Replay.Force)

	one := b.begun("/events/"+s.Identify.String()+"/process", "")
	require.Equal(t, []string{s.Identify.String()}, one.Replay.Filter.IDs)
	require.False(t, one.Replay.DryRun)
	one = b.begun("/events/"+s.Identify.String()+"/process", `{"dry_run":true,"force":true}`)
	require.True(t, one.Replay.DryRun && one.Replay.Force)
	var list struct{ Jobs []ops.Job }
	b.get("/jobs?kind=replay", &list)
	require.Len(t, list.Jobs, 3)
	require.Equal(t, one.ID, list.Jobs[0].ID, "newest first")
	require.Nil(t, list.Jobs[0].Report)
}

func TestReplays_WhatNamesNothing_IsRefusedWithTheField(t *testing.T) {
	b := setup(t)
	s := b.Tell()
	for body, field := range map[string]string{
		``: "filter", `{}`: "filter", `{"filter":{}}`: "filter", `{"filter":{"until":"2026-01-01T00:00:00Z"}}`: "filter",
		`{"filter":{"source":"nobody"}}`: "source", `{"filter":{"mapping":"nothing"}}`: "mapping", `{"filter":{"type":"buy"}}`: "type",
		`{"filter":{"since":"2026-02-01T00:00:00Z","until":"2026-01-01T00:00:00Z"}}`: "until",
		`{"filter":{"ids":["x"]}}`: "ids", `{"filter":{"ids":[""]}}`: "ids", `{"filter":{"ids":["0000000000zz"]}}`: "ids",
		fmt.Sprintf(`{"filter":{"ids":[%q],"source":"web"}}`, s.Identify): "ids",
		`{"filter":{"sauce":"web"}}`:                                      "sauce",
	} {
		p := b.problem("POST", "/replays", body)
		require.Equal(t, 400, p.Status, body)
		require.Equal(t, field, p.Field, body)
	}
	require.Equal(t, 404, b.problem("POST", "/events/0000000000zz/process", "").Status)
	require.Equal(t, 404, b.problem("POST", "/events/nonsense/process", "").Status)
	var list struct{ Jobs []ops.Job }
	b.get("/jobs", &list)
	require.Empty(t, list.Jobs)
}

func TestJobs_PausedResumedCancelled(t *testing.T) {
	b := setup(t)
	v := b.Replayed(job.Page{Done: 7, Counts: map[string]int{"events": 7}}).String()
	for _, c := range []struct {
		do   string
		code int
		want job.Status
	}{{"pause", 200, job.Paused}, {"pause", 200, job.Paused}, {"resume", 200, job.Running}, {"resume", 200, job.Running}, {"cancel", 200, job.Cancelled}, {"cancel", 200, job.Cancelled}, {"resume", 409, job.Cancelled}, {"pause", 409, job.Cancelled}} {
		status, text, _ := b.request("POST", "/jobs/"+v+"/"+c.do, "")
		require.Equal(t, c.code, status, "%s: %s", c.do, text)
		var j ops.Job
		b.get("/jobs/"+v, &j)
		require.Equal(t, c.want, j.Status)
		require.Equal(t, map[string]int{"events": 7}, j.Counts)
	}
	for _, do := range []string{"", "/items"} {
		require.Equal(t, fault.NotFound.String(), b.problem("GET", "/jobs/0000000000zz"+do, "").Kind)
	}
	require.Equal(t, 404, b.problem("POST", "/jobs/0000000000zz/pause", "").Status)
}

func TestJobItems_AreWalkedByTheCursor(t *testing.T) {
	b := setup(t)
	s := b.Tell()
	var items []job.Item
	for i := range 120 {
		items = append(items, job.Item{Subject: s.Identify, Part: id.ID(i + 1), Outcome: []string{"new", "done", "gone"}[i%3]})
	}
	v := b.Replayed(job.Page{Items: items}).String()
	var j ops.Job
	b.get("/jobs/"+v, &j)
	require.Equal(t, int64(120), j.Report.Rows)
	require.Len(t, j.Report.Items, ops.DefaultLimit)
	var seen []int64
	for path := "/jobs/" + v + "/items?limit=7&outcome=done"; path != ""; {
		var page struct {
			Items []ops.JobItem
			Next  string
		}
		b.get(path, &page)
		for _, i := range page.Items {
			require.Equal(t, "done", i.Outcome)
			seen = append(seen, i.N)
		}
		if path = ""; page.Next != "" {
			path = "/jobs/" + v + "/items?limit=7&outcome=done&cursor=" + page.Next
		}
	}
	require.Len(t, seen, 40)
	require.IsIncreasing(t, seen)
	require.Equal(t, "outcome", b.problem("GET", "/jobs/"+v+"/items?outcome=nope", "").Field)
}
