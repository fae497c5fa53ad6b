package app

import (
	"context"
	"net/netip"
	"os"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/activities/task/builtin"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/query"
	"github.com/segue-xm/segue/internal/data/seal"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/internal/outside/mail"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
)

func (p *process) openStore(ctx context.Context) error {
	d, err := db.Open(ctx, db.Options{URL: p.o.DatabaseURL, Now: p.o.Now, Watch: p.metrics.Transaction})
	if err != nil {
		return err
	}
	p.onClose(func() { _ = d.Close() })
	sealer, err := seal.New(p.o.EncryptionKey)
	if err != nil {
		return err
	}
	p.db, p.store = d, store.New(d)
	p.store.Marked = p.metrics.Marked
	p.cache = routing.NewCache(p.store)
	p.metrics.Pools(d.Pools)
	p.metrics.Watch(ops.Database{Store: p.store, Reader: query.New(d)}, p.cache.Current, p.o.Now)
	p.plans = &ops.Plans{Store: p.store, Sealer: sealer}
	standIn, err := p.o.standIn()
	p.remote = qualtrics.NewAccounts(p.plans.Secrets, standIn, p.o.Now)
	return err
}

func (p *process) openMail(context.Context) error {
	if p.o.SMTPURL == "" {
		p.mail = p.metrics.Mail(p.traces.Mail(store.Outbox{Store: p.store}))
		return nil
	}
	smtp, err := mail.NewSMTP(p.o.SMTPURL)
	p.mail = p.metrics.Mail(p.traces.Mail(smtp))
	return err
}

func (p *process) buildTasks(context.Context) error {
	var private []netip.Prefix
	for _, text := range p.o.AllowPrivate {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return fault.Field("allow-private", "%q is not a prefix such as 10.0.0.0/8", text)
		}
		private = append(private, prefix)
	}
	directory := &activities.Directory{Store: p.store, Revisions: p.cache}
	p.tasks = builtin.Registry(builtin.Deps{Contacts: directory, Distributions: directory, AllowPrivate: private, Now: p.o.Now, Calls: p.traces.Calls()})
	p.plans.Checks = ops.Checks(p.tasks.Validate)
	return nil
}

// demoWriteKey is the name of the secret in the onboarding example.
const demoWriteKey = "SEGUE_DEMO_WRITE_KEY"

// installPlan applies the plan file, or the onboarding example on a first start
// without one.
func (p *process) installPlan(ctx context.Context) error {
	if p.o.Plan != "" {
		text, err := os.ReadFile(p.o.Plan)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "plan")
		}
		return p.plans.ApplyFile(ctx, ops.NewPlanInput(p.o.Plan, text, os.LookupEnv))
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
		in := ops.PlanInput{File: "onboarding.yaml", Plan: string(plan.Onboarding()), Secrets: map[string]string{demoWriteKey: key}}
		if _, err := p.plans.Apply(ctx, in, "plan file onboarding.yaml"); err != nil {
			return err
		}
	}
	if secrets, err := p.plans.Secrets(ctx); err == nil {
		p.addresses.WriteKey = secrets[demoWriteKey]
	}
	return nil
}
