package store

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/replay"
	"github.com/segue-xm/segue/internal/data/db"
)

// EventsEnd is an id above those of all events there are, and not above those that
// come later.
func (s *Store) EventsEnd(ctx context.Context) (v id.ID, err error) {
	err = s.db.ReadOne(ctx, &v, `SELECT coalesce(max(id), 0) FROM events`)
	return max(v+1, s.db.Maker.Next()), err
}

// CountEvents counts the events above after and below before, as far as limit; beyond
// it they are job.Unknown.
func (s *Store) CountEvents(ctx context.Context, after, before id.ID, limit int) (n int64, err error) {
	err = s.db.ReadOne(ctx, &n, `SELECT count(*) FROM (SELECT 1 FROM events WHERE id > ? AND id < ? LIMIT ?) AS those`, after, before, limit+1)
	if n > int64(limit) {
		n = job.Unknown
	}
	return n, err
}

const eventsToReplay = `SELECT e.id, e.source, e.message_id, e.accepted_at, coalesce(e.refusal, '') AS refusal, e.body,
	EXISTS (SELECT 1 FROM inbox i WHERE i.event = e.id) AS waiting FROM events e WHERE `

// EventsToReplay reads up to limit events that a replay's filter lets pass, those
// above after first, and says how far it has looked and past how many events. It
// looks at no more than window events, wherever they are: few pass, or none, where
// the filter wants others.
func (s *Store) EventsToReplay(ctx context.Context, in replay.Input, after id.ID, limit, window int) (events []replay.Event, to id.ID, looked int64, err error) {
	if len(in.IDs) > 0 {
		return s.namedEvents(ctx, in, after, limit)
	}
	var ends []id.ID
	if err := s.db.Read(ctx, &ends, `SELECT id FROM events WHERE id > ? AND id < ? ORDER BY id LIMIT 1 OFFSET ?`, after, in.Before, window-1); err != nil {
		return nil, 0, 0, err
	}
	to = in.Before - 1
	if len(ends) > 0 {
		to = ends[0]
	}
	query, args := eventsToReplay+`e.id > ? AND e.id <= ?`, []any{after, to}
	if in.Source != 0 {
		query, args = query+` AND e.source = ?`, append(args, in.Source)
	}
	if in.Type != "" {
		query, args = query+` AND e.type = ?`, append(args, in.Type)
	}
	if in.Name != "" {
		query, args = query+` AND e.name = ?`, append(args, in.Name)
	}
	if err := s.db.Read(ctx, &events, query+` ORDER BY e.id LIMIT ?`, append(args, limit)...); err != nil {
		return nil, 0, 0, err
	}
	if len(events) == limit {
		to = events[limit-1].ID
	}
	looked, err = s.CountEvents(ctx, after, to+1, math.MaxInt32)
	return events, to, looked, err
}

func (s *Store) namedEvents(ctx context.Context, in replay.Input, after id.ID, limit int) (events []replay.Event, to id.ID, looked int64, err error) {
	to = in.Before - 1
	var next []id.ID
	for _, v := range in.IDs {
		if v > after && len(next) < limit {
			next = append(next, v)
		}
	}
	if len(next) == limit {
		to = next[limit-1]
	}
	return events, to, int64(len(next)), s.db.Read(ctx, &events, eventsToReplay+`e.id {ids} ORDER BY e.id`, s.db.IDs(next))
}

// DeliveriesOf are the deliveries of events, by event and mapping.
func (s *Store) DeliveriesOf(ctx context.Context, events []id.ID) (list []replay.Before, err error) {
	return list, s.db.Read(ctx, &list, `SELECT event, mapping, destination, action, status, attempts, updated_at, payload, job FROM deliveries
		WHERE event {ids} ORDER BY event, mapping`, s.db.IDs(events))
}

// LastRunsOf are the latest runs of events, one for each workflow.
func (s *Store) LastRunsOf(ctx context.Context, events []id.ID) (list []replay.Run, err error) {
	return list, s.db.Read(ctx, &list, `SELECT event, workflow, version, status, coalesce(reason, '') AS reason FROM runs r
		WHERE event {ids} AND NOT EXISTS (SELECT 1 FROM runs n WHERE n.workflow = r.workflow AND n.event = r.event AND n.generation > r.generation)`, s.db.IDs(events))
}

// ReplayLeft are the deliveries of a job's last page that are still to be done here:
// its events are those above from and not above to. The + keeps the index by job out:
// what waits for remote accounts, which may be all that the job wrote, is not looked at.
func (s *Store) ReplayLeft(ctx context.Context, j id.ID, in replay.Input, c replay.Cursor) (refs []delivery.Ref, err error) {
	if len(in.IDs) > 0 { // the range between them may hold any number of others
		return refs, s.db.Read(ctx, &refs, `SELECT event, mapping FROM deliveries WHERE event {ids} AND event > ? AND event <= ? AND job = ? AND status = ?
			ORDER BY event, mapping`, s.db.IDs(in.IDs), c.From, c.To, j, delivery.Pending)
	}
	return refs, s.db.Read(ctx, &refs, `SELECT event, mapping FROM deliveries WHERE event > ? AND event <= ? AND +job = ? AND status = ? ORDER BY event, mapping`,
		c.From, c.To, j, delivery.Pending)
}

var (
	replayedTable = db.NewTable("deliveries", "event bigint, mapping bigint, destination bigint, action text, status text, attempts bigint, occurred_at bigint, "+
		"updated_at bigint, reason text, payload bytea, job bigint, revision bigint, forced boolean")
	requeueTable = db.NewTable("delivery_queue", "event bigint, mapping bigint, destination bigint, action text, due_at bigint, tries bigint, unsure boolean")
)

// beginAnew replaces a delivery that has ended. What its attempts had found goes too:
// today's payload may be about somebody else.
var beginAnew = `ON CONFLICT (event, mapping) DO UPDATE SET destination = excluded.destination, action = excluded.action, status = excluded.status,
	attempts = excluded.attempts, occurred_at = excluded.occurred_at, updated_at = excluded.updated_at, reason = excluded.reason, payload = excluded.payload,
	job = excluded.job, revision = excluded.revision, forced = excluded.forced, result = NULL, contact = NULL WHERE deliveries.status ` + oneOf(delivery.EndStatuses())

// RecordReplay records a page of a replay and writes its deliveries, in one
// transaction: new ones, and ended ones that begin anew. One that somebody else has
// written since it was judged is left alone. The record of a page that was recorded before,
// or of a job that was cancelled, writes nothing.
func (s *Store) RecordReplay(ctx context.Context, p job.Page, writes []replay.Write) (j job.Job, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		var first bool
		if first, j, err = tx.recordPage(ctx, p); err != nil || !first || len(writes) == 0 {
			return err
		}
		// Locks are taken in this order everywhere.
		slices.SortFunc(writes, func(a, b replay.Write) int {
			return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.Mapping, b.Mapping))
		})
		if writes, err = tx.asJudged(ctx, writes); err != nil || len(writes) == 0 {
			return err
		}
		rows, queue := make([][]any, len(writes)), make([][]any, 0, len(writes))
		now := tx.Now.UnixMilli()
		for i, w := range writes {
			rows[i] = []any{w.Event, w.Mapping, w.Destination, w.Action, string(w.Status), 0, w.Occurred.UnixMilli(), now, db.NullText(w.Reason), w.Payload,
				p.Job, w.Revision, w.Forced}
			if !w.Status.Ended() {
				queue = append(queue, []any{w.Event, w.Mapping, w.Destination, w.Action, w.Due.UnixMilli(), 0, w.Unsure})
			}
		}
		if _, err := tx.Insert(ctx, replayedTable, rows, beginAnew); err != nil {
			return err
		}
		_, err := tx.Insert(ctx, requeueTable, queue, "ON CONFLICT DO NOTHING")
		return err
	})
	return j, err
}

// asJudged are those of the writes whose deliveries are as they were when they were
// judged; it locks them.
func (tx *Tx) asJudged(ctx context.Context, writes []replay.Write) ([]replay.Write, error) {
	events := make([]id.ID, len(writes))
	for i, w := range writes {
		events[i] = w.Event
	}
	var present []struct {
		delivery.Ref
		UpdatedAt int64 `db:"updated_at"`
	}
	if err := tx.Select(ctx, &present, `SELECT event, mapping, updated_at FROM deliveries WHERE event {ids} ORDER BY event, mapping {lock}`, tx.s.db.IDs(events)); err != nil {
		return nil, err
	}
	at := make(map[delivery.Ref]int64, len(present))
	for _, p := range present {
		at[p.Ref] = p.UpdatedAt
	}
	return slices.DeleteFunc(writes, func(w replay.Write) bool {
		return at[delivery.Ref{Event: w.Event, Mapping: w.Mapping}] != w.Judged
	}), nil
}

// KnownEvents are those of the events that are there, ascending.
func (s *Store) KnownEvents(ctx context.Context, events []id.ID) (known []id.ID, err error) {
	return known, s.db.Read(ctx, &known, `SELECT id FROM events WHERE id {ids} ORDER BY id`, s.db.IDs(events))
}
