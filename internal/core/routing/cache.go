package routing

import (
	"context"
	"slices"
	"sync"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Plans is where revisions come from.
type Plans interface {
	CurrentRevision(ctx context.Context) (int64, error)
	RevisionPlan(ctx context.Context, revision int64) (*plan.Plan, error)
	NameIDs(ctx context.Context) (map[plan.Name]id.ID, error)
}

// keep is how many compiled revisions stay in memory: those used last, so that old
// ones that an explanation or a replay asks for come and go.
const keep = 8

// Cache compiles revisions when they are first asked for. Safe for concurrent use.
type Cache struct {
	plans Plans

	mu     sync.Mutex
	tables []*Table // the one used last at the end
}

// NewCache returns an empty cache.
func NewCache(plans Plans) *Cache { return &Cache{plans: plans} }

// Revision is a revision's table.
func (c *Cache) Revision(ctx context.Context, revision int64) (*Table, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.tables, func(t *Table) bool { return t.Revision == revision }); i >= 0 {
		t := c.tables[i]
		c.tables = append(slices.Delete(c.tables, i, i+1), t)
		return t, nil
	}
	p := &plan.Plan{} // revision 0: before there was any plan
	if revision > 0 {
		var err error
		if p, err = c.plans.RevisionPlan(ctx, revision); err != nil {
			return nil, err
		}
	}
	ids, err := c.plans.NameIDs(ctx)
	if err != nil {
		return nil, err
	}
	t, err := Compile(revision, p, func(kind plan.Kind, name string) id.ID { return ids[plan.Name{Kind: kind, Name: name}] })
	if err != nil {
		return nil, err
	}
	if len(c.tables) == keep {
		c.tables = slices.Delete(c.tables, 0, 1)
	}
	c.tables = append(c.tables, t)
	return t, nil
}

// Current is the newest revision's table: what is live (switches, rates, merge
// and frequency rules) is read from it.
func (c *Cache) Current(ctx context.Context) (*Table, error) {
	rev, err := c.plans.CurrentRevision(ctx)
	if err != nil {
		return nil, err
	}
	return c.Revision(ctx, rev)
}
