//go:build !slim

package devserver_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/temporal/devserver"
)

// dialRefused connects a client whose calls to the named methods fail with the
// given code, as those to a server that does not permit them.
func dialRefused(t *testing.T, s *devserver.Server, code codes.Code, methods ...string) client.Client {
	t.Helper()
	refuse := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		for _, m := range methods {
			if strings.HasSuffix(method, "/"+m) {
				return status.Error(code, "refused by the test")
			}
		}
		return next(ctx, method, req, reply, cc, opts...)
	}
	c, err := client.DialContext(t.Context(), client.Options{
		HostPort:          s.Address(),
		Logger:            sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		ConnectionOptions: client.ConnectionOptions{DialOptions: []grpc.DialOption{grpc.WithChainUnaryInterceptor(refuse)}},
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

const command = "temporal operator search-attribute create --namespace default --name SegueEvents --type KeywordList --name SegueSource --type Keyword"

func TestEnsureSearchAttributes_NotPermitted_SaysWhatToRun(t *testing.T) {
	t.Parallel()
	s := start(t, devserver.Options{})
	for name, c := range map[string]client.Client{
		"may list, not add":    dialRefused(t, s, codes.PermissionDenied, "AddSearchAttributes"),
		"may neither":          dialRefused(t, s, codes.PermissionDenied, "AddSearchAttributes", "ListSearchAttributes"),
		"wrong credentials":    dialRefused(t, s, codes.Unauthenticated, "AddSearchAttributes", "ListSearchAttributes"),
		"no such service here": dialRefused(t, s, codes.Unimplemented, "AddSearchAttributes", "ListSearchAttributes"),
	} {
		err := devserver.EnsureSearchAttributes(t.Context(), c, "default", attributes)
		require.Equal(t, fault.Unauthorized, fault.KindOf(err), "%s: %v", name, err)
		require.Equal(t, command, fault.Public(err), name)
	}
}

func TestEnsureSearchAttributes_NotPermittedToAskButThere_IsFine(t *testing.T) {
	t.Parallel()
	s := start(t, devserver.Options{SearchAttributes: attributes})
	c := dialRefused(t, s, codes.PermissionDenied, "AddSearchAttributes", "ListSearchAttributes")
	require.NoError(t, devserver.EnsureSearchAttributes(t.Context(), c, "default", attributes))
}

func TestEnsureSearchAttributes_CalledTwice_ChangesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, devserver.Options{})
	for range 2 {
		require.NoError(t, devserver.EnsureSearchAttributes(t.Context(), dial(t, s), "default", attributes))
	}
	runHello(t, dial(t, s), "usable")
}

func TestEnsureSearchAttributes_ThatCannotBe_IsAConflict(t *testing.T) {
	t.Parallel()
	s := start(t, devserver.Options{SearchAttributes: attributes})
	many := map[string]enumspb.IndexedValueType{}
	for i := range 11 {
		many[fmt.Sprintf("Another%d", i)] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	for says, attrs := range map[string]map[string]enumspb.IndexedValueType{
		"SegueSource of namespace default has the type Keyword instead of Int": {"SegueSource": enumspb.INDEXED_VALUE_TYPE_INT},
		"temporal operator search-attribute create":                            many,
	} {
		err := devserver.EnsureSearchAttributes(t.Context(), dial(t, s), "default", attrs)
		require.Equal(t, fault.Conflict, fault.KindOf(err), "%v", err)
		require.ErrorContains(t, err, says)
	}
}
