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
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.temporal.io/sdk/client"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/internal/outside/mail"
	"github.com/segue-xm/segue/internal/temporal/launch"
)

// process is a running Segue and its parts.
type process struct {
	o       Options
	log     *slog.Logger
	store   *store.Store
	plans   *ops.Plans
	cache   *routing.Cache
	tasks   *task.Registry
	metrics *prometheus.Registry
	mail    mail.Sender
	remote  *accounts

	temporal  client.Client
	launcher  *launch.Launcher
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
	p := &process{o: o, log: o.Logger, metrics: prometheus.NewRegistry()}
	defer p.close()
	p.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return p.run(ctx)
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
	if p.o.Mode == Dev {
		if err := p.prepareDataDir(); err != nil {
			return err
		}
	}
	if err := p.o.fillKeys(); err != nil {
		return err
	}
	// Taken first, so that a port in use is said before anything else happens.
	address, setting := p.o.HTTPAddress, "http-address"
	if p.o.Mode == Worker {
		address, setting = p.o.WorkerAddress, "worker-address"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return &fault.Error{Kind: fault.Conflict, Field: setting, Message: "cannot listen on " + address + ": " + reason(err) + "; choose another with --" + setting}
	}
	p.onClose(func() { _ = listener.Close() })
	p.addresses.HTTP = "http://" + listener.Addr().String()
	p.addresses.AdminToken = p.o.AdminToken
	if p.o.PublicURL == "" {
		p.o.PublicURL = p.addresses.HTTP
		if p.o.Mode == Worker {
			p.o.PublicURL = "http://" + p.o.HTTPAddress // where people's links lead is the starter
		}
	}
	p.o.PublicURL = strings.TrimRight(p.o.PublicURL, "/")

	if err := p.openStore(ctx); err != nil {
		return err
	}
	if err := p.connectTemporal(ctx); err != nil {
		return err
	}
	if err := p.buildTasks(); err != nil {
		return err
	}
	if err := p.installPlan(ctx); err != nil {
		return err
	}
	if err := p.openMail(); err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	p.onClose(stop)
	if p.o.Mode == Worker {
		return p.runWorker(work, listener)
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
	return p.serve(ctx, app, p.listen(app, listener))
}

// runWorker answers health checks first: waiting for a Temporal that is away is
// being well.
func (p *process) runWorker(ctx context.Context, listener net.Listener) error {
	app, err := p.buildHTTP(ctx)
	if err != nil {
		return err
	}
	failed := p.listen(app, listener)
	if err := p.startWorker(ctx); err != nil {
		return err
	}
	return p.serve(ctx, app, failed)
}

func (p *process) listen(app *fiber.App, listener net.Listener) <-chan error {
	failed := make(chan error, 1)
	go func() { failed <- app.Listener(listener) }()
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

// prepareDataDir makes the data directory and keeps a second process out of it.
func (p *process) prepareDataDir() error {
	if err := os.MkdirAll(p.o.DataDir, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "make the data directory %s", p.o.DataDir)
	}
	unlock, err := lockDir(p.o.DataDir)
	if err != nil {
		return err
	}
	p.onClose(unlock)
	return nil
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
