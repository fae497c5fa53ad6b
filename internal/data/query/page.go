package query

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
)

// Paging asks for one page of a list, newest first: at most Limit rows with ids
// below Before, 0 meaning from the newest on.
//
// A list method returns the rows and, when there may be more, the Before of the
// next page. A page can be short, even empty, and still have a next one: what no
// index answers is looked for among the newest scanWindow rows only, and the next
// page goes on from there. So no request costs more than a bounded scan.
type Paging struct {
	Before id.ID
	Limit  int
}

const (
	scanWindow = 20_000 // rows one request looks at where no index answers
	candidates = 1_000  // ids one request takes from an index before it filters
)

func (p Paging) before() id.ID {
	if p.Before == 0 {
		return math.MaxInt64
	}
	return p.Before
}

// query collects the conditions of a list statement.
type query struct {
	where []string
	args  []any
	scans bool // some condition is answered by no index
}

// and adds a condition that is cheap: it follows an index, or bounds ids.
func (q *query) and(cond string, args ...any) {
	q.where = append(q.where, cond)
	q.args = append(q.args, args...)
}

// filter adds a condition on a value, unless the value is zero; it makes the
// list one that scans.
func filter[T comparable](q *query, cond string, value T) {
	var zero T
	if value == zero {
		return
	}
	q.and(cond, value)
	q.scans = true
}

// span is the ids one request looks at: at, or between bottom and top.
type span struct {
	at          []id.ID // when not nil
	bottom, top id.ID
	rest        id.ID // where the next request goes on when this one finds too little; 0: nothing below
}

// window is the newest ids of a table below top and not below bottom: all of them
// unless the list scans.
func (r *Reader) window(ctx context.Context, table string, top, bottom id.ID, scans bool) (span, error) {
	w := span{bottom: bottom, top: top}
	if !scans {
		return w, nil
	}
	var floor id.ID
	err := r.db.ReadOne(ctx, &floor, fmt.Sprintf(`SELECT id FROM %s WHERE id < ? ORDER BY id DESC LIMIT 1 OFFSET ?`, table), w.top, scanWindow-1)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return w, nil // fewer rows than a window
	case err != nil:
		return w, err
	case floor > bottom:
		w.bottom, w.rest = floor, floor
	}
	return w, nil
}

// among is a span of ids an index named, newest first, taken with LIMIT
// candidates.
func among(ids []id.ID) span {
	w := span{at: ids}
	if w.at == nil {
		w.at = []id.ID{}
	}
	if len(ids) == candidates {
		w.rest = ids[len(ids)-1]
	}
	return w
}

// page runs "SELECT … FROM table AS alias" with the conditions of q over a span.
// The alias' id orders the rows; idOf reads it from one.
func page[T any](ctx context.Context, r *Reader, selection, alias string, q query, w span, p Paging, idOf func(*T) id.ID) ([]T, id.ID, error) {
	switch {
	case w.at != nil && len(w.at) == 0:
		return nil, 0, nil
	case w.at != nil:
		q.and(alias+".id {ids}", r.db.IDs(w.at))
	default:
		q.and(alias+".id >= ? AND "+alias+".id < ?", w.bottom, w.top)
	}
	text := fmt.Sprintf("%s WHERE %s ORDER BY %s.id DESC LIMIT ?", selection, strings.Join(q.where, " AND "), alias)
	var rows []T
	if err := r.db.Read(ctx, &rows, text, append(q.args, p.Limit+1)...); err != nil {
		return nil, 0, err
	}
	if len(rows) > p.Limit {
		rows = rows[:p.Limit]
		return rows, idOf(&rows[p.Limit-1]), nil
	}
	return rows, w.rest, nil
}
