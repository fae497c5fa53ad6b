package store

import (
	stdbytes "bytes"
	"context"
	"slices"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/db"
)

// NewEvent is an event to store. Texts must be valid UTF-8 without zero bytes;
// the body is kept as it is.
type NewEvent struct {
	Source    id.ID
	Type      string
	Name      string // track event, page or screen name
	UserID    string
	MessageID string
	Refusal   string // why it was refused at the door; "" for an accepted event
	Body      []byte
	Trace     []byte // W3C trace context, 25 bytes; nil: it is not traced
}

// Accepted says what became of a NewEvent: the id of the stored event, or of the
// one stored earlier with the same message id.
type Accepted struct {
	ID        id.ID
	Duplicate bool
}

const eventColumns = "id bigint, source bigint, type text, name text, user_id text, message_id text, accepted_at bigint, revision bigint, refusal text, body bytea"

var (
	keysTable   = db.NewTable("event_keys", "key bytea, event bigint")
	eventsTable = db.NewTable("events", eventColumns)
	tracedTable = db.NewTable("events", eventColumns+", trace bytea")
	inboxTable  = db.NewTable("inbox", "event bigint, revision bigint, lease_until bigint, tries bigint")
)

// StoreEvents stores events in one transaction and puts the accepted ones into
// the inbox, leased until lease from now to whoever called. An event whose
// message id was seen from its source before changes nothing. The answer has one
// entry per event, in order. Storing the same events twice stores them once.
func (s *Store) StoreEvents(ctx context.Context, events []NewEvent, lease time.Duration) ([]Accepted, error) {
	out := make([]Accepted, len(events))
	keys := make([]db.Key, len(events))
	for i := range events {
		out[i].ID = s.db.Next()
		keys[i] = segment.Key(events[i].Source, events[i].MessageID)
	}
	first := make(map[db.Key]int, len(events)) // the first of equal ones in this batch
	guards := make([][]any, 0, len(events))
	for i := range events {
		if _, seen := first[keys[i]]; seen || events[i].Refusal != "" {
			continue
		}
		first[keys[i]] = i
		guards = append(guards, []any{keys[i][:], out[i].ID})
	}
	sortByKey(guards)
	traced := slices.ContainsFunc(events, func(e NewEvent) bool { return e.Trace != nil })
	var fresh map[id.ID]bool
	err := s.inTx(db.Urgently(ctx), func(tx *Tx) error {
		var rev int64
		if err := tx.Get(ctx, &rev, `SELECT coalesce(max(id), 0) FROM revisions`); err != nil {
			return err
		}
		ids, err := tx.InsertReturning(ctx, keysTable, guards, "ON CONFLICT (key) DO NOTHING RETURNING event")
		if err != nil {
			return err
		}
		fresh = make(map[id.ID]bool, len(ids))
		for _, v := range ids {
			fresh[v] = true
		}
		rows := make([][]any, 0, len(events))
		queue := make([][]any, 0, len(events))
		now, until := tx.Now.UnixMilli(), tx.Now.Add(lease).UnixMilli()
		for i, e := range events {
			var refusal any
			switch {
			case e.Refusal != "":
				refusal = e.Refusal
			case !fresh[out[i].ID]:
				continue
			default:
				queue = append(queue, []any{out[i].ID, rev, until, 0})
			}
			row := []any{out[i].ID, e.Source, e.Type, e.Name, e.UserID, e.MessageID, now, rev, refusal, e.Body}
			if traced {
				row = append(row, bytesOrNull(e.Trace))
			}
			rows = append(rows, row)
		}
		table := eventsTable
		if traced {
			table = tracedTable
		}
		if _, err := tx.Insert(ctx, table, rows, ""); err != nil {
			return err
		}
		_, err = tx.Insert(ctx, inboxTable, queue, "")
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, s.nameDuplicates(ctx, events, keys, first, fresh, out)
}

func bytesOrNull(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

// sortByKey sorts rows by their first cell, a key: locks are taken in this order
// everywhere, so that writers of the same keys do not wait for each other in a
// circle.
func sortByKey(rows [][]any) {
	slices.SortFunc(rows, func(a, b []any) int { return stdbytes.Compare(a[0].([]byte), b[0].([]byte)) })
}

// nameDuplicates replaces the ids of events that were not stored by the ids of
// those that were there already.
func (s *Store) nameDuplicates(ctx context.Context, events []NewEvent, keys []db.Key, first map[db.Key]int, fresh map[id.ID]bool, out []Accepted) error {
	var ask []db.Key
	for i := range out {
		if events[i].Refusal != "" || fresh[out[i].ID] {
			continue
		}
		out[i].Duplicate = true
		if j := first[keys[i]]; j != i && fresh[out[j].ID] {
			out[i].ID = out[j].ID
			continue
		}
		ask = append(ask, keys[i])
	}
	if len(ask) == 0 {
		return nil
	}
	owners, err := s.eventsByKey(ctx, ask)
	if err != nil {
		return err
	}
	for i := range out {
		if out[i].Duplicate {
			if v, ok := owners[keys[i]]; ok {
				out[i].ID = v
			}
		}
	}
	return nil
}

// eventsByKey finds stored events by their keys.
func (s *Store) eventsByKey(ctx context.Context, keys []db.Key) (map[db.Key]id.ID, error) {
	var rows []struct {
		Key   []byte
		Event id.ID
	}
	if err := s.db.Read(ctx, &rows, `SELECT key, event FROM event_keys WHERE key {keys}`, s.db.Keys(keys)); err != nil {
		return nil, err
	}
	m := make(map[db.Key]id.ID, len(rows))
	for _, r := range rows {
		m[db.Key(r.Key)] = r.Event
	}
	return m, nil
}

// Lease is a waiting event given to whoever claimed it.
type Lease struct {
	Event id.ID
	Tries int
}

// maxLease bounds how long a claimed event may stay unprocessed before it is
// claimed again.
const maxLease = 10 * time.Minute

// ClaimInbox leases up to limit events whose lease ran out, oldest first, each
// for twice as long as the last time. Two callers never get the same event.
func (s *Store) ClaimInbox(ctx context.Context, limit int, lease time.Duration) ([]id.ID, error) {
	var ids []id.ID
	err := s.inTx(ctx, func(tx *Tx) error {
		now := tx.Now.UnixMilli()
		var rows []struct {
			Event id.ID
			Tries int
		}
		if err := tx.Select(ctx, &rows, `SELECT event, tries FROM inbox WHERE lease_until <= ? ORDER BY event LIMIT ? {skip}`, now, limit); err != nil {
			return err
		}
		ids = make([]id.ID, 0, len(rows))
		byTries := map[int][]id.ID{}
		for _, r := range rows {
			ids = append(ids, r.Event)
			byTries[r.Tries] = append(byTries[r.Tries], r.Event)
		}
		for tries, group := range byTries {
			until := tx.Now.Add(doubled(lease, tries+1, maxLease)).UnixMilli()
			if _, err := tx.Exec(ctx, `UPDATE inbox SET lease_until = ?, tries = ? WHERE event {ids}`, until, tries+1, s.db.IDs(group)); err != nil {
				return err
			}
		}
		return nil
	})
	return ids, err
}

// EndLeases makes all that waits claimable now, events and hand-overs. It is for a
// process that starts alone on its database: whoever held a lease is gone. Where it
// is not alone, some things are started twice, which does no harm.
func (s *Store) EndLeases(ctx context.Context) error {
	return s.inTx(ctx, func(tx *Tx) error {
		now := tx.Now.UnixMilli()
		if _, err := tx.Exec(ctx, `UPDATE inbox SET lease_until = ? WHERE lease_until > ?`, now, now); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE handovers SET lease_until = ? WHERE lease_until > ?`, now, now); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE distributions SET awake_until = 0 WHERE awake_until > ?`, now)
		return err
	})
}

// doubled is base doubled n times, at most limit.
func doubled(base time.Duration, n int, limit time.Duration) time.Duration {
	for ; n > 0 && base < limit; n-- {
		base *= 2
	}
	return min(base, limit)
}

// EventByMessage finds an event by its source and message id; unknown is NotFound.
func (s *Store) EventByMessage(ctx context.Context, source id.ID, messageID string) (event id.ID, err error) {
	k := segment.Key(source, messageID)
	return event, s.db.ReadOne(ctx, &event, `SELECT event FROM event_keys WHERE key = ?`, k[:])
}
