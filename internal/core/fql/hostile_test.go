package fql

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

func TestCompile_HostileText_IsRefusedOrEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, reason string }{
		"100 KB":                  {`type = "` + strings.Repeat("x", 100_000) + `"`, "longer than 16384 bytes"},
		"100,000 conditions":      {strings.Repeat(`type = a or `, 100_000) + `type = b`, "longer than 16384 bytes"},
		"groups in groups":        {strings.Repeat("(", 8000) + `type = a` + strings.Repeat(")", 8000), "groups cannot be nested"},
		"groups that never close": {strings.Repeat("(", 16_000), "groups cannot be nested"},
		"nothing but quotes":      {strings.Repeat(`"`, 16_001), "no condition"},
		"nothing but negations":   {strings.Repeat(`!a`, 8000), "no condition"},
	} {
		text := c.text
		if strings.Contains(name, "never close") {
			text, c.reason = "("+strings.Repeat("a ", 8000), "this parenthesis is never closed"
		}
		_, err := Compile(text)
		require.ErrorContains(t, err, c.reason, name)
		require.Equal(t, fault.Invalid, fault.KindOf(err), name)
		require.Less(t, len(err.Error()), 300, name)
		require.LessOrEqual(t, len(Lint(text)), maxFindings, name)
	}
}

// The largest filters that may be are as many conditions as fit into their text, each
// of which looks once at one value.
func TestCompile_LargestFilters_HaveBoundedConditions(t *testing.T) {
	t.Parallel()
	event, err := jsonvalue.ParseObject([]byte(`{"type":"zzz","properties":{"a":"` + strings.Repeat("x", 50_000) + `"}}`))
	require.NoError(t, err)
	for _, part := range []string{`name=a `, `type = a or `, `properties.a.length = 1 `, `properties.a.\9 = 1 or `, `contains(name,a)`, `() `, `(name=a)`, `name=null or `} {
		text := strings.Repeat(part, MaxText/len(part))
		f, err := Compile(text + "name=a"[:min(6, MaxText-len(text))])
		if err != nil {
			continue
		}
		require.LessOrEqual(t, f.Conditions(), MaxText/len(`name=a `)+1)
		_, _ = f.Match(event)
		v := f.Explain(event)
		require.LessOrEqual(t, explained(v), f.Conditions())
	}
}
