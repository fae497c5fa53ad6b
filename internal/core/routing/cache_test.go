package routing

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
)

// loads counts how often each revision was asked of it.
type loads map[int64]int

func (l loads) CurrentRevision(context.Context) (int64, error) { return 1000, nil }
func (l loads) RevisionPlan(_ context.Context, revision int64) (*plan.Plan, error) {
	l[revision]++
	return &plan.Plan{Version: 1}, nil
}
func (l loads) NameIDs(context.Context) (map[plan.Name]id.ID, error) { return nil, nil }

func TestCache_OldRevisions_ComeAndGoAndTheCurrentStays(t *testing.T) {
	t.Parallel()
	l := loads{}
	c := NewCache(l)
	for revision := int64(1); revision <= 100; revision++ {
		live, err := c.Current(t.Context())
		require.NoError(t, err)
		require.Equal(t, int64(1000), live.Revision)
		old, err := c.Revision(t.Context(), revision)
		require.NoError(t, err)
		require.Equal(t, revision, old.Revision)
		require.LessOrEqual(t, len(c.tables), keep)
	}
	require.Equal(t, 1, l[1000], "compiled once")
	_, err := c.Revision(t.Context(), 100)
	require.NoError(t, err)
	require.Equal(t, 1, l[100], "used just now")
	_, err = c.Revision(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, 2, l[1], "long forgotten")
}
