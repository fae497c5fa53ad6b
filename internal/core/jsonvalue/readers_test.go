package jsonvalue_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/segment"
)

// read is Parse, once the other readers have been seen to agree with it on whether
// the text is JSON.
func read(t *testing.T, text []byte) (any, error) {
	t.Helper()
	v, err := jsonvalue.Parse(text)
	if err != nil {
		require.Equal(t, fault.Invalid, fault.KindOf(err))
	}
	ok := err == nil

	end, flaw := jsonvalue.SkipValue(text, jsonvalue.SkipBlanks(text, 0), 0)
	skipped := flaw == 0 && jsonvalue.SkipBlanks(text, end) == len(text)
	require.Equal(t, ok, skipped && utf8.Valid(text), "SkipValue of %.200q", text)

	_, isObject := v.(*jsonvalue.Object)
	require.Equal(t, isObject, walk(text) == nil, "Walk over %.200q", text)
	member := []byte(`{"in":` + string(text) + `}`)
	_, memberErr := jsonvalue.Parse(member)
	require.Equal(t, memberErr, walk(member))

	item := []byte("[" + string(text) + "]")
	events, refusals, itemErr := segment.ParseWebhook(item, segment.Limits{}, time.Time{}, func() string { return "made" })
	require.Equal(t, ok, itemErr == nil && len(events)+len(refusals) == 1, "an item %.200q: %v", text, itemErr)
	return v, err
}

// walk shows every object of the text to nobody.
func walk(text []byte) error { return jsonvalue.Walk(text, nobody{}) }

type nobody struct{}

func (nobody) Enter([]byte) jsonvalue.Visitor { return nobody{} }
func (nobody) Member(_, _ []byte) error       { return nil }

// The readers hold to the files of a directory that SEGUE_TEST_JSON_SUITE names, such
// as test_parsing of JSONTestSuite: those called y_… are JSON, n_… are not, and i_…
// may be either.
func TestReaders_Suite(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SEGUE_TEST_JSON_SUITE")
	if dir == "" {
		t.Skip("SEGUE_TEST_JSON_SUITE is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "[yni]_*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	count := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		name := filepath.Base(file)
		_, err = read(t, text)
		if verdict := name[:1]; verdict != "i" {
			require.Equal(t, verdict == "y", err == nil, "%s: %v", name, err)
		}
		count[name[:1]]++
	}
	t.Logf("%d files: %v", len(files), count)
}

// FuzzReaders holds the readers to one another.
func FuzzReaders(f *testing.F) {
	for _, rule := range grammar {
		for text := range rule.yes {
			f.Add([]byte(text))
		}
		for _, text := range rule.no {
			f.Add([]byte(text))
		}
	}
	f.Add([]byte(strings.Repeat("[", jsonvalue.MaxDepth) + strings.Repeat("]", jsonvalue.MaxDepth)))
	f.Add([]byte(`1,"in":{}`))
	f.Add([]byte(`1],[2`))
	f.Fuzz(func(t *testing.T, text []byte) { _, _ = read(t, text) })
}
