package mapping_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/jsonvalue"
	"github.com/segue-xm/segue/internal/mapping"
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

// A top-level mapping that is no object is refused on purpose: Segment spreads it.
const refusedFeature = "non-object mapping"

func TestMapping_OwnCorpus(t *testing.T) {
	t.Parallel()
	for _, c := range readCorpus(t, "testdata/corpus.jsonl") {
		require.Empty(t, c.run(), "%s (%s): %s", c.id, c.feature, jsonvalue.Text(c.mapping))
	}
}

// TestMapping_Conformance measures against results of Segment's own package when
// SEGUE_CONFORMANCE names a directory with mapping.jsonl.
func TestMapping_Conformance(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SEGUE_CONFORMANCE")
	if dir == "" {
		t.Skip("SEGUE_CONFORMANCE is not set")
	}
	type count struct{ passed, all int }
	counts := map[string]*count{}
	total := count{}
	for _, c := range readCorpus(t, filepath.Join(dir, "mapping.jsonl")) {
		n := counts[c.feature]
		if n == nil {
			n = &count{}
			counts[c.feature] = n
		}
		n.all++
		total.all++
		if diff := c.run(); diff != "" {
			t.Logf("%s (%s): %s\n%s", c.id, c.feature, jsonvalue.Text(c.mapping), diff)
			continue
		}
		n.passed++
		total.passed++
	}
	features := make([]string, 0, len(counts))
	for f := range counts {
		features = append(features, f)
	}
	sort.Strings(features)
	for _, f := range features {
		t.Logf("%-24s %3d / %3d", f, counts[f].passed, counts[f].all)
		if f != refusedFeature {
			require.Equal(t, counts[f].all, counts[f].passed, f)
		}
	}
	t.Logf("%-24s %3d / %3d", "all", total.passed, total.all)
}
