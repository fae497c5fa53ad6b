package activities_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/run"
)

// A mapping, a filter or a path that would hold a worker is a rejected delivery with
// its reason; the event's other mappings and the batch's other events are done.
func TestProcessing_HostilePlanOrEvent_IsRejectedAloneAndSaysWhy(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		p := h.plan()
		add := func(name, action, when, fields string) {
			v, err := jsonvalue.ParseObject([]byte(fields))
			require.NoError(t, err)
			m := plan.Mapping{Name: name, Source: "web", Destination: "xm", Action: action, When: &when, Fields: v}
			if action == plan.StartWorkflow {
				m.Workflow = "wide"
			}
			p.Mappings = append(p.Mappings, m)
		}
		many := strings.TrimSuffix(strings.Repeat(`{"@template":"{{traits.long}}{{traits.long}}"},`, 2000), ",")
		add("growing", plan.UpsertContact, `type = "identify"`, `{"embeddedData":{"x":[`+many+`]}}`)
		add("rounds", plan.UpsertContact, `type = "identify"`, `{"firstName":{"@liquid":"{% assign a = traits.long %}`+strings.Repeat(`{% assign a = a | append: a %}`, 25)+`"}}`)
		long := `$.traits.list[?(@.n == 2` + strings.Repeat(` || @.n == 3`, 70) + `)].n`
		p.Workflows = append(p.Workflows, plan.Workflow{Name: "wide", Fields: []plan.Field{{Name: "n", Path: long, Type: plan.Number, Required: true}}, Steps: p.Workflows[0].Steps})
		add("paths", plan.StartWorkflow, `type = "identify"`, `{}`)
		for i := range 30 {
			add(fmt.Sprintf("filter%02d", i), plan.UpsertContact, strings.Repeat(`traits.long.length = 1 or `, 600)+`traits.long.length = 2`, `{}`)
		}
		h.save(p)

		heavy := `{"type":"identify","userId":"heavy","traits":{"email":"heavy@example.com","long":"` + strings.Repeat("x", 25_000) +
			`","list":[` + strings.TrimSuffix(strings.Repeat(`{"n":1},`, 30_000), ",") + `]}}`
		events := h.process(heavy, identify("ada"), order("ada", 7))

		names := map[id.ID]string{}
		for _, m := range p.Mappings {
			names[h.named(plan.KindMapping, m.Name)] = m.Name
		}
		reasons := map[string]string{}
		for _, d := range h.deliveries(events[0]) {
			if d.Status == delivery.Rejected {
				reasons[names[d.Mapping]] = d.Reason
			} else {
				require.Equal(t, delivery.Done, d.Status, names[d.Mapping])
			}
		}
		require.Contains(t, reasons["growing"], "embeddedData")
		require.Contains(t, reasons["growing"], "8388608 steps")
		require.Contains(t, reasons["rounds"], "firstName")
		require.Contains(t, reasons["filter29"], "filter: too much work")
		for _, made := range h.listRuns() {
			if made.Event == events[0] {
				require.Equal(t, run.NotStarted, made.Status)
				require.Contains(t, made.Reason, "required field n: the path takes more steps than are left of 10000000")
			}
		}
		require.NotContains(t, reasons, "people", "the mapping that does nothing unusual is done")
		for _, event := range events[1:] {
			for _, d := range h.deliveries(event) {
				if name := names[d.Mapping]; name == "people" || name == "orders" {
					require.Equal(t, delivery.Done, d.Status, d.Reason)
				}
			}
		}
		waiting, err := h.Waiting(t.Context(), events)
		require.NoError(t, err)
		require.Empty(t, waiting, "nothing is tried again")
	})
}
