//go:build slim

package devserver_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/temporal/devserver"
)

func TestStart_InASlimBuild_SaysThatThereIsNoServer(t *testing.T) {
	t.Parallel()
	_, err := devserver.Start(t.Context(), devserver.Options{})
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.ErrorContains(t, err, "no embedded Temporal server")
	require.False(t, devserver.Embedded)
}
