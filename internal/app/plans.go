package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"sync"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/seal"
	"github.com/segue-xm/segue/internal/data/store"
)

// plans keeps plans and opens their secrets.
type plans struct {
	store  *store.Store
	sealer *seal.Sealer
	cache  *routing.Cache
	saved  func(ctx context.Context) // called after a revision was made

	mu       sync.Mutex
	secrets  map[string]string
	revision int64 // that secrets belong to
}

// Current is the plan in force; revision 0 and an empty plan when there is none.
func (p *plans) Current(ctx context.Context) (int64, *plan.Plan, error) {
	rev, err := p.store.CurrentRevision(ctx)
	if err != nil || rev == 0 {
		return 0, &plan.Plan{Version: 1}, err
	}
	current, err := p.store.RevisionPlan(ctx, rev)
	return rev, current, err
}

// Apply puts a plan in force, all of it or nothing.
func (p *plans) Apply(ctx context.Context, next *plan.Plan, secrets map[string]string, author string) (int64, error) {
	literals := next.ExtractLiterals()
	for name, value := range secrets {
		literals[name] = value
	}
	if err := beyond(next); err != nil {
		return 0, err
	}
	rev, err := p.store.SavePlan(ctx, p.sealer, next, literals, author)
	if err == nil && p.saved != nil {
		p.saved(ctx)
	}
	return rev, err
}

// beyond names what a plan may say and this version cannot do: accepted in silence
// it would be taken for done.
func beyond(p *plan.Plan) error {
	for _, s := range p.Sources {
		if s.Deletes == "erase" {
			return fault.Field("sources."+s.Name+".deletes", "this version cannot erase people yet: leave it out, delete events are kept")
		}
	}
	return nil
}

// Secrets gives the values of the plan's references, read anew with each revision.
func (p *plans) Secrets(ctx context.Context) (map[string]string, error) {
	rev, err := p.store.CurrentRevision(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.secrets == nil || p.revision != rev {
		s, err := p.store.Secrets(ctx, p.sealer)
		if err != nil {
			return nil, err
		}
		p.secrets, p.revision = s, rev
	}
	return p.secrets, nil
}

// WorkflowTokens are the tokens in a workflow's URLs, newest first.
func (p *plans) WorkflowTokens(ctx context.Context, workflow id.ID) ([]string, error) {
	return p.store.WorkflowTokens(ctx, p.sealer, workflow)
}

// lastApplied is the setting that remembers the plan file last applied, so that a
// restart does not undo edits made since.
const lastApplied = "plan_file"

// applyFile applies a plan file when it differs from what was last applied.
func (p *plans) applyFile(ctx context.Context, file string, checks plan.Checks) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "plan")
	}
	// Only the text's hash is kept: the text may hold secrets.
	sum := sha256.Sum256(text)
	hash := hex.EncodeToString(sum[:])
	before, err := p.store.Setting(ctx, lastApplied)
	if err != nil || before == hash {
		return err
	}
	if err := p.applyText(ctx, filepath.Base(file), text, os.LookupEnv, checks); err != nil {
		return err
	}
	return p.store.SetSetting(ctx, lastApplied, hash)
}

func (p *plans) applyText(ctx context.Context, name string, text []byte, lookup func(string) (string, bool), checks plan.Checks) error {
	doc, problems := plan.Parse(name, text)
	if doc == nil {
		return problems.Err()
	}
	problems = append(problems, doc.Expand(lookup)...)
	if problems = append(problems, doc.Validate(checks)...); len(problems) > 0 {
		return problems.Err()
	}
	secrets := map[string]string{}
	for _, ref := range doc.Plan.Refs() {
		v, ok := lookup(ref)
		if !ok {
			return fault.New(fault.Invalid, "%s: ${%s} is not in the environment", name, ref)
		}
		secrets[ref] = v
	}
	_, err := p.Apply(ctx, doc.Plan, secrets, "plan file "+name)
	return err
}
