package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/segue-xm/segue/internal/core/id"
)

// text returns a statement in the database's spelling: ? becomes $1 … on
// PostgreSQL, and {ids} and {keys} become a list of ids or 16-byte keys given as
// one argument, so that a statement has one shape for every length.
func (s *Store) text(query string) string {
	if t, ok := s.texts.Load(query); ok {
		return t.(string)
	}
	t := query
	if s.postgres {
		t = strings.NewReplacer("{ids}", "= ANY(?::bigint[])", "{keys}", "= ANY(?::bytea[])",
			"{lock}", "FOR UPDATE", "{skip}", "FOR UPDATE SKIP LOCKED").Replace(t)
		t = sqlx.Rebind(sqlx.DOLLAR, t)
	} else {
		t = strings.NewReplacer("{ids}", "IN (SELECT value FROM json_each(?))",
			"{keys}", "IN (SELECT unhex(value) FROM json_each(?))", "{lock}", "", "{skip}", "").Replace(t)
	}
	s.texts.Store(query, t)
	return t
}

// ids is the argument for {ids}.
func (s *Store) ids(list []id.ID) any {
	ints := make([]int64, len(list))
	for i, v := range list {
		ints[i] = int64(v)
	}
	if s.postgres {
		return ints
	}
	b, _ := json.Marshal(ints) //nolint:errchkjson // integers always marshal
	return string(b)
}

// key is a 16-byte hash that guards uniqueness.
type key = [16]byte

// keys is the argument for {keys}.
func (s *Store) keys(list []key) any {
	if s.postgres {
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

func (tx *Tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	r, err := tx.execText(ctx, tx.s.text(query), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (tx *Tx) get(ctx context.Context, dest any, query string, args ...any) error {
	text := tx.s.text(query)
	if stmt, err := tx.kept(ctx, text); stmt != nil || err != nil {
		if err != nil {
			return err
		}
		return stmt.GetContext(ctx, dest, args...)
	}
	return tx.GetContext(ctx, dest, text, args...)
}

func (tx *Tx) selectAll(ctx context.Context, dest any, query string, args ...any) error {
	return tx.selectText(ctx, dest, tx.s.text(query), args...)
}

// execText and selectText take a statement in the database's spelling.
func (tx *Tx) execText(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if stmt, err := tx.kept(ctx, text); stmt != nil || err != nil {
		if err != nil {
			return nil, err
		}
		return stmt.ExecContext(ctx, args...)
	}
	return tx.ExecContext(ctx, text, args...)
}

func (tx *Tx) selectText(ctx context.Context, dest any, text string, args ...any) error {
	if stmt, err := tx.kept(ctx, text); stmt != nil || err != nil {
		if err != nil {
			return err
		}
		return stmt.SelectContext(ctx, dest, args...)
	}
	return tx.SelectContext(ctx, dest, text, args...)
}

// kept is the prepared statement of the writing connection on SQLite; nil on
// PostgreSQL, whose driver keeps its own.
func (tx *Tx) kept(ctx context.Context, text string) (*sqlx.Stmt, error) {
	if tx.s.lite == nil {
		return nil, nil
	}
	return tx.s.lite.stmt(ctx, text)
}

// read runs a query on a reader.
func (s *Store) read(ctx context.Context, dest any, query string, args ...any) error {
	text := s.text(query)
	if s.postgres {
		return dbFault(s.r.SelectContext(ctx, dest, text, args...))
	}
	stmt, err := s.reader(ctx, text)
	if err != nil {
		return dbFault(err)
	}
	return dbFault(stmt.SelectContext(ctx, dest, args...))
}

// readOne runs a query for one row on a reader; no row is NotFound.
func (s *Store) readOne(ctx context.Context, dest any, query string, args ...any) error {
	text := s.text(query)
	if s.postgres {
		return dbFault(s.r.GetContext(ctx, dest, text, args...))
	}
	stmt, err := s.reader(ctx, text)
	if err != nil {
		return dbFault(err)
	}
	return dbFault(stmt.GetContext(ctx, dest, args...))
}

// reader is a query prepared on SQLite's readers, once.
func (s *Store) reader(ctx context.Context, text string) (*sqlx.Stmt, error) {
	if stmt, ok := s.reads.Load(text); ok {
		return stmt.(*sqlx.Stmt), nil
	}
	stmt, err := s.r.PreparexContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if first, loaded := s.reads.LoadOrStore(text, stmt); loaded {
		_ = stmt.Close()
		return first.(*sqlx.Stmt), nil
	}
	return stmt, nil
}

// table describes the columns of a many-row insert.
type table struct {
	name string
	cols []column
}

type column struct {
	name string
	kind kind
}

type kind uint8

const (
	bigint kind = iota
	text
	bytes
	boolean
)

var pgTypes = [...]string{"bigint[]", "text[]", "bytea[]", "boolean[]"}

// insert writes many rows, with a suffix such as ON CONFLICT …, and returns how
// many were written. On PostgreSQL the columns travel as arrays, so that there is
// one prepared shape for every size; on SQLite as VALUES in a few sizes. A nil
// cell is NULL.
func (tx *Tx) insert(ctx context.Context, t table, rows [][]any, suffix string) (written int64, err error) {
	err = tx.s.pieces(t, rows, suffix, func(query string, args []any) error {
		r, err := tx.execText(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		written += n
		return err
	})
	return written, err
}

// insertReturning is insert with a suffix that returns one id per written row.
func (tx *Tx) insertReturning(ctx context.Context, t table, rows [][]any, suffix string) (ids []id.ID, err error) {
	err = tx.s.pieces(t, rows, suffix, func(query string, args []any) error {
		var some []id.ID
		err := tx.selectText(ctx, &some, query, args...)
		ids = append(ids, some...)
		return err
	})
	return ids, err
}

// pieces calls do with the statements that together insert the rows.
func (s *Store) pieces(t table, rows [][]any, suffix string, do func(query string, args []any) error) error {
	if len(rows) == 0 {
		return nil
	}
	if s.postgres {
		return do(t.unnest(suffix), t.arrays(rows))
	}
	for _, size := range [...]int{64, 16, 4, 1} {
		for ; len(rows) >= size; rows = rows[size:] {
			args := make([]any, 0, size*len(t.cols))
			for _, r := range rows[:size] {
				args = append(args, r...)
			}
			if err := do(t.values(size, suffix), args); err != nil {
				return err
			}
		}
	}
	return nil
}

// update sets all columns of many rows; the first keys columns name the row, and a
// row t for which a further condition does not hold is left alone. On PostgreSQL it
// is one statement, on SQLite one prepared statement run per row.
func (tx *Tx) update(ctx context.Context, t table, keys int, rows [][]any, conditions ...string) error {
	if len(rows) == 0 {
		return nil
	}
	if tx.s.postgres {
		_, err := tx.ExecContext(ctx, t.updateFrom(keys, conditions), t.arrays(rows)...)
		return err
	}
	one := t.updateOne(keys, conditions)
	for _, r := range rows {
		args := append(append(make([]any, 0, len(r)), r[keys:]...), r[:keys]...)
		if _, err := tx.execText(ctx, one, args...); err != nil {
			return err
		}
	}
	return nil
}

func (t table) updateOne(keys int, conditions []string) string {
	set, where := make([]string, 0, len(t.cols)), make([]string, 0, keys)
	for i, c := range t.cols {
		if i < keys {
			where = append(where, c.name+" = ?")
			continue
		}
		set = append(set, c.name+" = ?")
	}
	return fmt.Sprintf("UPDATE %s AS t SET %s WHERE %s", t.name, strings.Join(set, ", "), strings.Join(append(where, conditions...), " AND "))
}

func (t table) updateFrom(keys int, conditions []string) string {
	set, where := make([]string, 0, len(t.cols)), make([]string, 0, keys)
	for i, c := range t.cols {
		if i < keys {
			where = append(where, "t."+c.name+" = u."+c.name)
			continue
		}
		set = append(set, c.name+" = u."+c.name)
	}
	return fmt.Sprintf("UPDATE %s t SET %s FROM unnest(%s) AS u(%s) WHERE %s", t.name, strings.Join(set, ", "), t.params(), t.names(), strings.Join(append(where, conditions...), " AND "))
}

// params are the typed array parameters, one per column.
func (t table) params() string {
	p := make([]string, len(t.cols))
	for i, c := range t.cols {
		p[i] = fmt.Sprintf("$%d::%s", i+1, pgTypes[c.kind])
	}
	return strings.Join(p, ", ")
}

func (t table) names() string {
	n := make([]string, len(t.cols))
	for i, c := range t.cols {
		n[i] = c.name
	}
	return strings.Join(n, ", ")
}

func (t table) values(rows int, suffix string) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(t.cols)), ",") + "),"
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s %s", t.name, t.names(),
		strings.TrimSuffix(strings.Repeat(one, rows), ","), suffix)
}

func (t table) unnest(suffix string) string {
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT * FROM unnest(%s) %s", t.name, t.names(), t.params(), suffix)
}

// arrays turns rows into one typed array per column.
func (t table) arrays(rows [][]any) []any {
	out := make([]any, len(t.cols))
	for c, col := range t.cols {
		switch col.kind {
		case bigint:
			a := make([]*int64, len(rows))
			for r, row := range rows {
				a[r] = intCell(row[c])
			}
			out[c] = a
		case text:
			a := make([]*string, len(rows))
			for r, row := range rows {
				if v, ok := row[c].(string); ok {
					a[r] = &v
				}
			}
			out[c] = a
		case bytes:
			a := make([][]byte, len(rows))
			for r, row := range rows {
				a[r], _ = row[c].([]byte)
			}
			out[c] = a
		case boolean:
			a := make([]bool, len(rows))
			for r, row := range rows {
				a[r], _ = row[c].(bool)
			}
			out[c] = a
		}
	}
	return out
}

func intCell(v any) *int64 {
	var n int64
	switch v := v.(type) {
	case nil:
		return nil
	case id.ID:
		n = int64(v)
	case int64:
		n = v
	case int:
		n = int64(v)
	default:
		panic(fmt.Sprintf("store: %T in a bigint column", v))
	}
	return &n
}

// millis is how times are stored.
func millis(t time.Time) int64 { return t.UnixMilli() }

// instant is the inverse of millis, in UTC.
func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// nullID stores the zero id as NULL.
func nullID(v id.ID) any {
	if v == 0 {
		return nil
	}
	return int64(v)
}
