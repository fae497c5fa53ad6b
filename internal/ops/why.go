package ops

import (
	"context"
	"slices"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/core/segment"
)

// Why explains one event: what every mapping of its source made of it, by the
// event's own revision and through the code that processed it.
type Why struct {
	Event    Event             `json:"event"`
	Body     *jsonvalue.Object `json:"body" null:"true"`
	Raw      string            `json:"raw"` // the stored text
	Mappings []MappingWhy      `json:"mappings"`
	Changes  []Change          `json:"changes,omitempty"` // what it changed on contacts
	Runs     []Run             `json:"runs,omitempty"`
	// TemporalURL lists the executions that handled the event in the Temporal UI.
	TemporalURL string `json:"temporal_url,omitempty"`
}

// MappingWhy is one mapping's verdict on one event.
type MappingWhy struct {
	Mapping     string               `json:"mapping"`
	Destination string               `json:"destination"`
	Action      string               `json:"action"`
	Matched     bool                 `json:"matched"`
	Off         string               `json:"off,omitempty"`       // why it was not even asked: switched off, integrations …
	Filter      string               `json:"filter"`              // FQL text
	Clauses     *fql.Verdict         `json:"clauses" null:"true"` // null without a filter
	Fields      []mapping.FieldTrace `json:"fields,omitzero"`     // missing when it did not match
	Delivery    *Delivery            `json:"delivery,omitempty"`
	Error       string               `json:"error,omitempty"`
}

// Revisions gives plans by revision, compiled.
type Revisions interface {
	Revision(ctx context.Context, revision int64) (*routing.Table, error)
}

// Why explains an event: every mapping of its source is asked again, with the
// event's own revision and the code that processed it.
func (e *Events) Why(ctx context.Context, event id.ID) (Why, error) {
	row, err := e.Store.EventRow(ctx, event)
	if err != nil {
		return Why{}, missing(err, "event", event)
	}
	why := Why{Mappings: []MappingWhy{}, TemporalURL: e.Temporal.events(event)}
	if why.Event, err = e.Get(ctx, event); err != nil {
		return Why{}, err
	}
	raw, err := e.Store.EventBody(ctx, event)
	if err != nil {
		return Why{}, missing(err, "event", event)
	}
	why.Raw = string(raw)
	if body, err := jsonvalue.ParseObject(raw); err == nil {
		why.Body = body
	}
	if why.Event.Status == segment.Invalid {
		return why, nil // no mapping was asked
	}
	mappings, err := e.mappings(ctx, row.Revision, row.Source)
	if err != nil {
		return Why{}, err
	}
	body := why.Body
	if body == nil {
		body = jsonvalue.NewObject(0) // as it was processed: a workflow's URL takes any JSON
	}
	work := mapping.NewWork()
	for _, m := range mappings {
		why.Mappings = append(why.Mappings, judge(m, body, why.Event.Deliveries, work))
	}
	why.Mappings = append(why.Mappings, others(why.Event.Deliveries, mappings)...)
	return why, e.consequences(ctx, &why)
}

// mappings are what a revision has for a source. An event can be older than the
// first plan.
func (e *Events) mappings(ctx context.Context, revision int64, source id.ID) ([]*routing.Mapping, error) {
	if revision == 0 {
		return nil, nil
	}
	table, err := e.Revisions.Revision(ctx, revision)
	if err != nil {
		return nil, err
	}
	return table.Mappings(source), nil
}

// judge is one mapping's verdict.
func judge(m *routing.Mapping, body *jsonvalue.Object, deliveries []Delivery, work *mapping.Work) MappingWhy {
	w := MappingWhy{Mapping: m.Name, Action: m.Def.Action, Off: m.Off(body), Matched: true}
	if m.Destination != nil {
		w.Destination = m.Destination.Def.Name
	}
	if i := slices.IndexFunc(deliveries, func(d Delivery) bool { return d.Mapping == m.Name }); i >= 0 {
		w.Delivery = &deliveries[i]
	}
	if m.Filter != nil {
		w.Filter = m.Filter.Text()
		verdict := m.Filter.Explain(body)
		w.Clauses, w.Matched = &verdict, verdict.Outcome == fql.True
		if verdict.Outcome == fql.Failed {
			w.Error = verdict.Reason
		}
	}
	if w.Off != "" {
		w.Matched = false
	}
	if w.Matched && m.Fields != nil {
		w.Fields = m.Fields.Explain(body)
		if _, err := m.Fields.ApplyWithin(body, work); err != nil {
			w.Error = fault.Public(err)
		}
	}
	return w
}

// others are the deliveries of mappings that the event's revision does not have:
// it was processed again with a later plan.
func others(deliveries []Delivery, mappings []*routing.Mapping) (out []MappingWhy) {
	for i, d := range deliveries {
		if !slices.ContainsFunc(mappings, func(m *routing.Mapping) bool { return m.Name == d.Mapping }) {
			out = append(out, MappingWhy{Mapping: d.Mapping, Destination: d.Destination, Action: d.Action, Matched: true, Delivery: &deliveries[i]})
		}
	}
	return out
}

// consequences adds what the event changed and started.
func (e *Events) consequences(ctx context.Context, why *Why) error {
	var contacts []id.ID
	for _, d := range why.Event.Deliveries {
		if d.Contact != 0 && !slices.Contains(contacts, d.Contact) {
			contacts = append(contacts, d.Contact)
		}
	}
	changes, err := e.Store.ChangeRows(ctx, why.Event.ID, contacts)
	if err != nil {
		return err
	}
	for _, c := range changes {
		why.Changes = append(why.Changes, showChange(c))
	}
	runs, err := e.Runs.List(ctx, RunFilter{Event: why.Event.Key}, Paging{})
	why.Runs = runs.Items
	return err
}
