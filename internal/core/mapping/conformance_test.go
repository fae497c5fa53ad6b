package mapping_test

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
)

// corpusCase is one line of a corpus: a mapping, an event and what comes of it.
type corpusCase struct {
	id, feature string
	mapping     any
	payload     any
	want        *jsonvalue.Object
}

func readEvent(t testing.TB) *jsonvalue.Object {
	t.Helper()
	text, err := os.ReadFile("testdata/event.json")
	require.NoError(t, err)
	event, err := jsonvalue.ParseObject(text)
	require.NoError(t, err)
	return event
}

// readCorpus reads a corpus; a case without a payload is about testdata/event.json.
func readCorpus(t testing.TB, file string) []corpusCase {
	t.Helper()
	event := readEvent(t)
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	var out []corpusCase
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		o, err := jsonvalue.ParseObject(lines.Bytes())
		require.NoError(t, err)
		c := corpusCase{
			id: o.Get("id").(string), feature: o.Get("feature").(string),
			mapping: o.Get("mapping"), payload: o.Get("payload"), want: o,
		}
		if !o.Has("payload") {
			c.payload = event
		}
		out = append(out, c)
	}
	require.NoError(t, lines.Err())
	return out
}

// run gives the difference from what is wanted, or "".
func (c corpusCase) run() string {
	got, kind := c.result()
	switch {
	case c.want.Has("error"):
		if kind == "" {
			return fmt.Sprintf("want %s error, have %s", c.want.Get("kind"), jsonvalue.Text(got))
		}
		if kind != c.want.Get("kind") {
			return fmt.Sprintf("want %s error (%v), have %s (%v)", c.want.Get("kind"), c.want.Get("message"), kind, got)
		}
	case kind != "":
		return fmt.Sprintf("%s error: %v", kind, got)
	case c.want.Has("undefined"):
		if !jsonvalue.IsUndefined(got) {
			return "want undefined, have " + jsonvalue.Text(got)
		}
	case !sameJSON(got, c.want.Get("output")):
		return fmt.Sprintf("want %s\nhave %s", jsonvalue.Text(c.want.Get("output")), jsonvalue.Text(got))
	}
	return ""
}

func (c corpusCase) result() (got any, kind string) {
	event, ok := c.payload.(*jsonvalue.Object)
	if !ok {
		return "the event must be an object", "runtime"
	}
	m, err := mapping.Compile(c.mapping)
	if err != nil {
		return err, "validation"
	}
	before := jsonvalue.Text(event)
	got, err = m.Apply(event)
	if jsonvalue.Text(event) != before {
		return "the event was changed", "mutation"
	}
	var runtime *mapping.RuntimeError
	if errors.As(err, &runtime) {
		return err, "runtime"
	}
	return got, ""
}

// sameJSON compares as JSON: key order does not matter, undefined elements are null.
func sameJSON(a, b any) bool {
	switch a := a.(type) {
	case *jsonvalue.Object:
		o, ok := b.(*jsonvalue.Object)
		if !ok || a.Len() != o.Len() {
			return false
		}
		for k, v := range a.All() {
			if !o.Has(k) || !sameJSON(v, o.Get(k)) {
				return false
			}
		}
		return true
	case []any:
		l, ok := b.([]any)
		if !ok || len(a) != len(l) {
			return false
		}
		for i := range a {
			if !sameJSON(a[i], l[i]) {
				return false
			}
		}
		return true
	case jsonvalue.Undefined:
		return b == nil
	}
	return a == b
}

func TestMapping_OwnCorpus(t *testing.T) {
	t.Parallel()
	for _, c := range readCorpus(t, "testdata/corpus.jsonl") {
		require.Empty(t, c.run(), "%s (%s): %s", c.id, c.feature, jsonvalue.Text(c.mapping))
	}
}

// TestMapping_Conformance measures against results of Segment's own package when
// SEGUE_CONFORMANCE names a directory with mapping.jsonl. It prints, for each
// feature, how many cases are the same, deliberately different and wrong.
func TestMapping_Conformance(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SEGUE_CONFORMANCE")
	if dir == "" {
		t.Skip("SEGUE_CONFORMANCE is not set")
	}
	counts, total := map[string]map[string]int{}, map[string]int{}
	for _, c := range readCorpus(t, filepath.Join(dir, "mapping.jsonl")) {
		outcome := "same"
		if diff := c.run(); diff != "" {
			_, kind := c.result()
			if outcome = c.deliberate(kind); outcome == "" {
				outcome = "wrong"
				t.Logf("%s (%s): %s\n%s", c.id, c.feature, jsonvalue.Text(c.mapping), diff)
			}
		}
		if counts[c.feature] == nil {
			counts[c.feature] = map[string]int{}
		}
		counts[c.feature][outcome]++
		total[outcome]++
	}
	var table strings.Builder
	for _, feature := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&table, "\n%-24s%s", feature, tally(counts[feature]))
	}
	t.Logf("%s\ntotal:%s", table.String(), tally(total))
	require.Zero(t, total["wrong"])
}

// tally writes outcomes and their counts, "same" first.
func tally(n map[string]int) string {
	s := fmt.Sprintf(" same %3d", n["same"])
	for _, outcome := range slices.Sorted(maps.Keys(n)) {
		if outcome != "same" {
			s += fmt.Sprintf("  %s %d", outcome, n[outcome])
		}
	}
	return s
}
