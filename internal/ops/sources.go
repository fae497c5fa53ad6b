package ops

import (
	"context"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Source is one source of the plan in force.
type Source struct {
	ID   id.ID  `json:"id"`
	Name string `json:"name"`
	// WriteKeys are its write keys as senders use them; those whose secret is not
	// known are left out.
	WriteKeys []string `json:"write_keys"`
}

// SourceList is the answer about sources: all of them, in plan order.
type SourceList struct {
	Sources []Source `json:"sources"`
}

// Sources are what is asked about sources.
type Sources struct {
	Names *Names
	Plans InForce
	// Secrets gives the values of the plan's references; nil when they are not to
	// be had, and then no write key is told.
	Secrets func(ctx context.Context) (map[string]string, error)
}

// List lists the sources of the plan in force with their write keys, for who
// may send as any of them.
func (o *Sources) List(ctx context.Context) (SourceList, error) {
	out := SourceList{Sources: []Source{}}
	_, p, err := o.Plans.Current(ctx)
	if err != nil {
		return out, err
	}
	ids, err := o.Names.ids(ctx, plan.KindSource)
	if err != nil {
		return out, err
	}
	secrets := map[string]string{}
	if o.Secrets != nil {
		if secrets, err = o.Secrets(ctx); err != nil {
			return out, err
		}
	}
	for _, def := range p.Sources {
		src := Source{ID: ids[def.Name], Name: def.Name, WriteKeys: []string{}}
		for _, key := range def.WriteKeys {
			v, err := key.Resolve(plan.Lookup(secrets))
			if err == nil && v != "" {
				src.WriteKeys = append(src.WriteKeys, v)
			}
		}
		out.Sources = append(out.Sources, src)
	}
	return out, nil
}
