// Command segue turns Segment events into experience work: contacts kept current,
// transactions on record, survey invitations sent and followed up.
//
// Alone, `segue` runs everything in one process: Temporal with its UI, ingest,
// API, console and worker, over SQLite in .segue. `segue starter` and `segue
// worker` run the halves; `segue --help` lists the rest.
package main

import (
	"os"

	"github.com/segue-xm/segue/internal/app"
	"github.com/segue-xm/segue/internal/cli"
	"github.com/segue-xm/segue/internal/temporal/devserver"
)

func main() {
	err := cli.Run(os.Args[1:], cli.Program{Serve: app.Run, Embedded: devserver.Embedded})
	os.Exit(cli.Report(os.Stderr, err))
}
