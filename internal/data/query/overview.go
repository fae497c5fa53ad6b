package query

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
)

// MinuteRow counts what became of the events that were stored in one minute.
type MinuteRow struct {
	Events   int `db:"events"`   // all
	Refused  int `db:"refused"`  // of them, at the door
	Inbox    int `db:"inbox"`    // of them, not yet taken up
	UnderWay int `db:"underway"` // of them, with a delivery that has not ended
	Failed   int `db:"failed"`   // of them, with a rejected delivery and none under way

	Done     int `db:"done"` // their deliveries by status
	Retrying int `db:"retrying"`
	Held     int `db:"held"`
	Rejected int `db:"rejected"`

	Runs  int `db:"runs"`  // made in the minute
	Mails int `db:"mails"` // sent to people who were invited in the minute

	Causes []CauseRow `db:"-"` // why deliveries were rejected, the most frequent first
}

// CauseRow groups rejected deliveries.
type CauseRow struct {
	Mapping id.ID  `db:"mapping"`
	Reason  string `db:"reason"`
	N       int    `db:"n"`
	Last    int64  `db:"last"`    // milliseconds
	Example id.ID  `db:"example"` // the latest event
}

const countMinute = `SELECT
  (SELECT count(*) FROM events WHERE id >= ? AND id < ?) AS events,
  (SELECT count(*) FROM events WHERE refusal IS NOT NULL AND id >= ? AND id < ?) AS refused,
  (SELECT count(*) FROM inbox WHERE event >= ? AND event < ?) AS inbox,
  (SELECT count(*) FROM runs WHERE id >= ? AND id < ?) AS runs,
  (SELECT count(*) FROM messages WHERE status = 'sent' AND invitation >= ? AND invitation < ?) AS mails,
  count(CASE WHEN open > 0 THEN 1 END) AS underway, count(CASE WHEN open = 0 AND rejected > 0 THEN 1 END) AS failed,
  CAST(coalesce(sum(done), 0) AS bigint) AS done, CAST(coalesce(sum(retrying), 0) AS bigint) AS retrying,
  CAST(coalesce(sum(held), 0) AS bigint) AS held, CAST(coalesce(sum(rejected), 0) AS bigint) AS rejected
  FROM (SELECT event, count(CASE WHEN status IN ('pending', 'retrying', 'held') THEN 1 END) AS open,
    count(CASE status WHEN 'done' THEN 1 END) AS done, count(CASE status WHEN 'retrying' THEN 1 END) AS retrying,
    count(CASE status WHEN 'held' THEN 1 END) AS held, count(CASE status WHEN 'rejected' THEN 1 END) AS rejected
    FROM deliveries WHERE event >= ? AND event < ? GROUP BY event) AS e`

const countCauses = `SELECT mapping, coalesce(reason, '') AS reason, count(*) AS n, max(updated_at) AS last, max(event) AS example
  FROM deliveries WHERE event >= ? AND event < ? AND status = 'rejected' GROUP BY mapping, coalesce(reason, '')
  ORDER BY n DESC, example DESC LIMIT ?`

// CountMinute counts the minute from start on, with at most causes of its causes.
// It reads all events of the minute: keep what it says.
func (r *Reader) CountMinute(ctx context.Context, start time.Time, causes int) (MinuteRow, error) {
	from, to := id.At(start), id.At(start.Add(time.Minute))
	var row MinuteRow
	if err := r.db.ReadOne(ctx, &row, countMinute, from, to, from, to, from, to, from, to, from, to, from, to); err != nil || row.Rejected == 0 {
		return row, err
	}
	return row, r.db.Read(ctx, &row.Causes, countCauses, from, to, causes)
}

// HasEvents reports whether any event was ever stored.
func (r *Reader) HasEvents(ctx context.Context) (bool, error) {
	var n int
	err := r.db.ReadOne(ctx, &n, `SELECT count(*) FROM (SELECT id FROM events LIMIT 1) AS one`)
	return n > 0, err
}

// HasQueued reports whether any delivery waits at a destination.
func (r *Reader) HasQueued(ctx context.Context, destination id.ID) (bool, error) {
	var n int
	err := r.db.ReadOne(ctx, &n, `SELECT count(*) FROM (SELECT event FROM delivery_queue WHERE destination = ? LIMIT 1) AS one`, destination)
	return n > 0, err
}

// InboxState is how many events wait, counted up to limit, and since when the
// oldest does.
func (r *Reader) InboxState(ctx context.Context, limit int) (waiting int, oldest time.Time, err error) {
	var row struct {
		N      int
		Oldest id.ID
	}
	err = r.db.ReadOne(ctx, &row, `SELECT count(*) AS n, coalesce(min(event), 0) AS oldest FROM (SELECT event FROM inbox ORDER BY event LIMIT ?) AS w`, limit)
	if row.Oldest != 0 {
		oldest = row.Oldest.Time()
	}
	return row.N, oldest, err
}
