package starter

import "github.com/prometheus/client_golang/prometheus"

// metrics are what operators watch of ingest.
type metrics struct {
	accepted, duplicate, invalid prometheus.Counter
	busy                         prometheus.Counter
	commits                      prometheus.Histogram
	startFailures                prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	events := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "segue_events_total", Help: "Events that came in, by what became of them at the door.",
	}, []string{"outcome"})
	m := &metrics{
		accepted: events.WithLabelValues("accepted"), duplicate: events.WithLabelValues("duplicate"), invalid: events.WithLabelValues("invalid"),
		busy: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "segue_busy_total", Help: "Requests with events that were told to come back because too many events wait to be stored.",
		}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "segue_commit_seconds", Help: "Time of one commit of events.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 12),
		}),
		startFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "segue_start_failures_total", Help: "Starts of ProcessEvents that failed and were left to a sweeper.",
		}),
	}
	if r != nil {
		r.MustRegister(events, m.busy, m.commits, m.startFailures)
	}
	return m
}

// waiting tells how many bytes of events wait to be stored.
func (m *metrics) waiting(r prometheus.Registerer, bytes func() int64) {
	if r != nil {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "segue_queued_bytes", Help: "Bytes of events that wait to be stored.",
		}, func() float64 { return float64(bytes()) }))
	}
}
