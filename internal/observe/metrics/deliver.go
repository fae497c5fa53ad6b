package metrics

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/outside/courier"
)

// effectKinds are what the actions of deliveries make.
var effectKinds = map[string]string{plan.UpsertContact: "contact", plan.UpsertTransaction: "transaction", plan.StartWorkflow: "run"}

// Marked counts deliveries whose attempts were recorded: for store.Store.Marked.
func (m *Metrics) Marked(marks []delivery.Mark) {
	for _, d := range marks {
		m.effects.WithLabelValues(effectKinds[d.Action], string(d.Status)).Inc()
	}
}

// Accounts counts the attempts at remote accounts.
func (m *Metrics) Accounts(a courier.Accounts) courier.Accounts { return accounts{a, m} }

type accounts struct {
	courier.Accounts
	m *Metrics
}

func (a accounts) Open(ctx context.Context, d *routing.Destination, pace string) (courier.Account, error) {
	opened, err := a.Accounts.Open(ctx, d, pace)
	if err != nil {
		return nil, err
	}
	return account{opened, a.m, d.Def.Name}, nil
}

// account counts what it is asked for.
type account struct {
	courier.Account
	m           *Metrics
	destination string
}

func (a account) count(action string, begin time.Time, o delivery.Outcome) {
	outcome := outcomeOf(o.Err)
	switch {
	case o.Untried:
		outcome = "held"
	case o.Refused:
		outcome = "refused"
	}
	a.m.attempts.WithLabelValues(a.destination, action, outcome).Inc()
	a.m.attemptSeconds.WithLabelValues(a.destination).Observe(seconds(begin))
}

func (a account) Deliver(ctx context.Context, d delivery.Attempt) delivery.Outcome {
	begin := time.Now()
	o := a.Account.Deliver(ctx, d)
	a.count(d.Action, begin, o)
	return o
}

func (a account) Send(ctx context.Context, d distribution.Outgoing) (distribution.Remote, delivery.Outcome) {
	begin := time.Now()
	learnt, o := a.Account.Send(ctx, d)
	a.count(distribution.ActionDistribute, begin, o)
	return learnt, o
}

func (a account) Progress(ctx context.Context, known distribution.Remote) (distribution.Progress, delivery.Outcome) {
	begin := time.Now()
	p, o := a.Account.Progress(ctx, known)
	a.count(distribution.ActionProgress, begin, o)
	return p, o
}
