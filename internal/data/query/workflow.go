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

// VersionRow is one stored version of a workflow.
type VersionRow struct {
	Workflow   id.ID
	Version    int64
	Definition []byte // a plan.Workflow as JSON
}

// VersionRows are all stored versions of workflows, oldest first: as many as there were
// changes.
func (r *Reader) VersionRows(ctx context.Context) (rows []VersionRow, err error) {
	return rows, r.db.Read(ctx, &rows, `SELECT workflow, version, definition FROM workflow_versions ORDER BY workflow, version`)
}
