package fql

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/fault"
	"github.com/segue-xm/segue/internal/jsonvalue"
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
		require.Equal(t, want, filter.Explain(e).Outcome)

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
