package liquid_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid"
)

// example is a template and what liquidjs makes of it.
type example struct {
	ID       string          `json:"id"`
	Feature  string          `json:"feature"`
	Template string          `json:"template"`
	Data     jsonvalue.Value `json:"data"`
	Output   *string         `json:"output"`
	Error    bool            `json:"error"`
}

func examples(t testing.TB, file string) []example {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	var out []example
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e example
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
		out = append(out, e)
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, out)
	return out
}

func meter() *liquid.Meter {
	return &liquid.Meter{Steps: 40 << 20, Rounds: 100_000, Text: 1 << 20, Value: 4 << 20}
}

// render is a template's text, or "error".
func render(e example) string {
	t, err := liquid.Parse(e.Template, liquid.Options{})
	if err != nil {
		return "error"
	}
	data := e.Data.V
	if data == nil {
		data = jsonvalue.NewObject(0)
	}
	out, err := t.Render(liquid.Scope{Root: data, Now: noDate}, meter())
	if err != nil {
		return "error"
	}
	return "= " + out
}

func noDate() (time.Time, bool) { return time.Time{}, false }

func (e example) want() string {
	if e.Output == nil {
		return "error"
	}
	return "= " + *e.Output
}

// What liquidjs 10.30.1 makes of templates of our own; see testdata/README.md.
func TestRender_OurTemplates_AsLiquidjs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/liquidjs-data.json")
	require.NoError(t, err)
	var data jsonvalue.Value
	require.NoError(t, json.Unmarshal(text, &data))
	for _, e := range examples(t, "testdata/liquidjs.jsonl") {
		e.Data = data
		require.Equal(t, e.want(), render(e), "%s %s %s", e.ID, e.Feature, e.Template)
	}
}

// A public suite, when SEGUE_TEST_LIQUID_SUITE names its file: lines of id, feature,
// template, data and output or error. docs/templates.md has the table.
func TestRender_PublicSuite_AsLiquidjs(t *testing.T) {
	t.Parallel()
	file := os.Getenv("SEGUE_TEST_LIQUID_SUITE")
	if file == "" {
		t.Skip("SEGUE_TEST_LIQUID_SUITE does not name a file")
	}
	right, all := map[string]int{}, map[string]int{}
	n, total := 0, 0
	for _, e := range examples(t, file) {
		all[e.Feature]++
		total++
		if got := render(e); got == e.want() {
			right[e.Feature]++
			n++
		} else {
			t.Logf("%s %s\n  %q\n  want %q\n  got  %q", e.ID, e.Feature, e.Template, e.want(), got)
		}
	}
	var table []string
	for f, k := range all {
		if right[f] < k {
			table = append(table, fmt.Sprintf("| %s | %d | %d |", f, right[f], k))
		}
	}
	slices.Sort(table)
	t.Logf("%d of %d\n%s", n, total, strings.Join(table, "\n"))
	require.GreaterOrEqual(t, n*100, total*97)
}
