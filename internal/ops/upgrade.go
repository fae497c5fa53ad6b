package ops

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid"
	"github.com/segue-xm/segue/internal/core/path"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/query"
)

// UpgradeFinding is something in a stored text that earlier releases understood in
// another way, or took and this one does not.
type UpgradeFinding struct {
	// Place is "workflows/ask/fields/user/path", "workflows/ask/steps/send/with/message"
	// or "surveys/nps/url".
	Place string `json:"place"`
	// Version is the workflow's, when it is not the one in force but has runs under way.
	Version int64  `json:"version,omitempty"`
	Line    int    `json:"line,omitempty"` // of the text, where it has several
	Text    string `json:"text"`           // clipped
	What    string `json:"what"`
	Was     string `json:"was"`
	Rewrite string `json:"rewrite,omitempty"` // of the text; missing when only a person can say
}

// UpgradeReport is the answer about an upgrade.
type UpgradeReport struct {
	Revision int64            `json:"revision"` // of the plan that was looked at
	Findings []UpgradeFinding `json:"findings"`
}

// UpgradeStore knows the stored versions of workflows.
type UpgradeStore interface {
	VersionRows(ctx context.Context) ([]query.VersionRow, error)
	RunsUnderWay(ctx context.Context, workflow id.ID, version int64) (bool, error)
}

// Upgrades tell what an upgrade made of what is stored.
type Upgrades struct {
	Store UpgradeStore
	Names *Names
	Plans InForce
}

// Look looks through the plan in force, and the versions of workflows that have runs
// under way.
func (o *Upgrades) Look(ctx context.Context) (UpgradeReport, error) {
	revision, p, err := o.Plans.Current(ctx)
	if err != nil {
		return UpgradeReport{}, err
	}
	l := looker{seen: map[UpgradeFinding]bool{}, templates: liquid.Upgrade, out: UpgradeReport{Revision: revision, Findings: []UpgradeFinding{}}}
	for _, s := range p.Surveys {
		l.template("surveys/"+s.Name+"/url", 0, s.URL)
	}
	for _, w := range p.Workflows {
		l.workflow(w, 0)
	}
	stored, err := o.Store.VersionRows(ctx)
	if err != nil {
		return UpgradeReport{}, err
	}
	names, err := o.Names.all(ctx)
	if err != nil {
		return UpgradeReport{}, err
	}
	for _, v := range stored {
		var def plan.Workflow
		if err := json.Unmarshal(v.Definition, &def); err != nil {
			return UpgradeReport{}, err
		}
		def.Name = names.of(v.Workflow)
		old := looker{seen: l.seen, templates: l.templates}
		old.workflow(def, v.Version)
		if len(old.out.Findings) == 0 {
			continue
		}
		open, err := o.Store.RunsUnderWay(ctx, v.Workflow, v.Version)
		if err != nil {
			return UpgradeReport{}, err
		}
		if open {
			l.out.Findings = append(l.out.Findings, old.out.Findings...)
		}
	}
	return l.out, nil
}

// looker collects findings. What the plan in force has is not told again of the
// version that it is.
type looker struct {
	out       UpgradeReport
	seen      map[UpgradeFinding]bool
	templates func(text string) []liquid.Finding
}

func (l *looker) tell(f UpgradeFinding) {
	key := f
	key.Version = 0
	switch {
	case f.Version == 0:
		l.seen[key] = true
	case l.seen[key]:
		return
	}
	l.out.Findings = append(l.out.Findings, f)
}

func (l *looker) workflow(w plan.Workflow, version int64) {
	at := "workflows/" + w.Name
	for _, f := range w.Fields {
		for _, found := range path.Upgrade(f.Path) {
			l.tell(UpgradeFinding{
				Place: at + "/fields/" + f.Name + "/path", Version: version, Text: clipped(f.Path), What: found.What, Was: found.Was, Rewrite: found.Rewrite,
			})
		}
	}
	l.steps(at+"/steps/", version, w.Steps)
}

// steps looks at each step where its id says: ids are there once in a workflow.
func (l *looker) steps(at string, version int64, steps []plan.Step) {
	for _, s := range steps {
		l.texts(at+s.ID+"/with", version, s.With)
		for _, b := range s.Branch {
			l.steps(at, version, b.Steps)
		}
	}
}

// texts looks at every text of a step's settings: each is a template.
func (l *looker) texts(at string, version int64, v any) {
	switch v := v.(type) {
	case string:
		l.template(at, version, v)
	case []any:
		for i, e := range v {
			l.texts(fmt.Sprintf("%s/%d", at, i), version, e)
		}
	case *jsonvalue.Object:
		for k, e := range v.All() {
			l.texts(at+"/"+k, version, e)
		}
	}
}

func (l *looker) template(at string, version int64, text string) {
	for _, found := range l.templates(text) {
		l.tell(UpgradeFinding{Place: at, Version: version, Line: found.Line, Text: clipped(text), What: found.What, Was: found.Was, Rewrite: found.Rewrite})
	}
}

// maxFoundText is how much of a text a finding shows.
const maxFoundText = 200

func clipped(text string) string {
	if r := []rune(text); len(r) > maxFoundText {
		return string(r[:maxFoundText-1]) + "…"
	}
	return text
}
