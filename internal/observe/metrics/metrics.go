// Package metrics counts what a process does, for Prometheus. Nothing else of Segue
// knows how: what is counted is told by wrapping the interfaces that the parts declare
// for what they need, and by hooks that are there for whoever watches.
//
//	m := metrics.New(registry, metrics.About{Version: "0.2.0", Mode: "worker"})
//	d, err := db.Open(ctx, db.Options{URL: url, Watch: m.Transaction})
//	surveys := &activities.Distributions{Store: m.Distributions(store), Mail: m.Mail(smtp)}
//
// Labels are few and bounded: names of activities, of kinds and of the plan's
// destinations, never ids, people or free text. docs/metrics.md lists every metric.
package metrics

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// About says which process this is.
type About struct {
	Version string // of Segue; "" is said to be unknown
	Mode    string // dev, starter or worker
}

// Metrics are those of one process. Safe for concurrent use.
type Metrics struct {
	registry prometheus.Registerer

	activities      *prometheus.CounterVec
	activitySeconds *prometheus.HistogramVec
	effects         *prometheus.CounterVec
	swept           *prometheus.CounterVec
	messages        *prometheus.CounterVec
	mailSeconds     *prometheus.HistogramVec
	attempts        *prometheus.CounterVec
	attemptSeconds  *prometheus.HistogramVec
	transactions    *prometheus.CounterVec
	transaction     prometheus.Histogram
	turn            prometheus.Histogram
	repeats         prometheus.Counter
}

// The bounds of histograms, in seconds: what happens here, and what waits for others.
var (
	here  = prometheus.ExponentialBuckets(0.0005, 2.5, 12) // to 12 s
	there = prometheus.ExponentialBuckets(0.005, 2.5, 11)  // to 48 s
)

// New makes the metrics of a process and registers them.
func New(r prometheus.Registerer, about About) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		r.MustRegister(v)
		return v
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
		r.MustRegister(v)
		return v
	}
	if about.Version == "" {
		about.Version = "unknown"
	}
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "segue_build_info", Help: "Always 1: which Segue this is, and which part of it.",
		ConstLabels: prometheus.Labels{"version": about.Version, "go_version": runtime.Version(), "mode": about.Mode},
	}, func() float64 { return 1 }))
	return &Metrics{
		registry:        r,
		activities:      counter("segue_activities_total", "Attempts of activities, by how they ended: ok, cancelled, panic, or the kind of their error.", "activity", "outcome"),
		activitySeconds: histogram("segue_activity_seconds", "Time of one attempt of an activity.", here, "activity"),
		effects:         counter("segue_effects_total", "Deliveries whose attempt was recorded, by what they make and what became of them: done, retrying, rejected.", "kind", "outcome"),
		swept:           counter("segue_swept_total", "What sweepers found that had not been handed over in time, by kind.", "kind"),
		messages:        counter("segue_messages_total", "Messages of distributions, by kind, by who sends them (mail or account) and outcome: sent, retrying, failed, skipped.", "kind", "by", "outcome"),
		mailSeconds:     histogram("segue_mail_seconds", "Time to hand one mail over, by outcome: ok, or the kind of the error.", there, "outcome"),
		attempts:        counter("segue_account_attempts_total", "Attempts at remote accounts, by action and outcome: ok, held (not tried), refused (the token), or the kind of the error.", "destination", "action", "outcome"),
		attemptSeconds:  histogram("segue_account_attempt_seconds", "Time of one attempt at a remote account, with what it waited for its pace.", there, "destination"),
		transactions:    counter("segue_database_transactions_total", "Transactions that wrote, by outcome: ok, or the kind of the error.", "outcome"),
		transaction:     histogram("segue_database_transaction_seconds", "Time of one transaction that wrote, with its repeats and what it waited.", here).WithLabelValues().(prometheus.Histogram),
		turn:            histogram("segue_database_turn_seconds", "Of it, what it waited for its turn.", here).WithLabelValues().(prometheus.Histogram),
		repeats:         counter("segue_database_repeats_total", "Transactions done again because another was quicker, or the database was busy.").WithLabelValues(),
	}
}

func seconds(since time.Time) float64 { return time.Since(since).Seconds() }
