package client

import (
	"context"
	"net/http"
	"strconv"

	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/doors/api"
)

// Export is the plan in force as YAML, with its revision.
func (c *Client) Export(ctx context.Context) (yaml []byte, revision int64, err error) {
	yaml, header, err := c.do(ctx, http.MethodGet, "/plan", nil)
	if err != nil {
		return nil, 0, err
	}
	revision, err = strconv.ParseInt(header.Get("Segue-Revision"), 10, 64)
	return yaml, revision, err
}

// Validate has the server judge a plan; nil when nothing is wrong.
func (c *Client) Validate(ctx context.Context, in api.PlanInput) error {
	_, err := post[api.PlanVerdict](ctx, c, "/plan/validate", in)
	return err
}

// Diff says what applying a plan would change.
func (c *Client) Diff(ctx context.Context, in api.PlanInput) (api.PlanChanges, error) {
	return c.changes(ctx, "/plan/diff", in)
}

// Apply puts a plan in force.
func (c *Client) Apply(ctx context.Context, in api.PlanInput) (api.PlanChanges, error) {
	return c.changes(ctx, "/plan/apply", in)
}

// value is a JSON value that keeps the order of keys.
type value struct{ v any }

// UnmarshalJSON reads any JSON.
func (v *value) UnmarshalJSON(b []byte) (err error) {
	v.v, err = jsonvalue.Parse(b)
	return err
}

func (c *Client) changes(ctx context.Context, path string, in api.PlanInput) (out api.PlanChanges, err error) {
	answer, err := post[struct {
		Revision int64 `json:"revision"`
		Changes  []struct {
			plan.Change
			Fields []struct {
				plan.FieldChange
				Before value `json:"before"`
				After  value `json:"after"`
			} `json:"fields"`
		} `json:"changes"`
	}](ctx, c, path, in)
	if err != nil {
		return out, err
	}
	out.Revision, out.Changes = answer.Revision, make(plan.Changes, len(answer.Changes))
	for i, part := range answer.Changes {
		for _, f := range part.Fields {
			f.FieldChange.Before, f.FieldChange.After = f.Before.v, f.After.v
			part.Change.Fields = append(part.Change.Fields, f.FieldChange)
		}
		out.Changes[i] = part.Change
	}
	return out, nil
}

// Why explains an event. Clauses hold an fql.Verdict, nil where there is no
// filter, and Fields a []mapping.FieldTrace, nil where the event did not match.
func (c *Client) Why(ctx context.Context, event id.ID) (api.Why, error) {
	answer, err := get[struct {
		api.Why
		Mappings []struct {
			api.MappingWhy
			Clauses *fql.Verdict `json:"clauses"`
			Fields  []struct {
				mapping.FieldTrace
				Raw    value `json:"raw"`
				Result value `json:"result"`
			} `json:"fields"`
		} `json:"mappings"`
	}](ctx, c, "/events/"+event.String()+"/why")
	why := answer.Why
	why.Mappings = []api.MappingWhy{}
	for _, m := range answer.Mappings {
		if m.Clauses != nil {
			m.MappingWhy.Clauses = *m.Clauses
		}
		if m.Fields != nil {
			traces := make([]mapping.FieldTrace, len(m.Fields))
			for i, f := range m.Fields {
				f.FieldTrace.Raw, f.FieldTrace.Result = f.Raw.v, f.Result.v
				traces[i] = f.FieldTrace
			}
			m.MappingWhy.Fields = traces
		}
		why.Mappings = append(why.Mappings, m.MappingWhy)
	}
	return why, err
}
