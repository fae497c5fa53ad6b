package store

import (
	"context"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
)

// TracedEvent is an event with the trace in which it came in.
type TracedEvent struct {
	Event id.ID
	Trace []byte // as NewEvent has it
}

// EventTraces reads the traces of those of the events that are traced, oldest first.
func (s *Store) EventTraces(ctx context.Context, events []id.ID) (rows []TracedEvent, err error) {
	return rows, s.db.Read(ctx, &rows, `SELECT id AS event, trace FROM events WHERE id {ids} AND trace IS NOT NULL ORDER BY id`, s.db.IDs(events))
}

// RunTrace is the trace of the event that a run is for; nil when there is none.
func (s *Store) RunTrace(ctx context.Context, run id.ID) ([]byte, error) {
	return s.trace(ctx, `SELECT e.trace FROM runs r JOIN events e ON e.id = r.event WHERE r.id = ?`, run)
}

// InvitationTrace is the trace of the event that an invitation goes back to; nil when
// there is none.
func (s *Store) InvitationTrace(ctx context.Context, invitation id.ID) ([]byte, error) {
	return s.trace(ctx, `SELECT e.trace FROM invitations i JOIN runs r ON r.id = i.run JOIN events e ON e.id = r.event WHERE i.id = ?`, invitation)
}

func (s *Store) trace(ctx context.Context, query string, of id.ID) (trace []byte, err error) {
	err = s.db.ReadOne(ctx, &trace, query, of)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	return trace, err
}
