package jsonvalue

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
)

// Texts that once made parsers slow, deep or wrong end with what JavaScript makes of
// them, or with an error that is short whatever the text.
func TestParse_HostileTexts(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("9", 1_000_000)
	for name, c := range map[string]struct {
		text string
		want any
	}{
		"a million digits":          {digits, math.Inf(1)},
		"a million decimals":        {"0." + strings.Repeat("0", 1_000_000) + "1", 0.0},
		"an endless exponent":       {"1e" + digits, math.Inf(1)},
		"an endless small exponent": {"-1e-" + digits, math.Copysign(0, -1)},
	} {
		v, err := Parse([]byte(c.text))
		require.NoError(t, err, name)
		require.Equal(t, c.want, v, name)
	}
	for name, c := range map[string]struct{ text, reason string }{
		"deep arrays":             {strings.Repeat("[", 1_000_000), "nested deeper than 200 levels"},
		"deep objects":            {strings.Repeat(`{"a":`, 200_000), "nested deeper than 200 levels"},
		"deep in turns":           {strings.Repeat(`[{"a":`, 200_000), "nested deeper than 200 levels"},
		"an endless string":       {`"` + strings.Repeat("x", 1_000_000), "a string has no end"},
		"an endless escape":       {`"` + strings.Repeat(`\`, 1_000_000), "a string has no end"},
		"a million and one minus": {strings.Repeat("-", 1_000_000), "want a digit"},
		"a number of zeros":       {strings.Repeat("0", 1_000_000), "a number cannot start with 0"},
	} {
		_, err := Parse([]byte(c.text))
		require.ErrorContains(t, err, c.reason, name)
		require.Equal(t, fault.Invalid, fault.KindOf(err), name)
		require.Less(t, len(err.Error()), 200, name)
	}
}

func TestParse_MillionKeys_AreAllThere(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteByte('{')
	for i := range 1_000_000 {
		fmt.Fprintf(&b, `"%d":0,`, (i*7919)%500_000) // every key twice, in no order
	}
	b.WriteString(`"last":1}`)
	o, err := ParseObject([]byte(b.String()))
	require.NoError(t, err)
	require.Equal(t, 500_001, o.Len())
	keys := o.Keys()
	require.Equal(t, []string{"0", "1", "499999", "last"}, []string{keys[0], keys[1], keys[499_999], keys[500_000]})
}
