package metrics

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// Answers tells whether Temporal does.
func (m *Metrics) Answers(does func(context.Context) bool) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "segue_temporal_up", Help: "Whether Temporal answers: 1 or 0.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if does(ctx) {
			return 1
		}
		return 0
	}))
}

// Temporal takes the metrics that Temporal's SDK makes: for client.Options. They have
// the names that Temporal documents, with _total for counts and _seconds for times,
// and of their labels those that tell something here.
func (m *Metrics) Temporal() client.MetricsHandler {
	return sdkHandler{all: &sdkMetrics{registry: m.registry, known: map[string]any{}}}
}

// sdkLabels are the tags that are kept. A metric has all of them, empty where it says
// nothing: labels of one name must not differ.
var sdkLabels = []string{"activity_type", "cause", "failure_reason", "operation", "poller_type", "status_code", "worker_type", "workflow_type"}

// sdkMetrics are made when the SDK first asks for them.
type sdkMetrics struct {
	registry prometheus.Registerer
	mu       sync.RWMutex
	known    map[string]any
}

// vector is the metric of a name, made once. One whose name another kind of metric has
// is counted all the same, and not shown.
func vector[V prometheus.Collector](s *sdkMetrics, name string, make func() V) V {
	s.mu.RLock()
	v, ok := s.known[name].(V)
	s.mu.RUnlock()
	if ok {
		return v
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.known[name].(V); ok {
		return v
	}
	v = make()
	var before prometheus.AlreadyRegisteredError
	if errors.As(s.registry.Register(v), &before) {
		if known, ok := before.ExistingCollector.(V); ok {
			v = known
		}
	}
	s.known[name] = v
	return v
}

type sdkHandler struct {
	all    *sdkMetrics
	values [8]string // of sdkLabels
}

// WithTags keeps those of the tags that are labels.
func (h sdkHandler) WithTags(tags map[string]string) client.MetricsHandler {
	for k, v := range tags {
		if i := slices.Index(sdkLabels, k); i >= 0 {
			if v == "none" {
				v = ""
			}
			h.values[i] = v
		}
	}
	return h
}

const sdkHelp = "By Temporal's SDK: see its documentation."

// Counter counts.
func (h sdkHandler) Counter(name string) client.MetricsCounter {
	v := vector(h.all, name, func() *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name + "_total", Help: sdkHelp}, sdkLabels)
	})
	return sdkCounter{v.WithLabelValues(h.values[:]...)}
}

// Gauge is set.
func (h sdkHandler) Gauge(name string) client.MetricsGauge {
	v := vector(h.all, name, func() *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: sdkHelp}, sdkLabels)
	})
	return sdkGauge{v.WithLabelValues(h.values[:]...)}
}

// Timer times.
func (h sdkHandler) Timer(name string) client.MetricsTimer {
	v := vector(h.all, name, func() *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name + "_seconds", Help: sdkHelp, Buckets: there}, sdkLabels)
	})
	return sdkTimer{v.WithLabelValues(h.values[:]...)}
}

type sdkCounter struct{ prometheus.Counter }

func (c sdkCounter) Inc(n int64) { c.Add(float64(n)) }

type sdkGauge struct{ prometheus.Gauge }

func (g sdkGauge) Update(v float64) { g.Set(v) }

type sdkTimer struct{ prometheus.Observer }

func (t sdkTimer) Record(d time.Duration) { t.Observe(d.Seconds()) }
