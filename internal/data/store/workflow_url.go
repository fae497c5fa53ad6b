package store

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
)

// WorkflowURLs are the workflows that have a URL, by the SHA-256 of the token in
// it. They change with revisions only.
func (s *Store) WorkflowURLs(ctx context.Context) (map[[32]byte]id.ID, error) {
	var rows []struct {
		Token    []byte
		Workflow id.ID
	}
	if err := s.db.Read(ctx, &rows, `SELECT token, workflow FROM workflow_urls`); err != nil {
		return nil, err
	}
	m := make(map[[32]byte]id.ID, len(rows))
	for _, r := range rows {
		m[[32]byte(r.Token)] = r.Workflow
	}
	return m, nil
}

// NoteURLUse keeps when a workflow's URL was last used; an earlier time than the
// one that is kept changes nothing. Tokens are named by their SHA-256.
func (s *Store) NoteURLUse(ctx context.Context, token [32]byte, at time.Time) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE workflow_urls SET last_used_at = ? WHERE token = ? AND coalesce(last_used_at, 0) < ?`, at.UnixMilli(), token[:], at.UnixMilli())
		return err
	})
}
