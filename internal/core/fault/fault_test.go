package fault_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
)

func TestWords_AreWhatEveryDatabaseHolds(t *testing.T) {
	t.Parallel()
	require.Equal(t, "email: no \uFFFDplace\uFFFD", fault.Words(fault.Field("email", "no \x00place\xff")))
	require.Equal(t, "internal error", fault.Words(errors.New("a secret")))
}

func TestGuard_Panic_IsInternal(t *testing.T) {
	t.Parallel()
	require.NoError(t, fault.Guard(func() error { return nil }))
	refused := fault.New(fault.Invalid, "no")
	require.Same(t, refused, fault.Guard(func() error { return refused }))
	err := fault.Guard(func() error { panic("over") })
	require.Equal(t, fault.Internal, fault.KindOf(err))
	require.ErrorContains(t, err, "over")
}
