package query

import (
	"context"
	"math"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/db"
)

// EventRow is an event as lists show it.
type EventRow struct {
	ID         id.ID          `db:"id"`
	Source     id.ID          `db:"source"`
	Type       string         `db:"type"`
	Name       string         `db:"name"`
	UserID     string         `db:"user_id"`
	MessageID  string         `db:"message_id"`
	AcceptedAt int64          `db:"accepted_at"` // milliseconds
	Revision   int64          `db:"revision"`
	Refusal    string         `db:"refusal"`
	Status     segment.Status `db:"status"`
}

// EventQuery selects events. Zero fields do not restrict.
type EventQuery struct {
	Source    id.ID
	MessageID string
	Status    segment.Status
	Type      string
	Name      string
	UserID    string
	Since     time.Time // stored at or after
	Until     time.Time // stored before
}

// eventStatus is the status of event e. What still moves is said before what
// ended badly.
const eventStatus = `CASE WHEN e.refusal IS NOT NULL THEN 'invalid'
  WHEN EXISTS (SELECT 1 FROM inbox i WHERE i.event = e.id) THEN 'accepted'
  ELSE coalesce((SELECT CASE max(CASE d.status WHEN 'retrying' THEN 3 WHEN 'held' THEN 3 WHEN 'pending' THEN 2 WHEN 'rejected' THEN 1 ELSE 0 END)
    WHEN 3 THEN 'retrying' WHEN 2 THEN 'accepted' WHEN 1 THEN 'failed' ELSE 'processed' END
    FROM deliveries d WHERE d.event = e.id), 'processed') END`

const selectEvents = `SELECT e.id, e.source, e.type, e.name, e.user_id, e.message_id, e.accepted_at, e.revision,
  coalesce(e.refusal, '') AS refusal, ` + eventStatus + ` AS status FROM events AS e`

// ListEvents lists events.
func (r *Reader) ListEvents(ctx context.Context, f EventQuery, p Paging) ([]EventRow, id.ID, error) {
	var q query
	filter(&q, "e.source = ?", f.Source)
	filter(&q, "e.type = ?", f.Type)
	filter(&q, "e.name = ?", f.Name)
	filter(&q, "e.user_id = ?", f.UserID)
	filter(&q, "e.message_id = ?", f.MessageID)
	filter(&q, "("+eventStatus+") = ?", f.Status)
	w, err := r.eventSpan(ctx, f, p, q.scans)
	if err != nil {
		return nil, 0, err
	}
	return page(ctx, r, selectEvents, "e", q, w, p, func(r *EventRow) id.ID { return r.ID })
}

// eventSpan is where to look: at what the best index names, else in a window.
func (r *Reader) eventSpan(ctx context.Context, f EventQuery, p Paging, scans bool) (span, error) {
	top, bottom := p.before(), id.ID(0)
	if !f.Until.IsZero() {
		top = min(top, atOrEnd(f.Until))
	}
	if !f.Since.IsZero() {
		bottom = atOrEnd(f.Since)
	}
	var ids []id.ID
	var err error
	switch {
	case f.MessageID != "":
		ids, err = r.eventsOfMessage(ctx, f.Source, f.MessageID, bottom, top)
	case f.UserID != "":
		// id + 0: PostgreSQL would rather walk all events backwards for a person
		// it believes to be frequent.
		err = r.db.Read(ctx, &ids, `SELECT id FROM events WHERE user_id = ? AND user_id <> '' AND id >= ? AND id < ? ORDER BY id + 0 DESC LIMIT ?`,
			f.UserID, bottom, top, candidates)
	case f.Status == segment.Invalid:
		err = r.db.Read(ctx, &ids, `SELECT id FROM events WHERE refusal IS NOT NULL AND id >= ? AND id < ? ORDER BY id DESC LIMIT ?`, bottom, top, candidates)
	case f.Status == segment.Accepted, f.Status == segment.Retrying:
		// Every delivery that has not ended has its row in the queue.
		err = r.db.Read(ctx, &ids, `SELECT id FROM (SELECT event AS id FROM inbox WHERE event >= ? AND event < ? ORDER BY event DESC LIMIT ?) AS waiting
			UNION SELECT id FROM (SELECT DISTINCT event AS id FROM delivery_queue WHERE event >= ? AND event < ? ORDER BY event DESC LIMIT ?) AS open
			ORDER BY id DESC LIMIT ?`, bottom, top, candidates, bottom, top, candidates, candidates)
	default:
		return r.window(ctx, "events", top, bottom, scans)
	}
	return among(ids), err
}

// atOrEnd is id.At for any time: 0 before the first id there can be, and above all
// ids after the last.
func atOrEnd(t time.Time) id.ID {
	const last = 1 << 40 // milliseconds
	switch ms := t.Sub(id.Epoch).Milliseconds(); {
	case ms < 0:
		return 0
	case ms >= last:
		return math.MaxInt64
	}
	return id.At(t)
}

// eventsOfMessage finds events by message id: accepted ones by their keys, and
// among the latest refused ones, which have none.
func (r *Reader) eventsOfMessage(ctx context.Context, source id.ID, messageID string, bottom, top id.ID) (ids []id.ID, err error) {
	var sources []id.ID
	if source != 0 {
		sources = []id.ID{source}
	} else if err := r.db.Read(ctx, &sources, `SELECT id FROM names WHERE kind = ?`, plan.KindSource); err != nil {
		return nil, err
	}
	keys := make([]db.Key, len(sources))
	for i, v := range sources {
		keys[i] = segment.Key(v, messageID)
	}
	err = r.db.Read(ctx, &ids, `SELECT id FROM (
		  SELECT event AS id FROM event_keys WHERE key {keys}
		  UNION SELECT id FROM (SELECT id, message_id FROM events WHERE refusal IS NOT NULL ORDER BY id DESC LIMIT ?) AS refused WHERE message_id = ?
		) AS found WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?`, r.db.Keys(keys), candidates, messageID, bottom, top, candidates)
	return ids, err
}

// EventRow is one event, without its body; unknown is NotFound.
func (r *Reader) EventRow(ctx context.Context, v id.ID) (EventRow, error) {
	var row EventRow
	err := r.db.ReadOne(ctx, &row, selectEvents+` WHERE e.id = ?`, v)
	return row, err
}

// EventBody is the stored text of an event; unknown is NotFound.
func (r *Reader) EventBody(ctx context.Context, v id.ID) (body []byte, err error) {
	return body, r.db.ReadOne(ctx, &body, `SELECT body FROM events WHERE id = ?`, v)
}

// DeliveryRow is a delivery as lists and details show it.
type DeliveryRow struct {
	Event       id.ID           `db:"event"`
	Mapping     id.ID           `db:"mapping"`
	Destination id.ID           `db:"destination"`
	Action      string          `db:"action"`
	Status      delivery.Status `db:"status"`
	Attempts    int             `db:"attempts"`
	UpdatedAt   int64           `db:"updated_at"` // milliseconds
	Reason      string          `db:"reason"`
	Contact     id.ID           `db:"contact"`
	Result      string          `db:"result"`   // JSON or ""
	Payload     []byte          `db:"payload"`  // JSON; nil unless asked for
	DueAt       int64           `db:"due_at"`   // next attempt in milliseconds; 0 when none is due
	Job         id.ID           `db:"job"`      // the replay that wrote it; 0: the event's own processing
	Revision    *int64          `db:"revision"` // of the plan that made it; nil: the event's
}

const deliveryColumns = `d.event, d.mapping, d.destination, d.action, d.status, d.attempts, d.updated_at,
  coalesce(d.reason, '') AS reason, d.contact, coalesce(d.result, '') AS result, coalesce(q.due_at, 0) AS due_at, d.job, d.revision`

const fromDeliveries = ` FROM deliveries AS d LEFT JOIN delivery_queue AS q ON q.event = d.event AND q.mapping = d.mapping
  WHERE d.event {ids} ORDER BY d.event, d.mapping`

// DeliveryRows are the deliveries of events, by event and mapping; with their
// payloads when asked.
func (r *Reader) DeliveryRows(ctx context.Context, events []id.ID, payloads bool) (rows []DeliveryRow, err error) {
	if len(events) == 0 {
		return nil, nil
	}
	columns := deliveryColumns
	if payloads {
		columns += ", d.payload"
	}
	return rows, r.db.Read(ctx, &rows, "SELECT "+columns+fromDeliveries, r.db.IDs(events))
}
