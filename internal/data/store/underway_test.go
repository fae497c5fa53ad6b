package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/run"
)

func TestRunsUnderWay_OfThisVersionAlone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		for i, status := range run.Statuses() {
			s.set(`INSERT INTO runs (id, workflow, version, event, generation, status, directory, fields, payload, created_at) VALUES (?, 7, ?, ?, 0, ?, 1, '[]', ?, 5)`,
				100+i, i, 200+i, string(status), []byte("{}"))
		}
		for i, status := range run.Statuses() {
			got, err := s.RunsUnderWay(t.Context(), 7, int64(i))
			require.NoError(t, err)
			require.Equal(t, !status.Ended(), got, status)
			got, err = s.RunsUnderWay(t.Context(), 8, int64(i))
			require.NoError(t, err)
			require.False(t, got)
		}
	})
}

func TestRunsUnderWay_InvitationStillToBeReminded_CountsThoughItsRunHasEnded(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		_, v := s.invite(distribution.New{Workflow: 7, Version: 3, Run: 11, Step: "ask", Contact: 3, Snapshot: "{}", Asked: distribution.Asked{Directory: 2, Settings: asking(t)}})
		for version, want := range map[int64]bool{2: false, 3: true} {
			got, err := s.RunsUnderWay(t.Context(), 7, version)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		require.NoError(t, s.ExpireInvitation(t.Context(), v))
		got, err := s.RunsUnderWay(t.Context(), 7, 3)
		require.NoError(t, err)
		require.False(t, got)
	})
}
