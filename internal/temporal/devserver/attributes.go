package devserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc/codes"

	"github.com/segue-xm/segue/internal/core/fault"
)

// EnsureSearchAttributes registers what is missing of attrs in a namespace of
// any Temporal server, and returns when the attributes can be used. It is safe
// to call twice and from several processes.
//
// Where they cannot be registered the error's message is the command that an
// operator has to run: Unauthorized when this client may not (a hosted
// Temporal, for one), Conflict when the server has no room for more, and
// Unavailable when the server does not answer. An attribute that is there with
// another type is a Conflict that names it.
func EnsureSearchAttributes(ctx context.Context, c client.Client, namespace string, attrs map[string]enumspb.IndexedValueType) error {
	if len(attrs) == 0 {
		return nil
	}
	missing := maps.Clone(attrs)
	have, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		// It may be that we must not ask, and that they are there all the same.
		if usable(ctx, c, namespace, attrs) == nil {
			return nil
		}
		return unregistered(err, namespace, attrs)
	}
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		switch t, ok := have.CustomAttributes[name]; {
		case !ok:
		case t == attrs[name]:
			delete(missing, name)
		default:
			return fault.New(fault.Conflict, "search attribute %s of namespace %s has the type %s instead of %s", name, namespace, t, attrs[name])
		}
	}
	if len(missing) > 0 {
		_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: missing})
		var exists *serviceerror.AlreadyExists // another process was first
		if err != nil && !errors.As(err, &exists) {
			return unregistered(err, namespace, missing)
		}
	}
	// The server's parts learn of a new attribute from a cache that is refreshed
	// every few seconds; until then a start that uses it is refused.
	for {
		err := usable(ctx, c, namespace, attrs)
		var invalid *serviceerror.InvalidArgument
		if err == nil || !errors.As(err, &invalid) {
			return fault.Wrap(fault.Unavailable, err, "search attributes of namespace %s", namespace)
		}
		select {
		case <-ctx.Done():
			return fault.Wrap(fault.Unavailable, err, "search attributes of namespace %s", namespace)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// usable asks a cheap question in which every attribute occurs.
func usable(ctx context.Context, c client.Client, namespace string, attrs map[string]enumspb.IndexedValueType) error {
	query := `WorkflowId = "segue-search-attributes"`
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		query += " AND " + name + " IS NULL"
	}
	_, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: namespace, Query: query})
	return err
}

// unregistered classifies the refusal and says what to run instead.
func unregistered(err error, namespace string, attrs map[string]enumspb.IndexedValueType) error {
	kind := fault.Unavailable
	switch serviceerror.ToStatus(err).Code() {
	case codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented:
		kind = fault.Unauthorized
	case codes.InvalidArgument:
		kind = fault.Conflict
	}
	return fault.Wrap(kind, err, "%s", createCommand(namespace, attrs))
}

// createCommand is the line for Temporal's own command line tool.
func createCommand(namespace string, attrs map[string]enumspb.IndexedValueType) string {
	var b strings.Builder
	b.WriteString("temporal operator search-attribute create --namespace " + namespace)
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		fmt.Fprintf(&b, " --name %s --type %s", name, attrs[name])
	}
	return b.String()
}
