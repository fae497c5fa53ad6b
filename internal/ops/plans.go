package ops

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"path/filepath"
	"sync"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/store"
)

// PlanInput is a plan to judge, compare or apply.
type PlanInput struct {
	File string `json:"file"` // for messages only
	Plan string `json:"plan"` // YAML
	// Secrets are the values of the ${NAME} in the plan. Those of secrets may be
	// left out when they were given before.
	Secrets map[string]string `json:"secrets,omitempty"`
}

// NewPlanInput is a plan as it was written, with the values of those of its ${NAME}
// that lookup knows.
func NewPlanInput(file string, text []byte, lookup func(string) (string, bool)) PlanInput {
	in := PlanInput{File: file, Plan: string(text), Secrets: map[string]string{}}
	doc, _ := plan.Parse(file, text) // what is wrong with it, Judge says
	if doc == nil {
		return in
	}
	for _, name := range doc.Plan.Refs() {
		if v, ok := lookup(name); ok {
			in.Secrets[name] = v
		}
	}
	return in
}

// PlanChanges is what applying a plan changes, or changed.
type PlanChanges struct {
	Revision int64        `json:"revision"` // in force: before, for a comparison; after, once applied
	Changes  plan.Changes `json:"changes"`
}

// PlanStore keeps plans: one revision for each that was applied.
type PlanStore interface {
	CurrentRevision(ctx context.Context) (int64, error)
	RevisionPlan(ctx context.Context, revision int64) (*plan.Plan, error)
	// SavePlan puts a plan in force, all of it or nothing. One that changes nothing
	// makes no revision.
	SavePlan(ctx context.Context, s store.Sealer, p *plan.Plan, secrets map[string]string, author string) (revision int64, err error)
	Secrets(ctx context.Context, s store.Sealer) (map[string]string, error)
	SecretNames(ctx context.Context) (map[string]bool, error)
	WorkflowTokens(ctx context.Context, s store.Sealer, workflow id.ID) ([]string, error)
	Setting(ctx context.Context, name string) (string, error)
	SetSetting(ctx context.Context, name, value string) error
}

// Plans keeps plans and opens their secrets.
type Plans struct {
	Store  PlanStore
	Sealer store.Sealer
	Checks plan.Checks               // judge the texts in a plan that other packages know
	Saved  func(ctx context.Context) // called after a plan was put in force; may be nil

	mu       sync.Mutex
	secrets  map[string]string
	revision int64 // that secrets belong to
}

// Current is the plan in force; revision 0 and an empty plan when none was applied
// yet.
func (o *Plans) Current(ctx context.Context) (int64, *plan.Plan, error) {
	revision, err := o.Store.CurrentRevision(ctx)
	if err != nil || revision == 0 {
		return 0, &plan.Plan{Version: 1}, err
	}
	current, err := o.Store.RevisionPlan(ctx, revision)
	return revision, current, err
}

// Export is the plan in force as YAML, its secrets as references.
func (o *Plans) Export(ctx context.Context) (yaml []byte, revision int64, err error) {
	revision, p, err := o.Current(ctx)
	if err != nil {
		return nil, 0, err
	}
	return plan.Export(p), revision, nil
}

// Judge reads and judges a plan; nothing changes. All problems come at once, in a
// *PlanProblems. The secrets returned are those the plan needs and the input
// gave, literals among them, which the plan then refers to by name.
func (o *Plans) Judge(ctx context.Context, in PlanInput) (*plan.Plan, map[string]string, error) {
	if in.File == "" {
		in.File = "plan.yaml"
	}
	v := Judge(in.File, []byte(in.Plan), plan.Lookup(in.Secrets), o.Checks)
	if len(v.Unset) > 0 {
		known, err := o.Store.SecretNames(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, name := range v.Unset {
			if !known[name] {
				v.Problems = append(v.Problems, v.unset(name))
			}
		}
		byLine(v.Problems)
	}
	if len(v.Problems) > 0 {
		return nil, nil, &PlanProblems{v.Problems}
	}
	secrets := map[string]string{}
	for _, name := range v.Plan.SecretRefs() {
		if value, ok := in.Secrets[name]; ok {
			secrets[name] = value
		}
	}
	maps.Copy(secrets, v.Plan.ExtractLiterals())
	return v.Plan, secrets, nil
}

// PlanVerdict is the answer about a plan without problems.
type PlanVerdict struct {
	Valid bool `json:"valid"`
}

// Validate is Judge for those who only want to know whether a plan is valid.
func (o *Plans) Validate(ctx context.Context, in PlanInput) (PlanVerdict, error) {
	_, _, err := o.Judge(ctx, in)
	return PlanVerdict{Valid: err == nil}, err
}

// Diff says what applying a plan would change.
func (o *Plans) Diff(ctx context.Context, in PlanInput) (PlanChanges, error) {
	p, _, err := o.Judge(ctx, in)
	if err != nil {
		return PlanChanges{}, err
	}
	return o.compare(ctx, p)
}

func (o *Plans) compare(ctx context.Context, p *plan.Plan) (PlanChanges, error) {
	revision, before, err := o.Current(ctx)
	if err != nil {
		return PlanChanges{}, err
	}
	changes := plan.Compare(before, p)
	if changes == nil {
		changes = plan.Changes{}
	}
	return PlanChanges{Revision: revision, Changes: changes}, nil
}

// Apply puts a plan in force, all of it or nothing, and says what that changed.
// A second time it changes nothing.
func (o *Plans) Apply(ctx context.Context, in PlanInput, author string) (PlanChanges, error) {
	p, secrets, err := o.Judge(ctx, in)
	if err != nil {
		return PlanChanges{}, err
	}
	out, err := o.compare(ctx, p)
	if err != nil {
		return PlanChanges{}, err
	}
	if err := o.dropKnown(ctx, secrets); err != nil {
		return PlanChanges{}, err
	}
	out.Revision, err = o.Store.SavePlan(ctx, o.Sealer, p, secrets, author)
	if err == nil && o.Saved != nil {
		o.Saved(ctx)
	}
	return out, err
}

// dropKnown takes out the secrets that are kept with the same value: giving them
// again is no change.
func (o *Plans) dropKnown(ctx context.Context, secrets map[string]string) error {
	if len(secrets) == 0 {
		return nil
	}
	kept, err := o.Secrets(ctx)
	if err != nil {
		return err
	}
	maps.DeleteFunc(secrets, func(name, value string) bool {
		v, ok := kept[name]
		return ok && v == value
	})
	return nil
}

// lastApplied is the setting that remembers the plan file last applied, so that a
// restart does not undo edits made since.
const lastApplied = "plan_file"

// ApplyFile applies a plan file unless it is the one that was last applied so.
func (o *Plans) ApplyFile(ctx context.Context, in PlanInput) error {
	// Only the text's hash is kept: the text may hold secrets.
	sum := sha256.Sum256([]byte(in.Plan))
	hash := hex.EncodeToString(sum[:])
	before, err := o.Store.Setting(ctx, lastApplied)
	if err != nil || before == hash {
		return err
	}
	if _, err := o.Apply(ctx, in, "plan file "+filepath.Base(in.File)); err != nil {
		return err
	}
	return o.Store.SetSetting(ctx, lastApplied, hash)
}

// Secrets gives the values of the plan's references, read anew with each revision.
func (o *Plans) Secrets(ctx context.Context) (map[string]string, error) {
	revision, err := o.Store.CurrentRevision(ctx)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.secrets == nil || o.revision != revision {
		s, err := o.Store.Secrets(ctx, o.Sealer)
		if err != nil {
			return nil, err
		}
		o.secrets, o.revision = s, revision
	}
	return o.secrets, nil
}

// WorkflowTokens are the tokens in a workflow's URLs, newest first.
func (o *Plans) WorkflowTokens(ctx context.Context, workflow id.ID) ([]string, error) {
	return o.Store.WorkflowTokens(ctx, o.Sealer, workflow)
}
