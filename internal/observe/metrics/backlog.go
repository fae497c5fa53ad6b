package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/query"
)

// Database is where it is looked up what waits. Each answer must cost little however
// much that is.
type Database interface {
	InboxState(ctx context.Context, limit int) (waiting int, oldest time.Time, err error)
	WaitingAt(ctx context.Context, destination id.ID, held time.Time, limit int) (query.Waiting, error)
	DistributionsDue(ctx context.Context, limit int) (due int, since time.Time, err error)
	DestinationRows(ctx context.Context) ([]query.DestinationRow, error)
	Holds(ctx context.Context, revision int64) (delivery.Holds, error)
}

const (
	// countLimit is up to where what waits is counted: beyond it the number tells
	// nothing that its age does not.
	countLimit = 10_000
	// fresh is how long an answer of the database is told again.
	fresh = 10 * time.Second
	// lookTime is how long one look at the database may take.
	lookTime = 3 * time.Second
)

// Watch tells what waits in the database, and how destinations of the plan in force
// are. What cannot be looked up is left out, and counted.
func (m *Metrics) Watch(d Database, current func(context.Context) (*routing.Table, error), now func() time.Time) {
	failures := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "segue_scrape_failures_total", Help: "Looks at the database for these metrics that failed, by part: their metrics are left out.",
	}, []string{"part"})
	m.registry.MustRegister(failures, &waiting{database: d, current: current, now: now, failures: failures})
}

// waiting collects what waits. What it has read it tells for a while, so that neither
// many scrapers nor an impatient one burden the database.
type waiting struct {
	database Database
	current  func(context.Context) (*routing.Table, error)
	now      func() time.Time
	failures *prometheus.CounterVec

	mu   sync.Mutex
	read time.Time
	last []prometheus.Metric
}

var (
	eventsWaiting     = prometheus.NewDesc("segue_events_waiting", "Stored events that ProcessEvents has not taken up yet; counted to 10,000.", nil, nil)
	eventsOldest      = prometheus.NewDesc("segue_events_waiting_oldest_seconds", "Age of the oldest of them; 0 when none waits.", nil, nil)
	deliveriesWaiting = prometheus.NewDesc("segue_deliveries_waiting", "Deliveries that have not ended, by state: waiting (for their first attempt, or their turn), retrying, held; counted to 10,000 in all.", []string{"destination", "state"}, nil)
	deliveriesOldest  = prometheus.NewDesc("segue_deliveries_oldest_due_seconds", "For how long the longest waiting delivery is due; 0 when none is.", []string{"destination"}, nil)
	accountMessages   = prometheus.NewDesc("segue_account_messages_due", "Messages of distributions that a remote account is to send now; counted to 10,000.", []string{"destination"}, nil)
	accountOldest     = prometheus.NewDesc("segue_account_messages_oldest_due_seconds", "For how long the longest waiting of them is due; 0 when none is.", []string{"destination"}, nil)
	destinationState  = prometheus.NewDesc("segue_destination_state", "1 for the state a destination is in, 0 for the others: ok, held, failed, paused, off.", []string{"destination", "state"}, nil)
	distributionsDue  = prometheus.NewDesc("segue_distribution_messages_due", "Invitations, reminders and ends of the time to answer that are due in all standing distributions; counted to 10,000.", nil, nil)
	distributionsAge  = prometheus.NewDesc("segue_distribution_messages_oldest_due_seconds", "For how long the longest waiting of them is due; 0 when none is.", nil, nil)
)

// Describe names what Collect tells.
func (w *waiting) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{eventsWaiting, eventsOldest, deliveriesWaiting, deliveriesOldest, accountMessages, accountOldest,
		destinationState, distributionsDue, distributionsAge} {
		to <- d
	}
}

// Collect looks, or tells again what was seen.
func (w *waiting) Collect(to chan<- prometheus.Metric) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := w.now(); w.read.IsZero() || now.Sub(w.read) >= fresh || now.Before(w.read) {
		w.look(now)
	}
	for _, m := range w.last {
		to <- m
	}
}

func (w *waiting) look(now time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	w.read, w.last = now, nil
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{{"events", w.events}, {"distributions", w.distributions}, {"destinations", w.destinations}} {
		if err := part.do(ctx); err != nil {
			w.failures.WithLabelValues(part.name).Inc()
		}
	}
}

func (w *waiting) tell(d *prometheus.Desc, v float64, labels ...string) {
	w.last = append(w.last, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...))
}

// age is for how long something waits; 0 when nothing does.
func (w *waiting) age(since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(w.read.Sub(since).Seconds(), 0)
}

func (w *waiting) events(ctx context.Context) error {
	n, oldest, err := w.database.InboxState(ctx, countLimit)
	if err != nil {
		return err
	}
	w.tell(eventsWaiting, float64(n))
	w.tell(eventsOldest, w.age(oldest))
	return nil
}

func (w *waiting) distributions(ctx context.Context) error {
	n, since, err := w.database.DistributionsDue(ctx, countLimit)
	if err != nil {
		return err
	}
	w.tell(distributionsDue, float64(n))
	w.tell(distributionsAge, w.age(since))
	return nil
}

func (w *waiting) destinations(ctx context.Context) error {
	live, err := w.current(ctx)
	if err != nil || live == nil {
		return err
	}
	rows, err := w.database.DestinationRows(ctx)
	if err != nil {
		return err
	}
	holds, err := w.database.Holds(ctx, live.Revision)
	if err != nil {
		return err
	}
	for _, d := range live.Destinations() {
		in, err := w.database.WaitingAt(ctx, d.ID, delivery.HeldUntil, countLimit)
		if err != nil {
			return err
		}
		name := d.Def.Name
		w.tell(deliveriesWaiting, float64(in.Deliveries), name, "waiting")
		w.tell(deliveriesWaiting, float64(in.Retrying), name, "retrying")
		w.tell(deliveriesWaiting, float64(in.Held), name, "held")
		w.tell(deliveriesOldest, w.age(in.DueSince), name)
		is := stateOf(d, rows, holds)
		for _, state := range []string{"ok", "held", "failed", "paused", "off"} {
			on := 0.0
			if state == is {
				on = 1
			}
			w.tell(destinationState, on, name, state)
		}
		if d.Directory == nil {
			w.tell(accountMessages, float64(in.Messages), name)
			w.tell(accountOldest, w.age(in.MessagesSince), name)
		}
	}
	return nil
}

// stateOf is how a destination is, in the words of its page.
func stateOf(d *routing.Destination, rows []query.DestinationRow, holds delivery.Holds) string {
	state := "ok"
	for _, h := range holds {
		if h.Destination == d.ID {
			state = "held"
		}
	}
	for _, r := range rows {
		switch {
		case r.Destination != d.ID:
		case r.PausedAt != 0:
			state = "paused"
		case r.Trouble != "":
			state = "failed"
		}
	}
	if !d.Def.IsEnabled() {
		state = "off"
	}
	return state
}
