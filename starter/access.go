package starter

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
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
	NameIDs(ctx context.Context) (map[plan.Name]id.ID, error)
	// WorkflowURLs are workflows by the SHA-256 of the token in their URL.
	WorkflowURLs(ctx context.Context) (map[[32]byte]id.ID, error)
}

// Access knows who may send events. It is kept in memory and looks for a new
// revision once a second, and at once when it meets a key it does not know.
type Access struct {
	keys    Keys
	secrets func(ctx context.Context) (map[string]string, error)
	log     *slog.Logger

	current atomic.Pointer[table]
	looking chan struct{} // holds one token: who has it may look and use what follows
	looked  time.Time     // when the last look because of an unknown key began
	failed  error         // how it ended
}

const (
	// lookEvery is how often unknown keys make the database be asked at most.
	lookEvery = 100 * time.Millisecond
	// lookTimeout bounds one look, so that a database that hangs is noticed.
	lookTimeout = 3 * time.Second
)

// table is one revision's keys. What is secret is held by its hash, so that
// looking it up takes the same time whatever was guessed right.
type table struct {
	revision  int64
	writeKeys map[[32]byte]Source
	sources   map[string]Source
	workflows map[[32]byte]Source
}

// NewAccess returns an access that follows the newest revision until ctx ends.
func NewAccess(ctx context.Context, keys Keys, secrets func(context.Context) (map[string]string, error), log *slog.Logger) (*Access, error) {
	a := &Access{keys: keys, secrets: secrets, log: log, looking: make(chan struct{}, 1)}
	a.looking <- struct{}{}
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
				if err := a.refreshInTime(ctx); err != nil && ctx.Err() == nil {
					log.WarnContext(ctx, "keys could not be read, the known ones stay", "error", err)
				}
			}
		}
	}()
	return a, nil
}

func (a *Access) refreshInTime(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return a.Refresh(ctx)
}

// Refresh reads the newest revision if it is not known yet. Safe for concurrent
// use; an older revision never replaces a newer one.
func (a *Access) Refresh(ctx context.Context) error {
	rev, err := a.keys.CurrentRevision(ctx)
	if err != nil {
		return err
	}
	if t := a.current.Load(); t != nil && t.revision == rev {
		return nil
	}
	t := &table{revision: rev, writeKeys: map[[32]byte]Source{}, sources: map[string]Source{}, workflows: map[[32]byte]Source{}}
	if rev > 0 {
		if err := a.fill(ctx, t); err != nil {
			return err
		}
	}
	for {
		known := a.current.Load()
		if known != nil && known.revision > rev || a.current.CompareAndSwap(known, t) {
			return nil
		}
	}
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
	urls, err := a.keys.WorkflowURLs(ctx)
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
			v, err := s.Resolve(plan.Lookup(secrets))
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
		s := Source{ID: ids[plan.Name{Kind: plan.KindSource, Name: src.Name}], Name: src.Name, WebhookSecrets: resolve(src.WebhookSecrets)}
		t.sources[s.Name], t.sources[s.ID.String()] = s, s
		for _, k := range resolve(src.WriteKeys) {
			t.writeKeys[sha256.Sum256([]byte(k))] = s
		}
	}
	workflows := make(map[id.ID]Source, len(p.Workflows))
	for _, w := range p.Workflows {
		name := routing.URLSource(w.Name)
		workflows[ids[plan.Name{Kind: plan.KindWorkflow, Name: w.Name}]] = Source{ID: ids[plan.Name{Kind: plan.KindSource, Name: name}], Name: name}
	}
	for token, w := range urls {
		if s, ok := workflows[w]; ok {
			t.workflows[token] = s
		}
	}
	return nil
}

// again makes sure that the newest revision was looked for after it was called.
// Many that meet unknown keys share one look, and looks keep a distance: whoever
// guesses waits, and the database is not asked more often. An error says that it
// is not known what the keys are.
func (a *Access) again(ctx context.Context) error {
	came := time.Now()
	select {
	case <-a.looking:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { a.looking <- struct{}{} }()
	if a.looked.After(came) {
		return a.failed
	}
	if wait := lookEvery - time.Since(a.looked); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	a.looked = time.Now()
	a.failed = nil
	// Others wait for this look, so that it does not end with this request.
	if err := a.refreshInTime(context.WithoutCancel(ctx)); err != nil {
		a.log.WarnContext(ctx, "keys could not be read, an unknown one is told to come back", "error", err)
		a.failed = later("the database does not answer, so that the key could not be looked up")
	}
	return a.failed
}

// find looks something up, in the newest revision when it is not known.
func (a *Access) find(ctx context.Context, in func(t *table) (Source, bool)) (Source, bool, error) {
	if s, ok := in(a.current.Load()); ok {
		return s, true, nil
	}
	if err := a.again(ctx); err != nil {
		return Source{}, false, err
	}
	s, ok := in(a.current.Load())
	return s, ok, nil
}

// WriteKey is the source of a write key. An error is Unavailable: the key is not
// known, but there may be newer ones.
func (a *Access) WriteKey(ctx context.Context, key string) (Source, bool, error) {
	h := sha256.Sum256([]byte(key))
	return a.find(ctx, func(t *table) (Source, bool) { s, ok := t.writeKeys[h]; return s, ok })
}

// Source is a source by name or id. Errors are as for WriteKey.
func (a *Access) Source(ctx context.Context, nameOrID string) (Source, bool, error) {
	return a.find(ctx, func(t *table) (Source, bool) { s, ok := t.sources[nameOrID]; return s, ok })
}

// WorkflowURL is the source that stands for the workflow whose URL holds the token
// with this SHA-256. Errors are as for WriteKey.
func (a *Access) WorkflowURL(ctx context.Context, token [32]byte) (Source, bool, error) {
	return a.find(ctx, func(t *table) (Source, bool) { s, ok := t.workflows[token]; return s, ok })
}
