package query

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
)

func TestListJobs_PagesAndFilters(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		ctx := t.Context()
		s.do(`INSERT INTO jobs (id, kind, status, author, input, cursor, pages, items, done, total, counts, created_at)
			SELECT n, 'replay', CASE n % 3 WHEN 0 THEN 'done' ELSE 'running' END, 'api', '{}', '', 0, 0, 0, -1, '{}', n
			FROM (WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < 10) SELECT n FROM series) AS numbers`)
		ids := func(f JobQuery, p Paging) (list []id.ID, next id.ID) {
			rows, next, err := s.ListJobs(ctx, f, p)
			require.NoError(t, err)
			for _, r := range rows {
				list = append(list, r.ID)
			}
			return list, next
		}
		list, next := ids(JobQuery{}, Paging{Limit: 4})
		require.Equal(t, []id.ID{10, 9, 8, 7}, list)
		list, _ = ids(JobQuery{}, Paging{Limit: 4, Before: next})
		require.Equal(t, []id.ID{6, 5, 4, 3}, list)
		list, next = ids(JobQuery{Kind: job.Replay, Status: job.Done}, Paging{Limit: 4})
		require.Equal(t, []id.ID{9, 6, 3}, list)
		require.Zero(t, next)
	})
}

func TestJobItems_OfAnOutcome_InOrder(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		s.do(`INSERT INTO job_items (job, n, subject, part, outcome)
			SELECT j, n, 1, 0, CASE n % 2 WHEN 0 THEN 'new' ELSE 'done' END FROM (WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < 9)
			SELECT n, j FROM series CROSS JOIN (SELECT 7 AS j UNION SELECT 8 AS j) AS jobs) AS numbers`)
		for _, c := range []struct {
			outcome string
			after   int64
			want    []int64
		}{{"", 0, []int64{1, 2, 3}}, {"", 7, []int64{8, 9}}, {"new", 0, []int64{2, 4, 6}}, {"new", 6, []int64{8}}, {"gone", 0, nil}} {
			rows, err := s.JobItems(t.Context(), 7, c.outcome, c.after, 3)
			require.NoError(t, err)
			var ns []int64
			for _, r := range rows {
				ns = append(ns, r.N)
			}
			require.Equal(t, c.want, ns, "%+v", c)
		}
	})
}
