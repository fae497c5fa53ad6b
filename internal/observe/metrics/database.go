package metrics

import (
	"database/sql"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/segue-xm/segue/internal/data/db"
)

// Transaction counts one that has ended: for db.Options.Watch.
func (m *Metrics) Transaction(t db.Transaction) {
	m.transactions.WithLabelValues(outcomeOf(t.Err)).Inc()
	m.transaction.Observe(t.Took.Seconds())
	m.turn.Observe(t.Waited.Seconds())
	if t.Tries > 1 {
		m.repeats.Add(float64(t.Tries - 1))
	}
}

// Pools tells of a database's connections.
func (m *Metrics) Pools(of func() (write, read sql.DBStats)) { m.registry.MustRegister(pools{of}) }

type pools struct {
	of func() (write, read sql.DBStats)
}

var (
	poolConnections = prometheus.NewDesc("segue_database_connections", "Open connections to the database, by pool (write, read) and state (used, idle).", []string{"pool", "state"}, nil)
	poolLimit       = prometheus.NewDesc("segue_database_connections_limit", "How many connections a pool may open.", []string{"pool"}, nil)
	poolWaits       = prometheus.NewDesc("segue_database_connection_waits_total", "How often somebody waited for a connection.", []string{"pool"}, nil)
	poolWaited      = prometheus.NewDesc("segue_database_connection_wait_seconds_total", "How long somebody waited for a connection, in all.", []string{"pool"}, nil)
)

func (p pools) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{poolConnections, poolLimit, poolWaits, poolWaited} {
		to <- d
	}
}

func (p pools) Collect(to chan<- prometheus.Metric) {
	write, read := p.of()
	for pool, s := range map[string]sql.DBStats{"write": write, "read": read} {
		to <- prometheus.MustNewConstMetric(poolConnections, prometheus.GaugeValue, float64(s.InUse), pool, "used")
		to <- prometheus.MustNewConstMetric(poolConnections, prometheus.GaugeValue, float64(s.Idle), pool, "idle")
		to <- prometheus.MustNewConstMetric(poolLimit, prometheus.GaugeValue, float64(s.MaxOpenConnections), pool)
		to <- prometheus.MustNewConstMetric(poolWaits, prometheus.CounterValue, float64(s.WaitCount), pool)
		to <- prometheus.MustNewConstMetric(poolWaited, prometheus.CounterValue, s.WaitDuration.Seconds(), pool)
	}
}
