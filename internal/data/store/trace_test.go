package store

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
)

func TestTrace_OfAnEvent_IsFoundByAllThatComesOfIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		mark := bytes.Repeat([]byte{7}, 25)
		stored, err := s.StoreEvents(t.Context(), []NewEvent{
			{Source: s.source, Type: "track", MessageID: "a", Body: []byte(`{}`), Trace: mark},
			{Source: s.source, Type: "track", MessageID: "b", Body: []byte(`{}`)},
		}, time.Minute)
		require.NoError(t, err)
		plain := s.take("c")[0].ID
		traces, err := s.EventTraces(t.Context(), []id.ID{plain, stored[1].ID, stored[0].ID})
		require.NoError(t, err)
		require.Equal(t, []TracedEvent{{stored[0].ID, mark}}, traces)

		_, inv := s.ask()
		none, err := s.InvitationTrace(t.Context(), inv.ID)
		require.NoError(t, err)
		require.Nil(t, none, "its run is unknown")
		s.set(`INSERT INTO runs (id, workflow, version, event, generation, status, directory, fields, payload, created_at) VALUES (?, 1, 1, ?, 0, 'running', 1, '[]', ?, 0)`,
			inv.Run, stored[0].ID, []byte(`{}`))
		for _, find := range []func() ([]byte, error){
			func() ([]byte, error) { return s.RunTrace(t.Context(), inv.Run) },
			func() ([]byte, error) { return s.InvitationTrace(t.Context(), inv.ID) },
		} {
			got, err := find()
			require.NoError(t, err)
			require.Equal(t, mark, got)
		}
		s.set(`UPDATE runs SET event = ?`, plain)
		none, err = s.RunTrace(t.Context(), inv.Run)
		require.NoError(t, err)
		require.Nil(t, none)
	})
}

func TestMarked_IsToldOnce_OfWhatWasCommitted(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		var told []delivery.Mark
		s.Marked = func(marks []delivery.Mark) { told = append(told, marks...) }
		some := s.deliver(contact.Input{ExtRef: "u1"}, contact.Input{})
		s.apply(some...)
		require.Len(t, told, 2)
		require.Equal(t, []delivery.Status{delivery.Done, delivery.Rejected}, []delivery.Status{told[0].Status, told[1].Status})
		require.Equal(t, plan.UpsertContact, told[0].Action)
		s.apply(some...)
		require.Len(t, told, 2, "nothing happens the second time")

		told = nil
		e := s.take("x")[0].ID
		require.NoError(t, s.WriteDeliveries(t.Context(), []delivery.New{{Event: e, Mapping: s.mapped, Destination: s.dest,
			Action: plan.UpsertTransaction, Status: delivery.Rejected, Reason: "no", Occurred: s.clock}}))
		require.Len(t, told, 1)
		require.Equal(t, delivery.Rejected, told[0].Status)
	})
}
