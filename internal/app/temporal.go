package app

import (
	"context"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/temporal/devserver"
	"github.com/segue-xm/segue/internal/temporal/launch"
	"github.com/segue-xm/segue/worker"
)

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
	p.starts = p.traces.Launcher(p.launcher, p.store)
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
	options.MetricsHandler = p.metrics.Temporal()
	options.ContextPropagators = p.traces.Propagators()
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
