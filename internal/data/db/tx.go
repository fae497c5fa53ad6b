package db

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Tx is one transaction with its fixed time.
type Tx struct {
	Now time.Time

	tx    *sqlx.Tx
	d     *DB
	after []func()
}

// After has something done once the transaction is committed, and not at all when it
// is not.
func (tx *Tx) After(do func()) { tx.after = append(tx.after, do) }

// ErrRace makes InTx run its function again: another transaction was quicker.
var ErrRace = errors.New("lost a race")

// InTx runs fn in a transaction and commits it. fn may run several times: after
// a serialization failure, a deadlock, or ErrRace. It must keep no state from a
// failed try.
func (d *DB) InTx(ctx context.Context, fn func(tx *Tx) error) error {
	t := Transaction{}
	begin := time.Now()
	span := d.span(ctx)
	t.Err = d.inTx(ctx, fn, &t)
	t.Took = time.Since(begin)
	endSpan(span, t)
	if d.watch != nil {
		d.watch(t)
	}
	return t.Err
}

func (d *DB) inTx(ctx context.Context, fn func(tx *Tx) error, t *Transaction) error {
	const tries = 20
	for {
		t.Tries++
		err := d.tryTx(ctx, fn, t)
		if err == nil || t.Tries == tries || !retriable(err) {
			return faultOf(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(t.Tries) * time.Millisecond):
		}
	}
}

type urgentKey struct{}

// Urgently marks what is done for a caller who waits for the answer.
func Urgently(ctx context.Context) context.Context { return context.WithValue(ctx, urgentKey{}, true) }

func urgent(ctx context.Context) bool { return ctx.Value(urgentKey{}) != nil }

func (d *DB) tryTx(ctx context.Context, fn func(tx *Tx) error, t *Transaction) error {
	begin, life := d.w.BeginTxx, ctx
	// On PostgreSQL those who are urgent need no turn: ingest limits itself.
	if d.lite != nil || !urgent(ctx) {
		asked := time.Now()
		err := d.turns.take(ctx, urgent(ctx))
		t.Waited += time.Since(asked)
		if err != nil {
			return err
		}
		defer d.turns.release()
	}
	if d.lite != nil {
		// The transaction must not end by itself when ctx does: a statement of the
		// connection that came after would be outside it. Statements fail with ctx,
		// and the rollback below ends it.
		begin, life = d.lite.conn.BeginTxx, context.WithoutCancel(ctx)
	}
	begun, err := begin(life, nil)
	if err != nil {
		return err
	}
	defer begun.Rollback() //nolint:errcheck // after a commit it says so, otherwise the first error counts
	tx := &Tx{tx: begun, d: d, Now: d.now()}
	if err := fn(tx); err != nil {
		return err
	}
	if err := begun.Commit(); err != nil {
		return err
	}
	for _, do := range tx.after {
		do()
	}
	return nil
}

// retriable reports whether a transaction that failed may work when repeated:
// 40001 serialization failure, 40P01 deadlock, 23505 a lost race for a key.
func retriable(err error) bool {
	if errors.Is(err, ErrRace) {
		return true
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "23505"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqlite3.SQLITE_BUSY
	}
	return false
}

// faultOf gives a database's error its kind. What the data itself is to blame
// for is Invalid; everything else of a database is Unavailable.
func faultOf(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(err, sql.ErrNoRows) {
		return fault.Wrap(fault.NotFound, err, "not found")
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code[:2] {
		case "22": // data exception
			return fault.Wrap(fault.Invalid, err, "the database cannot hold this value")
		case "08", "40", "53", "55", "57", "58":
			return fault.Wrap(fault.Unavailable, err, "database")
		}
		return fault.Wrap(fault.Internal, err, "database")
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
			return fault.Wrap(fault.Invalid, err, "the database cannot hold this value")
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN:
			return fault.Wrap(fault.Unavailable, err, "database")
		}
		return fault.Wrap(fault.Internal, err, "database")
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return fault.Wrap(fault.Unavailable, err, "database")
	}
	return err
}

// Alone holds a numbered lock until the transaction's end, Shared lets others that
// are Shared hold it too. On SQLite, where one writes at a time, there is nothing to do.
func (tx *Tx) Alone(ctx context.Context, lock int) error {
	return tx.lock(ctx, `SELECT pg_advisory_xact_lock(?)`, lock)
}

// Shared is Alone for those who do not disturb one another.
func (tx *Tx) Shared(ctx context.Context, lock int) error {
	return tx.lock(ctx, `SELECT pg_advisory_xact_lock_shared(?)`, lock)
}

func (tx *Tx) lock(ctx context.Context, query string, lock int) error {
	if !tx.d.postgres {
		return nil
	}
	_, err := tx.Exec(ctx, query, lock)
	return err
}
