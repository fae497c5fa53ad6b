package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/segue-xm/segue/internal/app"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1 // what was asked for failed
	exitUsage  = 2 // it was asked for in a wrong way
)

// Program is what surrounds the commands: what only the whole binary knows, and
// its streams. Zero streams are those of the process.
type Program struct {
	// Serve runs a process by its settings until ctx ends.
	Serve func(ctx context.Context, o app.Options) error
	// Embedded says that this binary has a Temporal server in it.
	Embedded bool

	In       io.Reader
	Out, Err io.Writer
	Environ  []string        // as os.Environ; plans take ${NAME} from it
	Context  context.Context // ends what runs; nil: SIGINT and SIGTERM do
}

type commands struct {
	Dev     devCommand     `cmd:"" default:"withargs" help:"Run everything in this process, with an embedded Temporal. What segue alone does."`
	Starter starterCommand `cmd:"" help:"Run the HTTP half: ingest, API, console. Any number of them."`
	Worker  workerCommand  `cmd:"" help:"Run the Temporal half: workflows and activities. Any number of them."`
	Migrate migrateCommand `cmd:"" help:"Bring the database to this version. Safe to run from several places."`

	Validate validateCommand `cmd:"" help:"Check a plan file and say all that is wrong with it. Needs no server."`
	Diff     diffCommand     `cmd:"" help:"Say what applying a plan file would change on a running server."`
	Apply    applyCommand    `cmd:"" help:"Put a plan file in force on a running server, all of it or nothing."`
	Export   exportCommand   `cmd:"" help:"Write the plan in force as YAML, its secrets as references."`

	Eval struct {
		Filter   evalFilterCommand   `cmd:"" help:"Judge filters: lines of {\"id\",\"fql\",\"event\"} in, {\"id\",\"valid\",\"matches\",\"error\"?} out."`
		Mapping  evalMappingCommand  `cmd:"" help:"Apply mappings: lines of {\"id\",\"mapping\",\"payload\"} in, {\"id\",\"output\"}, {\"id\",\"undefined\"} or {\"id\",\"error\",\"kind\",\"message\"} out."`
		Template evalTemplateCommand `cmd:"" help:"Render Liquid templates: lines of {\"id\",\"template\",\"data\"} in, {\"id\",\"output\"} or {\"id\",\"error\"} out."`
		Path     evalPathCommand     `cmd:"" help:"Follow JSONPaths: lines of {\"id\",\"path\",\"document\"} in, {\"id\",\"values\"} or {\"id\",\"error\"} out."`
	} `cmd:"" help:"Judge filters, mappings, templates and paths, JSON lines in, JSON lines out. Needs no server."`

	Check checkCommand `cmd:"" help:"Compare what a running server has stored with how this version reads it."`

	Import struct {
		Segment importSegmentCommand `cmd:"" help:"Turn an export of a destination's subscriptions into mappings of a plan. Needs no server."`
	} `cmd:"" help:"Take over what is set up elsewhere. Needs no server."`

	Destinations struct {
		List   destinationsCommand    `cmd:"" default:"withargs" help:"List the destinations of the plan and how they are. What segue destinations alone does."`
		Test   destinationTestCommand `cmd:"" help:"Test the connection to a destination's account."`
		Pause  pauseCommand           `cmd:"" help:"Hold everything that goes to a destination."`
		Resume resumeCommand          `cmd:"" help:"Let everything go to a destination again, at once."`
	} `cmd:"" help:"Say how the plan's destinations are; test, pause and resume them."`

	Replay replayCommand `cmd:"" help:"Process stored events again, by the plan in force."`
	Jobs   struct {
		List   jobsCommand      `cmd:"" default:"withargs" help:"List long work, newest first. What segue jobs alone does."`
		Show   jobShowCommand   `cmd:"" help:"Say how far a job is, and what it reports."`
		Pause  jobPauseCommand  `cmd:"" help:"Keep a job from going on; the page under way is finished."`
		Resume jobResumeCommand `cmd:"" help:"Let a paused job go on where it stopped."`
		Cancel jobCancelCommand `cmd:"" help:"End a job. What it has done stays."`
	} `cmd:"" help:"Say how far long work is; pause, resume and cancel it."`

	Send    sendCommand    `cmd:"" help:"Send events from a file through the Tracking API."`
	Explain explainCommand `cmd:"" help:"Say why an event did what it did, and what it did not."`
	Bench   benchCommand   `cmd:"" help:"Put load on a running server and measure it."`
	Version versionCommand `cmd:"" help:"Say which version this is."`
}

// Run parses the arguments, those behind the program's name, and runs the command
// they name. Report turns its error into an exit code.
func Run(args []string, p Program) error {
	p.fill()
	if err := checkEnvironment(p.Environ); err != nil {
		return err
	}
	helped := false
	parser, err := kong.New(&commands{},
		kong.Name("segue"),
		kong.Description("Segue turns Segment events into experience work: contacts kept current, transactions on record, survey invitations sent and followed up.\n\n"+
			"Alone it runs everything in one process; no setting is needed. Exit codes: 0 done, 1 what was asked for failed, 2 wrong usage."),
		kong.Writers(p.Out, p.Err),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}),
	)
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if helped {
		return nil
	}
	if err != nil {
		return usage(err)
	}
	return unauthorized(command.Run(&p))
}

func (p *Program) fill() {
	if p.In == nil {
		p.In = os.Stdin
	}
	if p.Out == nil {
		p.Out = os.Stdout
	}
	if p.Err == nil {
		p.Err = os.Stderr
	}
	if p.Environ == nil {
		p.Environ = os.Environ()
	}
}

// interruptible is the context of a command that ends well when it is asked to.
func (p *Program) interruptible() (context.Context, context.CancelFunc) {
	if p.Context != nil {
		return context.WithCancel(p.Context)
	}
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// lookup is os.LookupEnv over Environ.
func (p *Program) lookup(name string) (string, bool) {
	for i := len(p.Environ) - 1; i >= 0; i-- {
		if k, v, ok := strings.Cut(p.Environ[i], "="); ok && k == name {
			return v, true
		}
	}
	return "", false
}

// usageError is an error in how a command was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// Report writes an error for people, a line for each part of it, and returns the
// exit code.
func Report(w io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(w, "segue: %s\n", strings.TrimSuffix(line, "\n"))
	}
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return exitFailed
}

// writeJSON writes a value for machines, and for people who look over their
// shoulder.
func (p *Program) writeJSON(v any) error {
	e := json.NewEncoder(p.Out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
