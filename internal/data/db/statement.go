package db

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/segue-xm/segue/internal/core/id"
)

// text returns a statement in the database's spelling: ? becomes $1 … on
// PostgreSQL, and {ids} and {keys} become a list of ids or 16-byte keys given as
// one argument, so that a statement has one shape for every length.
func (d *DB) text(query string) string {
	if t, ok := d.texts.Load(query); ok {
		return t.(string)
	}
	t := query
	if d.postgres {
		t = strings.NewReplacer("{ids}", "= ANY(?::bigint[])", "{keys}", "= ANY(?::bytea[])",
			"{lock}", "FOR UPDATE", "{skip}", "FOR UPDATE SKIP LOCKED").Replace(t)
		t = sqlx.Rebind(sqlx.DOLLAR, t)
	} else {
		t = strings.NewReplacer("{ids}", "IN (SELECT value FROM json_each(?))",
			"{keys}", "IN (SELECT unhex(value) FROM json_each(?))", "{lock}", "", "{skip}", "").Replace(t)
	}
	d.texts.Store(query, t)
	return t
}

// IDs is the argument for {ids}.
func (d *DB) IDs(list []id.ID) any {
	ints := make([]int64, len(list))
	for i, v := range list {
		ints[i] = int64(v)
	}
	if d.postgres {
		return ints
	}
	b, _ := json.Marshal(ints) //nolint:errchkjson // integers always marshal
	return string(b)
}

// Key is a 16-byte hash that guards uniqueness.
type Key = [16]byte

// Keys is the argument for {keys}.
func (d *DB) Keys(list []Key) any {
	if d.postgres {
		out := make([][]byte, len(list))
		for i := range list {
			out[i] = list[i][:]
		}
		return out
	}
	var b strings.Builder
	b.WriteByte('[')
	for i := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(hex.EncodeToString(list[i][:]))
		b.WriteByte('"')
	}
	b.WriteByte(']')
	return b.String()
}

// Exec executes a statement and says how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	r, err := tx.execText(ctx, tx.d.text(query), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Get reads one row into dest, a pointer to a struct or a value; sql.ErrNoRows, which
// becomes NotFound at the transaction's end, when there is none.
func (tx *Tx) Get(ctx context.Context, dest any, query string, args ...any) error {
	text := tx.d.text(query)
	if stmt, err := tx.kept(ctx, text); stmt != nil || err != nil {
		if err != nil {
			return err
		}
		return stmt.GetContext(ctx, dest, args...)
	}
	return tx.tx.GetContext(ctx, dest, text, args...)
}

// Select reads all rows into dest, a pointer to a slice.
func (tx *Tx) Select(ctx context.Context, dest any, query string, args ...any) error {
	return tx.selectText(ctx, dest, tx.d.text(query), args...)
}

// execText and selectText take a statement in the database's spelling.
func (tx *Tx) execText(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if stmt, err := tx.kept(ctx, text); stmt != nil || err != nil {
		if err != nil {
			return nil, err
		}
		return stmt.ExecContext(ctx, args...)
	}
	return tx.tx.ExecContext(ctx, text, args...)
}

func (tx *Tx) selectText(ctx context.Context, dest any, text string, args ...any) error {
	if stmt, err := tx.kept(ctx, text); stmt != nil || err != nil {
		if err != nil {
			return err
		}
		return stmt.SelectContext(ctx, dest, args...)
	}
	return tx.tx.SelectContext(ctx, dest, text, args...)
}

// kept is the prepared statement of the writing connection on SQLite; nil on
// PostgreSQL, whose driver keeps its own.
func (tx *Tx) kept(ctx context.Context, text string) (*sqlx.Stmt, error) {
	if tx.d.lite == nil {
		return nil, nil
	}
	return tx.d.lite.stmt(ctx, text)
}

// Read runs a query on a reader.
func (d *DB) Read(ctx context.Context, dest any, query string, args ...any) error {
	text := d.text(query)
	if d.postgres {
		return faultOf(d.r.SelectContext(ctx, dest, text, args...))
	}
	stmt, err := d.reader(ctx, text)
	if err != nil {
		return faultOf(err)
	}
	return faultOf(stmt.SelectContext(ctx, dest, args...))
}

// ReadOne runs a query for one row on a reader; no row is NotFound.
func (d *DB) ReadOne(ctx context.Context, dest any, query string, args ...any) error {
	text := d.text(query)
	if d.postgres {
		return faultOf(d.r.GetContext(ctx, dest, text, args...))
	}
	stmt, err := d.reader(ctx, text)
	if err != nil {
		return faultOf(err)
	}
	return faultOf(stmt.GetContext(ctx, dest, args...))
}

// reader is a query prepared on SQLite's readers, once.
func (d *DB) reader(ctx context.Context, text string) (*sqlx.Stmt, error) {
	if stmt, ok := d.reads.Load(text); ok {
		return stmt.(*sqlx.Stmt), nil
	}
	stmt, err := d.r.PreparexContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if first, loaded := d.reads.LoadOrStore(text, stmt); loaded {
		_ = stmt.Close()
		return first.(*sqlx.Stmt), nil
	}
	return stmt, nil
}

// Instant reads a time as it is stored, in milliseconds since 1970, in UTC.
func Instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// NullID stores the zero id as NULL.
func NullID(v id.ID) any {
	if v == 0 {
		return nil
	}
	return int64(v)
}

// NullText stores the empty text as NULL.
func NullText(s string) any {
	if s == "" {
		return nil
	}
	return s
}
