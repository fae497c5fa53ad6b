package app

import (
	"context"
	"net/url"
	"time"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/outside/courier"
	"github.com/segue-xm/segue/internal/temporal/launch"
	"github.com/segue-xm/segue/worker"
)

func (p *process) startWorker(ctx context.Context) error {
	starts := launch.NewQueue(p.starts, activities.HandoverLease, p.log)
	p.onClose(starts.Close)
	runs := &activities.Runs{Store: p.store, Revisions: p.cache, Tasks: p.tasks, Launcher: starts, Secrets: p.plans.Secrets, Now: p.o.Now}
	host := "localhost"
	if u, err := url.Parse(p.o.PublicURL); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	surveys := &activities.Distributions{
		Store: p.metrics.Distributions(p.store), Follow: p.traces.Message(p.store), Revisions: p.cache, Mail: p.mail, From: p.o.MailFrom, PublicURL: p.o.PublicURL, MailHost: host, Now: p.o.Now,
	}
	events := &activities.Events{Inbox: p.store, Revisions: p.cache, Now: p.o.Now}
	effects := &activities.Effects{
		Deliveries: p.store, Revisions: p.cache, Runs: runs, Now: p.o.Now,
		Courier: &courier.Courier{
			Store: p.metrics.Courier(p.store), Accounts: p.metrics.Accounts(p.traces.Accounts(p.remote, p.store)),
			Revisions: p.cache, Answered: p.launcher.Answered, Now: p.o.Now,
		},
	}
	jobs := &activities.Jobs{Store: p.store, Log: p.log, Kinds: map[job.Kind]activities.JobKind{
		job.Replay: &activities.Replay{Store: p.store, Revisions: p.cache, Events: events, Effects: effects},
	}}
	w := worker.New(worker.Options{
		Client: p.temporal, Logger: p.log, Events: events, Effects: effects, Runs: runs, Distributions: surveys, Jobs: jobs,
		Interceptors: append(p.traces.Activities(), p.metrics.Activities()),
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
	sweeper := &worker.Sweeper{Backlog: p.metrics.Backlog(p.store), Launcher: p.starts, Revisions: p.cache, Logger: p.log}
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
