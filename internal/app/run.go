package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/observe/metrics"
	"github.com/segue-xm/segue/internal/observe/traces"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
	"github.com/segue-xm/segue/internal/temporal/launch"
	"github.com/segue-xm/segue/worker"
)

// process is a running Segue and its parts.
type process struct {
	o      Options
	log    *slog.Logger
	db     *db.DB
	store  *store.Store
	plans  *ops.Plans
	cache  *routing.Cache
	tasks  *task.Registry
	mail   activities.MailSender
	remote *qualtrics.Accounts

	registry *prometheus.Registry
	metrics  *metrics.Metrics
	traces   *traces.Traces // nil: nothing is traced

	temporal  client.Client
	launcher  *launch.Launcher
	starts    worker.Launcher // the launcher, traced
	listener  net.Listener
	polling   atomic.Bool // the worker has begun to poll Temporal
	addresses Addresses
	closers   []func() // run in reverse order
}

// Run builds a process from its options and runs it until ctx ends. A failure to
// start names the setting to change.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	p := newProcess(o)
	defer p.close()
	return p.run(ctx)
}

func newProcess(o Options) *process {
	r := prometheus.NewRegistry()
	return &process{o: o, log: o.Logger, registry: r, metrics: metrics.New(r, metrics.About{Version: o.Version, Mode: string(o.Mode)})}
}

// gcPercent trades memory, which is small here, for time: at Go's default of 100
// collecting took 12 % of the work of a loaded process. GOGC overrides it.
const gcPercent = 300

func (p *process) onClose(f func()) { p.closers = append(p.closers, f) }

func (p *process) close() {
	for i := len(p.closers) - 1; i >= 0; i-- {
		p.closers[i]()
	}
}

func (p *process) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		p.prepareDataDir,
		p.startTraces,
		p.listen, // early, so that a port in use is said before anything else happens
		p.openStore,
		p.connectTemporal,
		p.buildTasks,
		p.installPlan,
		p.openMail,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	work, stop := context.WithCancel(ctx)
	p.onClose(stop)
	if p.o.Mode == Worker {
		return p.runWorker(work)
	}
	if p.o.Mode == Dev {
		if err := p.startWorker(work); err != nil {
			return err
		}
	}
	app, err := p.buildHTTP(work)
	if err != nil {
		return err
	}
	return p.serve(ctx, app, p.accept(app))
}

// runWorker answers health checks first: waiting for a Temporal that is away is
// being well.
func (p *process) runWorker(ctx context.Context) error {
	app, err := p.buildHTTP(ctx)
	if err != nil {
		return err
	}
	failed := p.accept(app)
	if err := p.startWorker(ctx); err != nil {
		return err
	}
	return p.serve(ctx, app, failed)
}

// listen takes the address; requests wait until accept.
func (p *process) listen(context.Context) (err error) {
	address, setting := p.o.HTTPAddress, "http-address"
	if p.o.Mode == Worker {
		address, setting = p.o.WorkerAddress, "worker-address"
	}
	if p.listener, err = net.Listen("tcp", address); err != nil {
		return &fault.Error{Kind: fault.Conflict, Field: setting, Message: "cannot listen on " + address + ": " + reason(err) + "; choose another with --" + setting}
	}
	p.onClose(func() { _ = p.listener.Close() })
	p.addresses.HTTP = "http://" + p.listener.Addr().String()
	p.addresses.AdminToken = p.o.AdminToken
	if p.o.PublicURL == "" {
		p.o.PublicURL = p.addresses.HTTP
		if p.o.Mode == Worker {
			p.o.PublicURL = "http://" + p.o.HTTPAddress // where people's links lead is the starter
		}
	}
	p.o.PublicURL = strings.TrimRight(p.o.PublicURL, "/")
	return nil
}

// startTraces begins to trace, when the standard variables say so.
func (p *process) startTraces(ctx context.Context) (err error) {
	p.traces, err = traces.Start(ctx, traces.Options{Service: "segue-" + string(p.o.Mode), Version: p.o.Version, Logger: p.log})
	p.onClose(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		p.traces.Stop(ctx)
	})
	return err
}

func (p *process) accept(app *fiber.App) <-chan error {
	failed := make(chan error, 1)
	go func() { failed <- app.Listener(p.listener) }()
	return failed
}

// reason is why the system refused an address, without the address.
func reason(err error) string {
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Err.Error()
	}
	return err.Error()
}

// prepareDataDir makes dev's data directory with its keys and keeps a second
// process out of it.
func (p *process) prepareDataDir(context.Context) error {
	if p.o.Mode != Dev {
		return nil
	}
	if err := os.MkdirAll(p.o.DataDir, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "make the data directory %s", p.o.DataDir)
	}
	unlock, err := lockDir(p.o.DataDir)
	if err != nil {
		return err
	}
	p.onClose(unlock)
	return p.o.fillKeys()
}

// shutdownTimeout bounds how long open requests may take to end.
const shutdownTimeout = 10 * time.Second

func (p *process) serve(ctx context.Context, app *fiber.App, failed <-chan error) error {
	if p.o.Mode == Dev {
		p.banner()
	}
	if p.o.Ready != nil {
		p.o.Ready(p.addresses)
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	p.log.Info("stopping")
	err := app.ShutdownWithTimeout(shutdownTimeout)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // streams that stay open are cut
	}
	return err
}
