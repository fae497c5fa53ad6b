package query

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/pgtest"
)

// readTime is now in the tests of reading.
var readTime = time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)

// readStores runs a test on both databases, each empty and its own.
func readStores(t *testing.T, test func(t *testing.T, s *reads)) {
	t.Parallel()
	for name, url := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite://" + filepath.Join(t.TempDir(), "segue.db") },
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := db.Open(t.Context(), db.Options{URL: url(t), Now: func() time.Time { return readTime }, MaxConns: 4})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, d.Close()) })
			s := New(d)
			test(t, &reads{s, t})
		})
	}
}

// reads is a store with statements to fill it row by row.
type reads struct {
	*Reader
	t *testing.T
}

func (s *reads) do(query string, args ...any) {
	s.t.Helper()
	require.NoError(s.t, s.db.InTx(s.t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(s.t.Context(), query, args...)
		return err
	}))
}

// event stores an event made at an instant, and returns its id.
func (s *reads) event(at time.Time, e EventRow) id.ID {
	s.t.Helper()
	v := id.At(at) + id.ID(s.db.Next()&(1<<20-1)) // several of a millisecond differ
	var refusal any
	if e.Refusal != "" {
		refusal = e.Refusal
	}
	s.do(`INSERT INTO events (id, source, type, name, user_id, message_id, accepted_at, revision, refusal, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		v, e.Source, e.Type, e.Name, e.UserID, e.MessageID, at.UnixMilli(), 1, refusal, []byte(`{"a":1}`))
	if refusal == nil {
		k := segment.Key(e.Source, e.MessageID)
		s.do(`INSERT INTO event_keys (key, event) VALUES (?, ?)`, k[:], v)
	}
	return v
}

func (s *reads) delivery(event, mapping id.ID, status, reason string) {
	s.t.Helper()
	s.do(`INSERT INTO deliveries (event, mapping, destination, action, status, attempts, occurred_at, updated_at, reason, contact, result, payload)
		VALUES (?, ?, 7, 'upsert_contact', ?, 2, 0, ?, ?, NULL, '{"ok":true}', ?)`, event, mapping, status, readTime.UnixMilli(), reason, []byte(`{"email":"a@b.c"}`))
	if !delivery.Status(status).Ended() {
		s.do(`INSERT INTO delivery_queue (destination, event, mapping, due_at, tries) VALUES (7, ?, ?, 1234, 1)`, event, mapping)
	}
}

func ago(d time.Duration) time.Time { return readTime.Add(-d) }

// all walks a list page by page until there is no next one.
func all[T any](t *testing.T, limit int, list func(Paging) ([]T, id.ID, error)) (rows []T, pages int) {
	t.Helper()
	p := Paging{Limit: limit}
	for {
		part, next, err := list(p)
		require.NoError(t, err)
		require.LessOrEqual(t, len(part), limit)
		rows = append(rows, part...)
		pages++
		if next == 0 {
			return rows, pages
		}
		if p.Before != 0 {
			require.Less(t, next, p.Before, "a cursor must move down")
		}
		p.Before = next
	}
}

func idsOf(rows []EventRow) []id.ID {
	out := make([]id.ID, len(rows))
	for i, r := range rows {
		out[i] = r.ID
	}
	return out
}

func TestListEvents_EveryStatus_FollowsFromInboxAndDeliveries(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		ctx := t.Context()
		at := ago(time.Minute)
		made := map[string]id.ID{}
		for n, c := range []struct {
			name       string
			status     segment.Status
			inbox      bool
			refusal    string
			deliveries []string
		}{
			{"refused", segment.Invalid, false, "no type", nil},
			{"waits", segment.Accepted, true, "", nil},
			{"waits again after a replay", segment.Accepted, true, "", []string{"rejected"}},
			{"nothing matched", segment.Processed, false, "", nil},
			{"all done", segment.Processed, false, "", []string{"done", "cancelled"}},
			{"not yet applied", segment.Accepted, false, "", []string{"done", "pending"}},
			{"retrying beside rejected", segment.Retrying, false, "", []string{"rejected", "retrying"}},
			{"held", segment.Retrying, false, "", []string{"held", "pending"}},
			{"rejected", segment.Failed, false, "", []string{"done", "rejected"}},
		} {
			v := s.event(at, EventRow{Source: 1, Type: "track", MessageID: c.name, Refusal: c.refusal})
			made[c.name] = v
			if c.inbox {
				s.do(`INSERT INTO inbox (event, revision, lease_until, tries) VALUES (?, 1, 0, 0)`, v)
			}
			for m, status := range c.deliveries {
				s.delivery(v, id.ID(100+m), status, "")
			}
			row, err := s.EventRow(ctx, v)
			require.NoError(t, err)
			require.Equal(t, c.status, row.Status, "%d %s", n, c.name)
		}
		for status, want := range map[segment.Status][]string{
			segment.Invalid:   {"refused"},
			segment.Accepted:  {"waits", "waits again after a replay", "not yet applied"},
			segment.Processed: {"nothing matched", "all done"},
			segment.Retrying:  {"retrying beside rejected", "held"},
			segment.Failed:    {"rejected"},
		} {
			rows, _ := all(t, 1, func(p Paging) ([]EventRow, id.ID, error) { return s.ListEvents(ctx, EventQuery{Status: status}, p) })
			var names []string
			for _, r := range rows {
				require.Equal(t, status, r.Status)
				names = append(names, r.MessageID)
			}
			require.ElementsMatch(t, want, names, status)
		}
	})
}

func TestListEvents_Pages_AreNewestFirstWithoutGapOrRepetition(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		var want []id.ID
		for n := range 7 {
			want = append([]id.ID{s.event(ago(time.Duration(10-n)*time.Second), EventRow{Source: 1, MessageID: fmt.Sprint(n)})}, want...)
		}
		for limit := 1; limit <= 8; limit++ {
			rows, pages := all(t, limit, func(p Paging) ([]EventRow, id.ID, error) { return s.ListEvents(t.Context(), EventQuery{}, p) })
			require.Equal(t, want, idsOf(rows))
			require.Equal(t, (len(want)+limit-1)/limit, pages, "limit %d", limit)
		}
	})
}

func TestListEvents_Filters_Combine(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		s.do(`INSERT INTO names (id, kind, name) VALUES (1, 'source', 'web'), (2, 'source', 'app')`)
		a := s.event(ago(4*time.Minute), EventRow{Source: 1, Type: "identify", UserID: "ada", MessageID: "m1"})
		b := s.event(ago(3*time.Minute), EventRow{Source: 1, Type: "track", Name: "Paid", UserID: "ada", MessageID: "m2"})
		c := s.event(ago(2*time.Minute), EventRow{Source: 2, Type: "track", Name: "Paid", UserID: "bob", MessageID: "m2"})
		d := s.event(ago(1*time.Minute), EventRow{Source: 2, Type: "track", Name: "Left", MessageID: "m3", Refusal: "too big"})
		for _, q := range []struct {
			f    EventQuery
			want []id.ID
		}{
			{EventQuery{}, []id.ID{d, c, b, a}},
			{EventQuery{Source: 1}, []id.ID{b, a}},
			{EventQuery{Type: "track", Name: "Paid"}, []id.ID{c, b}},
			{EventQuery{UserID: "ada"}, []id.ID{b, a}},
			{EventQuery{UserID: "ada", Type: "track"}, []id.ID{b}},
			{EventQuery{MessageID: "m2"}, []id.ID{c, b}},
			{EventQuery{MessageID: "m2", Source: 2}, []id.ID{c}},
			{EventQuery{MessageID: "m3"}, []id.ID{d}}, // refused: has no key
			{EventQuery{MessageID: "m3", Source: 1}, nil},
			{EventQuery{MessageID: "m9"}, nil},
			{EventQuery{Since: ago(3 * time.Minute), Until: ago(time.Minute)}, []id.ID{c, b}},
			{EventQuery{Since: ago(3 * time.Minute), UserID: "ada"}, []id.ID{b}},
			{EventQuery{Until: ago(3 * time.Minute), MessageID: "m2"}, nil},
			{EventQuery{Until: ago(2 * time.Minute), Status: segment.Invalid}, nil},
			{EventQuery{UserID: "ada", Status: segment.Failed}, nil},
			{EventQuery{Since: time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), Until: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, []id.ID{d, c, b, a}},
			{EventQuery{Since: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, nil},
			{EventQuery{Until: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), Type: "track"}, nil},
		} {
			for limit := 1; limit <= 4; limit++ {
				rows, _ := all(t, limit, func(p Paging) ([]EventRow, id.ID, error) { return s.ListEvents(t.Context(), q.f, p) })
				require.ElementsMatch(t, q.want, idsOf(rows), "%+v", q.f)
			}
		}
	})
}

func TestListEvents_RareValue_IsFoundByGoingOnFromTheCursor(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		rare := s.event(ago(2*time.Hour), EventRow{Source: 1, Type: "alias", MessageID: "rare"})
		series := `WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < 25000) `
		s.do(series+`INSERT INTO events (id, source, type, name, user_id, message_id, accepted_at, revision, body)
			SELECT CAST(? AS bigint) + n, 1, 'track', '', 'u', '', 0, 1, ? FROM series`, id.At(ago(time.Hour)), []byte("{}"))
		rows, next, err := s.ListEvents(t.Context(), EventQuery{Type: "alias"}, Paging{Limit: 10})
		require.NoError(t, err)
		require.Empty(t, rows, "one request looks at a window only")
		require.NotZero(t, next)
		rows, next, err = s.ListEvents(t.Context(), EventQuery{Type: "alias"}, Paging{Limit: 10, Before: next})
		require.NoError(t, err)
		require.Equal(t, []id.ID{rare}, idsOf(rows))
		require.Zero(t, next)
		_, next, err = s.ListEvents(t.Context(), EventQuery{Type: "alias", Since: ago(time.Minute)}, Paging{Limit: 10})
		require.NoError(t, err)
		require.Zero(t, next, "below since there is nothing to go on for")

		many, pages := all(t, 500, func(p Paging) ([]EventRow, id.ID, error) {
			return s.ListEvents(t.Context(), EventQuery{UserID: "u"}, p)
		})
		require.Len(t, many, 25000)
		require.GreaterOrEqual(t, pages, 50)
	})
}

// Queries that an index must answer are explained, so that a planner that walks
// the table instead shows here and not under load.
func TestListEvents_IndexedFilters_UseTheirIndex(t *testing.T) {
	t.Parallel()
	d, err := db.Open(t.Context(), db.Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "segue.db")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	s := New(d)
	for query, index := range map[string]string{
		`SELECT id FROM events WHERE refusal IS NOT NULL AND id >= 1 AND id < 9 ORDER BY id DESC LIMIT 5`:                            "events_refused",
		`SELECT id FROM events WHERE user_id = 'u' AND user_id <> '' AND id >= 1 AND id < 9 ORDER BY id + 0 DESC LIMIT 5`:            "events_user",
		selectRuns + ` WHERE r.event = 5 AND r.id >= 1 AND r.id < 9 ORDER BY r.id DESC LIMIT 5`:                                      "runs_event",
		selectRuns + ` WHERE +r.workflow = 5 AND r.id >= 1 AND r.id < 9 ORDER BY r.id DESC LIMIT 5`:                                  "sqlite_autoindex_runs_1",
		selectEvents + ` WHERE e.type = 'x' AND e.id >= 1 AND e.id < 9 ORDER BY e.id DESC LIMIT 5`:                                   "sqlite_autoindex_events_1",
		selectChanges + ` WHERE h.contact = 5 AND h.id >= 1 AND h.id < 9 ORDER BY h.id DESC LIMIT 5`:                                 "contact_changes_contact",
		selectDistributions + ` WHERE d.run = 5 AND d.id >= 1 AND d.id < 9 ORDER BY d.id DESC LIMIT 5`:                               "sqlite_autoindex_distributions_2",
		selectInvitations + ` WHERE v.distribution = 5 AND v.id >= 1 AND v.id < 9 ORDER BY v.id DESC LIMIT 5`:                        "invitations_of",
		`SELECT id, event, list, date, data FROM transactions WHERE contact = 5 AND (date, id) < (3, 4) ORDER BY date DESC, id DESC`: "transactions_contact",
	} {
		var plan []struct {
			ID      int    `db:"id"`
			Parent  int    `db:"parent"`
			Notused int    `db:"notused"`
			Detail  string `db:"detail"`
		}
		require.NoError(t, s.db.Read(t.Context(), &plan, "EXPLAIN QUERY PLAN "+query))
		var text strings.Builder
		for _, p := range plan {
			text.WriteString(p.Detail + "\n")
		}
		require.Contains(t, text.String(), index, query)
	}
}

func TestDeliveryRows_PayloadsAreReadOnlyWhenAsked(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		v := s.event(ago(time.Minute), EventRow{Source: 1, MessageID: "m"})
		s.delivery(v, 11, "retrying", "busy")
		s.delivery(v, 12, "done", "")
		rows, err := s.DeliveryRows(t.Context(), []id.ID{v}, false)
		require.NoError(t, err)
		require.Len(t, rows, 2)
		require.Nil(t, rows[0].Payload)
		require.Equal(t, DeliveryRow{Event: v, Mapping: 11, Destination: 7, Action: "upsert_contact", Status: "retrying", Attempts: 2,
			UpdatedAt: readTime.UnixMilli(), Reason: "busy", Result: `{"ok":true}`, DueAt: 1234}, rows[0])
		rows, err = s.DeliveryRows(t.Context(), []id.ID{v}, true)
		require.NoError(t, err)
		require.JSONEq(t, `{"email":"a@b.c"}`, string(rows[1].Payload))
		body, err := s.EventBody(t.Context(), v)
		require.NoError(t, err)
		require.Equal(t, `{"a":1}`, string(body))
		_, err = s.EventRow(t.Context(), v+1)
		require.Equal(t, fault.NotFound, fault.KindOf(err))
	})
}

func TestCountMinute_CountsEachEventOnce(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		ctx := context.Background()
		s.event(ago(2*time.Hour), EventRow{Source: 1, MessageID: "old"})
		at := ago(2 * time.Minute)
		done := s.event(at, EventRow{Source: 1, MessageID: "1"})
		s.delivery(done, 1, "done", "")
		bad := s.event(at, EventRow{Source: 1, MessageID: "2"})
		s.delivery(bad, 1, "rejected", "no email")
		s.delivery(bad, 2, "rejected", "no email")
		both := s.event(at, EventRow{Source: 1, MessageID: "3"})
		s.delivery(both, 1, "rejected", "no email")
		s.delivery(both, 2, "held", "")
		s.event(at, EventRow{Source: 1, MessageID: "4", Refusal: "too big"})
		waits := s.event(ago(0), EventRow{Source: 1, MessageID: "5"})
		s.do(`INSERT INTO inbox (event, revision, lease_until, tries) VALUES (?, 1, 0, 0)`, waits)

		row, err := s.CountMinute(ctx, at.Truncate(time.Minute), 10)
		require.NoError(t, err)
		require.Equal(t, MinuteRow{Events: 4, Refused: 1, Failed: 1, UnderWay: 1, Done: 1, Held: 1, Rejected: 3, Causes: []CauseRow{
			{1, "no email", 2, readTime.UnixMilli(), max(bad, both)}, {2, "no email", 1, readTime.UnixMilli(), bad},
		}}, row)
		row, err = s.CountMinute(ctx, readTime.Truncate(time.Minute), 10)
		require.NoError(t, err)
		require.Equal(t, MinuteRow{Events: 1, Inbox: 1}, row)
		row, err = s.CountMinute(ctx, ago(30*time.Minute), 10)
		require.NoError(t, err)
		require.Zero(t, row)

		has, err := s.HasEvents(ctx)
		require.NoError(t, err)
		require.True(t, has)
	})
}
