package routing_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
)

// compile makes a table of one source that feeds the built-in directory through
// the mappings, and gives the source too.
func compile(t testing.TB, mappings ...plan.Mapping) (*routing.Table, id.ID) {
	t.Helper()
	p := &plan.Plan{
		Sources:      []plan.Source{{Name: "web"}},
		Directories:  []plan.Directory{{Name: "people", Default: true}},
		Destinations: []plan.Destination{{Name: "Qualtrics", Type: plan.TypeDirectory, Directory: "people"}},
	}
	for i, m := range mappings {
		m.Name, m.Source, m.Destination = fmt.Sprint("m", i), "web", "Qualtrics"
		p.Mappings = append(p.Mappings, m)
	}
	ids := map[plan.Name]id.ID{}
	name := func(kind plan.Kind, name string) id.ID {
		key := plan.Name{Kind: kind, Name: name}
		if ids[key] == 0 {
			ids[key] = id.ID(len(ids) + 1)
		}
		return ids[key]
	}
	table, err := routing.Compile(1, p, name)
	require.NoError(t, err)
	return table, name("source", "web")
}

func contactWhen(filter string) plan.Mapping {
	return plan.Mapping{Action: plan.UpsertContact, When: &filter}
}

// sampleEvents are bodies of events as SDKs send them: all six calls, from
// browsers, mobiles and servers.
func sampleEvents(b *testing.B) [][]byte {
	b.Helper()
	file, err := os.ReadFile("../segment/testdata/events.jsonl")
	require.NoError(b, err)
	var events [][]byte
	for line := range bytes.Lines(file) {
		require.NoError(b, jsonvalue.Members(line, func(key, value []byte) error {
			if string(key) == `"event"` {
				events = append(events, value)
			}
			return nil
		}))
	}
	require.NotEmpty(b, events)
	return events
}

// One event is one operation: from its bytes to the payloads. Its source has the
// mapping of each action with its default fields, and for the two that have one
// its default filter.
func BenchmarkEvent_ParseFilterMap(b *testing.B) {
	events := sampleEvents(b)
	size := 0
	for _, e := range events {
		size += len(e)
	}
	track := `type = "track"`
	table, source := compile(b,
		plan.Mapping{Action: plan.UpsertContact}, plan.Mapping{Action: plan.UpsertTransaction}, plan.Mapping{Action: plan.StartWorkflow, When: &track})
	run := func(name string, handle func(*jsonvalue.Object) error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size / len(events)))
			for i := 0; b.Loop(); i++ {
				event, err := jsonvalue.ParseObject(events[i%len(events)])
				if err == nil {
					err = handle(event)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("parse only", func(*jsonvalue.Object) error { return nil })
	run("three filters, the mappings that match", func(event *jsonvalue.Object) error {
		for _, m := range table.Route(source, event) {
			if _, err := m.Fields.Apply(event); err != nil {
				return err
			}
		}
		return nil
	})
	run("three filters, three mappings", func(event *jsonvalue.Object) error {
		for _, m := range table.Mappings(source) {
			if _, err := m.Filter.Match(event); err != nil {
				return err
			}
			_, _ = m.Fields.Apply(event) // a failure is a result: groups have no id to map
		}
		return nil
	})
}

const orderEvent = `{"type":"track","event":"Order 7 Completed","userId":"u-1","timestamp":"2025-05-06T07:08:09.123Z",
	"traits":{"email":"ann@example.com","phone":"+493012345","firstName":"Ann","lastName":"Lee"},
	"properties":{"plan":"plan-7","total":42.5,"currency":"EUR","products":[{"sku":"s1","price":1},{"sku":"s2","price":2.25}]}}`

// A parsed event meets a source with 1,000 mappings, of which 3 match and are run.
func BenchmarkRoute_1000Mappings(b *testing.B) {
	event, err := jsonvalue.ParseObject([]byte(orderEvent))
	require.NoError(b, err)
	for _, c := range []struct{ name, other, match string }{
		{"names", `type = "track" and event = "Order %d Started"`, `type = "track" and event = "Order 7 Completed"`},
		{"one of two names", `type = "track" and (event = "Order %d Started" or event = "Order %[1]d Paid")`, `event = "Order 7 Paid" or event = "Order 7 Completed"`},
		{"one name, by property", `type = "track" and event = "Order 7 Completed" and properties.plan = "plan-1%d"`, `type = "track" and event = "Order 7 Completed" and properties.plan = "plan-7"`},
		{"any name, by property", `type = "track" and properties.plan = "plan-1%d"`, `type = "track" and properties.plan = "plan-7"`},
		{"one name, by number", `event = "Order 7 Completed" and properties.total > %d000`, `event = "Order 7 Completed" and properties.total > 42`},
		{"parts of the name", `type = "track" and contains(event, "Order 1%d")`, `type = "track" and contains(event, "Order 7")`},
		{"property before name", `properties.plan != "plan-%d" and type = "track" and event = "Order %[1]d Started"`, `properties.plan = "plan-7" and type = "track" and event = "Order 7 Completed"`},
		{"name or property", `event = "Order %d Started" or properties.plan = "plan-1%[1]d"`, `event = "Order 7 Completed" or properties.plan = "plan-8"`},
		{"not this name", `event != "Order 7 Completed" and properties.n = %d`, `event != "Order 8 Completed"`},
	} {
		var mappings []plan.Mapping
		for i := range 1000 {
			when := fmt.Sprintf(c.other, i+1)
			if i%400 == 100 {
				when = c.match
			}
			mappings = append(mappings, contactWhen(when))
		}
		table, source := compile(b, mappings...)
		require.Len(b, table.Route(source, event), 3, c.name)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, m := range table.Route(source, event) {
					if _, err := m.Fields.Apply(event); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
