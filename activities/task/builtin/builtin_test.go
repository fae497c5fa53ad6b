package builtin_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities/task/builtin"
)

func TestRegistry_WithoutAnythingToWorkWith_KnowsEveryKind(t *testing.T) {
	t.Parallel()
	var kinds []string
	for _, s := range builtin.Registry(builtin.Deps{}).Kinds() {
		kinds = append(kinds, s.Kind)
	}
	require.Equal(t, []string{"update_contact", "distribute", "web_service"}, kinds)
}
