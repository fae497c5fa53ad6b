package fql

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// FuzzFilter holds the parts of the package to each other for any text and event.
func FuzzFilter(f *testing.F) {
	for _, text := range []string{
		everydayFilter, `(type = "a" or type = "b") and !match(properties.x\ y.\0, "*z")`, `type = "a"and event = "b"`, `() and type = "x"`,
		`properties.a >=10 or !(event = n`, "type='x'\r\n", `match(event, "🎉x")`, `contains(traits.a[0], null`, `name = -`, `properties.\日 != true`,
	} {
		f.Add(text, oddEvent)
	}
	f.Fuzz(func(t *testing.T, text, eventText string) {
		findings := Lint(text)
		require.LessOrEqual(t, len(findings), maxFindings)
		for _, x := range findings {
			require.LessOrEqual(t, x.Pos, len(text))
			require.Positive(t, min(x.Line, x.Column))
		}
		filter, err := Compile(text)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			require.NotEmpty(t, findings)
			return
		}
		e, err := jsonvalue.ParseObject([]byte(eventText))
		if err != nil {
			return
		}
		ok, err := filter.Match(e)
		require.False(t, ok && err != nil)
		want := False
		switch {
		case err != nil:
			want = Failed
		case ok:
			want = True
		}
		why := filter.Explain(e)
		require.Equal(t, want, why.Outcome)
		require.Equal(t, filter.Conditions(), explained(why), "each condition is explained once")
		require.LessOrEqual(t, filter.Conditions(), len(text))

		coded, err := json.Marshal(filter.Tree())
		require.NoError(t, err)
		var decoded Group
		require.NoError(t, json.Unmarshal(coded, &decoded))
		require.Equal(t, filter.Conditions(), conditions(&decoded), "as JSON the tree has the same conditions")

		cost := map[Clue]int{}
		for i, c := range filter.Clues() {
			cost[c] = -i
		}
		for _, needs := range [][]Clue{filter.Needs(nil), filter.Needs(cost)} {
			isTrue := func(c Clue) bool { return c.Reader()(e) == any(c.Text) }
			if want != False && needs != nil {
				require.True(t, slices.ContainsFunc(needs, isTrue), "none of %v is true", needs)
			}
		}

		again, err := filter.Tree().Text()
		if err != nil {
			return
		}
		same, err := mustCompile(t, again).Match(e)
		require.NoError(t, err)
		require.Equal(t, ok, same, "%q written again as %q", text, again)
	})
}

// explained is the number of conditions in an explanation.
func explained(v Verdict) int {
	if v.Path != "" {
		return 1
	}
	sum := 0
	for _, c := range v.Children {
		sum += explained(c)
	}
	return sum
}
