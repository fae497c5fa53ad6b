package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/activities/task/distribute"
	"github.com/segue-xm/segue/activities/task/updatecontact"
	"github.com/segue-xm/segue/activities/task/webservice"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/seal"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/ops/checks"
	"github.com/segue-xm/segue/internal/outside/courier"
	"github.com/segue-xm/segue/internal/outside/mail"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
	"github.com/segue-xm/segue/internal/temporal/devserver"
	"github.com/segue-xm/segue/internal/temporal/launch"
	"github.com/segue-xm/segue/worker"
)

// process is a running Segue and its parts.
type process struct {
	o       Options
	log     *slog.Logger
	db      *db.DB
	store   *store.Store
	plans   *plans
	cache   *routing.Cache
	tasks   *task.Registry
	checks  plan.Checks
	metrics *prometheus.Registry
	mail    activities.MailSender
	remote  *qualtrics.Accounts

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

func (p *process) openStore(ctx context.Context) error {
	d, err := db.Open(ctx, db.Options{URL: p.o.DatabaseURL, Now: p.o.Now})
	if err != nil {
		return err
	}
	p.onClose(func() { _ = d.Close() })
	sealer, err := seal.New(p.o.EncryptionKey)
	if err != nil {
		return err
	}
	p.db, p.store = d, store.New(d)
	p.cache = routing.NewCache(p.store)
	p.plans = &plans{store: p.store, sealer: sealer, cache: p.cache}
	standIn, err := p.o.standIn()
	p.remote = qualtrics.NewAccounts(p.plans.Secrets, standIn, p.o.Now)
	return err
}

// connectTemporal starts the embedded server or dials the one that is named. A
// server that is away does not keep a starter from taking events.
func (p *process) connectTemporal(ctx context.Context) error {
	if p.o.Mode == Dev {
		server, err := devserver.Start(ctx, devserver.Options{
			Dir: p.o.DataDir, Address: p.o.TemporalAddress, UIAddress: p.o.TemporalUIAddress,
			Namespace: p.o.TemporalNamespace, SearchAttributes: launch.Attributes(), Logger: p.log,
		})
		if err != nil {
			return err
		}
		p.onClose(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			server.Stop(ctx)
		})
		p.o.TemporalAddress = server.Address()
		p.addresses.TemporalUI = server.UIURL()
	} else if p.o.TemporalUIAddress != "" {
		p.addresses.TemporalUI = p.o.TemporalUIAddress
		if !strings.Contains(p.addresses.TemporalUI, "://") {
			p.addresses.TemporalUI = "http://" + p.addresses.TemporalUI
		}
	}
	options, err := p.clientOptions()
	if err != nil {
		return err
	}
	// Lazy: ingest must come up while Temporal is down.
	if p.temporal, err = client.NewLazyClient(options); err != nil {
		return fault.Wrap(fault.Invalid, err, "temporal-address")
	}
	p.onClose(p.temporal.Close)
	p.launcher = &launch.Launcher{Client: p.temporal, ConsoleURL: p.o.PublicURL}
	if p.o.Mode == Dev {
		p.launcher.HasAttributes.Store(true) // the embedded server was started with them
		return nil
	}
	go p.ensureAttributes(ctx)
	return nil
}

// clientOptions are Temporal's standard settings (TEMPORAL_* and profiles) with
// ours over them.
func (p *process) clientOptions() (client.Options, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return options, fault.Wrap(fault.Invalid, err, "the TEMPORAL_* settings")
	}
	if p.o.TemporalAddress != "" {
		options.HostPort = p.o.TemporalAddress
	}
	if p.o.TemporalNamespace != "" {
		options.Namespace = p.o.TemporalNamespace
	}
	if options.HostPort == "" {
		options.HostPort = client.DefaultHostPort
	}
	if options.Namespace == "" {
		options.Namespace = client.DefaultNamespace
	}
	p.o.TemporalAddress, p.o.TemporalNamespace, p.addresses.Temporal = options.HostPort, options.Namespace, options.HostPort
	options.Logger = worker.Logger(p.log)
	// Histories outlive a process and travel: they name the part, not the machine.
	options.Identity = "segue-" + string(p.o.Mode)
	return options, nil
}

// ensureAttributes registers the search attributes where it may; else it says how,
// and executions are started without. It waits for a Temporal that is away, while
// events are already taken.
func (p *process) ensureAttributes(ctx context.Context) {
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, time.Minute) {
		once, cancel := context.WithTimeout(ctx, 15*time.Second)
		err := devserver.EnsureSearchAttributes(once, p.temporal, p.o.TemporalNamespace, launch.Attributes())
		cancel()
		if err == nil {
			p.launcher.HasAttributes.Store(true)
			return
		}
		if fault.KindOf(err).Final() {
			p.log.Warn("search attributes are not registered, executions are found by id only; an operator can add them", "command", fault.Public(err))
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

func (p *process) buildTasks() error {
	var private []netip.Prefix
	for _, text := range p.o.AllowPrivate {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return fault.Field("allow-private", "%q is not a prefix such as 10.0.0.0/8", text)
		}
		private = append(private, prefix)
	}
	directory := &activities.Directory{Store: p.store, Revisions: p.cache, Now: p.o.Now}
	p.tasks = task.NewRegistry()
	task.Add(p.tasks, updatecontact.New(directory))
	task.Add(p.tasks, distribute.New(directory, directory))
	task.Add(p.tasks, webservice.New(webservice.Options{AllowPrivate: private, Now: p.o.Now}))
	p.checks = checks.Plan(p.tasks.Validate)
	return nil
}

// installPlan applies the plan file, or the onboarding example on a first start
// without one.
func (p *process) installPlan(ctx context.Context) error {
	if p.o.Plan != "" {
		return p.plans.applyFile(ctx, p.o.Plan, p.checks)
	}
	if p.o.Mode != Dev {
		return nil
	}
	rev, err := p.store.CurrentRevision(ctx)
	if err != nil {
		return err
	}
	if rev == 0 {
		key, err := kept(p.o.DataDir, writeKeyFile, store.NewToken)
		if err != nil {
			return err
		}
		lookup := func(name string) (string, bool) { return key, name == "SEGUE_DEMO_WRITE_KEY" }
		if err := p.plans.applyText(ctx, "onboarding.yaml", plan.Onboarding(), lookup, p.checks); err != nil {
			return err
		}
	}
	if secrets, err := p.plans.Secrets(ctx); err == nil {
		p.addresses.WriteKey = secrets["SEGUE_DEMO_WRITE_KEY"]
	}
	return nil
}

func (p *process) openMail() error {
	if p.o.SMTPURL == "" {
		p.mail = store.Outbox{Store: p.store}
		return nil
	}
	smtp, err := mail.NewSMTP(p.o.SMTPURL)
	p.mail = smtp
	return err
}

func (p *process) startWorker(ctx context.Context) error {
	starts := launch.NewQueue(p.launcher, activities.HandoverLease, p.log)
	p.onClose(starts.Close)
	runs := &activities.Runs{Store: p.store, Revisions: p.cache, Tasks: p.tasks, Launcher: starts, Secrets: p.plans.Secrets, Now: p.o.Now}
	host := "localhost"
	if u, err := url.Parse(p.o.PublicURL); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	surveys := &activities.Distributions{
		Store: p.store, Revisions: p.cache, Mail: p.mail, From: p.o.MailFrom, PublicURL: p.o.PublicURL, MailHost: host, Now: p.o.Now,
	}
	w := worker.New(worker.Options{
		Client: p.temporal,
		Logger: p.log,
		Events: &activities.Events{Inbox: p.store, Revisions: p.cache, Now: p.o.Now},
		Effects: &activities.Effects{
			Deliveries: p.store, Revisions: p.cache, Runs: runs, Now: p.o.Now,
			Courier: &courier.Courier{Store: p.store, Revisions: p.cache, Accounts: p.remote, Answered: p.launcher.Answered, Now: p.o.Now},
		},
		Runs:          runs,
		Distributions: surveys,
	})
	if err := p.startPatiently(ctx, w.Start); err != nil {
		return err
	}
	p.onClose(w.Stop)
	p.polling.Store(true)
	if p.o.Mode == Dev { // alone here: what the last life left is done at once
		if err := p.store.EndLeases(ctx); err != nil {
			return err
		}
	}
	sweeper := &worker.Sweeper{Backlog: p.store, Launcher: p.launcher, Revisions: p.cache, Logger: p.log}
	done := make(chan struct{})
	sweeping, stop := context.WithCancel(ctx)
	go func() {
		defer close(done)
		sweeper.Run(sweeping)
	}()
	p.onClose(func() { stop(); <-done })
	return nil
}

// startPatiently starts the worker; on its own, it waits for a Temporal that is
// not there yet instead of giving up.
func (p *process) startPatiently(ctx context.Context, start func() error) error {
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		err := start()
		if err == nil {
			return nil
		}
		if p.o.Mode == Dev {
			return fault.Wrap(fault.Unavailable, err, "start the worker")
		}
		p.log.Warn("Temporal does not answer, the worker waits for it", "address", p.o.TemporalAddress, "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
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
