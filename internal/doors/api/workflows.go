package api

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

// Workflows lists the workflows of the plan in force with the URLs that start
// them, to be copied to where events come from.
func (s *Service) Workflows(ctx context.Context) (WorkflowList, error) {
	out := WorkflowList{Workflows: []Workflow{}}
	_, p, err := s.current(ctx)
	if err != nil {
		return out, err
	}
	ids, err := s.Store.NameIDs(ctx)
	if err != nil {
		return out, err
	}
	for _, def := range p.Workflows {
		w := Workflow{ID: ids[plan.Name{Kind: plan.KindWorkflow, Name: def.Name}], Name: def.Name, Enabled: def.IsEnabled(), URLs: []string{}}
		if w.Version, err = s.Store.VersionOf(ctx, w.ID, def); err != nil {
			return out, err
		}
		used, err := s.Store.WorkflowURLUsed(ctx, w.ID)
		if err != nil {
			return out, err
		}
		if !used.IsZero() {
			w.LastUsedAt = &used
		}
		if s.WorkflowTokens != nil {
			tokens, err := s.WorkflowTokens(ctx, w.ID)
			if err != nil {
				return out, err
			}
			for _, t := range tokens {
				w.URLs = append(w.URLs, s.PublicURL+"/v1/workflows/"+t)
			}
		}
		out.Workflows = append(out.Workflows, w)
	}
	return out, nil
}
