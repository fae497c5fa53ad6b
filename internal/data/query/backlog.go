package query

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/db"
)

// What follows is asked every few seconds by whoever watches from outside, so that
// nothing here reads more of a table than it is told.

// Waiting is what waits at a destination, each count up to the limit.
type Waiting struct {
	Deliveries, Retrying, Held int       // Deliveries: those that are neither
	DueSince                   time.Time // of the longest due delivery; zero: none is due
	Messages                   int       // of distributions, that the account is to send now
	MessagesSince              time.Time
}

const countWaiting = `SELECT CAST(coalesce(sum(held), 0) AS bigint) AS held, CAST(coalesce(sum(retrying), 0) AS bigint) AS retrying, count(*) - CAST(coalesce(sum(held + retrying), 0) AS bigint) AS deliveries
	FROM (SELECT CASE WHEN due_at >= ? THEN 1 ELSE 0 END AS held, CASE WHEN due_at < ? AND tries > 0 THEN 1 ELSE 0 END AS retrying
		FROM delivery_queue WHERE destination = ? LIMIT ?) AS w`

const firstDue = `SELECT min(due_at) AS at FROM delivery_queue WHERE destination = ? AND action = ?`

const countMessages = `SELECT count(*) AS n, coalesce(min(due_at), 0) AS at FROM (SELECT due_at, kind FROM message_queue
	WHERE destination = ? AND due_at <= ? ORDER BY due_at LIMIT ?) AS q WHERE kind <> '` + string(distribution.KindProgress) + `'`

// WaitingAt says what waits at a destination; held is when what waits for somebody
// is due.
func (r *Reader) WaitingAt(ctx context.Context, destination id.ID, held time.Time, limit int) (w Waiting, err error) {
	var counts struct{ Held, Retrying, Deliveries int }
	if err := r.db.ReadOne(ctx, &counts, countWaiting, held.UnixMilli(), held.UnixMilli(), destination, limit); err != nil {
		return w, err
	}
	w.Held, w.Retrying, w.Deliveries = counts.Held, counts.Retrying, counts.Deliveries
	now := r.db.Now()
	var due int64
	if w.Deliveries+w.Retrying > 0 {
		// One look into the index for each action; "" is of versions that wrote none.
		if err := r.db.ReadOne(ctx, &due, `SELECT coalesce(min(at), 0) FROM (`+firstDue+` UNION ALL `+firstDue+` UNION ALL `+firstDue+` UNION ALL `+firstDue+`) AS a`,
			destination, plan.UpsertContact, destination, plan.UpsertTransaction, destination, plan.StartWorkflow, destination, ""); err != nil {
			return w, err
		}
	}
	w.DueSince = past(due, now)
	var messages struct {
		N  int
		At int64
	}
	err = r.db.ReadOne(ctx, &messages, countMessages, destination, now.UnixMilli(), limit)
	w.Messages, w.MessagesSince = messages.N, past(messages.At, now)
	return w, err
}

// DistributionsDue says for how many invitations of all standing distributions
// something is due, counted up to limit, and since when.
func (r *Reader) DistributionsDue(ctx context.Context, limit int) (due int, since time.Time, err error) {
	now := r.db.Now()
	var row struct {
		N  int
		At int64
	}
	err = r.db.ReadOne(ctx, &row, `SELECT (SELECT count(*) FROM (SELECT 1 AS one FROM distributions d JOIN distribution_queue q ON q.distribution = d.id
			WHERE d.workflow IS NOT NULL AND q.due_at <= ? LIMIT ?) AS due) AS n,
		coalesce((SELECT min(first) FROM (SELECT (SELECT min(due_at) FROM distribution_queue q WHERE q.distribution = d.id) AS first
			FROM distributions d WHERE d.workflow IS NOT NULL) AS firsts), 0) AS at`, now.UnixMilli(), limit)
	return row.N, past(row.At, now), err
}

// past is an instant in milliseconds that has come; the zero time when it has not, or
// is 0.
func past(ms int64, now time.Time) time.Time {
	if at := db.Instant(ms); ms > 0 && !at.After(now) {
		return at
	}
	return time.Time{}
}
