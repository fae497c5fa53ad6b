package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseDuration_ReadsWhatStringWrites(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"3d": 72 * time.Hour, "1h30m": 90 * time.Minute, "45s": 45 * time.Second, "1d12h": 36 * time.Hour,
		"0s": 0, "90m": 90 * time.Minute, "1.5h": 90 * time.Minute, "1h0m5s": time.Hour + 5*time.Second, "250ms": 250 * time.Millisecond,
	} {
		d, err := ParseDuration(in)
		require.NoError(t, err, in)
		require.Equal(t, want, d.Std(), in)
		again, err := ParseDuration(d.String())
		require.NoError(t, err, d.String())
		require.Equal(t, d, again)
	}
}

func TestParseDuration_AnythingElse_IsAnError(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "3", "d", "-1d", "-5m", "1d-5m", "three days", "1w", "70000d", "65000d2500000h", "1d2d", " 3d"} {
		_, err := ParseDuration(in)
		require.Error(t, err, in)
	}
}

func FuzzParseDuration(f *testing.F) {
	f.Add("1d2h3m4s")
	f.Add("65535d23h")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, d, Duration(0))
		again, err := ParseDuration(d.String())
		require.NoError(t, err)
		require.Equal(t, d, again)
	})
}
