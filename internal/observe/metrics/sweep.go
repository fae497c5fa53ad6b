package metrics

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/worker"
)

// Backlog counts what a sweeper finds.
func (m *Metrics) Backlog(b worker.Backlog) worker.Backlog { return backlog{b, m} }

type backlog struct {
	worker.Backlog
	m *Metrics
}

func (b backlog) found(kind string, n int) {
	if n > 0 {
		b.m.swept.WithLabelValues(kind).Add(float64(n))
	}
}

func (b backlog) ClaimInbox(ctx context.Context, limit int, lease time.Duration) ([]id.ID, error) {
	list, err := b.Backlog.ClaimInbox(ctx, limit, lease)
	b.found("event", len(list))
	return list, err
}

func (b backlog) ClaimDistributions(ctx context.Context, lease time.Duration) ([]id.ID, error) {
	list, err := b.Backlog.ClaimDistributions(ctx, lease)
	b.found("distribution", len(list))
	return list, err
}

func (b backlog) ClaimHandovers(ctx context.Context, limit int, lease time.Duration) ([]handover.Overdue, error) {
	list, err := b.Backlog.ClaimHandovers(ctx, limit, lease)
	for _, h := range list {
		b.found(string(h.Kind), 1)
	}
	return list, err
}

func (b backlog) AdoptDistributions(ctx context.Context, limit int) (int, error) {
	n, err := b.Backlog.AdoptDistributions(ctx, limit)
	b.found("adopted", n)
	return n, err
}

func (b backlog) DueNow(ctx context.Context) ([]delivery.Due, error) {
	list, err := b.Backlog.DueNow(ctx)
	b.found("queue", len(list))
	return list, err
}

func (b backlog) ReleaseHeld(ctx context.Context, destination id.ID, held time.Time) (int64, error) {
	n, err := b.Backlog.ReleaseHeld(ctx, destination, held)
	b.found("held", int(n))
	return n, err
}
