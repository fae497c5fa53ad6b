package routing

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

// tableOf is a source with a mapping for each filter.
func tableOf(t *testing.T, filters []string) *Table {
	t.Helper()
	p := &plan.Plan{
		Sources:      []plan.Source{{Name: "web"}},
		Directories:  []plan.Directory{{Name: "d", Default: true}},
		Destinations: []plan.Destination{{Name: "xm", Type: plan.TypeDirectory, Directory: "d"}},
	}
	for i, when := range filters {
		p.Mappings = append(p.Mappings, plan.Mapping{Name: fmt.Sprintf("m%d", i), Source: "web", Destination: "xm", Action: plan.UpsertContact, When: &when})
	}
	known := map[plan.Name]id.ID{}
	table, err := Compile(1, p, func(kind plan.Kind, name string) id.ID {
		key := plan.Name{Kind: kind, Name: name}
		if known[key] == 0 {
			known[key] = id.ID(len(known) + 1)
		}
		return known[key]
	})
	require.NoError(t, err)
	return table
}

func event(t *testing.T, text string) *jsonvalue.Object {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

func TestRoute_FiltersThatTakeTooMuchTogether_AreErrorsOfTheirOwn(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(`properties.s.length = 1 or `, 500) + `properties.s.length = 2`
	filters := []string{`type = "track"`}
	for range 20 {
		filters = append(filters, long)
	}
	filters = append(filters, `type = "track"`, `type = "page"`)
	table := tableOf(t, filters)
	source := table.source("web").ID

	matches := table.Route(source, event(t, `{"type":"track","properties":{"s":"`+strings.Repeat("x", 60_000)+`"}}`))
	require.NoError(t, matches[0].Err)
	require.Equal(t, "m0", matches[0].Name)
	var refused []string
	for _, m := range matches[1:] {
		require.Equal(t, fault.Invalid, fault.KindOf(m.Err))
		require.ErrorContains(t, m.Err, "too much work: the filters asked before about this event, with this one, may look at 64 MB of text")
		refused = append(refused, m.Name)
	}
	require.NotContains(t, refused, "m1", "what fits is judged")
	require.Contains(t, refused, "m20")
	require.NotContains(t, refused, "m22", "what the type rules out is not asked")

	matches = table.Route(source, event(t, `{"type":"track","properties":{"s":"short"}}`))
	require.Len(t, matches, 2, "an event of usual size is judged by all of them")
}

func TestRoute_ThousandMappings_AreJudged(t *testing.T) {
	t.Parallel()
	var filters []string
	for i := range 1000 {
		filters = append(filters, fmt.Sprintf(`type = "track" and properties.plan = "p%d" and properties.total >= %d`, i, i))
	}
	table := tableOf(t, filters)
	matches := table.Route(table.source("web").ID, event(t, `{"type":"track","properties":{"plan":"p7","total":9,"note":"`+strings.Repeat("x", 10_000)+`"}}`))
	require.Len(t, matches, 1)
	require.NoError(t, matches[0].Err)
}
