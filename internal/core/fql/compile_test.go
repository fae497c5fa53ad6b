package fql

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// readLines calls f with each line of a file of JSON lines.
func readLines(t testing.TB, path string, f func(line []byte)) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		f(lines.Bytes())
	}
	require.NoError(t, lines.Err())
}

func mustCompile(t testing.TB, text string) *Filter {
	t.Helper()
	f, err := Compile(text)
	require.NoError(t, err, "%q", text)
	return f
}

func event(t testing.TB, text string) *jsonvalue.Object {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

// filterCase is a filter, an event and what Segment's own packages say.
type filterCase struct {
	ID, Feature, FQL string
	Event            json.RawMessage
	Valid, Throws    bool
	Matches          *bool
}

// wrong is what differs from Segment's answer, or "". An explanation agrees with
// the answer, and an invalid text has a finding.
func (c filterCase) wrong(e *jsonvalue.Object) string {
	f, err := Compile(c.FQL)
	switch {
	case (err == nil) != c.Valid:
		return fmt.Sprintf("valid must be %v: %v", c.Valid, err)
	case err != nil && (fault.KindOf(err) != fault.Invalid || len(Lint(c.FQL)) == 0):
		return "invalid without a finding"
	case err != nil:
		return ""
	}
	ok, err := f.Match(e)
	outcome := f.Explain(e).Outcome
	switch {
	case (err != nil) != c.Throws, (outcome == Failed) != c.Throws:
		return fmt.Sprintf("failing must be %v: %v, explained as %s", c.Throws, err, outcome)
	case c.Throws && ok, !c.Throws && ok != *c.Matches, (outcome == True) != ok:
		return fmt.Sprintf("have %v, explained as %s", ok, outcome)
	}
	return ""
}

func TestMatch_KnownCases(t *testing.T) {
	t.Parallel()
	events := map[string]*jsonvalue.Object{}
	readLines(t, "testdata/events.jsonl", func(line []byte) {
		var e struct {
			Name  string
			Event *jsonvalue.Object
		}
		require.NoError(t, json.Unmarshal(line, &e))
		events[e.Name] = e.Event
	})
	readLines(t, "testdata/cases.jsonl", func(line []byte) {
		var c filterCase
		require.NoError(t, json.Unmarshal(line, &c))
		require.Empty(t, c.wrong(events[strings.Trim(string(c.Event), `"`)]), "%s: %q", c.Feature, c.FQL)
	})
}

// A larger set of the same kind may be at hand: fql.jsonl in the directory that
// SEGUE_CONFORMANCE names. For each feature it prints how many cases are the same,
// deliberately different and wrong.
func TestMatch_ConformanceSet(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SEGUE_CONFORMANCE")
	if dir == "" {
		t.Skip("SEGUE_CONFORMANCE does not name a directory")
	}
	counts, total := map[string]map[string]int{}, map[string]int{}
	readLines(t, filepath.Join(dir, "fql.jsonl"), func(line []byte) {
		var c filterCase
		require.NoError(t, json.Unmarshal(line, &c))
		var e *jsonvalue.Object
		if string(c.Event) != "null" {
			e = event(t, string(c.Event))
		}
		outcome := "same"
		if wrong := c.wrong(e); wrong != "" {
			if outcome = c.deliberate(); outcome == "" {
				outcome = "wrong"
				t.Logf("%s (%s): %q: %s", c.ID, c.Feature, c.FQL, wrong)
			}
		}
		if counts[c.Feature] == nil {
			counts[c.Feature] = map[string]int{}
		}
		counts[c.Feature][outcome]++
		total[outcome]++
	})
	var table strings.Builder
	for _, feature := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&table, "\n%-24s %v", feature, counts[feature])
	}
	t.Logf("%s\ntotal: %v", table.String(), total)
	require.Zero(t, total["wrong"])
}

func TestCompile_Tree(t *testing.T) {
	t.Parallel()
	readLines(t, "testdata/trees.jsonl", func(line []byte) {
		var c struct {
			FQL  string
			Tree json.RawMessage
		}
		require.NoError(t, json.Unmarshal(line, &c))
		f, err := Compile(c.FQL)
		if string(c.Tree) == "null" {
			require.Error(t, err, "%q", c.FQL)
			return
		}
		require.NoError(t, err, "%q", c.FQL)
		tree, err := json.Marshal(f.Tree())
		require.NoError(t, err)
		require.JSONEq(t, string(c.Tree), string(tree), "%q", c.FQL)
		require.Equal(t, c.FQL, f.Text())
	})
}

func TestCompile_Error_NamesPlaceAndReason(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                              "filter, line 1, column 1: no condition on type, event, name, userId, properties, traits or context",
		"anonymousId = \"x\"":           "filter, line 1, column 1: no condition on type, event, name, userId, properties, traits or context",
		"type = \"é\"\nand event>5":     "filter, line 2, column 10: '>' cannot follow a name directly; put a blank between",
		"type = \"x\"\r\n":              "filter, line 1, column 10: string without an end: a closing quote that no blank follows opens a new string, and a carriage return is not a blank here",
		"type = x\r\n":                  "filter, line 1, column 9: a carriage return is not a blank here; lines must end with a newline only",
		"type = \"x":                    "filter, line 1, column 8: string without an end",
		"type !=5":                      "filter, line 1, column 6: after != must come a blank",
		"properties.日本 = 5":             "filter, line 1, column 12: character '日' needs a backslash before it",
		"properties.b\\":                "filter, line 1, column 13: a backslash cannot stand before the end",
		"properties.a = 1.":             "filter, line 1, column 17: stray decimal point in a number",
		"type = \"x\" && event = \"y\"": "filter, line 1, column 12: character '&' has no meaning",
		"((type = \"x\"))":              "filter, line 1, column 2: groups cannot be nested",
		"(type = \"x\"":                 "filter, line 1, column 1: this parenthesis is never closed",
		"type = \"x\" and event":        "filter, line 1, column 16: after event an operator and a value are missing",
		"contains(event":                "filter, line 1, column 1: contains needs a field and a value in parentheses",
		"()":                            "filter, line 1, column 1: an empty group () cannot be judged",
		"type = \"\xff\"":               "filter: not UTF-8 text",
	} {
		_, err := Compile(text)
		require.EqualError(t, err, want, "%q", text)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
	}
}

func TestCompile_Length_IsBounded(t *testing.T) {
	t.Parallel()
	text := `type = "` + strings.Repeat("x", MaxText-9) + `"`
	require.Len(t, text, MaxText)
	mustCompile(t, text)
	_, err := Compile(text + " ")
	require.ErrorContains(t, err, "longer than 16384 bytes")
	require.Len(t, Lint(text+" "), 1)
}

// Whatever is repeated up to the bound, neither time nor stack explode.
func TestCompile_Repetition_IsCheap(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"(", ")", "()", "( ", "!", "a.", "a .", `\a`, `"`, `"a"b`, "'", "-", "1.", "#", "#a", "é", "contains(", "match(event,", "type = ", "and or ", "(type = x)", "!(", "\r\n", "&&", "[", "type in [1]", "n"} {
		text := strings.Repeat(part, MaxText/len(part))
		f, err := Compile(text)
		require.LessOrEqual(t, len(Lint(text)), maxFindings)
		if err == nil {
			_, _ = f.Match(event(t, `{"type":"track"}`))
			f.Explain(event(t, `{"type":"track"}`))
		}
	}
}
