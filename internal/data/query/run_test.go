package query

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/run"
)

func TestListRuns_Filters_AndStepsInOrder(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		for n := range 6 {
			s.do(`INSERT INTO runs (id, workflow, version, event, generation, status, contact, directory, fields, payload, created_at)
				VALUES (?, ?, 2, ?, 0, ?, ?, 9, '{}', ?, 5)`, 10+n, 1+n%2, 100+n/2, []string{"done", "running", "failed"}[n%3], 50+n%2, []byte("{}"))
		}
		s.do(`INSERT INTO run_tasks (run, step, position, kind, status, attempts, input, output, error, started_at, ended_at)
			VALUES (12, 'b', 2, 'wait', 'running', 1, NULL, NULL, NULL, 7, NULL), (12, 'a', 1, 'distribute', 'done', 1, '{}', '{"n":1}', NULL, 5, 6)`)
		for _, q := range []struct {
			f    RunQuery
			want []id.ID
		}{
			{RunQuery{}, []id.ID{15, 14, 13, 12, 11, 10}},
			{RunQuery{Workflow: 1}, []id.ID{14, 12, 10}},
			{RunQuery{Event: 101}, []id.ID{13, 12}},
			{RunQuery{Event: 101, Workflow: 1}, []id.ID{12}},
			{RunQuery{Status: "failed"}, []id.ID{15, 12}},
			{RunQuery{Contact: 51}, []id.ID{15, 13, 11}},
		} {
			rows, _ := all(t, 2, func(p Paging) ([]run.Run, id.ID, error) { return s.ListRuns(t.Context(), q.f, p) })
			var got []id.ID
			for _, r := range rows {
				got = append(got, r.ID)
			}
			require.Equal(t, q.want, got, "%+v", q.f)
		}
		steps, err := s.StepRows(t.Context(), []id.ID{12, 13})
		require.NoError(t, err)
		require.Len(t, steps, 2)
		require.EqualValues(t, "a", steps[0].Step)
		require.Equal(t, `{"n":1}`, steps[0].Output)
		require.Zero(t, steps[1].EndedAt)
	})
}

func TestDistributions_CountInvitationsByStatusAndEver(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		ctx := t.Context()
		s.do(`INSERT INTO distributions (id, run, step, directory, survey, channel, status, settings, created_at)
			VALUES (5, 3, 'ask', 1, 'nps', 'email', 'sending', '{}', 1), (6, 4, 'ask', 1, 'nps', 'email', 'pending', '{}', 1)`)
		for n, v := range []struct {
			status       string
			sent, opened any
		}{{"sent", 10, nil}, {"opened", 10, 11}, {"skipped", nil, nil}} {
			s.do(`INSERT INTO invitations (id, distribution, run, contact, token, status, snapshot, created_at, sent_at, opened_at, opens)
				VALUES (?, 5, 3, ?, ?, ?, '{}', 1, ?, ?, 0)`, 20+n, 70+n, fmt.Sprint(n), v.status, v.sent, v.opened)
		}
		s.do(`INSERT INTO messages (invitation, kind, contact, status, counts, created_at, sent_at, attempts)
			VALUES (20, 'reminder-1', 70, 'failed', ?, 9, NULL, 3), (20, 'invitation', 70, 'sent', ?, 8, 10, 1)`, true, true)
		rows, _ := all(t, 1, func(p Paging) ([]distribution.Distribution, id.ID, error) {
			return s.ListDistributions(ctx, DistributionQuery{}, p)
		})
		require.Len(t, rows, 2)
		rows, _, err := s.ListDistributions(ctx, DistributionQuery{Run: 3}, Paging{Limit: 10})
		require.NoError(t, err)
		require.Len(t, rows, 1)
		counts, err := s.DistributionCounts(ctx, []id.ID{5, 6})
		require.NoError(t, err)
		require.Equal(t, []CountRow{{5, "opened", 1, 1, 1, 0, 0}, {5, "sent", 1, 1, 0, 0, 0}, {5, "skipped", 1, 0, 0, 0, 0}}, counts)
		for _, q := range []struct {
			f    InvitationQuery
			want int
		}{{InvitationQuery{}, 3}, {InvitationQuery{Run: 3, Status: "sent"}, 1}, {InvitationQuery{Distribution: 5}, 3},
			{InvitationQuery{Contact: 71}, 1}, {InvitationQuery{Status: "skipped"}, 1}, {InvitationQuery{Run: 4}, 0}} {
			inv, _ := all(t, 2, func(p Paging) ([]InvitationRow, id.ID, error) { return s.ListInvitations(ctx, q.f, p) })
			require.Len(t, inv, q.want, "%+v", q.f)
		}
		messages, err := s.MessageRows(ctx, []id.ID{20})
		require.NoError(t, err)
		require.Equal(t, "invitation", messages[0].Kind)
		require.Equal(t, distribution.MessageFailed, messages[1].Status)
	})
}

func TestOutbox_NewestFirst(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		for n := range 3 {
			s.do(`INSERT INTO outbox (id, message_id, recipient, subject, text, html, headers, sent_at) VALUES (?, ?, 'a@b.c', 's', 't', 'h', '{}', 1)`, n+1, fmt.Sprint(n))
		}
		rows, pages := all(t, 2, func(p Paging) ([]MailRow, id.ID, error) { return s.ListOutbox(t.Context(), p) })
		require.Equal(t, 2, pages)
		require.Equal(t, id.ID(3), rows[0].ID)
		m, err := s.MailRow(t.Context(), 2)
		require.NoError(t, err)
		require.Equal(t, "a@b.c", m.Recipient)
	})
}

func TestVersionRows_OldestFirst(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		for _, v := range [][2]int64{{2, 1}, {1, 2}, {1, 1}} {
			s.do(`INSERT INTO workflow_versions (workflow, version, created_at, definition) VALUES (?, ?, 1, ?)`, v[0], v[1], []byte(`{"name":"w"}`))
		}
		rows, err := s.VersionRows(t.Context())
		require.NoError(t, err)
		definition := []byte(`{"name":"w"}`)
		require.Equal(t, []VersionRow{{1, 1, definition}, {1, 2, definition}, {2, 1, definition}}, rows)
	})
}
