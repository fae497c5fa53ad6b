package ops

import (
	"context"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
)

// NameStore knows what the parts of plans are called.
type NameStore interface {
	// NameIDs are the ids by kind and name.
	NameIDs(ctx context.Context) (map[plan.Name]id.ID, error)
	// Names are the names of one kind.
	Names(ctx context.Context, kind plan.Kind) (map[id.ID]string, error)
	// NameID is the id of a name, or the id itself; NotFound when there is none.
	NameID(ctx context.Context, kind plan.Kind, nameOrID string) (id.ID, error)
}

// Names are the names of the plan's parts, and their ids.
type Names struct{ Store NameStore }

// names are the plan's names by id.
type names map[id.ID]string

func (n *Names) all(ctx context.Context) (names, error) {
	ids, err := n.Store.NameIDs(ctx)
	if err != nil {
		return nil, err
	}
	out := make(names, len(ids))
	for key, v := range ids {
		name := key.Name
		if key.Kind == plan.KindList { // stored as directory/list
			_, name, _ = strings.Cut(name, "/")
		}
		out[v] = name
	}
	return out, nil
}

// of is the name, or the id's text when nothing is called so any more.
func (n names) of(v id.ID) string {
	if name, ok := n[v]; ok {
		return name
	}
	return v.String()
}

// ids are the ids of one kind by name.
func (n *Names) ids(ctx context.Context, kind plan.Kind) (map[string]id.ID, error) {
	all, err := n.Store.Names(ctx, kind)
	out := make(map[string]id.ID, len(all))
	for v, name := range all {
		out[name] = v
	}
	return out, err
}

// filter resolves a name or id in a filter; empty is none.
func (n *Names) filter(ctx context.Context, kind plan.Kind, nameOrID string) (id.ID, error) {
	if nameOrID == "" {
		return 0, nil
	}
	v, err := n.Store.NameID(ctx, kind, nameOrID)
	if fault.KindOf(err) == fault.NotFound {
		return 0, fault.Field(string(kind), "there is no %s called %q", kind, nameOrID)
	}
	return v, err
}
