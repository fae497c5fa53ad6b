package starter

import "github.com/prometheus/client_golang/prometheus"

// metrics are what operators watch of ingest.
type metrics struct {
	events        *prometheus.CounterVec
	commits       prometheus.Histogram
	startFailures prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "segue_events_total", Help: "Events that came in, by what became of them at the door.",
		}, []string{"outcome"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "segue_commit_seconds", Help: "Time of one commit of events.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 12),
		}),
		startFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "segue_start_failures_total", Help: "Starts of ProcessEvents that failed and were left to a sweeper.",
		}),
	}
	if r != nil {
		r.MustRegister(m.events, m.commits, m.startFailures)
	}
	return m
}
