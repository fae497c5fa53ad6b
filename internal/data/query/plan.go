package query

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/data/db"
)

// SecretNames are the names of the secrets that are kept.
func (r *Reader) SecretNames(ctx context.Context) (map[string]bool, error) {
	var rows []string
	if err := r.db.Read(ctx, &rows, `SELECT name FROM secrets`); err != nil {
		return nil, err
	}
	m := make(map[string]bool, len(rows))
	for _, name := range rows {
		m[name] = true
	}
	return m, nil
}

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
