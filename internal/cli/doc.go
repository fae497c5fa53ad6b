// Package cli is the command line: one file per command, each a struct of flags
// with a Run method, parsed by kong.
//
//	err := cli.Run(os.Args[1:], cli.Program{Serve: app.Run})
//	os.Exit(cli.Report(os.Stderr, err))
//
// Commands that serve hand their settings on (dev, starter, worker); commands
// about a running server speak HTTP to it; eval, validate and import need neither.
// The package builds nothing that runs for long and does not know Temporal.
package cli
