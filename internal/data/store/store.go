// Package store keeps everything Segue knows, in SQLite or PostgreSQL. Its methods
// are business verbs (StoreEvents, ApplyContacts, CreateRuns …) that say what happens
// when they run twice; each runs in one transaction. An effect and the mark that it
// was done share it.
//
// One file per aggregate. How the two databases are spoken to is package db's; what
// people read, in lists and pages, is package query's. Both databases run the same
// statements and pass the same tests.
package store

import (
	"context"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/data/db"
)

// Store is what Segue keeps. Safe for concurrent use.
type Store struct {
	db *db.DB
	// Marked, when set, is told of deliveries whose attempts were recorded, once that
	// is committed. Set it before the first use.
	Marked func(marks []delivery.Mark)
}

// New keeps things in an open database.
func New(d *db.DB) *Store { return &Store{db: d} }

// Tx is a transaction of the store's verbs.
type Tx struct {
	*db.Tx
	s      *Store
	marked []delivery.Mark // for Store.Marked
}

// inTx runs fn in a transaction and commits it. fn may run several times, and must
// keep no state from a failed try: see db.DB.InTx.
func (s *Store) inTx(ctx context.Context, fn func(tx *Tx) error) error {
	t := &Tx{s: s}
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		t.Tx, t.marked = tx, nil
		return fn(t)
	})
	if err == nil && len(t.marked) > 0 && s.Marked != nil {
		s.Marked(t.marked)
	}
	return err
}

// EnsurePartitions makes what the coming days' events are stored in. Safe to call
// twice and from several processes.
func (s *Store) EnsurePartitions(ctx context.Context) error { return s.db.EnsurePartitions(ctx) }
