package fql

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// internals are names that every JavaScript object or text has.
var internals = regexp.MustCompile(`\b(constructor|toString|toLocaleString|valueOf|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|__\w+__)\b`)

// deliberate is the id of the difference that explains a case, or "".
func (c filterCase) deliberate() string {
	switch {
	case internals.MatchString(c.FQL):
		return ObjectInternals
	case len(c.FQL) > MaxText:
		return TextBound
	}
	return ""
}

func TestDifferences_AreShown(t *testing.T) {
	t.Parallel()
	e := event(t, `{"properties":{"s":"🎉"}}`)
	for text, want := range map[string]bool{
		`properties.constructor != null`: false,
		`properties.s.toString != null`:  false,
		`properties.s.\0 = "�"`:          true,
	} {
		ok, err := mustCompile(t, text).Match(e)
		require.NoError(t, err)
		require.Equal(t, want, ok, text)
	}
	_, err := Compile(`toString = "x"`)
	require.ErrorContains(t, err, "no condition")
	_, err = Compile(`type = "` + strings.Repeat("x", MaxText) + `"`)
	require.ErrorContains(t, err, "longer than")
}

func TestDifferences_AreNamedOnceAndDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/mapping-differences.md")
	require.NoError(t, err)
	var have, want []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `fql/") {
			have = append(have, strings.TrimSpace(line))
		}
	}
	ids := map[string]bool{}
	for _, d := range Differences() {
		require.False(t, ids[d.ID], d.ID)
		ids[d.ID] = true
		want = append(want, fmt.Sprintf("| `%s` | %s | %s |", d.ID, d.Segment, d.Here))
	}
	require.Equal(t, want, have)
}
