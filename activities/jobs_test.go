package activities_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/replay"
	"github.com/segue-xm/segue/internal/data/store"
)

// kindOf is a kind of job whose pages are a function.
type kindOf func(ctx context.Context, j job.Job) (job.Job, error)

func (k kindOf) Page(ctx context.Context, j job.Job) (job.Job, error) { return k(ctx, j) }

func TestNextPage_PausedResumedCancelled(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		var bodies []string
		for i := range 450 {
			bodies = append(bodies, fmt.Sprintf(`{"type":"page","userId":"u%d"}`, i))
		}
		events := h.take(bodies...)
		require.NoError(t, h.DropUnmatched(ctx, events))
		v := h.job(replay.Input{})
		require.Equal(t, job.Running, h.page(v))
		_, moved, err := h.PauseJob(ctx, v)
		require.NoError(t, err)
		require.True(t, moved)
		require.Equal(t, job.Paused, h.page(v))
		require.Equal(t, int64(100), h.theJob(v).Done, "no page was begun")
		_, moved, err = h.PauseJob(ctx, v)
		require.NoError(t, err)
		require.False(t, moved)

		_, moved, err = h.ResumeJob(ctx, v, time.Minute)
		require.NoError(t, err)
		require.True(t, moved)
		h.pass(2 * time.Minute)
		overdue, err := h.ClaimHandovers(ctx, 10, time.Minute)
		require.NoError(t, err)
		require.Equal(t, []handover.Overdue{{Kind: handover.KindJob, ID: v}}, overdue, "it is handed over again")
		require.Equal(t, job.Running, h.page(v))
		require.Equal(t, int64(200), h.theJob(v).Done)
		h.pass(time.Hour)
		overdue, err = h.ClaimHandovers(ctx, 10, time.Minute)
		require.NoError(t, err)
		require.Empty(t, overdue, "its workflow was seen")

		_, moved, err = h.EndJob(ctx, v, job.Cancelled, "")
		require.NoError(t, err)
		require.True(t, moved)
		require.Equal(t, job.Cancelled, h.page(v))
		_, moved, err = h.ResumeJob(ctx, v, time.Minute)
		require.NoError(t, err)
		require.False(t, moved)
		j := h.theJob(v)
		require.Equal(t, []any{job.Cancelled, int64(200)}, []any{j.Status, j.Done})
		require.NotZero(t, j.EndedAt)
	})
}

func TestReplay_CancelledWhileAPageIsJudged_NothingOfItHappens(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		event := h.process(`{"type":"alias","userId":"ada"}`)[0]
		h.save(h.changed())
		v := h.job(replay.Input{})
		j, err := h.BeginPage(ctx, v)
		require.NoError(t, err)
		_, _, err = h.EndJob(ctx, v, job.Cancelled, "")
		require.NoError(t, err)
		after, err := h.replays().Page(ctx, j)
		require.NoError(t, err)
		require.Equal(t, job.Cancelled, after.Status)
		require.Empty(t, h.deliveries(event))
		require.Empty(t, h.outcomes(v))
	})
}

func TestReplay_PausedWhileAPageIsJudged_ThePageIsFinished(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		event := h.process(`{"type":"alias","userId":"ada"}`)[0]
		h.save(h.changed())
		v := h.job(replay.Input{})
		j, err := h.BeginPage(ctx, v)
		require.NoError(t, err)
		_, _, err = h.PauseJob(ctx, v)
		require.NoError(t, err)
		after, err := h.replays().Page(ctx, j)
		require.NoError(t, err)
		require.Equal(t, job.Paused, after.Status)
		require.Equal(t, "done", string(h.delivery(event).Status))
	})
}

func TestNextPage_FailsForNow_SaysSoUntilItWorks_AndForGood_Ends(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		v := h.job(replay.Input{})
		var err error
		jobs := &activities.Jobs{Store: h.Store, Log: slog.New(slog.DiscardHandler), Kinds: map[job.Kind]activities.JobKind{
			job.Replay: kindOf(func(context.Context, job.Job) (job.Job, error) { return job.Job{}, err }),
		}}
		err = fault.New(fault.Unavailable, "the account is away")
		_, got := jobs.NextPage(ctx, handover.JobInput{Job: v})
		require.Equal(t, fault.Unavailable, fault.KindOf(got))
		require.Equal(t, "the account is away", h.theJob(v).Reason)
		require.Equal(t, job.Running, h.theJob(v).Status)
		require.Equal(t, job.Done, h.page(v))
		require.Empty(t, h.theJob(v).Reason, "it has passed")

		v = h.job(replay.Input{})
		err = fault.New(fault.Invalid, "this makes no sense")
		p, got := jobs.NextPage(ctx, handover.JobInput{Job: v})
		require.NoError(t, got)
		require.Equal(t, job.Failed, p.Status)
		require.Equal(t, []any{job.Failed, "this makes no sense"}, []any{h.theJob(v).Status, h.theJob(v).Reason})

		jobs.Kinds[job.Replay] = kindOf(func(context.Context, job.Job) (job.Job, error) { panic("nobody foresaw this") })
		v = h.job(replay.Input{})
		_, got = jobs.NextPage(ctx, handover.JobInput{Job: v})
		require.Error(t, got)
		require.Equal(t, "internal error", h.theJob(v).Reason)

		jobs.Kinds = nil
		_, got = jobs.NextPage(ctx, handover.JobInput{Job: v})
		require.Equal(t, fault.Unavailable, fault.KindOf(got), "a worker of a newer version may know it")
		require.Equal(t, job.Running, h.theJob(v).Status)

		_, got = jobs.NextPage(ctx, handover.JobInput{Job: 5})
		require.Equal(t, fault.NotFound, fault.KindOf(got))
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, got = jobs.NextPage(ended, handover.JobInput{Job: v})
		require.True(t, errors.Is(got, context.Canceled) || fault.KindOf(got) == fault.Internal, "%v", got)
	})
}

func TestReplay_Filters(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		p := h.plan()
		p.Sources = append(p.Sources, plan.Source{Name: "other"})
		h.save(p)
		other := h.named(plan.KindSource, "other")
		var ids []id.ID
		for i, e := range []store.NewEvent{
			{Source: h.source, Type: "identify", Body: []byte(identify("ada"))}, {Source: other, Type: "identify", Body: []byte(identify("bob"))},
			{Source: h.source, Type: "track", Name: "Tour", Body: []byte(`{"type":"track","event":"Tour","userId":"ada"}`)},
			{Source: h.source, Type: "identify", Body: []byte(identify("both"))},
		} {
			h.pass(time.Minute)
			e.MessageID = fmt.Sprint("f", i)
			out, err := h.StoreEvents(ctx, []store.NewEvent{e}, time.Minute)
			require.NoError(t, err)
			ids = append(ids, out[0].ID)
		}
		h.processIDs(ids)
		before := h.end()
		h.pass(time.Minute)
		h.process(identify("late"))
		for name, c := range map[string]struct {
			in     replay.Input
			events int
			pairs  map[string]int
		}{
			"all that was there": {replay.Input{}, 4, map[string]int{"done": 4}},
			"source":             {replay.Input{Source: other}, 1, nil},
			"type":               {replay.Input{Type: "identify"}, 3, map[string]int{"done": 3}},
			"name":               {replay.Input{Name: "Tour"}, 1, map[string]int{"done": 1}},
			"mapping":            {replay.Input{Mapping: h.named(plan.KindMapping, "also")}, 4, map[string]int{"done": 1}},
			"range":              {replay.Input{After: ids[0], Before: ids[3]}, 2, map[string]int{"done": 1}},
			"ids":                {replay.Input{IDs: []id.ID{ids[0], ids[2]}}, 2, map[string]int{"done": 2}},
			"nobody":             {replay.Input{Type: "group"}, 0, nil},
		} {
			c.in.DryRun = true
			if c.in.Before == 0 {
				c.in.Before = before
			}
			counts := h.counts(h.replay(c.in))
			require.Equal(t, c.events, counts["events"], name)
			require.Equal(t, c.pairs["done"], counts["done"], name)
			require.Equal(t, c.events, counts["unmatched"]+pairsOf(counts, name), name)
		}
	})
}

// pairsOf is how many events had a pair; one of these events has two.
func pairsOf(counts map[string]int, name string) int {
	if name == "all that was there" || name == "type" {
		return counts["done"] - 1
	}
	return counts["done"]
}

func TestReplay_FewPass_PagesLookAtABoundedNumber(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite://"+t.TempDir()+"/segue.db")
	ctx := t.Context()
	var list []store.NewEvent
	for i := range 12_000 {
		list = append(list, store.NewEvent{Source: h.source, Type: "page", MessageID: fmt.Sprint("p", i), Body: []byte(`{}`)})
	}
	list[11_990].Type = "group"
	_, err := h.StoreEvents(ctx, list, time.Minute)
	require.NoError(t, err)
	v := h.job(replay.Input{Type: "group", DryRun: true})
	var done []int64
	for {
		status := h.page(v)
		done = append(done, h.theJob(v).Done)
		if status != job.Running {
			break
		}
	}
	require.Equal(t, []int64{5000, 10_000, 12_000}, done)
	require.Equal(t, 1, h.counts(h.theJob(v))["events"])
}

// TestReplay_DryRunOverManyEvents_Duration is how long a dry run of 100,000 stored
// events takes, when SEGUE_TEST_ROWS is 1.
func TestReplay_DryRunOverManyEvents_Duration(t *testing.T) {
	if os.Getenv("SEGUE_TEST_ROWS") != "1" {
		t.Skip("set SEGUE_TEST_ROWS=1 to store 100,000 events")
	}
	const rows, batch = 100_000, 500
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		for n := 0; n < rows; n += batch {
			var bodies []string
			for i := range batch {
				user := fmt.Sprint("u", n+i)
				bodies = append(bodies, [...]string{identify(user), order(user, i), fmt.Sprintf(`{"type":"page","userId":%q,"properties":{"pad":"%0500d"}}`, user, i)}[i%3])
			}
			_, refs := h.written(bodies...)
			marks := make([]delivery.Mark, len(refs))
			for i, r := range refs {
				marks[i] = delivery.Mark{Ref: r, Status: delivery.Done, Attempts: 1}
			}
			require.NoError(t, h.MarkDeliveries(ctx, marks))
		}
		h.save(h.changed())
		start := time.Now()
		j := h.replay(replay.Input{DryRun: true})
		took := time.Since(start)
		t.Logf("%d events in %.1f s, %d pages: %s", j.Done, took.Seconds(), j.Pages, j.Counts)
		require.Equal(t, int64(rows), j.Done)
		require.Less(t, took, time.Minute)
	})
}
