package metrics_test

import (
	"encoding/json"
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// catalogue are the metrics that an expression may name, with their labels.
func catalogue(t *testing.T) map[string][]string {
	t.Helper()
	all := told(t)
	// Those of Temporal's SDK are made when it first counts: their names are in its
	// sources, and have the labels that are kept.
	sdk, err := build.Import("go.temporal.io/sdk/client", ".", build.FindOnly)
	require.NoError(t, err)
	names, err := os.ReadFile(filepath.Join(filepath.Dir(sdk.Dir), "internal", "common", "metrics", "constants.go"))
	require.NoError(t, err)
	kept := []string{"activity_type", "cause", "failure_reason", "operation", "poller_type", "status_code", "worker_type", "workflow_type"}
	n := 0
	for _, m := range regexp.MustCompile(`(?:(TemporalMetricsPrefix)|(Temporal(?:Long)?Request))? ?\+? ?"([a-z_]+)"`).FindAllStringSubmatch(string(names), -1) {
		name := "temporal_" + m[3]
		switch {
		case m[2] == "TemporalRequest":
			name = "temporal_request" + m[3]
		case m[2] == "TemporalLongRequest":
			name = "temporal_long_request" + m[3]
		case m[1] == "":
			continue
		}
		n++
		for _, suffix := range []string{"", "_total", "_seconds"} {
			all[name+suffix] = kept
		}
	}
	require.Greater(t, n, 40, "the sources of the SDK look different now")
	all["up"] = nil
	return all
}

// scraped are labels that Prometheus adds, or that histograms have.
var scraped = []string{"job", "instance", "le"}

var (
	token    = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:][a-zA-Z0-9_:]*|[(){},]|[=!<>~+*/-]+|[0-9.]+`)
	keywords = []string{"by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "offset", "bool"}
	lists    = []string{"by", "without", "on", "ignoring"}
)

// check reads an expression of PromQL as far as to know which metrics it names, and
// with which labels.
func check(expr string, known map[string][]string) error {
	tokens := token.FindAllString(expr, -1)
	at := func(i int) string {
		if i < 0 || i >= len(tokens) {
			return ""
		}
		return tokens[i]
	}
	var used, grouped []string // labels of the metrics that are named, and those that it groups by
	named, open := 0, 0
	for i := 0; i < len(tokens); i++ {
		word := tokens[i]
		switch {
		case word == "(":
			open++
		case word == ")":
			open--
		case slices.Contains(lists, word) && at(i+1) == "(":
			for i += 2; i < len(tokens) && tokens[i] != ")"; i++ {
				if tokens[i] != "," {
					grouped = append(grouped, tokens[i])
				}
			}
		case !regexp.MustCompile(`^[a-zA-Z_:]`).MatchString(word), slices.Contains(keywords, word), slices.Contains([]string{"(", "by", "without"}, at(i+1)): // no name, or a function's
		default:
			labels, ok := metric(word, known)
			if !ok {
				return fmt.Errorf("there is no metric %s", word)
			}
			named++
			used = append(used, labels...)
			if at(i+1) != "{" {
				continue
			}
			for i += 2; i < len(tokens) && tokens[i] != "}"; i++ {
				if next := at(i + 1); (next == "=" || next == "=~" || next == "!=" || next == "!~") && !slices.Contains(labels, tokens[i]) && !slices.Contains(scraped, tokens[i]) {
					return fmt.Errorf("%s has no label %s", word, tokens[i])
				}
			}
		}
	}
	for _, l := range grouped {
		if !slices.Contains(used, l) && !slices.Contains(scraped, l) {
			return fmt.Errorf("nothing here has the label %s", l)
		}
	}
	switch {
	case named == 0:
		return fmt.Errorf("it names no metric")
	case open != 0:
		return fmt.Errorf("its brackets do not match")
	}
	return nil
}

func metric(name string, known map[string][]string) (labels []string, ok bool) {
	for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
		if labels, ok = known[strings.TrimSuffix(name, suffix)]; ok {
			return labels, true
		}
	}
	return nil, false
}

func TestCheck_FindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	known := map[string][]string{"a_total": {"kind"}, "b_seconds": {"of"}}
	for _, good := range []string{
		`sum by (kind) (rate(a_total{kind!="x", job=~"s.*"}[5m])) / 2 > 0.1`, `histogram_quantile(0.9, sum by (le, of) (rate(b_seconds_bucket[5m])))`, `absent(a_total)`,
		`max(a_total) unless on (kind) max by (kind) (a_total) == 1`, `sum(a_total) or vector(0)`,
	} {
		require.NoError(t, check(good, known), good)
	}
	for _, bad := range []string{`c_total > 0`, `rate(a_totl[5m])`, `a_total{of="x"}`, `sum by (of) (a_total)`, `vector(1)`, `sum(rate(a_total[5m])`} {
		require.Error(t, check(bad, known), bad)
	}
}

func TestAlerts_NameMetricsAndLabelsThatThereAre(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../deploy/prometheus/alerts.yml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	known, seen := catalogue(t), map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			require.NoError(t, check(r.Expr, known), r.Alert)
			require.False(t, seen[r.Alert], r.Alert)
			seen[r.Alert] = true
			require.Contains(t, []string{"page", "ticket"}, r.Labels["severity"], r.Alert)
			require.NotEmpty(t, r.Annotations["summary"], r.Alert)
		}
	}
	require.Greater(t, len(seen), 20)
}

func TestDashboard_NamesMetricsAndLabelsThatThereAre(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../deploy/grafana/segue.json")
	require.NoError(t, err)
	var board struct {
		Panels []struct {
			ID          int
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &board))
	known, ids, shown := catalogue(t), map[int]bool{}, map[string]bool{}
	for _, p := range board.Panels {
		require.False(t, ids[p.ID], p.Title)
		ids[p.ID] = true
		require.Equal(t, p.Type == "row", len(p.Targets) == 0, p.Title)
		for _, q := range p.Targets {
			require.NoError(t, check(q.Expr, known), "%s: %s", p.Title, q.Expr)
			for _, word := range token.FindAllString(q.Expr, -1) {
				for _, suffix := range []string{"", "_bucket"} {
					shown[strings.TrimSuffix(word, suffix)] = true
				}
			}
		}
	}
	for name := range known {
		if strings.HasPrefix(name, "segue_") {
			require.True(t, shown[name], "nothing shows %s", name)
		}
	}
}

func TestPrometheus_ReadsTheAlerts_OfAllProcesses(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../deploy/prometheus/prometheus.yml")
	require.NoError(t, err)
	var file struct {
		Rules   []string `yaml:"rule_files"`
		Scrapes []struct {
			Job    string                       `yaml:"job_name"`
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	compose, err := os.ReadFile("../../../docker-compose.yml")
	require.NoError(t, err)
	require.Equal(t, []string{"alerts.yml"}, file.Rules)
	var targets []string
	for _, s := range file.Scrapes {
		for _, c := range s.Static {
			targets = append(targets, c.Targets...)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^  ((?:starter|worker)-\d+):$`).FindAllStringSubmatch(string(compose), -1) {
		port := ":8080"
		if strings.HasPrefix(m[1], "worker") {
			port = ":8081"
		}
		require.Contains(t, targets, m[1]+port)
	}
}
