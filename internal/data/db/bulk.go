package db

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/id"
)

// Table names a table and the columns that are written to many of its rows at once.
type Table struct {
	name string
	cols []column
}

type column struct{ name, kind string }

// NewTable describes a table by the columns that are written, as SQL does: "id
// bigint, name text". Kinds are bigint, text, bytea and boolean; anything else is a
// mistake in the program and panics.
func NewTable(name, columns string) Table {
	t := Table{name: name}
	for _, c := range strings.Split(columns, ",") {
		name, kind, ok := strings.Cut(strings.TrimSpace(c), " ")
		if !ok || !slices.Contains([]string{"bigint", "text", "bytea", "boolean"}, kind) {
			panic("db: table " + t.name + ": not a column: " + c)
		}
		t.cols = append(t.cols, column{name, kind})
	}
	return t
}

// Insert writes many rows, with a suffix such as ON CONFLICT …, and returns how
// many were written. On PostgreSQL the columns travel as arrays, so that there is
// one prepared shape for every size; on SQLite as VALUES in a few sizes. A nil
// cell is NULL.
func (tx *Tx) Insert(ctx context.Context, t Table, rows [][]any, suffix string) (written int64, err error) {
	err = tx.d.pieces(t, rows, suffix, func(query string, args []any) error {
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

// InsertReturning is insert with a suffix that returns one id per written row.
func (tx *Tx) InsertReturning(ctx context.Context, t Table, rows [][]any, suffix string) (ids []id.ID, err error) {
	err = tx.d.pieces(t, rows, suffix, func(query string, args []any) error {
		var some []id.ID
		err := tx.selectText(ctx, &some, query, args...)
		ids = append(ids, some...)
		return err
	})
	return ids, err
}

// pieces calls do with the statements that together insert the rows.
func (d *DB) pieces(t Table, rows [][]any, suffix string, do func(query string, args []any) error) error {
	if len(rows) == 0 {
		return nil
	}
	if d.postgres {
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

// Update sets all columns of many rows; the first keys columns name the row, and a
// row t for which a further condition does not hold is left alone. On PostgreSQL it
// is one statement, on SQLite one prepared statement run per row.
func (tx *Tx) Update(ctx context.Context, t Table, keys int, rows [][]any, conditions ...string) error {
	if len(rows) == 0 {
		return nil
	}
	if tx.d.postgres {
		_, err := tx.tx.ExecContext(ctx, t.updateFrom(keys, conditions), t.arrays(rows)...)
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

// Delete takes many rows away; t has the columns that name them, and rows have one
// cell for each.
func (tx *Tx) Delete(ctx context.Context, t Table, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	if tx.d.postgres {
		_, err := tx.tx.ExecContext(ctx, t.deleteUsing(), t.arrays(rows)...)
		return err
	}
	one := "DELETE FROM " + t.name + " WHERE " + t.each("%[1]s = ?", " AND ")
	for _, r := range rows {
		if _, err := tx.execText(ctx, one, r...); err != nil {
			return err
		}
	}
	return nil
}

func (t Table) updateOne(keys int, conditions []string) string {
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

func (t Table) updateFrom(keys int, conditions []string) string {
	set, where := make([]string, 0, len(t.cols)), make([]string, 0, keys)
	for i, c := range t.cols {
		if i < keys {
			where = append(where, "t."+c.name+" = u."+c.name)
			continue
		}
		set = append(set, c.name+" = u."+c.name)
	}
	return fmt.Sprintf("UPDATE %s t SET %s FROM unnest(%s) AS u(%s) WHERE %s", t.name, strings.Join(set, ", "), t.params(), t.names(),
		strings.Join(append(where, conditions...), " AND "))
}

func (t Table) deleteUsing() string {
	return fmt.Sprintf("DELETE FROM %s t USING unnest(%s) AS u(%s) WHERE %s", t.name, t.params(), t.names(), t.each("t.%[1]s = u.%[1]s", " AND "))
}

// each writes every column's name into a format and joins them.
func (t Table) each(format, between string) string {
	parts := make([]string, len(t.cols))
	for i, c := range t.cols {
		parts[i] = fmt.Sprintf(format, c.name)
	}
	return strings.Join(parts, between)
}

// params are the typed array parameters, one per column.
func (t Table) params() string {
	p := make([]string, len(t.cols))
	for i, c := range t.cols {
		p[i] = fmt.Sprintf("$%d::%s[]", i+1, c.kind)
	}
	return strings.Join(p, ", ")
}

func (t Table) names() string { return t.each("%[1]s", ", ") }

func (t Table) values(rows int, suffix string) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(t.cols)), ",") + "),"
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s %s", t.name, t.names(),
		strings.TrimSuffix(strings.Repeat(one, rows), ","), suffix)
}

func (t Table) unnest(suffix string) string {
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT * FROM unnest(%s) %s", t.name, t.names(), t.params(), suffix)
}

// arrays turns rows into one typed array per column.
func (t Table) arrays(rows [][]any) []any {
	out := make([]any, len(t.cols))
	for c, col := range t.cols {
		switch col.kind {
		case "bigint":
			a := make([]*int64, len(rows))
			for r, row := range rows {
				a[r] = intCell(row[c])
			}
			out[c] = a
		case "text":
			a := make([]*string, len(rows))
			for r, row := range rows {
				if v, ok := row[c].(string); ok {
					a[r] = &v
				}
			}
			out[c] = a
		case "bytea":
			a := make([][]byte, len(rows))
			for r, row := range rows {
				a[r], _ = row[c].([]byte)
			}
			out[c] = a
		case "boolean":
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
		panic(fmt.Sprintf("db: %T in a bigint column", v))
	}
	return &n
}
