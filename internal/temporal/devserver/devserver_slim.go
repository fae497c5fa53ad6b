//go:build slim

package devserver

import (
	"context"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Embedded reports whether this build has the server.
const Embedded = false

// Server is a running Temporal server; this build has none.
type Server struct{}

// Start always fails: this build has no embedded server.
func Start(context.Context, Options) (*Server, error) {
	return nil, fault.New(fault.Invalid, "this build of segue has no embedded Temporal server (build tag slim): set temporal-address to a running one, or take the full build")
}

// Address returns "".
func (*Server) Address() string { return "" }

// UIURL returns "".
func (*Server) UIURL() string { return "" }

// Stop does nothing.
func (*Server) Stop(context.Context) {}
