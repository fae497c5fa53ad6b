package query

import (
	"context"

	"github.com/segue-xm/segue/internal/core/id"
)

// DestinationRow is what is known of a destination beside the plan.
type DestinationRow struct {
	Destination id.ID  `db:"destination"`
	PausedAt    int64  `db:"paused_at"` // milliseconds; 0: not paused
	PausedBy    string `db:"paused_by"`
	PauseNote   string `db:"pause_note"`
	Trouble     string `db:"trouble"`
	TroubleAt   int64  `db:"trouble_at"` // milliseconds
}

// DestinationRows are all destinations of which something is known.
func (r *Reader) DestinationRows(ctx context.Context) (rows []DestinationRow, err error) {
	return rows, r.db.Read(ctx, &rows, `SELECT destination, coalesce(paused_at, 0) AS paused_at, coalesce(paused_by, '') AS paused_by, coalesce(pause_note, '') AS pause_note,
		coalesce(trouble, '') AS trouble, coalesce(trouble_at, 0) AS trouble_at FROM destination_states`)
}

// QueueRow counts what waits at a destination.
type QueueRow struct {
	Destination id.ID  `db:"destination"`
	Status      string `db:"status"`
	N           int    `db:"n"`
	Oldest      id.ID  `db:"oldest"` // event
}

// QueueRows count what waits, by destination and status.
func (r *Reader) QueueRows(ctx context.Context) (rows []QueueRow, err error) {
	return rows, r.db.Read(ctx, &rows, `SELECT q.destination, d.status, count(*) AS n, min(q.event) AS oldest
		FROM delivery_queue q JOIN deliveries d ON d.event = q.event AND d.mapping = q.mapping GROUP BY q.destination, d.status`)
}
