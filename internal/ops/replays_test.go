package ops_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/replay"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/internal/ops/opstest"
)

// A run that was repeated and the one that repeats it know each other, and the replay.
func TestReplay_LineageIsOnRunsAndDeliveries(t *testing.T) {
	b := opstest.New(t)
	s := b.Tell()
	ctx := t.Context()
	j := b.Replayed(job.Page{Items: []job.Item{
		{Subject: s.Identify, Part: b.Name(plan.KindMapping, "keep"), Outcome: "forced", Detail: `{"action":"upsert_contact","status":"pending"}`},
		{Subject: s.Plain, Outcome: "unprocessed"},
	}})
	again := b.DB.Next()
	b.Do(`INSERT INTO runs (id, workflow, version, event, generation, status, directory, fields, payload, created_at, job, replay_of)
		SELECT ?, workflow, version, event, 1, 'pending', directory, fields, payload, created_at, ?, id FROM runs WHERE id = ?`, again, j, s.Run)
	b.Do(`UPDATE deliveries SET job = ?, revision = 1, status = 'rejected', reason = 'no email' WHERE event = ?`, j, s.Identify)

	was, err := b.Runs.Get(ctx, s.Run)
	require.NoError(t, err)
	require.Equal(t, []ops.Repeat{{Run: again, Job: j}}, was.RepeatedBy)
	require.Zero(t, was.Job)
	is, err := b.Runs.Get(ctx, again)
	require.NoError(t, err)
	require.Equal(t, []any{s.Run, j, 1}, []any{is.ReplayOf, is.Job, is.Generation})
	event, err := b.Events.Get(ctx, s.Identify)
	require.NoError(t, err)
	require.Equal(t, []any{j, int64(1)}, []any{event.Deliveries[0].Job, event.Deliveries[0].Revision})

	of, err := b.Jobs.Get(ctx, j)
	require.NoError(t, err)
	require.Equal(t, map[delivery.Status]int{"rejected": 1}, of.Report.Deliveries)
	require.Equal(t, []ops.JobItem{
		{N: 1, Event: s.Identify, Mapping: "keep", Outcome: "forced", Action: "upsert_contact", Status: "pending", Now: "rejected", NowReason: "no email"},
		{N: 2, Event: s.Plain, Outcome: "unprocessed"},
	}, of.Report.Items)
	for _, text := range []string{j.String(), "job/" + j.String()} {
		path, err := b.Finder.Find(ctx, text)
		require.NoError(t, err)
		require.Equal(t, "/jobs/"+j.String(), path)
	}
}

func TestReplays_Start_FixesTheRangeAndTellsTemporal(t *testing.T) {
	var started []id.ID
	b := opstest.New(t, func(o *ops.Options) {
		o.StartJob = func(_ context.Context, j id.ID, kind string) error {
			started = append(started, j)
			return errors.New("Temporal is away: " + kind)
		}
	})
	s := b.Tell()
	ctx := t.Context()
	j, err := b.Replays.Start(ctx, ops.ReplayInput{Filter: ops.ReplayFilter{Source: "web"}}, "Mika")
	require.NoError(t, err, "a sweeper starts it")
	require.Equal(t, []id.ID{j.ID}, started)
	require.Equal(t, "Mika", j.Author)
	row, err := b.Store.BeginPage(ctx, j.ID)
	require.NoError(t, err)
	in, err := replay.Read(row.Input)
	require.NoError(t, err)
	require.Greater(t, in.Before, s.Refused, "all that was there is part of it")
	require.Less(t, in.Before, b.DB.Next(), "what comes later is not")

	for name, c := range map[string]struct {
		f      ops.ReplayFilter
		after  id.ID
		before id.ID
		total  int64
	}{
		"long ago":   {ops.ReplayFilter{Since: at(1990), Until: at(1991)}, 0, 1, 0},
		"far ahead":  {ops.ReplayFilter{Since: at(3000)}, 1<<60 - 2, 0, 0},
		"all":        {ops.ReplayFilter{Since: at(2000), Until: at(3000)}, 0, 0, 3},
		"these only": {ops.ReplayFilter{IDs: []string{s.Plain.String(), s.Identify.String(), s.Plain.String()}}, 0, 0, 2},
	} {
		j, err := b.Replays.Start(ctx, ops.ReplayInput{Filter: c.f}, "Mika")
		require.NoError(t, err, name)
		require.Equal(t, c.total, *j.Total, name)
		row, err := b.Store.BeginPage(ctx, j.ID)
		require.NoError(t, err)
		in, err := replay.Read(row.Input)
		require.NoError(t, err)
		require.Equal(t, c.after, in.After, name)
		if c.before != 0 {
			require.Equal(t, c.before, in.Before, name)
		}
	}
	_, err = b.Replays.Start(ctx, ops.ReplayInput{Filter: ops.ReplayFilter{IDs: make([]string, replay.MaxIDs+1)}}, "Mika")
	require.ErrorContains(t, err, "ids: want at most")
	_, err = b.Jobs.Resume(ctx, j.ID)
	require.NoError(t, err)
	require.Len(t, started, 6, "one whose execution was lost is started again; a running one only looks once more")
	_, err = b.Jobs.Pause(ctx, j.ID)
	require.NoError(t, err)
	_, err = b.Jobs.Resume(ctx, j.ID)
	require.NoError(t, err)
	require.Len(t, started, 7)
}

func at(year int) *time.Time {
	t := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	return &t
}
