//go:build !slim

package devserver

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Embedded reports whether this build has the server.
const Embedded = true

const (
	clusterName    = "active"
	minRetention   = time.Hour // the server's own lower bound, system.namespaceMinRetentionLocal
	startTimeout   = time.Minute
	uiStartTimeout = 10 * time.Second
)

// Server is a running Temporal server. Its methods may be called concurrently.
type Server struct {
	temporal temporal.Server
	ui       *uiserver.Server
	address  string
	uiURL    string
	log      *logger
	lock     *os.File // on the directory; nil without one
	stop     sync.Once
	stopped  chan struct{}
}

// Start starts the server and returns when its frontend serves the namespace
// with its search attributes. A port or directory that is taken is a Conflict
// that names it and the setting to change.
func Start(ctx context.Context, o Options) (*Server, error) {
	o.Namespace = cmp.Or(o.Namespace, "default")
	o.Retention = cmp.Or(o.Retention, 24*time.Hour)
	if o.Retention < minRetention {
		return nil, fault.Field("Retention", "%v is less than Temporal's minimum of %v", o.Retention, minRetention)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	front, err := reserve("temporal-address", cmp.Or(o.Address, "127.0.0.1:0"))
	if err != nil {
		return nil, err
	}
	var ui *net.TCPAddr
	if o.UIAddress != "" {
		if ui, err = reserve("temporal-ui-address", o.UIAddress); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()

	s := &Server{address: dialable(front), log: newLogger(o.Logger), stopped: make(chan struct{})}
	if o.Dir != "" && o.Postgres == "" {
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "data-dir")
		}
		if s.lock, err = lock(o.Dir); err != nil {
			return nil, err
		}
	}
	if err := s.startTemporal(ctx, o, front); err != nil {
		s.Stop(context.WithoutCancel(ctx))
		return nil, err
	}
	if ui != nil {
		if err := s.startUI(ctx, o, ui); err != nil {
			s.Stop(context.WithoutCancel(ctx))
			return nil, err
		}
	}
	return s, nil
}

// Address returns the frontend's host:port to dial.
func (s *Server) Address() string { return s.address }

// UIURL returns where a browser on this machine finds the UI, or "".
func (s *Server) UIURL() string { return s.uiURL }

// Stop stops the UI and the server, and returns when they have stopped or ctx
// is done. Executions that run go on after the next Start on the same data.
// Stopping twice is safe.
func (s *Server) Stop(ctx context.Context) {
	s.stop.Do(func() {
		go func() {
			defer close(s.stopped)
			s.log.quiet.Store(true) // its parts report losing each other as errors
			if s.ui != nil {
				s.ui.Stop()
			}
			if s.temporal != nil {
				_ = s.temporal.Stop()
			}
			if s.lock != nil {
				_ = s.lock.Close()
			}
		}()
	})
	select {
	case <-s.stopped:
	case <-ctx.Done():
	}
}

// startTemporal starts the four services and waits for them.
func (s *Server) startTemporal(ctx context.Context, o Options, front *net.TCPAddr) (err error) {
	// A part of the server that cannot go on calls Fatal, which panics here.
	defer func() {
		if p := recover(); p != nil {
			f, ok := p.(fatal)
			if !ok {
				panic(p)
			}
			err = fault.New(fault.Internal, "start the Temporal server: %s", f)
		}
	}()
	cfg, hosts, err := services(front)
	if err != nil {
		return err
	}
	if cfg.Persistence, err = persistence(ctx, o, s.log); err != nil {
		return fault.Wrap(fault.KindOf(err), err, "Temporal's database")
	}
	authorizer, err := authorization.GetAuthorizerFromConfig(&cfg.Global.Authorization)
	if err != nil {
		return err
	}
	srv, err := temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(s.log),
		temporal.WithAuthorizer(authorizer),
		temporal.WithDynamicConfigClient(dynamicConfig),
	)
	if err != nil {
		return fmt.Errorf("configure the Temporal server: %w", err)
	}
	if err := srv.Start(); err != nil {
		_ = srv.Stop()
		return fmt.Errorf("start the Temporal server: %w", err)
	}
	s.temporal = srv
	return s.prepare(ctx, o)
}

// services lays out the server's services on this machine. The frontend takes
// the address it was given; the others, which only talk to each other, take
// free ports on loopback.
func services(front *net.TCPAddr) (*config.Config, map[primitives.ServiceName]static.Hosts, error) {
	cfg := &config.Config{Services: map[string]config.Service{}}
	hosts := map[primitives.ServiceName]static.Hosts{}
	for _, name := range []primitives.ServiceName{
		primitives.FrontendService, primitives.HistoryService, primitives.MatchingService, primitives.WorkerService,
	} {
		at := front
		if name != primitives.FrontendService {
			var err error
			if at, err = freePort(loopback); err != nil {
				return nil, nil, err
			}
		}
		var service config.Service
		service.RPC.BindOnIP = at.IP.String()
		service.RPC.GRPCPort = at.Port
		cfg.Services[string(name)] = service
		hosts[name] = static.SingleLocalHost(dialable(at))
	}
	cfg.Global.Membership.BroadcastAddress = loopback.String()
	cfg.Global.Membership.MaxJoinDuration = 30 * time.Second
	cfg.PublicClient.HostPort = dialable(front)
	cfg.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10,
		MasterClusterName:        clusterName,
		CurrentClusterName:       clusterName,
		ClusterInformation: map[string]cluster.ClusterInformation{clusterName: {
			Enabled:                true,
			InitialFailoverVersion: 1,
			RPCAddress:             dialable(front),
		}},
	}
	cfg.DCRedirectionPolicy.Policy = "noop"
	const off = "disabled"
	cfg.Archival.History.State, cfg.Archival.Visibility.State = off, off
	cfg.NamespaceDefaults.Archival.History.State, cfg.NamespaceDefaults.Archival.Visibility.State = off, off
	return cfg, hosts, nil
}

// prepare waits for the frontend and brings an existing namespace up to date.
func (s *Server) prepare(ctx context.Context, o Options) error {
	if err := accepts(ctx, s.address); err != nil {
		return fault.Wrap(fault.Unavailable, err, "Temporal's frontend on %s", s.address)
	}
	c, err := client.DialContext(ctx, client.Options{
		HostPort:  s.address,
		Namespace: o.Namespace,
		Logger:    sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "Temporal's frontend on %s", s.address)
	}
	defer c.Close()
	ns, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: o.Namespace})
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "namespace %s", o.Namespace)
	}
	if have := ns.GetConfig().GetWorkflowExecutionRetentionTtl(); have.AsDuration() != o.Retention {
		ns.Config.WorkflowExecutionRetentionTtl = durationpb.New(o.Retention)
		_, err := c.WorkflowService().UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{Namespace: o.Namespace, Config: ns.Config})
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "set the retention of namespace %s to %v", o.Namespace, o.Retention)
		}
	}
	return EnsureSearchAttributes(ctx, c, o.Namespace, o.SearchAttributes)
}

// hostPort is like net.JoinHostPort.
func hostPort(ip net.IP, port int) string { return net.JoinHostPort(ip.String(), strconv.Itoa(port)) }
