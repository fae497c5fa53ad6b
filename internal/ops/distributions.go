package ops

import (
	"context"
	"slices"
	"time"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/query"
)

// Distribution is one survey being sent, with its reminders: the standing one of a
// workflow's step, with the people of all its runs.
type Distribution struct {
	ID        id.ID              `json:"id"`
	Workflow  string             `json:"workflow,omitempty"` // its name
	Run       id.ID              `json:"run,omitempty"`      // of one that is a single run's
	Step      string             `json:"step"`
	Survey    string             `json:"survey"`
	Channel   string             `json:"channel"`
	Status    distribution.State `json:"status"`
	Counts    map[string]int     `json:"counts"` // invitations by status, and planned, sent, opened, started, finished (cumulative)
	CreatedAt time.Time          `json:"created_at"`
	EndedAt   *time.Time         `json:"ended_at,omitempty"`
}

// DistributionFilter selects distributions.
type DistributionFilter struct {
	Workflow string `json:"workflow,omitempty" query:"workflow" doc:"name or id of a workflow"`
	Survey   string `json:"survey,omitempty" query:"survey" doc:"name of a survey that it asks, or asked"`
	Run      string `json:"run,omitempty" query:"run" doc:"id of a run that has invitations in it"`
}

// DistributionStore reads distributions.
type DistributionStore interface {
	ListDistributions(ctx context.Context, f query.DistributionQuery, p query.Paging) ([]distribution.Distribution, id.ID, error)
	DistributionRow(ctx context.Context, v id.ID) (distribution.Distribution, error)
	DistributionCounts(ctx context.Context, distributions []id.ID) ([]query.CountRow, error)
}

// Distributions are what is asked about distributions.
type Distributions struct {
	Store DistributionStore
	Names *Names
}

// List lists distributions with their counts.
func (d *Distributions) List(ctx context.Context, f DistributionFilter, p Paging) (Page[Distribution], error) {
	var none Page[Distribution]
	at, err := p.paging()
	if err != nil {
		return none, err
	}
	q := query.DistributionQuery{Survey: f.Survey}
	if q.Run, err = filterID("run", f.Run); err != nil {
		return none, err
	}
	if q.Workflow, err = d.Names.filter(ctx, plan.KindWorkflow, f.Workflow); err != nil {
		return none, err
	}
	rows, next, err := d.Store.ListDistributions(ctx, q, at)
	if err != nil {
		return none, err
	}
	show, err := d.shower(ctx, rows)
	if err != nil {
		return none, err
	}
	return listPage(rows, next, show), nil
}

// Get is one distribution.
func (d *Distributions) Get(ctx context.Context, v id.ID) (Distribution, error) {
	row, err := d.Store.DistributionRow(ctx, v)
	if err != nil {
		return Distribution{}, missing(err, "distribution", v)
	}
	show, err := d.shower(ctx, []distribution.Distribution{row})
	if err != nil {
		return Distribution{}, err
	}
	return show(row), nil
}

func (d *Distributions) shower(ctx context.Context, rows []distribution.Distribution) (func(distribution.Distribution) Distribution, error) {
	n, err := d.Names.all(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]id.ID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	list, err := d.Store.DistributionCounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	counts := make(map[id.ID][]query.CountRow, len(rows))
	for _, c := range list {
		counts[c.Distribution] = append(counts[c.Distribution], c)
	}
	return func(r distribution.Distribution) Distribution { return showDistribution(n, r, counts[r.ID]) }, nil
}

func showDistribution(n names, r distribution.Distribution, counts []query.CountRow) Distribution {
	workflow := ""
	if r.Workflow != 0 {
		workflow = n.of(r.Workflow)
	}
	return Distribution{
		ID: r.ID, Workflow: workflow, Run: r.Run, Step: r.Step, Survey: r.Survey, Channel: r.Channel, Status: r.Status, Counts: showCounts(counts),
		CreatedAt: instant(r.CreatedAt), EndedAt: instantOrNil(r.EndedAt),
	}
}

// stages are the counts that only grow: how many ever got that far. What is
// called the same as a status counts these, not those that stand there now.
var stages = []string{"planned", "sent", "opened", "started", "finished"}

func showCounts(rows []query.CountRow) map[string]int {
	out := map[string]int{}
	for _, stage := range stages {
		out[stage] = 0
	}
	for _, r := range rows {
		if !slices.Contains(stages, r.Status) {
			out[r.Status] = r.N
		}
		out["planned"] += r.N
		out["sent"] += r.Sent
		out["opened"] += r.Opened
		out["started"] += r.Started
		out["finished"] += r.Finished
	}
	return out
}
