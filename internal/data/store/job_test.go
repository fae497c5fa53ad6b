package store

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/replay"
)

func (s *writable) job() job.Job {
	s.t.Helper()
	j, err := s.CreateJob(s.t.Context(), job.New{Kind: job.Replay, Author: "Mika", Input: "{}", Total: 10}, time.Minute)
	require.NoError(s.t, err)
	return j
}

func TestJob_MovesAsTheRulesLetIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		j := s.job()
		change := func(_ job.Job, _ bool, err error) error { return err }
		moves(t, s, "jobs", job.Statuses(), map[job.Status]func() error{
			job.Running:   func() error { return change(s.ResumeJob(ctx, j.ID, time.Minute)) },
			job.Paused:    func() error { return change(s.PauseJob(ctx, j.ID)) },
			job.Failed:    func() error { return change(s.EndJob(ctx, j.ID, job.Failed, "it makes no sense")) },
			job.Cancelled: func() error { return change(s.EndJob(ctx, j.ID, job.Cancelled, "")) },
			job.Done: func() error {
				now, err := s.BeginPage(ctx, j.ID)
				require.NoError(t, err)
				_, err = s.RecordPage(ctx, job.Page{Job: j.ID, Number: now.Pages, Last: true})
				return err
			},
		})
		_, _, err := s.PauseJob(ctx, 5)
		require.Equal(t, fault.NotFound, fault.KindOf(err))
	})
}

func TestRecordPage_Twice_CountsOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		j := s.job()
		p := job.Page{Job: j.ID, Cursor: "a", Done: 3, Counts: map[string]int{"new": 2, "none": 0}, Items: []job.Item{{Subject: 1, Outcome: "new"}, {Subject: 2, Part: 9, Outcome: "new", Detail: "{}"}}}
		for range 2 {
			after, err := s.RecordPage(ctx, p)
			require.NoError(t, err)
			require.Equal(t, []any{int64(1), int64(3), int64(2), "a", `{"new":2}`}, []any{after.Pages, after.Done, after.Items, after.Cursor, after.Counts})
		}
		p.Number, p.Cursor = 1, "b"
		after, err := s.RecordPage(ctx, p)
		require.NoError(t, err)
		require.Equal(t, []any{int64(2), int64(6), "b", `{"new":4}`}, []any{after.Pages, after.Done, after.Cursor, after.Counts})
		var ns []int
		require.NoError(t, s.db.Read(ctx, &ns, `SELECT n FROM job_items ORDER BY n`))
		require.Equal(t, []int{1, 2, 3, 4}, ns)

		_, _, err = s.EndJob(ctx, j.ID, job.Cancelled, "")
		require.NoError(t, err)
		p.Number = 2
		after, err = s.RecordPage(ctx, p)
		require.NoError(t, err)
		require.Equal(t, []any{int64(2), job.Cancelled}, []any{after.Pages, after.Status}, "nothing is written for what has ended")
		require.Zero(t, s.rows("handovers"))
	})
}

// A replay begins ended deliveries anew, and no others: whoever is at work on one is
// not disturbed.
func TestRecordReplay_BeginsOnlyEndedDeliveriesAnew(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		effects := s.deliver()
		require.Empty(t, effects)
		event := s.take("m")[0].ID
		for _, before := range []delivery.Status{delivery.Pending, delivery.Retrying, delivery.Held, delivery.Done, delivery.Rejected, delivery.Cancelled} {
			s.set(`DELETE FROM deliveries`)
			s.set(`DELETE FROM delivery_queue`)
			s.set(`INSERT INTO deliveries (event, mapping, destination, action, status, attempts, occurred_at, updated_at, payload) VALUES (?, ?, ?, 'upsert_contact', ?, 4, 0, 0, '{}')`,
				event, s.mapped, s.dest, before)
			j := s.job()
			_, err := s.RecordReplay(ctx, job.Page{Job: j.ID}, []replay.Write{{New: delivery.New{Event: event, Mapping: s.mapped, Destination: s.dest, Action: plan.UpsertContact,
				Status: delivery.Pending, Occurred: s.clock, Payload: []byte(`{"extRef":"u"}`), Due: s.clock}, Revision: 1, Forced: true}})
			require.NoError(t, err)
			var after struct {
				Status   delivery.Status
				Attempts int
				Job      id.ID
			}
			require.NoError(t, s.db.ReadOne(ctx, &after, `SELECT status, attempts, job FROM deliveries`))
			if before.Ended() {
				require.Equal(t, []any{delivery.Pending, 0, j.ID}, []any{after.Status, after.Attempts, after.Job}, before)
				continue
			}
			require.Equal(t, []any{before, 4, id.ID(0)}, []any{after.Status, after.Attempts, after.Job}, before)
		}
	})
}

func TestReplayInput_GoesThroughTheRow(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		in := replay.Input{IDs: []id.ID{s.db.Next()}, Before: s.db.Next(), DryRun: true}
		text, err := json.Marshal(in)
		require.NoError(t, err)
		j, err := s.CreateJob(t.Context(), job.New{Kind: job.Replay, Input: string(text), Total: job.Unknown}, time.Minute)
		require.NoError(t, err)
		got, err := replay.Read(j.Input)
		require.NoError(t, err)
		require.Equal(t, in, got)
		require.Equal(t, int64(job.Unknown), j.Total)
	})
}

// Two replays judged the same delivery: the second finds it done meanwhile, and does
// not do it again.
func TestRecordReplay_WrittenSinceItWasJudged_IsLeftAlone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		event := s.take("m")[0].ID
		s.set(`INSERT INTO deliveries (event, mapping, destination, action, status, attempts, occurred_at, updated_at, payload, result, contact)
			VALUES (?, ?, ?, 'upsert_contact', 'rejected', 4, 0, 5, '{}', '{"contact":"CID_1"}', 9)`, event, s.mapped, s.dest)
		for i, want := range []delivery.Status{delivery.Pending, delivery.Done} {
			_, err := s.RecordReplay(ctx, job.Page{Job: s.job().ID}, []replay.Write{{New: delivery.New{Event: event, Mapping: s.mapped, Destination: s.dest, Action: plan.UpsertContact,
				Status: delivery.Pending, Occurred: s.clock, Payload: []byte(`{"extRef":"u"}`), Due: s.clock}, Revision: 1, Judged: 5}})
			require.NoError(t, err)
			var after struct {
				Status delivery.Status
				Found  int
			}
			require.NoError(t, s.db.ReadOne(ctx, &after, `SELECT status, CASE WHEN result IS NULL AND contact IS NULL THEN 0 ELSE 1 END AS found FROM deliveries`))
			require.Equal(t, want, after.Status)
			require.Zero(t, after.Found, "what the attempts before had found is about yesterday's payload")
			if i == 0 {
				s.set(`UPDATE deliveries SET status = 'done', updated_at = 8`)
				s.set(`DELETE FROM delivery_queue`)
			}
		}
	})
}
