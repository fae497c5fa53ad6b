package fql

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExplain_ShowsWhatWasReallyJudged(t *testing.T) {
	t.Parallel()
	e := event(t, `{"type":"track","event":"Order Completed","properties":{"count":"10","my key":{"a":1}}}`)
	f := mustCompile(t, `type = "track" and properties.count > 5 or !(traits.x = null) and properties.my\ key != 3`)
	b, err := json.Marshal(f.Explain(e))
	require.NoError(t, err)
	// The last word is and, so that it joins everything; the ! counts for nothing.
	require.JSONEq(t, `{
		"outcome": "false", "join": "and",
		"text": "type = \"track\" and properties.count > 5 and traits.x = null and properties.my\\ key != 3",
		"children": [
			{"outcome": "true", "text": "type = \"track\"", "path": "type", "operator": "=", "expected": "\"track\"", "seen": "\"track\"", "means": "is the text \"track\""},
			{"outcome": "false", "text": "properties.count > 5", "path": "properties.count", "operator": ">", "expected": "5", "seen": "\"10\"",
			 "means": "is a number greater than 5", "reason": "the value's type is string, only type number can pass"},
			{"outcome": "not_judged", "text": "traits.x = null", "path": "traits.x", "operator": "not_exists", "means": "is missing or null"},
			{"outcome": "not_judged", "text": "properties.my\\ key != 3", "path": "properties.my key", "operator": "number_not_equals", "expected": "3", "means": "is a number other than 3"}
		]}`, string(b))
}

func TestExplain_Groups_AreNested(t *testing.T) {
	t.Parallel()
	v := mustCompile(t, `(type = "a" or traits.x = null) and userId != null`).Explain(event(t, `{"type":"b"}`))
	require.Equal(t, False, v.Outcome)
	require.Equal(t, "or", v.Children[0].Join)
	require.Equal(t, True, v.Children[0].Outcome)
	require.Equal(t, False, v.Children[0].Children[0].Outcome)
	require.True(t, v.Children[0].Children[1].Missing)
	require.Empty(t, v.Children[0].Children[1].Seen)
	require.True(t, v.Children[1].Missing)
}

func TestExplain_Failure_SaysWhy(t *testing.T) {
	t.Parallel()
	e := event(t, `{"type":"track"}`)
	v := mustCompile(t, `type = "track" and ()`).Explain(e)
	require.Equal(t, Failed, v.Outcome)
	require.Equal(t, Verdict{Outcome: Failed, Text: "()", Join: "and", Reason: "an empty group () cannot be judged"}, v.Children[1])
	v = mustCompile(t, `properties.\. = 5`).Explain(e)
	require.Equal(t, "a path of nothing but dots and brackets leads nowhere", v.Children[0].Reason)
}

func TestExplain_LongValues_AreClipped(t *testing.T) {
	t.Parallel()
	v := mustCompile(t, `event = "x"`).Explain(event(t, `{"event":"`+strings.Repeat("日", 500)+`"}`))
	require.Less(t, len(v.Children[0].Seen), maxSeen+4)
	require.True(t, strings.HasSuffix(v.Children[0].Seen, "日…"))
}

func TestMeans_ConditionThatIsNeverTrue_SaysSo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`type in "a"`:           `is never true: "in" is no operator here`,
		`properties.a < "x"`:    `is never true: "x" is not a number`,
		`properties.a = -`:      `is never true: "NaN" is not a number`,
		`properties.a != -`:     `is a number`,
		`properties.a <= true`:  `is a number of 1 or less`,
		`match(event, "Order")`: `is text that ends with "rder"`,
	} {
		c := mustCompile(t, text).Tree().Children[0].(*Condition)
		require.Equal(t, want, c.Means(), text)
	}
}

func TestTakes_CoversAllOperators(t *testing.T) {
	t.Parallel()
	require.Len(t, takes, len(tests))
	for op := range tests {
		require.Contains(t, takes, op)
	}
}
