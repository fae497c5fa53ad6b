// Package statustest checks a table of statuses.
package statustest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/status"
)

// Sound checks that a table names nothing that it does not list, and that every
// status can be reached from those with which a thing may begin.
func Sound[S ~string](t *testing.T, table status.Table[S], first ...S) {
	t.Helper()
	reached := map[S]bool{}
	var walk func(s S)
	walk = func(s S) {
		require.Contains(t, table.All(), s)
		if reached[s] {
			return
		}
		reached[s] = true
		for _, m := range table {
			if m.From == s {
				for _, to := range m.To {
					walk(to)
				}
			}
		}
	}
	for _, s := range first {
		walk(s)
	}
	require.Len(t, reached, len(table), "something is listed twice, or cannot be reached")
}

// Forward checks that what a thing has left it never comes back to.
func Forward[S ~string](t *testing.T, table status.Table[S]) {
	t.Helper()
	var walk func(s S, path []S)
	walk = func(s S, path []S) {
		require.NotContains(t, path, s, "there is a way back")
		for _, to := range table.All() {
			if table.May(s, to) {
				walk(to, append(path, s))
			}
		}
	}
	for _, s := range table.All() {
		walk(s, nil)
	}
}
