package store

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/data/query"
)

// asking is settings with a reminder after 3 days and an end after 14.
func asking(t *testing.T) string {
	t.Helper()
	const day = plan.Duration(24 * time.Hour)
	text, err := distribution.Stored{Settings: distribution.Settings{
		Subject: "s", Message: "m", Reminders: []distribution.Reminder{{After: 3 * day}, {After: 7 * day}}, Expires: 14 * day,
	}}.Text()
	require.NoError(t, err)
	return text
}

func (s *writable) invite(n distribution.New) (dist, invitation id.ID) {
	s.t.Helper()
	dist, invitation, err := s.Invite(s.t.Context(), n)
	require.NoError(s.t, err)
	return dist, invitation
}

func TestInvite_OncePerRunAndStep_OneDistributionPerWorkflowAndStep(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		n := distribution.New{Workflow: 1, Version: 1, Run: 11, Step: "ask", Contact: 3, Snapshot: "{}", Asked: distribution.Asked{Directory: 2, Survey: "a", Settings: "{}"}}
		dist, first := s.invite(n)
		again, same := s.invite(n)
		require.Equal(t, []id.ID{dist, first}, []id.ID{again, same})

		other := n
		other.Step = "each#2/ask"
		in, second := s.invite(other)
		require.Equal(t, dist, in, "another pass of the same step")
		require.NotEqual(t, first, second)

		other.Run, other.Workflow = 12, 9
		in, _ = s.invite(other)
		require.NotEqual(t, dist, in, "another workflow")

		newer := n
		newer.Run, newer.Version, newer.Survey = 13, 2, "b"
		in, third := s.invite(newer)
		require.Equal(t, dist, in)
		a, err := s.AskedOf(t.Context(), third)
		require.NoError(t, err)
		require.Equal(t, "b", a.Survey)
		a, err = s.AskedOf(t.Context(), first)
		require.NoError(t, err)
		require.Equal(t, n.Asked, a, "what it asks is pinned")
	})
}

func TestClaimDistribution_OneIsToWakeIt_AndNobodyWhileItIsAwake(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		dist, _ := s.ask()
		claim := func() bool {
			ours, err := s.ClaimDistribution(ctx, dist, time.Minute)
			require.NoError(t, err)
			return ours
		}
		require.True(t, claim())
		require.False(t, claim())
		next, err := s.Rest(ctx, dist)
		require.NoError(t, err)
		require.False(t, next.After(s.clock), "what came while it looked is seen before it looks away")
		require.True(t, claim())
		s.clock = s.clock.Add(2 * time.Minute)
		list, err := s.ClaimDistributions(ctx, time.Minute)
		require.NoError(t, err)
		require.Equal(t, []id.ID{dist}, list, "it was to be awake, and is not")
		list, err = s.ClaimDistributions(ctx, time.Minute)
		require.NoError(t, err)
		require.Empty(t, list)
	})
}

// Counts are kept by triggers: whatever happens to invitations, they say what a count
// of the rows says.
func TestDistributionCounts_AfterAnything_AreTrue(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		s.apply(s.deliver(contact.Input{ExtRef: "u1", Email: "a@example.com"})...)
		var who id.ID
		require.NoError(t, s.db.ReadOne(ctx, &who, `SELECT id FROM contacts`))
		r := rand.New(rand.NewPCG(1, 2))
		var all []distribution.Invitation
		dists := map[id.ID]bool{}
		for i := range 30 {
			dist, v := s.invite(distribution.New{Workflow: id.ID(1 + i%2), Version: 1, Run: id.ID(100 + i), Step: "ask", Contact: who, Snapshot: "{}",
				Asked: distribution.Asked{Directory: s.dir.ID, Settings: asking(t)}})
			inv, err := s.InvitationByID(ctx, v)
			require.NoError(t, err)
			all, dists[dist] = append(all, inv), true
		}
		for range 200 {
			inv := all[r.IntN(len(all))]
			var err error
			switch r.IntN(6) {
			case 0:
				if _, err = s.Reserve(ctx, inv.ID, distribution.KindInvitation, distribution.Rule{}); err == nil {
					err = s.MessageWasSent(ctx, inv.ID, distribution.KindInvitation, distribution.Then{})
				}
			case 1:
				err = s.LinkOpened(ctx, inv.ID)
			case 2:
				_, _, err = s.RecordAnswer(ctx, distribution.Answer{Token: inv.Token, Finished: r.IntN(2) == 0})
			case 3:
				err = s.EndInvitation(ctx, inv.ID, distribution.Skipped, "so")
			case 4:
				err = s.ExpireInvitation(ctx, inv.ID)
			case 5:
				s.set(`UPDATE invitations SET distribution = 77 WHERE id = ?`, inv.ID)
			}
			require.NoError(t, err)
		}
		s.set(`DELETE FROM invitations WHERE id = ?`, all[0].ID)
		var want []query.CountRow
		require.NoError(t, s.db.Read(ctx, &want, `SELECT distribution, status, count(*) AS n, count(sent_at) AS sent, count(coalesce(opened_at, started_at, finished_at)) AS opened,
			count(coalesce(started_at, finished_at)) AS started, count(finished_at) AS finished FROM invitations GROUP BY distribution, status ORDER BY distribution, status`))
		got, err := query.New(s.db).DistributionCounts(ctx, append([]id.ID{77}, keys(dists)...))
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Greater(t, len(want), 8)
	})
}

func keys(m map[id.ID]bool) (list []id.ID) {
	for k := range m {
		list = append(list, k)
	}
	return list
}

// What 0.1.0 left: a distribution for each run, in every state of its life.
func TestAdoptDistributions_OfSingleRuns_GoOnInTheStandingOne(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		const day = 24 * time.Hour
		began := s.clock.Add(-4 * day)
		// Each has its messages, and what is to be next for it.
		for i, c := range []struct {
			state    distribution.State
			status   distribution.Status
			had      []distribution.Kind
			reserved bool
		}{
			{"pending", distribution.Pending, nil, false},
			{"sending", distribution.Pending, []distribution.Kind{"invitation"}, true},
			{"waiting", distribution.Sent, []distribution.Kind{"invitation"}, false},
			{"waiting", distribution.Opened, []distribution.Kind{"invitation", "reminder-1"}, false},
			{"waiting", distribution.Started, []distribution.Kind{"invitation", "reminder-1", "reminder-2"}, false},
			{"done", distribution.Finished, []distribution.Kind{"invitation"}, false},
			{"done", distribution.Expired, []distribution.Kind{"invitation"}, false},
			{"cancelled", distribution.Sent, []distribution.Kind{"invitation"}, false},
		} {
			run, dist, inv := 10+i, 20+i, 30+i
			s.set(`INSERT INTO runs (id, workflow, version, event, generation, status, directory, fields, payload, created_at) VALUES (?, 1, 1, ?, 0, 'running', 2, '[]', ?, 1)`, run, run, []byte("{}"))
			s.set(`INSERT INTO distributions (id, run, step, directory, survey, channel, status, settings, created_at) VALUES (?, ?, 'ask', 2, 'tour', 'email', ?, ?, 1)`, dist, run, c.state, asking(t))
			var sent any
			if len(c.had) > 0 && !c.reserved {
				sent = began.UnixMilli()
			}
			s.set(`INSERT INTO invitations (id, distribution, run, contact, token, status, snapshot, created_at, sent_at, opens) VALUES (?, ?, ?, 3, ?, ?, '{}', 1, ?, 0)`,
				inv, dist, run, fmt.Sprint("t", i), c.status, sent)
			for _, k := range c.had {
				status := distribution.MessageSent
				if c.reserved {
					status = distribution.MessageReserved
				}
				s.set(`INSERT INTO messages (invitation, kind, contact, status, counts, created_at, attempts) VALUES (?, ?, 3, ?, ?, 1, 1)`, inv, k, status, true)
			}
		}
		s.set(`INSERT INTO handovers (kind, id, lease_until, tries) VALUES ('distribution', 20, 1, 0)`)
		_, err := s.BeginDistribution(ctx, 20)
		require.NoError(t, err)
		n, err := s.AdoptDistributions(ctx, 3)
		require.NoError(t, err)
		require.Equal(t, 3, n)
		for range 2 {
			_, err = s.AdoptDistributions(ctx, 100)
			require.NoError(t, err)
		}
		var left int
		require.NoError(t, s.db.ReadOne(ctx, &left, `SELECT count(*) FROM handovers`))
		require.Zero(t, left)

		read := query.New(s.db)
		list, _, err := read.ListDistributions(ctx, query.DistributionQuery{}, query.Paging{Limit: 10})
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, distribution.StateStanding, list[0].Status)
		old, err := read.DistributionRow(ctx, 23)
		require.NoError(t, err)
		require.Equal(t, list[0], old, "the old id leads there")
		for _, d := range []id.ID{list[0].ID, 23} {
			people, _, err := read.ListInvitations(ctx, query.InvitationQuery{Distribution: d}, query.Paging{Limit: 10})
			require.NoError(t, err)
			require.Len(t, people, 8)
		}

		var queue []struct {
			Invitation id.ID
			Kind       distribution.Kind
			DueAt      int64 `db:"due_at"`
		}
		require.NoError(t, s.db.Read(ctx, &queue, `SELECT invitation, kind, due_at FROM distribution_queue ORDER BY invitation`))
		type next struct {
			kind distribution.Kind
			due  time.Duration // since it began
		}
		got := map[id.ID]next{}
		for _, q := range queue {
			got[q.Invitation] = next{q.Kind, time.UnixMilli(q.DueAt).Sub(began)}
		}
		require.Equal(t, map[id.ID]next{
			30: {distribution.KindInvitation, 4 * day}, 31: {distribution.KindInvitation, 4*day + 2*time.Minute}, // it may be on its way
			32: {distribution.KindReminder(1), 3 * day}, 33: {distribution.KindReminder(2), 7 * day}, 34: {distribution.KindExpiry, 14 * day},
		}, got)
		_, v := s.invite(distribution.New{Workflow: 1, Version: 1, Run: 12, Step: run.Path("ask"), Contact: 3, Snapshot: "{}", Asked: distribution.Asked{Directory: 2, Settings: "{}"}})
		require.Equal(t, id.ID(32), v, "a step that is run again finds what it made before")
	})
}

// Both versions ran a step, one after the other: the run has two invitations, and
// adopting goes on.
func TestAdoptDistributions_Twin_IsAdoptedWithoutTheStep(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		for n := range 2 {
			s.set(`INSERT INTO runs (id, workflow, version, event, generation, status, directory, fields, payload, created_at) VALUES (?, 1, 1, ?, 0, 'running', 2, '[]', ?, 1)`, 10+n, 10+n, []byte("{}"))
			s.set(`INSERT INTO distributions (id, run, step, directory, survey, channel, status, settings, created_at) VALUES (?, ?, 'ask', 2, 'tour', 'email', 'waiting', ?, 1)`, 20+n, 10+n, asking(t))
			s.set(`INSERT INTO invitations (id, distribution, run, contact, token, status, snapshot, created_at, opens) VALUES (?, ?, ?, 3, ?, 'pending', '{}', 1, 0)`, 30+n, 20+n, 10+n, fmt.Sprint("t", n))
		}
		s.set(`INSERT INTO distributions (id, workflow, run, step, directory, survey, channel, status, settings, created_at) VALUES (40, 1, 1, 'ask', 2, 'tour', 'email', 'standing', ?, 1)`, asking(t))
		s.set(`INSERT INTO invitations (id, distribution, run, step, contact, token, status, snapshot, created_at, opens) VALUES (50, 40, 10, 'ask', 3, 'twin', 'pending', '{}', 1, 0)`)
		n, err := s.AdoptDistributions(ctx, 10)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		var steps []string
		require.NoError(t, s.db.Read(ctx, &steps, `SELECT coalesce(step, '') FROM invitations WHERE distribution = 40 ORDER BY id`))
		require.Equal(t, []string{"", "ask", "ask"}, steps)
	})
}

// An account sent an invitation before its distribution was adopted: what follows goes
// with it.
func TestAdoptDistributions_QueuedBefore_StaysInSight(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		ctx := t.Context()
		s.set(`INSERT INTO runs (id, workflow, version, event, generation, status, directory, fields, payload, created_at) VALUES (10, 1, 1, 10, 0, 'running', 2, '[]', ?, 1)`, []byte("{}"))
		s.set(`INSERT INTO distributions (id, run, step, directory, survey, channel, status, settings, created_at) VALUES (20, 10, 'ask', 2, 'tour', 'email', 'waiting', ?, 1)`, asking(t))
		s.set(`INSERT INTO invitations (id, distribution, run, contact, token, status, snapshot, created_at, sent_at, opens) VALUES (30, 20, 10, 3, 't', 'sent', '{}', 1, 5, 0)`)
		s.set(`INSERT INTO distribution_queue (invitation, distribution, kind, due_at, tries) VALUES (30, 20, 'reminder-1', 5, 0)`)
		_, err := s.AdoptDistributions(ctx, 10)
		require.NoError(t, err)
		list, _, err := query.New(s.db).ListDistributions(ctx, query.DistributionQuery{}, query.Paging{Limit: 10})
		require.NoError(t, err)
		due, err := s.DueInvitations(ctx, list[0].ID, 10)
		require.NoError(t, err)
		require.Len(t, due, 1)
		require.Equal(t, distribution.KindReminder(1), due[0].Kind)
	})
}
