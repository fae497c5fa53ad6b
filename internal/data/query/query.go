// Package query is what people read: lists in pages, details, counts. It changes
// nothing, and reads through the connections that cannot. What activities and
// ingest read on their way is package store's.
//
//	rows, next, err := query.New(d).ListRuns(ctx, query.RunQuery{Workflow: w}, query.Paging{Limit: 50})
package query

import "github.com/segue-xm/segue/internal/data/db"

// Reader reads an open database. Safe for concurrent use.
type Reader struct{ db *db.DB }

// New reads a database.
func New(d *db.DB) *Reader { return &Reader{d} }
