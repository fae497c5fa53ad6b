package metrics_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/observe/metrics"
	"github.com/segue-xm/segue/starter"
)

// told are the metrics that processes have, with their labels: as the collectors
// describe themselves, whether there is something to count yet or not.
func told(t *testing.T) map[string][]string {
	t.Helper()
	r := prometheus.NewRegistry()
	m := metrics.New(r, metrics.About{Mode: "dev"})
	m.Pools(func() (sql.DBStats, sql.DBStats) { return sql.DBStats{}, sql.DBStats{} })
	m.Watch(nil, func(context.Context) (*routing.Table, error) { return nil, nil }, time.Now)
	m.Answers(func(context.Context) bool { return true })
	starter.New(starter.Options{Metrics: r}).Close()

	descriptions := make(chan *prometheus.Desc)
	go func() {
		r.Describe(descriptions)
		close(descriptions)
	}()
	form := regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: "(.+)", constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)
	all := map[string][]string{}
	for d := range descriptions {
		m := form.FindStringSubmatch(d.String())
		require.NotNil(t, m, d)
		labels := []string{}
		for _, part := range append(strings.Split(m[3], ","), strings.Split(m[4], ",")...) {
			if name, _, _ := strings.Cut(part, "="); name != "" {
				labels = append(labels, name)
			}
		}
		slices.Sort(labels)
		all[m[1]] = labels
	}
	return all
}

// TestMetrics_EachHasItsLineInTheDocs_AndNoOther.
func TestMetrics_EachHasItsLineInTheDocs_AndNoOther(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/metrics.md")
	require.NoError(t, err)
	var documented, have []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(segue_[^`]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, m[1])
	}
	for name, labels := range told(t) {
		if !strings.HasPrefix(name, "segue_") {
			continue
		}
		require.Regexp(t, `_(total|seconds|bytes|info|up|limit|state|waiting|due|connections)$`, name, "a name ends in its unit, or in what is counted")
		for _, l := range labels {
			require.NotContains(t, []string{"id", "event", "run", "contact", "email", "user", "reason"}, l, "labels are bounded, and about nobody")
		}
		line := name
		if len(labels) > 0 {
			line = fmt.Sprintf("%s{%s}", name, strings.Join(labels, ","))
		}
		have = append(have, line)
	}
	require.NotEmpty(t, have)
	require.ElementsMatch(t, have, documented)
}
