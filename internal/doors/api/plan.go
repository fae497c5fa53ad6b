package api

import (
	"context"
	"fmt"
	"maps"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
)

// PlanInput is a plan to judge, compare or apply.
type PlanInput struct {
	File string `json:"file"` // for messages only
	Plan string `json:"plan"` // YAML
	// Secrets are the values of the ${NAME} in the plan. Those of secrets may be
	// left out when they were given before.
	Secrets map[string]string `json:"secrets,omitempty"`
}

// PlanChanges is what applying a plan changes, or changed.
type PlanChanges struct {
	Revision int64        `json:"revision"` // in force: before, for a comparison; after, once applied
	Changes  plan.Changes `json:"changes"`
}

// PlanProblems is an Invalid error about a plan that says all that is wrong.
type PlanProblems struct{ Problems plan.Problems }

// Error is one problem a line.
func (p *PlanProblems) Error() string { return p.Problems.Err().Error() }

// Unwrap is the fault for those who do not show problems one by one.
func (p *PlanProblems) Unwrap() error {
	return fault.New(fault.Invalid, "the plan has %d problem%s; the first: %s", len(p.Problems), plural(len(p.Problems)), p.Problems[0])
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// Export is the plan in force as YAML, its secrets as references.
func (s *Service) Export(ctx context.Context) (yaml []byte, revision int64, err error) {
	revision, p, err := s.current(ctx)
	if err != nil {
		return nil, 0, err
	}
	return plan.Export(p), revision, nil
}

func (s *Service) current(ctx context.Context) (int64, *plan.Plan, error) {
	revision, p, err := s.Plans.Current(ctx)
	if err == nil && p == nil {
		p = &plan.Plan{Version: 1}
	}
	return revision, p, err
}

// Plan reads and judges a plan; nothing changes. All problems come at once, in a
// *PlanProblems. The secrets returned are those the plan needs and the input
// gave, literals among them, which the plan then refers to by name.
func (s *Service) Plan(ctx context.Context, in PlanInput) (*plan.Plan, map[string]string, error) {
	if in.File == "" {
		in.File = "plan.yaml"
	}
	doc, problems := plan.Parse(in.File, []byte(in.Plan))
	if doc == nil {
		return nil, nil, &PlanProblems{problems}
	}
	problems = append(problems, doc.Expand(func(name string) (string, bool) {
		v, ok := in.Secrets[name]
		return v, ok
	})...)
	problems = append(problems, doc.Validate(s.Checks)...)
	known, err := s.Store.SecretNames(ctx)
	if err != nil {
		return nil, nil, err
	}
	secrets := map[string]string{}
	for _, name := range doc.Plan.SecretRefs() {
		if v, ok := in.Secrets[name]; ok {
			secrets[name] = v
		} else if !known[name] {
			problems = append(problems, plan.Problem{File: in.File, Message: fmt.Sprintf("${%s} is not set, and was not given before", name)})
		}
	}
	if len(problems) > 0 {
		return nil, nil, &PlanProblems{problems}
	}
	maps.Copy(secrets, doc.Plan.ExtractLiterals())
	return doc.Plan, secrets, nil
}

// Diff says what applying a plan would change.
func (s *Service) Diff(ctx context.Context, in PlanInput) (PlanChanges, error) {
	p, _, err := s.Plan(ctx, in)
	if err != nil {
		return PlanChanges{}, err
	}
	return s.compare(ctx, p)
}

func (s *Service) compare(ctx context.Context, p *plan.Plan) (PlanChanges, error) {
	revision, before, err := s.current(ctx)
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
func (s *Service) Apply(ctx context.Context, in PlanInput, author string) (PlanChanges, error) {
	p, secrets, err := s.Plan(ctx, in)
	if err != nil {
		return PlanChanges{}, err
	}
	out, err := s.compare(ctx, p)
	if err != nil {
		return PlanChanges{}, err
	}
	if err := s.dropKnown(ctx, secrets); err != nil {
		return PlanChanges{}, err
	}
	out.Revision, err = s.Plans.Apply(ctx, p, secrets, author)
	return out, err
}

// dropKnown takes out the secrets that are kept with the same value: giving them
// again is no change.
func (s *Service) dropKnown(ctx context.Context, secrets map[string]string) error {
	if s.Secrets == nil || len(secrets) == 0 {
		return nil
	}
	kept, err := s.Secrets(ctx)
	if err != nil {
		return err
	}
	maps.DeleteFunc(secrets, func(name, value string) bool {
		v, ok := kept[name]
		return ok && v == value
	})
	return nil
}
