package kit

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var testNow = time.Date(2026, 10, 22, 5, 3, 10, 0, time.UTC)

func TestGuard_AfterAMinute_AsksAgain(t *testing.T) {
	t.Parallel()
	g := NewGuard()
	for range GuardTries {
		g.Fail("a", testNow)
	}
	require.True(t, g.Blocked("a", testNow))
	require.False(t, g.Blocked("b", testNow))
	require.False(t, g.Blocked("a", testNow.Add(GuardWindow)))
}

func TestSession_TamperedOrOldCookie_IsNone(t *testing.T) {
	t.Parallel()
	k := NewSessions([]byte(strings.Repeat("k", 32)))
	cookie := k.New(testNow)
	ends, ok := k.Read(cookie, testNow)
	require.True(t, ok)
	require.Equal(t, testNow.Add(SessionLife).Unix(), ends.Unix())

	_, ok = k.Read(cookie, testNow.Add(SessionLife))
	require.False(t, ok, "after its end")
	other := NewSessions([]byte(strings.Repeat("x", 32)))
	_, ok = other.Read(cookie, testNow)
	require.False(t, ok, "signed with another key")
	for i := range cookie {
		bad := cookie[:i] + string(rune('A'+(cookie[i]-'A'+1)%26)) + cookie[i+1:]
		if bad == cookie || i == len(cookie)-1 { // the last character carries unused bits
			continue
		}
		_, ok = k.Read(bad, testNow)
		require.False(t, ok, "character %d changed", i)
	}
	_, ok = k.Read("", testNow)
	require.False(t, ok)
}
