package handover

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/id"
)

// sets are lists of ids that share many of them.
func sets(r *rand.Rand) []id.ID {
	out := map[id.ID]bool{}
	for range 1 + r.IntN(6) {
		out[id.ID(1+r.IntN(8))] = true
	}
	var list []id.ID
	for v := range out {
		list = append(list, v)
	}
	return list
}

func TestBatchID_DifferentSets_HaveDifferentIDs_OrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string][]id.ID{}
	for range 20_000 {
		list := sets(r)
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		before := slices.Clone(list)
		got := BatchID(list)
		require.Equal(t, before, list, "the caller's list is left alone")
		sorted := slices.Sorted(slices.Values(list))
		if other, ok := seen[got]; ok {
			require.Equal(t, other, sorted, "two sets share %s", got)
		}
		seen[got] = sorted
		require.True(t, strings.HasPrefix(got, "events/"))
	}
	require.Greater(t, len(seen), 150)
}

func TestBatchID_SharedFirstEvent_IsAnotherBatch(t *testing.T) {
	t.Parallel()
	require.NotEqual(t, BatchID([]id.ID{1, 2}), BatchID([]id.ID{1, 3}))
	require.NotEqual(t, BatchID([]id.ID{1}), BatchID([]id.ID{1, 2}))
	require.Equal(t, "events/"+id.ID(1).String(), BatchID([]id.ID{1}))
}
