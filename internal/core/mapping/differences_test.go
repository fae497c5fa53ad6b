package mapping_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
)

// deliberate is the id of the difference that explains a case, or "". Each rule
// says which cases it is about.
func (c corpusCase) deliberate(kind string) string {
	_, isObject := c.mapping.(*jsonvalue.Object)
	text := jsonvalue.Text(c.mapping)
	switch {
	case !isObject && kind == "validation":
		return mapping.ObjectOnly
	case c.want.Get("kind") == "validation" && kind == "runtime" && strings.Contains(text, "@transform"):
		return mapping.LateValidation
	case strings.Contains(text, "| sample"):
		return mapping.NoChance
	case strings.Contains(text, "now") || strings.Contains(text, "today"):
		return mapping.EventTime
	}
	return ""
}

// differences holds an example of each difference: what comes of it here.
var differences = map[string][]example{
	mapping.LateValidation: {
		{`[{"@transform":{"apply":{"a":{"@nope":1}},"mapping":{}}}]`, `{}`, `error /v/0/@transform/apply: /a has an invalid directive: @nope`},
	},
	mapping.ArraysUnchecked: {
		{`[{"@merge":{"objects":[{"a":1},{"a":2}],"direction":{"@literal":"left"}}}]`, `{}`, `[{"a":2}]`},
	},
	mapping.ObjectInternals: {
		{`{"@path":"$.s.big"}`, `{"s":"x"}`, `undefined`},
		{`{"@path":"$.constructor"}`, `{}`, `undefined`},
		{`{"@liquid":"{{ s.constructor }}"}`, `{"s":"x"}`, `""`},
		{`{"@json":{"mode":"decode","value":"{\"__proto__\":1}"}}`, `{}`, `{"__proto__":1}`},
	},
	mapping.HalfCharacters: {
		{`{"@path":"$.s.0"}`, `{"s":"🎉"}`, `"�"`},
		{`{"@liquid":"{{ s | split: '' | join: '' }}"}`, `{"s":"🎉"}`, `"��"`},
	},
	mapping.EventTime: {
		{`{"@liquid":"{{ 'now' | date: '%F %Y-%m-%d' }}"}`, `{"receivedAt":"2025-03-04T05:06:07Z"}`, `"%F 2025-03-04"`},
		{`{"@liquid":"{{ 'today' | date: '%Y' }}"}`, `{}`, `"today"`},
	},
	mapping.ClearDates: {
		{`{"@liquid":"{{ '-3' | date: '%d' }}"}`, `{}`, `"-3"`},
		{`{"@liquid":"{{ '01-02-2025' | date: '%d' }}"}`, `{}`, `"01-02-2025"`},
		{`{"@liquid":"{{ '2025-02-30' | date: '%d' }}"}`, `{}`, `"2025-02-30"`},
		{`{"@liquid":"{{ ' 2025-02-03T04:05:06Z ' | date: '%d' }}"}`, `{}`, `"03"`},
	},
	mapping.ZoneNames: {
		{`{"@liquid":"{{ 0 | date: '%H %Z', 'Asia/Tokyo' }}"}`, `{}`, `"09 Asia/Tokyo"`},
		{`{"@liquid":"{{ 'x' | date: '%H', 'asia/tokyo' }}"}`, `{}`, `"x"`},
	},
	mapping.EventUntouched: {
		{`[{"@liquid":"{% increment n %}{{ n }}"},{"@path":"$.n"}]`, `{"n":5}`, `["56",5]`},
	},
	mapping.NoChance: {
		{`{"@liquid":"{{ l | sample }}"}`, `{"l":["a","b"]}`, `"ab"`},
	},
	mapping.WordsAreValues: {
		{`{"@liquid":"{{ nil | json }} {{ nil | truncate | json }}"}`, `{}`, `"{} null"`},
	},
}

func TestDifferences_AreNamedOnceExplainedAndShown(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, d := range mapping.Differences() {
		require.NotEmpty(t, d.Segment)
		require.NotEmpty(t, d.Here)
		require.False(t, ids[d.ID], d.ID)
		ids[d.ID] = true
		check(t, differences[d.ID])
		switch d.ID {
		case mapping.ObjectOnly: // TestCompile_NotAnObject_IsRefused
		case mapping.SizeLimits: // TestApply_AmplifyingMapping_FailsSoon
		default:
			require.NotEmpty(t, differences[d.ID], d.ID)
		}
	}
	for id := range differences {
		require.True(t, ids[id], id)
	}
}

// The documentation lists the differences as they are here.
func TestDifferences_AreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/mapping-differences.md")
	require.NoError(t, err)
	var have []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `") && !strings.HasPrefix(line, "| `fql/") { // those are the filters'
			have = append(have, strings.TrimSpace(line))
		}
	}
	var want []string
	for _, d := range mapping.Differences() {
		want = append(want, fmt.Sprintf("| `%s` | %s | %s |", d.ID, d.Segment, d.Here))
	}
	require.Equal(t, want, have)
}
