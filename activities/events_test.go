package activities_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
)

func identify(user string) string {
	return fmt.Sprintf(`{"type":"identify","userId":%q,"traits":{"email":"%s@example.com","firstName":"Ada"}}`, user, user)
}

func order(user string, total int) string {
	return fmt.Sprintf(`{"type":"track","event":"Order Completed","userId":%q,"properties":{"total":%d}}`, user, total)
}

func TestProcessing_EachActivityRunsTwice_HappensOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		events := h.process(identify("ada"), order("ada", 7), order("ada", 8), `{"type":"track","event":"Tour","userId":"ada"}`, `{"type":"page"}`)

		require.Len(t, h.contacts(), 1)
		require.Equal(t, 2, h.transactions())
		require.Len(t, h.listRuns(), 1)
		require.Len(t, h.launched.runs, 1)
		rows := h.deliveries(events...)
		require.Len(t, rows, 4)
		for _, d := range rows {
			require.Equal(t, delivery.Done, d.Status, d.Reason)
			require.Equal(t, 1, d.Attempts, "only the first time counts")
		}
		waiting, err := h.Waiting(t.Context(), events)
		require.NoError(t, err)
		require.Empty(t, waiting, "the event that nobody wants left the inbox too")
	})
}

func TestFilterEvents_Twice_GivesTheSameUntilDone(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		batch := handover.Batch{Events: h.take(identify("ada"), identify("both"), `{"type":"page"}`, `17`)}
		first, err := h.events.FilterEvents(t.Context(), batch)
		require.NoError(t, err)
		require.Len(t, first.Deliveries, 3)
		require.Equal(t, 2, first.Unmatched)
		second, err := h.events.FilterEvents(t.Context(), batch)
		require.NoError(t, err)
		require.Equal(t, first.Deliveries, second.Deliveries)
		require.Zero(t, second.Unmatched, "unmatched events ended")

		_, err = h.events.MapFields(t.Context(), first)
		require.NoError(t, err)
		third, err := h.events.FilterEvents(t.Context(), batch)
		require.NoError(t, err)
		require.Equal(t, first.Deliveries, third.Deliveries, "a batch that died after mapping goes on where it was")

		require.NoError(t, h.effects.UpsertContacts(t.Context(), first.Deliveries))
		require.NoError(t, h.effects.UpsertTransactions(t.Context(), first.Deliveries))
		require.NoError(t, h.effects.StartRuns(t.Context(), first.Deliveries))
		fourth, err := h.events.FilterEvents(t.Context(), batch)
		require.NoError(t, err)
		require.Empty(t, fourth.Deliveries)
	})
}

func TestMapFields_SecondTry_GivesEachEffectItsDeliveriesAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		events := h.take(identify("ada"), order("ada", 1))
		matched, err := h.events.FilterEvents(t.Context(), handover.Batch{Events: events})
		require.NoError(t, err)
		_, err = h.events.MapFields(t.Context(), matched) // and its answer is lost
		require.NoError(t, err)
		again, err := h.events.MapFields(t.Context(), matched)
		require.NoError(t, err)
		require.NoError(t, h.effects.UpsertContacts(t.Context(), again.Contacts))
		require.NoError(t, h.effects.UpsertTransactions(t.Context(), again.Transactions))
		require.NoError(t, h.effects.StartRuns(t.Context(), again.Runs))
		for _, d := range h.deliveries(events...) {
			require.Equal(t, delivery.Done, d.Status)
		}
		require.Len(t, h.contacts(), 1)
		require.Equal(t, 1, h.transactions())
	})
}

func TestProcessing_BatchesThatShareEvents_EachEffectOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		var bodies []string
		for i := range 20 {
			user := fmt.Sprint("u", i%5)
			bodies = append(bodies, identify(user), order(user, i), fmt.Sprintf(`{"type":"track","event":"Tour","userId":%q}`, user))
		}
		events := h.take(bodies...)
		var wg sync.WaitGroup
		for i := range 6 { // windows of 20 that overlap by half
			batch := events[i*8 : i*8+20]
			wg.Go(func() { h.processIDs(batch) })
		}
		wg.Wait()
		for _, d := range h.deliveries(events...) {
			require.Equal(t, delivery.Done, d.Status, d.Reason)
		}
		require.Len(t, h.deliveries(events...), 60)
		require.Len(t, h.contacts(), 5)
		require.Equal(t, 20, h.transactions())
		require.Len(t, h.listRuns(), 20)
		require.Len(t, h.launched.runs, 20)
	})
}

func TestProcessing_PoisonedDelivery_IsRejectedAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		bad := order("bad", 1)
		bad = strings.Replace(bad, `"total"`, `"date":"not a\u0000 date","total"`, 1)
		events := h.process(identify("a"), `{"type":"identify","userId":"zero","traits":{"firstName":"A\u0000da"}}`, identify("b"),
			order("a", 1), bad, order("b", 2), identify("c"))
		reasons := map[id.ID]string{}
		for _, d := range h.deliveries(events...) {
			reasons[d.Event] = d.Reason
			switch d.Event {
			case events[4]:
				require.Equal(t, delivery.Rejected, d.Status)
				require.Contains(t, d.Reason, "transactionDate")
			case events[1]:
				if h.postgres { // whose texts cannot hold the zero character
					require.Equal(t, delivery.Rejected, d.Status)
					require.NotEmpty(t, d.Reason)
					break
				}
				fallthrough
			default:
				require.Equal(t, delivery.Done, d.Status, d.Reason)
			}
		}
		require.Len(t, reasons, 7)
		require.Equal(t, 2, h.transactions())
	})
}

func TestProcessing_UnreadablePayload_IsRejectedAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		var refs []delivery.Ref
		var list []delivery.New
		events := h.take(`{}`, `{}`, `{}`, `{}`, `{}`, `{}`)
		for i, payload := range []string{`{"extRef":"a"}`, `{broken`, `{"extRef":"b"}`} {
			for j, m := range []struct{ name, action string }{{"people", plan.UpsertContact}, {"orders", plan.UpsertTransaction}} {
				d := delivery.New{Event: events[2*i+j], Mapping: h.named(plan.KindMapping, m.name), Destination: h.named(plan.KindDestination, "xm"),
					Action: m.action, Status: delivery.Pending, Payload: []byte(payload), Occurred: h.now(), Due: h.now().Add(time.Minute)}
				list = append(list, d)
				refs = append(refs, delivery.Ref{Event: d.Event, Mapping: d.Mapping})
			}
		}
		require.NoError(t, h.WriteDeliveries(t.Context(), list))
		require.NoError(t, h.effects.UpsertContacts(t.Context(), refs))
		require.NoError(t, h.effects.UpsertTransactions(t.Context(), refs))
		for i, e := range events {
			d := h.delivery(e)
			if i/2 == 1 {
				require.Equal(t, delivery.Rejected, d.Status, "what cannot be read can never work")
				require.NotEqual(t, "internal error", d.Reason)
				continue
			}
			require.Equal(t, delivery.Done, d.Status, d.Reason)
		}
	})
}

func TestFilterEvents_OwnRevision_JudgesAlikeAfterAChange(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite://"+t.TempDir()+"/segue.db")
	before := h.take(identify("ada"))
	p := h.plan()
	never := `type = "never"`
	p.Mappings[0].When = &never
	h.save(p)
	after := h.take(identify("bob"))
	for _, c := range []struct {
		events []id.ID
		want   int
	}{{before, 1}, {after, 0}} {
		m, err := h.events.FilterEvents(t.Context(), handover.Batch{Events: c.events})
		require.NoError(t, err)
		require.Len(t, m.Deliveries, c.want)
	}
}

func TestDeliverDue_DestinationOffThenOn_HeldThenDelivered(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		off, on := h.plan(), h.plan()
		no := false
		off.Destinations[0].Enabled = &no
		xm := handover.DeliverInput{Destination: h.named(plan.KindDestination, "xm")}

		// Switched off between mapping and effect: the leftover becomes held.
		leftover, _ := h.written(identify("early"))
		h.save(off)
		h.pass(10 * time.Minute)
		drained, err := h.effects.DeliverDue(t.Context(), xm)
		require.NoError(t, err)
		require.True(t, drained.Empty)
		require.Equal(t, delivery.Held, h.delivery(leftover[0]).Status)

		events := h.process(identify("ada"))
		require.Equal(t, delivery.Held, h.delivery(events[0]).Status)
		require.Empty(t, h.contacts())
		drained, err = h.effects.DeliverDue(t.Context(), xm)
		require.NoError(t, err)
		require.Equal(t, delivery.Drained{Empty: true}, drained, "held deliveries are due when somebody releases them")

		h.save(on)
		n, err := h.ReleaseHeld(t.Context(), xm.Destination, delivery.HeldUntil)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		for i := range 2 {
			drained, err = h.effects.DeliverDue(t.Context(), xm)
			require.NoError(t, err)
			require.Equal(t, delivery.Drained{Done: 2 * (1 - i), Empty: true}, drained)
		}
		require.Equal(t, delivery.Done, h.delivery(events[0]).Status)
		require.Len(t, h.contacts(), 2)
	})
}

func TestDeliverDue_LeftOver_IsDoneWhenItsTimeComes(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		events, _ := h.written(identify("ada"), order("ada", 1), `{"type":"track","event":"Tour","userId":"ada"}`)
		in := handover.DeliverInput{Destination: h.named(plan.KindDestination, "xm")}
		drained, err := h.effects.DeliverDue(t.Context(), in)
		require.NoError(t, err)
		require.Zero(t, drained.Done, "ProcessEvents has time to finish them")
		require.Positive(t, drained.Next)
		h.pass(drained.Next)
		drained, err = h.effects.DeliverDue(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, delivery.Drained{Done: 3, Empty: true}, drained)
		for _, d := range h.deliveries(events...) {
			require.Equal(t, delivery.Done, d.Status)
		}
	})
}

func TestApply_DestinationGone_IsRejectedWithTheReason(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite://"+t.TempDir()+"/segue.db")
	events, _ := h.written(identify("both"))
	p := h.plan()
	p.Destinations, p.Mappings = p.Destinations[:1], p.Mappings[:3]
	h.save(p)
	h.pass(time.Hour)
	_, err := h.effects.DeliverDue(t.Context(), handover.DeliverInput{Destination: h.deliveries(events...)[1].Destination})
	require.NoError(t, err)
	rows := h.deliveries(events...)
	require.Equal(t, delivery.Pending, rows[0].Status)
	require.Equal(t, delivery.Rejected, rows[1].Status)
	require.Contains(t, rows[1].Reason, "destination")
}

// stuck is a database that panics over one delivery and fails for now over another.
type stuck struct {
	activities.Deliveries
	panics, fails id.ID
}

func (s stuck) ApplyContacts(ctx context.Context, dir contact.Directory, effects []delivery.ContactEffect) error {
	for _, e := range effects {
		switch e.Event {
		case s.panics:
			panic("a bug that one event meets")
		case s.fails:
			return fmt.Errorf("nobody foresaw this")
		}
	}
	return s.Deliveries.ApplyContacts(ctx, dir, effects)
}

func TestUpsertContacts_OnePanics_OthersAreWrittenAndItIsTriedAgain(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite://"+t.TempDir()+"/segue.db")
	events, refs := h.written(identify("a"), identify("b"), identify("c"), identify("d"))
	whole := h.effects.Deliveries
	h.effects.Deliveries = stuck{whole, events[1], events[2]}
	require.NoError(t, h.effects.UpsertContacts(t.Context(), refs))
	for i, e := range events {
		want := delivery.Done
		if i == 1 || i == 2 {
			want = delivery.Retrying
			require.Equal(t, h.now().Add(5*time.Second).UnixMilli(), h.delivery(e).DueAt)
		}
		require.Equal(t, want, h.delivery(e).Status)
	}
	h.effects.Deliveries = whole
	h.pass(time.Minute)
	_, err := h.effects.DeliverDue(t.Context(), handover.DeliverInput{Destination: h.named(plan.KindDestination, "xm")})
	require.NoError(t, err)
	require.Len(t, h.contacts(), 4)
	require.Equal(t, 2, h.delivery(events[1]).Attempts)
}

func TestUpsertContacts_KeepsFailing_IsRejectedWhenPatienceIsOver(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite://"+t.TempDir()+"/segue.db")
	events, refs := h.written(identify("a"))
	h.effects.Deliveries = stuck{h.effects.Deliveries, events[0], 0}
	h.pass(delivery.Patience + time.Hour)
	for range delivery.MinAttempts - 1 {
		require.NoError(t, h.effects.UpsertContacts(t.Context(), refs))
		require.Equal(t, delivery.Retrying, h.delivery(events[0]).Status, "old as it is, it gets its tries")
	}
	require.NoError(t, h.effects.UpsertContacts(t.Context(), refs))
	require.Equal(t, delivery.Rejected, h.delivery(events[0]).Status)
}
