package distribution

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/status/statustest"
)

func TestStatus_Rules(t *testing.T) {
	t.Parallel()
	statustest.Sound(t, moves, Pending)
	statustest.Forward(t, moves)
	for _, c := range []struct {
		from, to Status
		may      bool
	}{
		{Pending, Sent, true}, {Sent, Opened, true}, {Opened, Started, true}, {Started, Finished, true},
		{Sent, Finished, true},                                                         // answered without the link's page being seen
		{Expired, Finished, true}, {Failed, Finished, true}, {Skipped, Finished, true}, // a late answer counts
		{Sent, Failed, true}, {Sent, Skipped, true}, // handed over, and kept from them
		{Opened, Sent, false}, // a late report of sending
		{Finished, Started, false}, {Finished, Expired, false}, {Cancelled, Finished, false},
		{Opened, Failed, false}, {Opened, Skipped, false}, // who opened it has got it
		{Started, Failed, false}, {Started, Skipped, false},
		{Skipped, Sent, false}, {Expired, Opened, false},
	} {
		require.Equal(t, c.may, c.from.May(c.to), "%s to %s", c.from, c.to)
	}
	require.Equal(t, []Status{Pending, Sent}, Opened.Before())
	require.Equal(t, []Status{Pending, Sent, Opened, Started, Skipped, Failed, Expired}, Finished.Before())
	require.Empty(t, Pending.Before())
	for _, s := range Statuses() {
		require.False(t, s.May(s), "staying is not a change")
	}
	require.True(t, Expired.Over())
	require.False(t, Started.Over())
}

func TestMessageStatus_Rules(t *testing.T) {
	t.Parallel()
	statustest.Sound(t, messageMoves, MessageReserved)
	statustest.Forward(t, messageMoves)
	require.Equal(t, []MessageStatus{MessageReserved}, MessageSent.Before())
	require.False(t, MessageSent.May(MessageFailed))
	require.False(t, MessageFailed.May(MessageSent))
	require.True(t, MessageFailed.Ended())
}
