// Package store keeps everything Segue knows, in SQLite or PostgreSQL, through
// sqlx. Its methods are business verbs (StoreEvents, ApplyContacts, StartRuns …)
// that say what happens when they run twice; each runs in one transaction.
//
// One file per aggregate; reads for the API and the console are in read_*.go.
// Both databases run the same statements but for the few places where dialect
// says otherwise, and pass the same tests.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite" // driver sqlite
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
)

// Options says which database to open.
type Options struct {
	// URL is sqlite://path or postgres://…
	URL string
	// Now is the clock; nil is the system's.
	Now func() time.Time
	// MaxConns bounds PostgreSQL connections and SQLite readers; 0 is a default
	// that fits a small machine.
	MaxConns int
}

// Store is an open database. Safe for concurrent use.
type Store struct {
	w, r     *sqlx.DB // the writer and the readers; one pool on PostgreSQL
	turns    *turns   // who may write
	lite     *writer  // SQLite's one writing connection; nil on PostgreSQL
	postgres bool
	now      func() time.Time

	*id.Maker
	texts sync.Map // query -> its text for this database
	reads sync.Map // text -> *sqlx.Stmt on the readers; SQLite only, pgx keeps its own
}

// Open connects, brings the schema up to date, and takes a node number for ids.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{now: o.Now}
	var err error
	switch scheme, rest, _ := strings.Cut(o.URL, "://"); scheme {
	case "sqlite":
		err = s.openSQLite(rest, o)
	case "postgres", "postgresql":
		err = s.openPostgres(o)
	default:
		return nil, fault.Field("database-url", "want sqlite://path or postgres://…, have %q", scheme)
	}
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) start(ctx context.Context) error {
	if err := s.migrate(ctx); err != nil {
		return err
	}
	node, err := s.count(ctx, "node")
	if err != nil {
		return fmt.Errorf("take a node number: %w", err)
	}
	s.Maker = id.NewMaker(node, s.now)
	return s.EnsurePartitions(ctx)
}

// openSQLite opens one immediate writer and several read-only connections, in
// WAL with synchronous=FULL: a commit survives a power cut, and readers never
// wait for the writer.
func (s *Store) openSQLite(path string, o Options) error {
	pragmas := func(readonly bool) string {
		q := url.Values{}
		for _, p := range []string{"busy_timeout(10000)", "journal_mode(wal)", "synchronous(full)", "cache_size(-65536)", "foreign_keys(off)"} {
			q.Add("_pragma", p)
		}
		if readonly {
			q.Add("_pragma", "query_only(true)")
		} else {
			q.Set("_txlock", "immediate")
		}
		return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
	}
	var err error
	if s.w, err = sqlx.Open("sqlite", pragmas(false)); err != nil {
		return fault.Wrap(fault.Unavailable, err, "open the database")
	}
	s.w.SetMaxOpenConns(2) // the writer's own, and one for migrations
	if err := s.w.Ping(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "open the database file %s", path)
	}
	if s.r, err = sqlx.Open("sqlite", pragmas(true)); err != nil {
		return fault.Wrap(fault.Unavailable, err, "open the database")
	}
	n := o.MaxConns
	if n == 0 {
		n = max(4, runtime.NumCPU())
	}
	s.r.SetMaxOpenConns(n)
	s.r.SetMaxIdleConns(n)
	s.turns = newTurns(1)
	s.lite, err = newWriter(s.w)
	return fault.Wrap(fault.Unavailable, err, "open the database file %s", path)
}

func (s *Store) openPostgres(o Options) error {
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		// The URL may hold a password, so the driver's text stays out.
		return fault.Field("database-url", "not a PostgreSQL URL")
	}
	// Compiling a plan takes longer than any of these short statements run.
	noJIT := stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "SET jit = off")
		return err
	})
	db := sqlx.NewDb(stdlib.OpenDB(*config, noJIT), "pgx")
	n := o.MaxConns
	if n == 0 {
		n = 16
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	s.w, s.r, s.postgres = db, db, true
	s.turns = newTurns(max(2, n/postgresShare))
	return nil
}

// postgresShare is the part of the connections that may write at the same time in
// the background: more writers only take the processors from each other, and from
// callers who wait for an answer.
const postgresShare = 4

// Close closes the connections.
func (s *Store) Close() error {
	if s.lite != nil {
		_ = s.turns.take(context.Background(), true) // a transaction that runs ends first
		s.lite.close()
	}
	err := s.w.Close()
	if s.r != s.w && s.r != nil {
		err = errors.Join(err, s.r.Close())
	}
	return err
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return fault.Wrap(fault.Unavailable, s.r.PingContext(ctx), "database")
}

// Postgres reports which database this is.
func (s *Store) Postgres() bool { return s.postgres }

// Now is the store's clock.
func (s *Store) Now() time.Time { return s.now() }

// Tx is one transaction with its fixed time.
type Tx struct {
	*sqlx.Tx
	s   *Store
	Now time.Time
}

// errRace makes inTx run its function again: another transaction was quicker.
var errRace = errors.New("lost a race")

// inTx runs fn in a transaction and commits it. fn may run several times: after
// a serialization failure, a deadlock, or errRace. It must keep no state from a
// failed try.
func (s *Store) inTx(ctx context.Context, fn func(tx *Tx) error) error {
	const tries = 20
	for try := 1; ; try++ {
		err := s.tryTx(ctx, fn)
		if err == nil || try == tries || !retriable(err) {
			return dbFault(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * time.Millisecond):
		}
	}
}

type urgentKey struct{}

// asUrgent marks what is done for a caller who waits for the answer.
func asUrgent(ctx context.Context) context.Context { return context.WithValue(ctx, urgentKey{}, true) }

func urgent(ctx context.Context) bool { return ctx.Value(urgentKey{}) != nil }

func (s *Store) tryTx(ctx context.Context, fn func(tx *Tx) error) error {
	begin, life := s.w.BeginTxx, ctx
	// On PostgreSQL those who are urgent need no turn: ingest limits itself.
	if s.lite != nil || !urgent(ctx) {
		if err := s.turns.take(ctx, urgent(ctx)); err != nil {
			return err
		}
		defer s.turns.release()
	}
	if s.lite != nil {
		// The transaction must not end by itself when ctx does: a statement of the
		// connection that came after would be outside it. Statements fail with ctx,
		// and the rollback below ends it.
		begin, life = s.lite.conn.BeginTxx, context.WithoutCancel(ctx)
	}
	t, err := begin(life, nil)
	if err != nil {
		return err
	}
	defer t.Rollback() //nolint:errcheck // after a commit it says so, otherwise the first error counts
	if err := fn(&Tx{Tx: t, s: s, Now: s.now()}); err != nil {
		return err
	}
	return t.Commit()
}

// retriable reports whether a transaction that failed may work when repeated:
// 40001 serialization failure, 40P01 deadlock, 23505 a lost race for a key.
func retriable(err error) bool {
	if errors.Is(err, errRace) {
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

// dbFault gives a database's error its kind. What the data itself is to blame
// for is Invalid; everything else of a database is Unavailable.
func dbFault(err error) error {
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

// count raises a named counter and returns it; two callers never get the same.
func (s *Store) count(ctx context.Context, name string) (n int64, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		return tx.get(ctx, &n, `INSERT INTO counters (name, n) VALUES (?, 1)
			ON CONFLICT (name) DO UPDATE SET n = counters.n + 1 RETURNING n`, name)
	})
	return n, err
}
