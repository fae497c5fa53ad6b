package routing_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

// The index only ever spares work: routing gives what asking every mapping gives,
// errors of judging and the order of the plan included.
func TestRoute_RandomPlans_SameAsAskingEveryMapping(t *testing.T) {
	t.Parallel()
	matches, failures := 0, 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		var mappings []plan.Mapping
		for range 1 + r.IntN(60) {
			m := contactWhen(randomFilter(r))
			if r.IntN(10) == 0 {
				*m.When = "" // every event
			}
			if r.IntN(10) == 0 {
				m.Enabled = new(bool)
			}
			mappings = append(mappings, m)
		}
		table, source := compile(t, mappings...)
		for range 20 {
			text := randomEvent(r)
			event, err := jsonvalue.ParseObject([]byte(text))
			require.NoError(t, err)
			var want, got []string
			for _, m := range table.Mappings(source) {
				if m.Off(event) != "" {
					continue
				}
				ok, err := true, error(nil)
				if m.Filter != nil {
					ok, err = m.Filter.Match(event)
				}
				if ok || err != nil {
					want = append(want, fmt.Sprint(m.Name, err))
				}
				if err != nil {
					failures++
				}
			}
			for _, m := range table.Route(source, event) {
				got = append(got, fmt.Sprint(m.Name, m.Err))
			}
			require.Equal(t, want, got, "seed %d, %s", seed, text)
			matches += len(got)
		}
	}
	require.Greater(t, matches, 10_000)
	require.Greater(t, failures, 100)
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func randomFilter(r *rand.Rand) string {
	level := func(child func() string) string {
		parts := []string{child()}
		for range r.IntN(3) {
			parts = append(parts, child())
		}
		return strings.Join(parts, pick(r, " and ", " or "))
	}
	return level(func() string {
		if r.IntN(4) == 0 {
			return "(" + level(func() string { return randomCondition(r) }) + ")"
		}
		return randomCondition(r)
	})
}

func randomCondition(r *rand.Rand) string {
	where := pick(r, "type", "event", "name", "userId", "properties.plan", "properties.a.b", `properties.list.\0`, "traits.plan", "context.n", "properties.n")
	switch r.IntN(12) {
	case 0:
		return "contains(event, " + pick(r, `"A"`, `"B"`) + ")"
	case 1:
		return pick(r, `properties.\. = "A"`, `properties.\. != "A"`) // cannot be judged
	case 2:
		return where + " != " + pick(r, "null", `"A"`, "true")
	case 3:
		return where + " = " + pick(r, "null", "true", "5")
	case 4:
		return where + " > " + pick(r, "3", "5")
	}
	return where + " = " + pick(r, `"A"`, `"B"`, `"track"`, `""`)
}

func randomEvent(r *rand.Rand) string {
	value := func() string {
		return pick(r, `"A"`, `"B"`, `"track"`, `""`, "null", "true", "5", `["A","B"]`, `{"b":"A"}`)
	}
	var members []string
	for _, key := range []string{"type", "event", "name", "userId"} {
		if r.IntN(5) > 0 {
			members = append(members, fmt.Sprintf("%q:%s", key, value()))
		}
	}
	for _, key := range []string{"properties", "traits", "context"} {
		members = append(members, fmt.Sprintf(`%q:{"plan":%s,"a":%s,"list":%s,"n":%s}`, key, value(), value(), value(), value()))
	}
	if r.IntN(5) == 0 {
		members = append(members, `"integrations":`+pick(r, `{"All":false}`, `{"Qualtrics":false}`, `{"All":false,"Qualtrics":{}}`))
	}
	return "{" + strings.Join(members, ",") + "}"
}
