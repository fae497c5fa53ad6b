// Package devserver runs a whole Temporal server, with its UI, inside this
// process: for `segue dev`, for small installations on one machine, and for
// end-to-end tests.
//
//	s, err := devserver.Start(ctx, devserver.Options{Dir: ".segue", Address: "127.0.0.1:7233"})
//	c, err := client.Dial(client.Options{HostPort: s.Address()})
//
// It is the only importer of Temporal's server, which is most of the binary
// and of the time to compile it. The build tag "slim" leaves it out: Start
// then only says so, and everything else here still works.
//
// It is not for clusters: one process, no TLS, no authorization. Bind it to
// loopback unless the network is trusted.
package devserver

import (
	"log/slog"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
)

// Options say where the server keeps its data and what it listens on. The zero
// value is a server in memory, on any free port, without the UI.
type Options struct {
	// Dir holds the SQLite database, in the file temporal.db; it is made when it
	// is missing. Empty means in memory: all is gone after Stop. A directory serves
	// one server at a time, and while a process lives, the directory must not be
	// removed and used again: Temporal keeps the file open after Stop.
	Dir string

	// Postgres, a postgres:// URL, replaces SQLite. The databases
	// <name>_temporal and <name>_temporal_visibility are made next to the one it
	// names, and brought to the server's version. Its user must be allowed to
	// create databases. For tests of the production topology.
	Postgres string

	// Address is the frontend's host:port (setting temporal-address). The host is
	// an IP address or localhost; port 0, or "", takes a free port.
	Address string

	// UIAddress is the UI's host:port (setting temporal-ui-address), as Address;
	// "" means no UI.
	UIAddress string

	// Namespace is made when it is missing; "" means "default".
	Namespace string

	// Retention is how long closed executions stay visible; 0 means a day, and
	// less than an hour is refused. A changed value also changes an existing
	// namespace.
	Retention time.Duration

	// SearchAttributes are registered when they are missing; none is removed.
	SearchAttributes map[string]enumspb.IndexedValueType

	// Logger takes the server's warnings and errors; nil means slog.Default().
	Logger *slog.Logger
}
