package seal

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOpen_AfterRotation_OldKeyStillOpens(t *testing.T) {
	t.Parallel()
	first, second := NewKey(), NewKey()
	old, err := New(first)
	require.NoError(t, err)
	sealed, err := old.Seal([]byte("token"))
	require.NoError(t, err)

	rotated, err := New(second + "," + first)
	require.NoError(t, err)
	plain, err := rotated.Open(sealed)
	require.NoError(t, err)
	require.Equal(t, "token", string(plain))

	resealed, err := rotated.Seal(plain)
	require.NoError(t, err)
	_, err = old.Open(resealed)
	require.Error(t, err, "new secrets are sealed by the new key")
}

func TestOpen_Damaged_Fails(t *testing.T) {
	t.Parallel()
	s, err := New(NewKey())
	require.NoError(t, err)
	sealed, err := s.Seal([]byte("token"))
	require.NoError(t, err)
	for i := range sealed {
		sealed[i] ^= 1
		_, err := s.Open(sealed)
		require.Error(t, err)
		sealed[i] ^= 1
	}
	_, err = s.Open(nil)
	require.Error(t, err)
}

func TestNew_BadKey_NamesTheSetting(t *testing.T) {
	t.Parallel()
	for _, k := range []string{"", "abc", "c2hvcnQ="} {
		_, err := New(k)
		require.ErrorContains(t, err, "encryption-key")
	}
}
