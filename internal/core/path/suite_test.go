package path_test

import (
	"bufio"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/path"
)

// suite judges lines of {"id", "path"} and "invalid": true, or "document" with "values"
// or, where several orders are right, "any_of".
func suite(t *testing.T, file string) (cases int) {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		cases++
		c, err := jsonvalue.ParseObject(lines.Bytes())
		require.NoError(t, err)
		text, name := c.Get("path").(string), jsonvalue.Text(c.Get("id"))+" "+jsonvalue.Text(c.Get("path"))
		p, err := path.Parse(text)
		if c.Get("invalid") == true {
			require.Error(t, err, name)
			continue
		}
		require.NoError(t, err, name)
		again, err := path.Parse(p.String())
		require.NoError(t, err, name)
		require.Equal(t, p.String(), again.String(), name)
		want := []any{c.Get("values")}
		if c.Has("any_of") {
			want = c.Get("any_of").([]any)
		}
		for _, p := range []*path.Path{p, again} {
			got, err := p.All(c.Get("document"), path.NewBudget(path.MaxSteps))
			require.NoError(t, err, name)
			require.Contains(t, texts(want), texts([]any{append([]any{}, got...)})[0], name)
			first, found, err := p.First(c.Get("document"), path.NewBudget(path.MaxSteps))
			require.NoError(t, err, name)
			require.Equal(t, len(got) > 0, found, name)
			if found {
				require.Equal(t, jsonvalue.Text(got[0]), jsonvalue.Text(first), name)
			}
		}
	}
	require.NoError(t, lines.Err())
	return cases
}

func texts(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = jsonvalue.Text(v)
	}
	return out
}

// The public compliance suite of RFC 9535, in a file of such lines that
// SEGUE_TEST_JSONPATH_SUITE names.
func TestPath_Suite(t *testing.T) {
	t.Parallel()
	file := os.Getenv("SEGUE_TEST_JSONPATH_SUITE")
	if file == "" {
		t.Skip("SEGUE_TEST_JSONPATH_SUITE is not set")
	}
	t.Logf("%d cases", suite(t, file))
}
