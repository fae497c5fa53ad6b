// Package db is how Segue speaks to its database, SQLite or PostgreSQL, through
// sqlx: connections, migrations, statements that both understand, transactions that
// take turns and repeat themselves, and writing many rows at once. It knows no
// table but those that keep it going; what is kept is for package store.
//
//	d, err := db.Open(ctx, db.Options{URL: "sqlite:///var/lib/segue/segue.db"})
//	err = d.InTx(ctx, func(tx *db.Tx) error {
//		_, err := tx.Exec(ctx, `DELETE FROM inbox WHERE event {ids}`, d.IDs(ids))
//		return err
//	})
//	err = d.Read(ctx, &rows, `SELECT id, name FROM names WHERE kind = ?`, kind)
package db

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite" // the driver called sqlite

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
)

// Options says which database to open.
type Options struct {
	// URL is sqlite://path or postgres://…
	URL string
	// Now is the clock; nil is the system's.
	Now func() time.Time
	// MaxConns bounds PostgreSQL connections, half of them for reading, and SQLite readers; 0 is a default
	// that fits a small machine.
	MaxConns int
	// Watch is told of every transaction that has ended; nil: nobody is.
	Watch func(Transaction)
}

// DB is an open database. Safe for concurrent use.
type DB struct {
	w, r     *sqlx.DB // for transactions, and for reading, which cannot write
	turns    *turns   // who may write
	lite     *writer  // SQLite's one writing connection; nil on PostgreSQL
	postgres bool
	now      func() time.Time
	watch    func(Transaction)

	*id.Maker
	texts sync.Map // query -> its text for this database
	reads sync.Map // text -> *sqlx.Stmt on the readers; SQLite only, pgx keeps its own
}

// Open connects, brings the schema up to date, and takes a node number for ids.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &DB{now: o.Now, watch: o.Watch}
	var err error
	switch scheme, rest, _ := strings.Cut(o.URL, "://"); scheme {
	case "sqlite":
		err = d.openSQLite(rest, o)
	case "postgres", "postgresql":
		err = d.openPostgres(o)
	default:
		return nil, fault.Field("database-url", "want sqlite://path or postgres://…, have %q", scheme)
	}
	if err != nil {
		return nil, err
	}
	if err := d.start(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *DB) start(ctx context.Context) error {
	if err := d.migrate(ctx); err != nil {
		return err
	}
	node, err := d.count(ctx, "node")
	if err != nil {
		return fmt.Errorf("take a node number: %w", err)
	}
	d.Maker = id.NewMaker(node, d.now)
	return d.EnsurePartitions(ctx)
}

// openSQLite opens one immediate writer and several read-only connections, in
// WAL with synchronous=FULL: a commit survives a power cut, and readers never
// wait for the writer.
func (d *DB) openSQLite(path string, o Options) error {
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
	if d.w, err = sqlx.Open("sqlite", pragmas(false)); err != nil {
		return fault.Wrap(fault.Unavailable, err, "open the database")
	}
	d.w.SetMaxOpenConns(2) // the writer's own, and one for migrations
	if err := d.w.Ping(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "open the database file %s", path)
	}
	if d.r, err = sqlx.Open("sqlite", pragmas(true)); err != nil {
		return fault.Wrap(fault.Unavailable, err, "open the database")
	}
	n := o.MaxConns
	if n == 0 {
		n = max(4, runtime.NumCPU())
	}
	d.r.SetMaxOpenConns(n)
	d.r.SetMaxIdleConns(n)
	d.turns = newTurns(1)
	d.lite, err = newWriter(d.w)
	return fault.Wrap(fault.Unavailable, err, "open the database file %s", path)
}

func (d *DB) openPostgres(o Options) error {
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
	n := o.MaxConns
	if n == 0 {
		n = 16
	}
	pool := func(config pgx.ConnConfig) *sqlx.DB {
		db := sqlx.NewDb(stdlib.OpenDB(config, noJIT), "pgx")
		db.SetMaxOpenConns(max(2, n/2))
		db.SetMaxIdleConns(max(2, n/2))
		return db
	}
	d.w, d.postgres = pool(*config), true
	reading := config.Copy()
	reading.RuntimeParams["default_transaction_read_only"] = "on"
	d.r = pool(*reading)
	d.turns = newTurns(max(2, n/postgresShare))
	return nil
}

// postgresShare is the part of the connections that may write at the same time in
// the background: more writers only take the processors from each other, and from
// callers who wait for an answer.
const postgresShare = 4

// Close closes the connections.
func (d *DB) Close() error {
	if d.lite != nil {
		_ = d.turns.take(context.Background(), true) // a transaction that runs ends first
		d.lite.close()
	}
	err := d.w.Close()
	if d.r != d.w && d.r != nil {
		err = errors.Join(err, d.r.Close())
	}
	return err
}

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	return fault.Wrap(fault.Unavailable, d.r.PingContext(ctx), "database")
}

// Postgres reports which database this is.
func (d *DB) Postgres() bool { return d.postgres }

// Now is the database's clock.
func (d *DB) Now() time.Time { return d.now() }

// count raises a named counter and returns it; two callers never get the same.
func (d *DB) count(ctx context.Context, name string) (n int64, err error) {
	err = d.InTx(ctx, func(tx *Tx) error {
		return tx.Get(ctx, &n, `INSERT INTO counters (name, n) VALUES (?, 1)
			ON CONFLICT (name) DO UPDATE SET n = counters.n + 1 RETURNING n`, name)
	})
	return n, err
}
