package job

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/status/statustest"
)

func TestStatus_Rules(t *testing.T) {
	t.Parallel()
	statustest.Sound(t, moves, Running)
	for _, c := range []struct {
		from, to Status
		may      bool
	}{
		{Running, Paused, true}, {Paused, Running, true}, {Running, Done, true}, {Running, Failed, true}, {Paused, Cancelled, true},
		{Paused, Done, true}, // its page was the last
		{Cancelled, Done, false}, {Cancelled, Running, false}, {Done, Running, false}, {Failed, Running, false},
	} {
		require.Equal(t, c.may, c.from.May(c.to), "%s to %s", c.from, c.to)
	}
	for _, s := range Statuses() {
		require.Equal(t, s != Running && s != Paused, s.Ended(), s)
	}
}
