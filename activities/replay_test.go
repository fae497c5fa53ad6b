package activities_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
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
	"github.com/segue-xm/segue/internal/data/query"
	"github.com/segue-xm/segue/internal/data/store"
)

// replays is replay as a kind of job.
func (h *house) replays() *activities.Replay {
	return &activities.Replay{Store: h.Store, Revisions: h.cache, Events: h.events, Effects: h.effects}
}

func (h *house) jobs() *activities.Jobs {
	return &activities.Jobs{Store: h.Store, Log: slog.New(slog.DiscardHandler), Kinds: map[job.Kind]activities.JobKind{job.Replay: h.replays()}}
}

// job makes a replay of all that is there, unless the input names a range.
func (h *house) job(in replay.Input) id.ID {
	h.t.Helper()
	if in.Before == 0 {
		in.Before = h.end()
	}
	text, err := json.Marshal(in)
	require.NoError(h.t, err)
	j, err := h.CreateJob(h.t.Context(), job.New{Kind: job.Replay, Author: "Mika", Input: string(text), Total: job.Unknown}, time.Minute)
	require.NoError(h.t, err)
	require.Equal(h.t, job.Running, j.Status)
	return j.ID
}

// page does the next page of a job.
func (h *house) page(v id.ID) job.Status {
	h.t.Helper()
	p, err := h.jobs().NextPage(h.t.Context(), handover.JobInput{Job: v})
	require.NoError(h.t, err)
	return p.Status
}

// replay does a whole replay.
func (h *house) replay(in replay.Input) job.Job {
	h.t.Helper()
	v := h.job(in)
	for h.page(v) == job.Running {
	}
	j := h.theJob(v)
	require.Equal(h.t, job.Done, j.Status, j.Reason)
	return j
}

func (h *house) theJob(v id.ID) job.Job {
	h.t.Helper()
	j, err := h.JobRow(h.t.Context(), v)
	require.NoError(h.t, err)
	return j
}

func (h *house) counts(j job.Job) (counts map[string]int) {
	h.t.Helper()
	require.NoError(h.t, json.Unmarshal([]byte(j.Counts), &counts))
	return counts
}

// outcomes are the rows of a report as texts, by event and mapping.
func (h *house) outcomes(j id.ID) map[string]string {
	h.t.Helper()
	names, err := h.Names(h.t.Context(), plan.KindMapping)
	require.NoError(h.t, err)
	out := map[string]string{}
	items, err := h.JobItems(h.t.Context(), j, "", 0, 1000)
	require.NoError(h.t, err)
	for i, item := range items {
		require.Equal(h.t, int64(i+1), item.N)
		d := replay.ReadDetail(item.Detail)
		text := item.Outcome
		if d.Status != "" {
			text += " " + string(d.Status)
		}
		for _, name := range d.Differs {
			text += " " + name
		}
		key := item.Subject.String() + " " + names[item.Part]
		require.NotContains(h.t, out, key, "twice in the report")
		out[key] = text
	}
	return out
}

// changed is a plan under which every outcome comes up for someEvents.
func (h *house) changed() *plan.Plan {
	h.t.Helper()
	p := h.plan()
	for i := range p.Mappings {
		m := &p.Mappings[i]
		switch m.Name {
		case "people":
			when := `type = "identify" or type = "alias"` // an alias was nobody's
			m.When = &when
			require.NoError(h.t, json.Unmarshal([]byte(`{"email":{"@path":"$.traits.email"},"extRef":{"@path":"$.userId"},"firstName":{"@path":"$.traits.nick"}}`), &m.Fields))
		case "orders":
			require.NoError(h.t, json.Unmarshal([]byte(`{"transactionData":{"total":{"@path":"$.properties.total"}}}`), &m.Fields)) // no date that can be wrong
		case "also":
			no := false
			m.Enabled = &no
		}
	}
	return p
}

func TestReplay_EachOutcome_DryThenReal(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		off := h.plan()
		no := false
		off.Destinations[1].Enabled = &no
		bad := `{"type":"track","event":"Order Completed","userId":"ada","properties":{"total":3,"date":"nonsense"}}`
		first := h.process(identify("ada"), bad, `{"type":"alias","userId":"new","traits":{"email":"new@example.com"}}`, identify("both"), `{"type":"page"}`)
		h.save(off)
		h.processIDs(h.take(identify("both")))
		waiting := h.take(identify("later"))
		refused, err := h.StoreEvents(ctx, []store.NewEvent{{Source: h.source, MessageID: "bad", Refusal: "type is missing", Body: []byte(`{}`)}}, time.Minute)
		require.NoError(t, err)
		h.save(h.changed())
		held := id.ID(0)
		for _, d := range h.allDeliveries() {
			if d.Status == delivery.Held {
				held = d.Event
			}
		}
		want := map[string]string{
			first[0].String() + " people": "differs done",
			first[1].String() + " orders": "again pending",
			first[2].String() + " people": "new pending",
			first[3].String() + " people": "differs done",
			first[3].String() + " also":   "gone done",
			held.String() + " people":     "differs done",
			held.String() + " also":       "waiting held",
			waiting[0].String() + " ":     "unprocessed",
			refused[0].ID.String() + " ":  "invalid",
		}

		before := h.allDeliveries()
		dry := h.replay(replay.Input{DryRun: true})
		require.Equal(t, before, h.allDeliveries(), "a dry run writes nothing")
		got := h.outcomes(dry.ID)
		require.Contains(t, got[first[0].String()+" people"], " firstName")
		for key, text := range got {
			require.Equal(t, want[key], strings.Join(strings.Fields(text)[:strings.Count(want[key], " ")+1], " "), key)
		}
		require.Len(t, got, len(want))
		counts := map[string]int{"events": 8, "unmatched": 1, "new": 1, "again": 1, "differs": 3, "gone": 1, "waiting": 1, "unprocessed": 1, "invalid": 1}
		require.Equal(t, counts, h.counts(dry))
		require.Equal(t, "Mika", dry.Author)

		real := h.replay(replay.Input{})
		require.Equal(t, got, h.outcomes(real.ID), "it does what the dry run said")
		require.Equal(t, counts, h.counts(real))
		byRef := map[string]query.DeliveryRow{}
		for _, d := range h.allDeliveries() {
			byRef[fmt.Sprint(d.Event, d.Mapping)] = d
		}
		for _, d := range before {
			now := byRef[fmt.Sprint(d.Event, d.Mapping)]
			if d.Event != first[1] {
				require.Equal(t, d, now, "nothing else was touched")
				continue
			}
			require.Equal(t, delivery.Done, now.Status, now.Reason)
			require.Equal(t, real.ID, now.Job)
		}
		made := h.delivery(first[2])
		require.Equal(t, delivery.Done, made.Status)
		require.Equal(t, real.ID, made.Job)
		require.Equal(t, int64(3), *made.Revision, "today's")
		require.Equal(t, 1, h.transactions())

		again := h.replay(replay.Input{})
		require.Equal(t, 2, h.counts(again)["done"], "what the replay did is done")
		require.Zero(t, h.counts(again)["new"]+h.counts(again)["again"])
	})
}

// allDeliveries are all there are.
func (h *house) allDeliveries() []query.DeliveryRow {
	h.t.Helper()
	events, _, err := h.ListEvents(h.t.Context(), query.EventQuery{}, query.Paging{Limit: 500})
	require.NoError(h.t, err)
	var ids []id.ID
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return h.deliveries(ids...)
}

func TestReplay_Force_SameTransactionSameContactNextGeneration(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		tour := `{"type":"track","event":"Tour","userId":"ada"}`
		events := h.process(`{"type":"identify","userId":"ada","traits":{"email":"ada@example.com","firstName":"Ada","nick":"A"}}`, order("ada", 7), tour)
		h.pass(time.Minute)
		h.process(`{"type":"identify","userId":"ada","traits":{"email":"ada@new.example.com"}}`)
		p := h.changed()
		p.Workflows[0].Steps[5].Stop.Reason = "over and out"
		h.save(p)
		was := h.listRuns()[0]
		tx := h.delivery(events[1]).Result

		plain := h.replay(replay.Input{})
		require.Equal(t, "differs done workflow version", h.outcomes(plain.ID)[events[2].String()+" tour"])
		require.Len(t, h.listRuns(), 1)

		forced := h.replay(replay.Input{Force: true, IDs: events})
		require.Equal(t, map[string]int{"events": 3, "forced": 3}, h.counts(forced))
		require.Equal(t, 1, h.transactions(), "the same row")
		require.Equal(t, member(tx, "transaction"), member(h.delivery(events[1]).Result, "transaction"))
		c := h.contacts()
		require.Len(t, c, 1)
		require.Equal(t, "A", c[0].FirstName, "the event wins over its own earlier value")
		require.Equal(t, "ada@new.example.com", c[0].Email, "and undoes nothing newer")
		runs := h.listRuns()
		require.Len(t, runs, 2)
		require.Equal(t, []any{1, forced.ID, was.ID, int64(2)}, []any{runs[0].Generation, runs[0].Job, runs[0].ReplayOf, runs[0].Version})
		require.Equal(t, []id.ID{was.ID, runs[0].ID}, h.launched.runs)
		repeats, err := h.RepeatRows(t.Context(), []id.ID{was.ID})
		require.NoError(t, err)
		require.Equal(t, []query.RepeatRow{{ID: runs[0].ID, ReplayOf: was.ID, Job: forced.ID}}, repeats)

		h.replay(replay.Input{Force: true, IDs: events[2:]})
		require.Equal(t, 2, h.listRuns()[0].Generation, "each replay its own")
	})
}

// member is a text member of a result.
func member(result, key string) string {
	var m map[string]any
	_ = json.Unmarshal([]byte(result), &m)
	text, _ := m[key].(string)
	return text
}

func TestReplay_TwoMappingsToOneWorkflow_OneRunPerReplay(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		p := h.plan()
		second := p.Mappings[2]
		second.Name = "tour-too"
		p.Mappings = append(p.Mappings, second)
		h.save(p)
		h.process(`{"type":"track","event":"Tour","userId":"ada"}`)
		require.Len(t, h.listRuns(), 1)
		h.replay(replay.Input{Force: true})
		require.Len(t, h.listRuns(), 2)
	})
}

func TestReplay_PageTwice_HappensOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		events := h.process(identify("ada"), order("ada", 7), `{"type":"track","event":"Tour","userId":"ada"}`)
		v := h.job(replay.Input{Force: true})
		j, err := h.BeginPage(ctx, v)
		require.NoError(t, err)
		for range 3 {
			_, err = h.replays().Page(ctx, j) // as it was before the page: its answer was lost
			require.NoError(t, err)
		}
		for h.page(v) == job.Running {
		}
		require.Equal(t, map[string]int{"events": 3, "forced": 3}, h.counts(h.theJob(v)))
		require.Len(t, h.outcomes(v), 3)
		require.Len(t, h.listRuns(), 2)
		require.Equal(t, 1, h.transactions())
		for _, d := range h.deliveries(events...) {
			require.Equal(t, 1, d.Attempts)
		}
	})
}

// dying is a database that is gone once a page is recorded.
type dying struct {
	activities.Deliveries
	open int // how many more reads work
}

func (d *dying) OpenDeliveries(ctx context.Context, refs []delivery.Ref) ([]delivery.Open, error) {
	if d.open--; d.open < 0 {
		return nil, fault.New(fault.Unavailable, "the process died here")
	}
	return d.Deliveries.OpenDeliveries(ctx, refs)
}

func TestReplay_DiesBetweenRecordAndEffects_TheNextPageBeginsWithThem(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		events := h.process(identify("ada"), order("ada", 7), `{"type":"track","event":"Tour","userId":"ada"}`)
		v := h.job(replay.Input{Force: true})
		for dies := range 3 { // before contacts, transactions, runs
			j, err := h.BeginPage(ctx, v)
			require.NoError(t, err)
			kind := h.replays()
			effects := *h.effects
			effects.Deliveries = &dying{h.effects.Deliveries, dies}
			kind.Effects = &effects
			_, err = kind.Page(ctx, j)
			require.Equal(t, fault.Unavailable, fault.KindOf(err))
		}
		require.Len(t, h.listRuns(), 1)
		for h.page(v) == job.Running {
		}
		require.Equal(t, map[string]int{"events": 3, "forced": 3}, h.counts(h.theJob(v)))
		require.Len(t, h.listRuns(), 2)
		require.Equal(t, 1, h.transactions())
		for _, d := range h.deliveries(events...) {
			require.Equal(t, delivery.Done, d.Status)
			require.Equal(t, 1, d.Attempts)
		}
	})
}

func TestReplay_RemoteDestination_IsQueuedAnew(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		acme := h.named(plan.KindDestination, "acme")
		done := h.process(`{"type":"group","email":"a@example.com"}`)[0]
		rejected := h.process(`{"type":"group","email":"b@example.com"}`)[0]
		mapped := h.named(plan.KindMapping, "remote-people")
		require.NoError(t, h.MarkDeliveries(ctx, []delivery.Mark{
			{Ref: delivery.Ref{Event: done, Mapping: mapped}, Status: delivery.Done, Attempts: 3},
			{Ref: delivery.Ref{Event: rejected, Mapping: mapped}, Status: delivery.Rejected, Attempts: 12, Reason: "away for days"},
		}))
		h.replay(replay.Input{Force: true})
		due, err := h.RemoteDue(ctx, acme, plan.UpsertContact, 10)
		require.NoError(t, err)
		require.Len(t, due, 2)
		require.Equal(t, []any{done, false, 0}, []any{due[0].Event, due[0].Unsure, due[0].Attempts}, "what is done on purpose is not looked for first")
		require.Equal(t, []any{rejected, true, 0}, []any{due[1].Event, due[1].Unsure, due[1].Attempts}, "what was tried before is")
		waits := h.replay(replay.Input{Force: true})
		require.Equal(t, 2, h.counts(waits)["waiting"])
	})
}

func TestReplay_DestinationOff_DoesAsLiveCodeWould(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		event := h.process(`{"type":"alias","userId":"ada"}`)[0]
		p, no := h.changed(), false
		p.Destinations[0].Enabled = &no
		h.save(p)
		j := h.replay(replay.Input{DryRun: true})
		require.Equal(t, "new held", h.outcomes(j.ID)[event.String()+" people"])
		j = h.replay(replay.Input{})
		require.Equal(t, "new held", h.outcomes(j.ID)[event.String()+" people"])
		require.Equal(t, delivery.Held, h.delivery(event).Status)
		require.Empty(t, h.contacts())
		h.save(h.changed())
		n, err := h.ReleaseHeld(t.Context(), h.named(plan.KindDestination, "xm"), delivery.HeldUntil)
		require.NoError(t, err)
		require.Equal(t, int64(1), n)
		_, err = h.effects.DeliverDue(t.Context(), handover.DeliverInput{Destination: h.named(plan.KindDestination, "xm")})
		require.NoError(t, err)
		require.Len(t, h.contacts(), 1, "by today's mapping, which the event's own plan does not have")
	})
}

// end is above all events that are there.
func (h *house) end() id.ID {
	h.t.Helper()
	v, err := h.EventsEnd(h.t.Context())
	require.NoError(h.t, err)
	return v
}
