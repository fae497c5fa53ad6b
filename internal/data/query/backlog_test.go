package query

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
)

func TestWaitingAt_TellsWhatWaitsByItsState_AndSinceWhen(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		none, err := s.WaitingAt(t.Context(), 7, delivery.HeldUntil, 100)
		require.NoError(t, err)
		require.Equal(t, Waiting{}, none)
		queue := func(event, tries int, action string, due time.Time) {
			s.do(`INSERT INTO delivery_queue (destination, event, mapping, action, due_at, tries) VALUES (7, ?, 1, ?, ?, ?)`, event, action, due.UnixMilli(), tries)
		}
		queue(1, 0, "upsert_contact", ago(-time.Hour))
		queue(2, 0, "upsert_contact", ago(-time.Hour))
		later, err := s.WaitingAt(t.Context(), 7, delivery.HeldUntil, 100)
		require.NoError(t, err)
		require.Equal(t, Waiting{Deliveries: 2}, later, "nothing is due yet")
		queue(3, 2, "upsert_transaction", ago(2*time.Minute))
		queue(4, 3, "start_workflow", delivery.HeldUntil)
		message := func(invitation int, kind string, due time.Time) {
			s.do(`INSERT INTO message_queue (destination, invitation, kind, due_at, tries, unsure) VALUES (7, ?, ?, ?, 0, ?)`, invitation, kind, due.UnixMilli(), false)
		}
		message(1, "progress", ago(time.Hour))
		message(2, "invitation", ago(time.Minute))
		message(3, "invitation", ago(-time.Minute))
		got, err := s.WaitingAt(t.Context(), 7, delivery.HeldUntil, 100)
		require.NoError(t, err)
		require.Equal(t, Waiting{Deliveries: 2, Retrying: 1, Held: 1, DueSince: ago(2 * time.Minute), Messages: 1, MessagesSince: ago(time.Minute)}, got)
		few, err := s.WaitingAt(t.Context(), 7, delivery.HeldUntil, 2)
		require.NoError(t, err)
		require.Equal(t, 2, few.Deliveries+few.Retrying+few.Held, "no more is read than it is told")
	})
}

func TestDistributionsDue_OfStandingOnes_CountsWhatIsDue(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		n, since, err := s.DistributionsDue(t.Context(), 100)
		require.NoError(t, err)
		require.Zero(t, n)
		require.Zero(t, since)
		s.do(`INSERT INTO distributions (id, workflow, run, step, directory, survey, channel, status, settings, created_at) VALUES (1, 5, 5, 'a', 1, '', 'email', 'standing', '{}', 0)`)
		s.do(`INSERT INTO distributions (id, workflow, run, step, directory, survey, channel, status, settings, created_at) VALUES (2, 5, 5, 'b', 1, '', 'email', 'standing', '{}', 0)`)
		for i, due := range []time.Duration{-time.Minute, time.Minute, 3 * time.Minute} {
			s.do(`INSERT INTO distribution_queue (invitation, distribution, kind, due_at, tries) VALUES (?, ?, 'invitation', ?, 0)`, i+1, i%2+1, ago(due).UnixMilli())
		}
		n, since, err = s.DistributionsDue(t.Context(), 100)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.Equal(t, ago(3*time.Minute), since)
		n, _, err = s.DistributionsDue(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

// TestBacklog_OverManyRows_IsReadInNoTime: it is asked every few seconds.
func TestBacklog_OverManyRows_IsReadInNoTime(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		const rows = 100_000
		series := fmt.Sprintf(`WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < %d) `, rows)
		now := readTime.UnixMilli()
		s.do(series + `INSERT INTO inbox (event, revision, lease_until, tries) SELECT n, 1, 0, 0 FROM series`)
		s.do(series+`INSERT INTO delivery_queue (destination, event, mapping, action, due_at, tries) SELECT 7, n, 1, 'upsert_contact', CAST(? AS bigint) - n, n % 2 FROM series`, now)
		s.do(series+`INSERT INTO message_queue (destination, invitation, kind, due_at, tries, unsure) SELECT 7, n, 'invitation', CAST(? AS bigint) - n, 0, false FROM series`, now)
		s.do(series + `INSERT INTO distributions (id, workflow, run, step, directory, survey, channel, status, settings, created_at)
			SELECT n, 5, 5, 's' || n, 1, '', 'email', 'standing', '{}', 0 FROM series WHERE n <= 200`)
		s.do(series+`INSERT INTO distribution_queue (invitation, distribution, kind, due_at, tries) SELECT n, n % 200 + 1, 'invitation', CAST(? AS bigint) - n, 0 FROM series`, now)
		if s.db.Postgres() {
			s.do(`ANALYZE`)
		}
		for name, ask := range map[string]func() error{
			"inbox":         func() error { _, _, err := s.InboxState(t.Context(), 10_000); return err },
			"destination":   func() error { _, err := s.WaitingAt(t.Context(), 7, delivery.HeldUntil, 10_000); return err },
			"distributions": func() error { _, _, err := s.DistributionsDue(t.Context(), 10_000); return err },
		} {
			require.NoError(t, ask(), name) // the first prepares
			begin := time.Now()
			require.NoError(t, ask(), name)
			t.Logf("%-14s %6.1f ms", name, time.Since(begin).Seconds()*1000)
			require.Less(t, time.Since(begin), time.Second, name)
		}
	})
}
