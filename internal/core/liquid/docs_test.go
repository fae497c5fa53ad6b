package liquid_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid"
)

// The template blocks of docs/templates.md: a template, its data and what it gives.
func TestDocs_Templates_ExamplesHold(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/templates.md")
	require.NoError(t, err)
	_, block, found := strings.Cut(string(text), "```template\n")
	require.True(t, found)
	block, _, _ = strings.Cut(block, "```")
	template, data, n := "", "", 0
	for line := range strings.Lines(block) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "  data "); ok {
			data = rest
		} else if want, ok := strings.CutPrefix(line, "  gives "); ok {
			c, err := liquid.Parse(template, liquid.Messages)
			require.NoError(t, err, template)
			v, err := jsonvalue.Parse([]byte(data))
			require.NoError(t, err, data)
			out, err := c.Render(liquid.Scope{Root: v}, meter())
			require.NoError(t, err)
			require.Equal(t, want, out)
			n++
		} else {
			template = line
		}
	}
	require.Equal(t, 3, n)
}

// The table of what there is names each filter, and none that is not.
func TestDocs_Templates_FiltersExist(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/templates.md")
	require.NoError(t, err)
	var named []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) > 2 && slices.Contains([]string{"texts", "numbers", "lists", "dates", "others"}, strings.TrimSpace(cells[1])) {
			for i, part := range strings.Split(cells[2], "`") {
				if i%2 == 1 {
					named = append(named, part)
				}
			}
		}
	}
	slices.Sort(named)
	require.Equal(t, liquid.FilterNames(), slices.Compact(named))
}
