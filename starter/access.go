package starter

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segue-xm/segue/internal/id"
	"github.com/segue-xm/segue/internal/plan"
	"github.com/segue-xm/segue/internal/routing"
)

// Source is where events come from, as ingest needs it.
type Source struct {
	ID             id.ID
	Name           string
	WebhookSecrets []string
}

// Keys is where write keys, webhook secrets and workflow URLs are looked up.
type Keys interface {
	CurrentRevision(ctx context.Context) (int64, error)
	RevisionPlan(ctx context.Context, revision int64) (*plan.Plan, error)
	NameIDs(ctx context.Context) (map[[2]string]id.ID, error)
	WorkflowByToken(ctx context.Context, token string) (id.ID, error)
}

// Access knows who may send events. It is kept in memory and looks for a new
// revision once a second, and at once when it meets a key it does not know.
type Access struct {
	keys    Keys
	secrets func(ctx context.Context) (map[string]string, error)
	log     *slog.Logger

	current atomic.Pointer[table]
	mu      sync.Mutex
	looked  time.Time
}

// table is one revision's keys. Write keys are held by their hash, so that looking
// one up takes the same time whatever was guessed right.
type table struct {
	revision  int64
	writeKeys map[[32]byte]Source
	sources   map[string]Source
	workflows map[id.ID]Source
}

// NewAccess returns an access that follows the newest revision until ctx ends.
func NewAccess(ctx context.Context, keys Keys, secrets func(context.Context) (map[string]string, error), log *slog.Logger) (*Access, error) {
	a := &Access{keys: keys, secrets: secrets, log: log}
	if err := a.Refresh(ctx); err != nil {
		return nil, err
	}
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := a.Refresh(ctx); err != nil && ctx.Err() == nil {
					log.WarnContext(ctx, "keys could not be read, the known ones stay", "error", err)
				}
			}
		}
	}()
	return a, nil
}

// Refresh reads the newest revision if it is not known yet.
func (a *Access) Refresh(ctx context.Context) error {
	rev, err := a.keys.CurrentRevision(ctx)
	if err != nil {
		return err
	}
	if t := a.current.Load(); t != nil && t.revision == rev {
		return nil
	}
	t := &table{revision: rev, writeKeys: map[[32]byte]Source{}, sources: map[string]Source{}, workflows: map[id.ID]Source{}}
	if rev > 0 {
		if err := a.fill(ctx, t); err != nil {
			return err
		}
	}
	a.current.Store(t)
	return nil
}

func (a *Access) fill(ctx context.Context, t *table) error {
	p, err := a.keys.RevisionPlan(ctx, t.revision)
	if err != nil {
		return err
	}
	ids, err := a.keys.NameIDs(ctx)
	if err != nil {
		return err
	}
	secrets, err := a.secrets(ctx)
	if err != nil {
		return err
	}
	resolve := func(list []plan.Secret) []string {
		var out []string
		for _, s := range list {
			v, err := s.Resolve(func(name string) (string, bool) { v, ok := secrets[name]; return v, ok })
			if err != nil {
				a.log.WarnContext(ctx, "a secret of the plan has no value", "error", err)
				continue
			}
			if v != "" {
				out = append(out, v)
			}
		}
		return out
	}
	for _, src := range p.Sources {
		s := Source{ID: ids[[2]string{"source", src.Name}], Name: src.Name, WebhookSecrets: resolve(src.WebhookSecrets)}
		t.sources[s.Name], t.sources[s.ID.String()] = s, s
		for _, k := range resolve(src.WriteKeys) {
			t.writeKeys[sha256.Sum256([]byte(k))] = s
		}
	}
	for _, w := range p.Workflows {
		name := routing.URLSource(w.Name)
		t.workflows[ids[[2]string{"workflow", w.Name}]] = Source{ID: ids[[2]string{"source", name}], Name: name}
	}
	return nil
}

// again reads the newest revision because something was not known, but not more
// often than ten times a second, whatever is guessed.
func (a *Access) again(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := time.Now(); now.Sub(a.looked) > 100*time.Millisecond {
		a.looked = now
		_ = a.Refresh(ctx) // the periodic one will say
	}
}

// WriteKey is the source of a write key.
func (a *Access) WriteKey(ctx context.Context, key string) (Source, bool) {
	h := sha256.Sum256([]byte(key))
	s, ok := a.current.Load().writeKeys[h]
	if !ok {
		a.again(ctx)
		s, ok = a.current.Load().writeKeys[h]
	}
	return s, ok
}

// Source is a source by name or id.
func (a *Access) Source(ctx context.Context, nameOrID string) (Source, bool) {
	s, ok := a.current.Load().sources[nameOrID]
	if !ok {
		a.again(ctx)
		s, ok = a.current.Load().sources[nameOrID]
	}
	return s, ok
}

// WorkflowURL is the source that stands for the workflow whose URL holds a token.
func (a *Access) WorkflowURL(ctx context.Context, token string) (Source, bool) {
	w, err := a.keys.WorkflowByToken(ctx, token)
	if err != nil {
		return Source{}, false
	}
	s, ok := a.current.Load().workflows[w]
	if !ok {
		a.again(ctx)
		s, ok = a.current.Load().workflows[w]
	}
	return s, ok
}
