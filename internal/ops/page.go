package ops

import (
	"slices"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/data/query"
)

// Page is one page of a list, newest first. Next is an opaque cursor for the
// following page, empty on the last one.
type Page[T any] struct {
	Items []T
	Next  string
}

// Paging bounds a list request. Limit 0 means DefaultLimit; more than MaxLimit is
// MaxLimit.
type Paging struct {
	Cursor string
	Limit  int
}

// How many items a page has.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// paging reads a list request's bounds.
func (p Paging) paging() (query.Paging, error) {
	out := query.Paging{Limit: p.Limit}
	switch {
	case p.Limit < 0:
		return out, fault.Field("limit", "want 1 to %d", MaxLimit)
	case p.Limit == 0:
		out.Limit = DefaultLimit
	case p.Limit > MaxLimit:
		out.Limit = MaxLimit
	}
	if p.Cursor != "" {
		var err error
		if out.Before, err = id.Parse(p.Cursor); err != nil || out.Before <= 0 {
			return out, fault.Field("cursor", "not a cursor of this list")
		}
	}
	return out, nil
}

// listPage makes a page of rows, each shown by show.
func listPage[R, T any](rows []R, next id.ID, show func(R) T) Page[T] {
	items := make([]T, len(rows))
	for i, r := range rows {
		items[i] = show(r)
	}
	return Page[T]{Items: items, Next: next.String()}
}

// filterID reads an id in a filter; empty is none.
func filterID(field, text string) (id.ID, error) {
	if text == "" {
		return 0, nil
	}
	v, err := id.Parse(text)
	if err != nil || v <= 0 {
		return 0, fault.Field(field, "%q is not an id", text)
	}
	return v, nil
}

// oneOf checks a filter that has a list of values; empty is none.
func oneOf[S ~string](field string, value S, values ...S) error {
	if value == "" || slices.Contains(values, value) {
		return nil
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return fault.Field(field, "want one of %s; found %q", strings.Join(texts, ", "), value)
}

// missing says what it is that is not there.
func missing(err error, what string, v id.ID) error {
	if fault.KindOf(err) == fault.NotFound {
		return fault.New(fault.NotFound, "there is no %s %s", what, v)
	}
	return err
}

// object is stored JSON as an object; nil when there is none.
func object(text string) *jsonvalue.Object {
	if text == "" {
		return nil
	}
	o, err := jsonvalue.ParseObject([]byte(text))
	if err != nil {
		return nil
	}
	return o
}

// objectOrEmpty is object for what is never null.
func objectOrEmpty(text string) *jsonvalue.Object {
	if o := object(text); o != nil {
		return o
	}
	return jsonvalue.NewObject(0)
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func instantOrNil(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := instant(ms)
	return &t
}
