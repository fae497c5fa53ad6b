package ops

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Workflow is one workflow of the plan in force.
type Workflow struct {
	ID      id.ID  `json:"id"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	Version int64  `json:"version"` // the one that new runs get
	// URLs start the workflow with whatever JSON is posted to them: as secret as a
	// write key.
	URLs       []string   `json:"urls"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty"` // of its URLs
}

// WorkflowList is the answer about workflows: all of them, in plan order.
type WorkflowList struct {
	Workflows []Workflow `json:"workflows"`
}

// WorkflowStore knows versions of workflows and the use of their URLs.
type WorkflowStore interface {
	VersionOf(ctx context.Context, workflow id.ID, w plan.Workflow) (int64, error)
	WorkflowURLUsed(ctx context.Context, workflow id.ID) (time.Time, error)
}

// Workflows are what is asked about workflows.
type Workflows struct {
	Store WorkflowStore
	Names *Names
	Plans InForce
	// Tokens gives the tokens in a workflow's URLs, newest first; nil when they are
	// not to be had, and then no URL is told.
	Tokens    func(ctx context.Context, workflow id.ID) ([]string, error)
	PublicURL string // base of the URLs
}

// List lists the workflows of the plan in force with the URLs that start
// them, to be copied to where events come from.
func (o *Workflows) List(ctx context.Context) (WorkflowList, error) {
	out := WorkflowList{Workflows: []Workflow{}}
	_, p, err := o.Plans.Current(ctx)
	if err != nil {
		return out, err
	}
	ids, err := o.Names.ids(ctx, plan.KindWorkflow)
	if err != nil {
		return out, err
	}
	for _, def := range p.Workflows {
		w := Workflow{ID: ids[def.Name], Name: def.Name, Enabled: def.IsEnabled(), URLs: []string{}}
		if w.Version, err = o.Store.VersionOf(ctx, w.ID, def); err != nil {
			return out, err
		}
		used, err := o.Store.WorkflowURLUsed(ctx, w.ID)
		if err != nil {
			return out, err
		}
		if !used.IsZero() {
			w.LastUsedAt = &used
		}
		if o.Tokens != nil {
			tokens, err := o.Tokens(ctx, w.ID)
			if err != nil {
				return out, err
			}
			for _, t := range tokens {
				w.URLs = append(w.URLs, o.PublicURL+"/v1/workflows/"+t)
			}
		}
		out.Workflows = append(out.Workflows, w)
	}
	return out, nil
}
