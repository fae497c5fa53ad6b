package query

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/segment"
)

// TestReads_OverManyRows_StayBounded asks every list of a full database, when
// SEGUE_TEST_ROWS is 1: 100,000 of everything, none of it found early.
func TestReads_OverManyRows_StayBounded(t *testing.T) {
	if os.Getenv("SEGUE_TEST_ROWS") != "1" {
		t.Skip("set SEGUE_TEST_ROWS=1 to fill tables with 100,000 rows")
	}
	const rows = 100_000
	readStores(t, func(t *testing.T, s *reads) {
		ctx := t.Context()
		series := fmt.Sprintf(`WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < %d) `, rows)
		first := id.At(ago(50 * time.Minute))
		body := []byte(fmt.Sprintf(`{"pad":"%01000d"}`, 0))
		s.do(`INSERT INTO names (id, kind, name) VALUES (1, 'source', 'web')`)
		s.do(series+`INSERT INTO events (id, source, type, name, user_id, message_id, accepted_at, revision, body)
			SELECT CAST(? AS bigint) + n * CAST(31457280 AS bigint), 1, 'track', 'Seen', 'u' || n % 1000, 'm' || n, 0, 1, ? FROM series`, first, body)
		s.do(series+`INSERT INTO deliveries (event, mapping, destination, action, status, attempts, occurred_at, updated_at, reason, payload)
			SELECT CAST(? AS bigint) + n * CAST(31457280 AS bigint), 1, 7, 'upsert_contact', CASE n % 10 WHEN 0 THEN 'rejected' ELSE 'done' END, 1, 0, n, 'reason ' || n % 50, ? FROM series`, first, body[:300])
		s.do(series + `INSERT INTO contacts (id, directory, ext_ref, email, phone, first_name, last_name, language, unsubscribed, embedded_data, stamps, created_at, updated_at)
			SELECT n, 1, 'u' || n, 'u' || n || '@example.com', '', '', '', 'EN', false, '{}', '{}', 0, 0 FROM series`)
		s.do(series + `INSERT INTO runs (id, workflow, version, event, generation, status, directory, fields, payload, created_at)
			SELECT n, n % 3, 1, n, 0, 'done', 1, '[]', '', 0 FROM series`)
		s.do(series + `INSERT INTO invitations (id, distribution, run, contact, token, status, snapshot, created_at, opens)
			SELECT n, n % 5, n, n, 't' || n, 'sent', '{}', 0, 0 FROM series`)
		s.do(series + `INSERT INTO jobs (id, kind, status, author, input, cursor, pages, items, done, total, counts, created_at)
			SELECT n, 'replay', 'done', 'api', '{}', '', 0, 0, 0, -1, '{}', 0 FROM series`)
		s.do(series + `INSERT INTO job_items (job, n, subject, part, outcome) SELECT 7, n, n, 1, 'done' FROM series`)
		s.do(`UPDATE deliveries SET job = 7 WHERE destination = 7`)
		if s.db.Postgres() {
			s.do(`ANALYZE`)
		}
		p := Paging{Limit: 50}
		for name, list := range map[string]func() error{
			"events":            func() error { _, _, err := s.ListEvents(ctx, EventQuery{}, p); return err },
			"events failed":     func() error { _, _, err := s.ListEvents(ctx, EventQuery{Status: segment.Failed}, p); return err },
			"events retrying":   func() error { _, _, err := s.ListEvents(ctx, EventQuery{Status: segment.Retrying}, p); return err },
			"events invalid":    func() error { _, _, err := s.ListEvents(ctx, EventQuery{Status: segment.Invalid}, p); return err },
			"events of no type": func() error { _, _, err := s.ListEvents(ctx, EventQuery{Type: "page"}, p); return err },
			"events no status":  func() error { _, _, err := s.ListEvents(ctx, EventQuery{Type: "track", Status: "none"}, p); return err },
			"events of user":    func() error { _, _, err := s.ListEvents(ctx, EventQuery{UserID: "u7"}, p); return err },
			"events of nobody":  func() error { _, _, err := s.ListEvents(ctx, EventQuery{UserID: "nobody"}, p); return err },
			"events of message": func() error { _, _, err := s.ListEvents(ctx, EventQuery{MessageID: "m7"}, p); return err },
			"contacts scanned": func() error {
				_, _, err := s.ListContacts(ctx, ContactQuery{Directories: []ContactScope{{1, ""}}, Email: "none@example.com"}, p)
				return err
			},
			"contacts elsewhere": func() error {
				_, _, err := s.ListContacts(ctx, ContactQuery{Directories: []ContactScope{{2, ""}}}, p)
				return err
			},
			"runs of workflow":  func() error { _, _, err := s.ListRuns(ctx, RunQuery{Workflow: 2}, p); return err },
			"runs of no status": func() error { _, _, err := s.ListRuns(ctx, RunQuery{Status: "none"}, p); return err },
			"jobs of no status": func() error { _, _, err := s.ListJobs(ctx, JobQuery{Status: "none"}, p); return err },
			"job items":         func() error { _, err := s.JobItems(ctx, 7, "done", 99_000, 50); return err },
			"items of nothing":  func() error { _, err := s.JobItems(ctx, 7, "none", 0, 50); return err },
			"job deliveries":    func() error { _, err := s.JobDeliveries(ctx, 7); return err },
			"repeats":           func() error { _, err := s.RepeatRows(ctx, []id.ID{1, 2, 3}); return err },
			"invitations":       func() error { _, _, err := s.ListInvitations(ctx, InvitationQuery{Distribution: 3}, p); return err },
			"counts":            func() error { _, err := s.DistributionCounts(ctx, []id.ID{1, 2, 3}); return err },
			"minute":            func() error { _, err := s.CountMinute(ctx, ago(30*time.Minute), 20); return err },
		} {
			start := time.Now()
			require.NoError(t, list(), name)
			took := time.Since(start)
			t.Logf("%-20s %6.1f ms", name, took.Seconds()*1000)
			require.Less(t, took, 3*time.Second, name)
		}
	})
}
