package store

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/id"
)

// MinuteRow counts the events of one minute.
type MinuteRow struct {
	Minute   int64 `db:"minute"`   // since id.Epoch
	Events   int   `db:"events"`   // stored
	Refused  int   `db:"refused"`  // of them, at the door
	Inbox    int   `db:"inbox"`    // of them, not yet taken up
	Failed   int   `db:"failed"`   // of them, with a rejected delivery and none under way
	UnderWay int   `db:"underway"` // of them, with a delivery under way
}

// Start is when the minute began.
func (m MinuteRow) Start() time.Time { return id.Epoch.Add(time.Duration(m.Minute) * time.Minute) }

// minute is the SQL for the minute in which an id was made: its upper bits are
// milliseconds since id.Epoch, which began a minute.
func minute(column string) string { return "(" + column + " / 1048576 / 60000)" }

// Minutes counts events by minute, those stored from since on; minutes without
// events are left out. It reads everything of that time: ask for an hour.
func (s *Store) Minutes(ctx context.Context, since time.Time) ([]MinuteRow, error) {
	from := id.At(since)
	byMinute := map[int64]*MinuteRow{}
	at := func(m int64) *MinuteRow {
		if byMinute[m] == nil {
			byMinute[m] = &MinuteRow{Minute: m}
		}
		return byMinute[m]
	}
	for _, q := range [...]struct {
		text string
		add  func(to *MinuteRow, r MinuteRow)
	}{
		{`SELECT ` + minute("id") + ` AS minute, count(*) AS events FROM events WHERE id >= ? GROUP BY 1`,
			func(to *MinuteRow, r MinuteRow) { to.Events = r.Events }},
		{`SELECT ` + minute("id") + ` AS minute, count(*) AS refused FROM events WHERE id >= ? AND refusal IS NOT NULL GROUP BY 1`,
			func(to *MinuteRow, r MinuteRow) { to.Refused = r.Refused }},
		{`SELECT ` + minute("event") + ` AS minute, count(*) AS inbox FROM inbox WHERE event >= ? GROUP BY 1`,
			func(to *MinuteRow, r MinuteRow) { to.Inbox = r.Inbox }},
		{`SELECT ` + minute("event") + ` AS minute, sum(open) AS underway, sum(rejected * (1 - open)) AS failed FROM (
			SELECT event, max(CASE WHEN status IN ('pending', 'retrying', 'held') THEN 1 ELSE 0 END) AS open,
			max(CASE WHEN status = 'rejected' THEN 1 ELSE 0 END) AS rejected
			FROM deliveries WHERE event >= ? GROUP BY event) AS e WHERE open + rejected > 0 GROUP BY 1`,
			func(to *MinuteRow, r MinuteRow) { to.UnderWay, to.Failed = r.UnderWay, r.Failed }},
	} {
		var rows []MinuteRow
		if err := s.read(ctx, &rows, q.text, from); err != nil {
			return nil, err
		}
		for _, r := range rows {
			q.add(at(r.Minute), r)
		}
	}
	out := make([]MinuteRow, 0, len(byMinute))
	for m := int64(since.Sub(id.Epoch) / time.Minute); m <= int64(s.now().Sub(id.Epoch)/time.Minute)+1; m++ {
		if r := byMinute[m]; r != nil {
			out = append(out, *r)
		}
	}
	return out, nil
}

// Totals counts what became of the events stored from since on: deliveries by
// status, runs, and mails to people invited since then.
func (s *Store) Totals(ctx context.Context, since time.Time) (map[string]int, error) {
	var rows []struct {
		Name string `db:"name"`
		N    int    `db:"n"`
	}
	from := id.At(since)
	if err := s.read(ctx, &rows, `SELECT status AS name, count(*) AS n FROM deliveries WHERE event >= ? GROUP BY status
		UNION ALL SELECT 'runs', count(*) FROM runs WHERE id >= ?
		UNION ALL SELECT 'mails', count(*) FROM messages WHERE invitation >= ? AND status = 'sent'`, from, from, from); err != nil {
		return nil, err
	}
	m := make(map[string]int, len(rows))
	for _, r := range rows {
		m[r.Name] = r.N
	}
	return m, nil
}

// CauseRow groups rejected deliveries.
type CauseRow struct {
	Mapping id.ID  `db:"mapping"`
	Reason  string `db:"reason"`
	N       int    `db:"n"`
	Last    int64  `db:"last"`    // milliseconds
	Example id.ID  `db:"example"` // the latest event
}

// Causes are the reasons why deliveries of events stored from since on were
// rejected, the most frequent first.
func (s *Store) Causes(ctx context.Context, since time.Time, limit int) (rows []CauseRow, err error) {
	return rows, s.read(ctx, &rows, `SELECT mapping, coalesce(reason, '') AS reason, count(*) AS n, max(updated_at) AS last, max(event) AS example
		FROM deliveries WHERE event >= ? AND status = 'rejected' GROUP BY mapping, coalesce(reason, '')
		ORDER BY n DESC, example DESC LIMIT ?`, id.At(since), limit)
}

// HasEvents reports whether any event was ever stored.
func (s *Store) HasEvents(ctx context.Context) (bool, error) {
	var n int
	err := s.readOne(ctx, &n, `SELECT count(*) FROM (SELECT id FROM events LIMIT 1) AS one`)
	return n > 0, err
}
