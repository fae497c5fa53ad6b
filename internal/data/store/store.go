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
	s *Store
}

// inTx runs fn in a transaction and commits it. fn may run several times, and must
// keep no state from a failed try: see db.DB.InTx.
func (s *Store) inTx(ctx context.Context, fn func(tx *Tx) error) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error { return fn(&Tx{tx, s}) })
}

// marked has Store.Marked told, once the transaction is committed.
func (tx *Tx) marked(marks []delivery.Mark) {
	if tx.s.Marked != nil && len(marks) > 0 {
		tx.After(func() { tx.s.Marked(marks) })
	}
}

// EnsurePartitions makes what the coming days' events are stored in. Safe to call
// twice and from several processes.
func (s *Store) EnsurePartitions(ctx context.Context) error { return s.db.EnsurePartitions(ctx) }
