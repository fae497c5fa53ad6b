package query

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/data/db"
)

// WorkflowURLUsed is when a workflow's URL was last used, to the minute or so; the
// zero time when it never was.
func (r *Reader) WorkflowURLUsed(ctx context.Context, workflow id.ID) (time.Time, error) {
	var ms int64
	err := r.db.ReadOne(ctx, &ms, `SELECT coalesce(max(last_used_at), 0) FROM workflow_urls WHERE workflow = ?`, workflow)
	if err != nil || ms == 0 {
		return time.Time{}, err
	}
	return db.Instant(ms), nil
}
