package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/core/run"
)

// RunStore is where runs and their steps are kept.
type RunStore interface {
	CreateRuns(ctx context.Context, list []run.New, lease time.Duration) ([]run.Start, error)
	VersionOf(ctx context.Context, workflow id.ID, w plan.Workflow) (int64, error)
	WorkflowVersion(ctx context.Context, workflow id.ID, version int64) (plan.Workflow, error)
	RunByID(ctx context.Context, run id.ID) (run.Run, error)
	BeginRun(ctx context.Context, run id.ID) (run.Run, error)
	EndRun(ctx context.Context, run id.ID, status run.Status, reason string) error
	SetRunContact(ctx context.Context, run, contact id.ID) error
	Steps(ctx context.Context, run id.ID) ([]run.Step, error)
	Responses(ctx context.Context, run id.ID) ([]distribution.StepResponse, error)
	BeginStep(ctx context.Context, v id.ID, step run.Path, kind string, status run.StepStatus, input string) (run.Step, error)
	StepError(ctx context.Context, v id.ID, step run.Path, message string) error
	EndStep(ctx context.Context, v id.ID, step run.Path, status run.StepStatus, output, message string) error
	ClaimDistribution(ctx context.Context, dist id.ID, lease time.Duration) (ours bool, err error)
	Contact(ctx context.Context, c id.ID) (*contact.Contact, error)
	FindContact(ctx context.Context, dir contact.Directory, in *contact.Input) (id.ID, error)
}

// Runs is the activities of a workflow's runs.
type Runs struct {
	Store     RunStore
	Revisions Revisions
	Tasks     *task.Registry
	Launcher  Launcher
	// Secrets gives the values of the plan's ${NAME} references.
	Secrets func(ctx context.Context) (map[string]string, error)
	Now     func() time.Time

	mu       sync.Mutex
	compiled map[versionKey]*flow.Workflow
}

// versionKey names a compiled version. Secrets may change with any revision, so
// that one compiled under an older one is not used again.
type versionKey struct {
	workflow id.ID
	version  int64
	revision int64
}

// maxCompiled bounds the compiled versions kept; beyond it all are forgotten.
const maxCompiled = 1000

// workflow is a stored version, compiled: a version never changes.
func (a *Runs) workflow(ctx context.Context, workflow id.ID, version int64) (*flow.Workflow, error) {
	live, err := a.Revisions.Current(ctx)
	if err != nil {
		return nil, err
	}
	k := versionKey{workflow, version, live.Revision}
	a.mu.Lock()
	w := a.compiled[k]
	a.mu.Unlock()
	if w != nil {
		return w, nil
	}
	def, err := a.Store.WorkflowVersion(ctx, workflow, version)
	if err != nil {
		return nil, fmt.Errorf("workflow %s version %d: %w", workflow, version, err)
	}
	secrets, err := a.Secrets(ctx)
	if err != nil {
		return nil, err
	}
	if def, err = def.ResolveSecrets(plan.Lookup(secrets)); err != nil {
		return nil, err
	}
	if w, err = flow.Compile(def); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.compiled == nil || len(a.compiled) >= maxCompiled {
		a.compiled = map[versionKey]*flow.Workflow{}
	}
	a.compiled[k] = w
	return w, nil
}

// create makes the runs of start_workflow deliveries.
func (a *Runs) create(ctx context.Context, live *routing.Table, dir *routing.Directory, list []delivery.Open) error {
	runs := make([]run.New, len(list))
	for i, d := range list {
		var err error
		if runs[i], err = a.newRun(ctx, live, dir, d); err != nil {
			return err
		}
	}
	started, err := a.Store.CreateRuns(ctx, runs, HandoverLease)
	if err != nil {
		return err
	}
	for _, r := range started {
		name := ""
		if w := live.Workflow(r.Workflow); w != nil {
			name = w.Name
		}
		_ = a.Launcher.StartRun(ctx, r.Run, name) // swept
	}
	return nil
}

func (a *Runs) newRun(ctx context.Context, live *routing.Table, dir *routing.Directory, d delivery.Open) (run.New, error) {
	r := run.New{Ref: d.Ref(), Directory: dir.ID, Status: run.Pending, Fields: "[]"}
	pinned, err := a.Revisions.Revision(ctx, d.Revision)
	if err != nil {
		return r, err
	}
	m := pinned.Mapping(d.Mapping)
	if m == nil || m.Workflow == 0 {
		r.Rejected = "workflow: the mapping names no workflow"
		return r, nil
	}
	r.Workflow = m.Workflow
	def := pinned.Workflow(m.Workflow)
	if def == nil {
		r.Rejected = "workflow: not in the plan that the event belongs to"
		return r, nil
	}
	if now := live.Workflow(m.Workflow); now == nil || !now.IsEnabled() {
		r.Status, r.Reason = run.NotStarted, "the workflow is switched off"
	}
	if r.Version, err = a.Store.VersionOf(ctx, m.Workflow, *def); err != nil {
		return r, err
	}
	w, err := a.workflow(ctx, m.Workflow, r.Version)
	if err != nil {
		return r, err
	}
	payload, err := jsonvalue.Parse(d.Payload)
	if err != nil {
		return r, err
	}
	if m.Fields != nil { // a mapping: the fields read what it made, not the event
		o, _ := payload.(*jsonvalue.Object)
		if payload = o.Get("eventPayload"); jsonvalue.IsNil(payload) {
			payload = jsonvalue.NewObject(0)
		}
	}
	r.Payload = jsonvalue.Append(nil, payload)
	fields := w.Fields().Extract(payload)
	text, err := json.Marshal(fields)
	if err != nil {
		return r, err
	}
	r.Fields = string(text)
	if r.Contact, err = a.about(ctx, dir, payload); err != nil {
		return r, err
	}
	if r.Status == run.NotStarted {
		return r, nil
	}
	if err := fields.Err(); err != nil {
		r.Status, r.Reason = run.NotStarted, fault.Words(err)
		return r, nil
	}
	scope := flow.Scope{Fields: fields.Object(), Event: payload}
	if scope.Contact, err = a.contactValue(ctx, r.Contact); err != nil {
		return r, err
	}
	ok, reason, err := w.Starts(scope)
	if err != nil {
		ok, reason = false, fault.Words(err)
	}
	if !ok {
		r.Status, r.Reason = run.NotStarted, reason
	}
	return r, nil
}

// about finds the contact that a payload speaks of, by its user id and email; 0
// when the directory does not know them yet.
func (a *Runs) about(ctx context.Context, dir *routing.Directory, payload any) (id.ID, error) {
	o, ok := payload.(*jsonvalue.Object)
	if !ok {
		return 0, nil
	}
	in := &contact.Input{ExtRef: textOf(o.Get("userId"))}
	for _, path := range [][]string{{"traits"}, {"context", "traits"}, {"properties"}} {
		at := o
		for _, k := range path {
			at, _ = at.Get(k).(*jsonvalue.Object)
		}
		if in.Email = textOf(at.Get("email")); in.Email != "" {
			break
		}
	}
	found, err := a.Store.FindContact(ctx, directoryOf(dir), in)
	if fault.KindOf(err) == fault.NotFound {
		return 0, nil
	}
	return found, err
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return jsonvalue.NumberText(v)
	}
	return ""
}

func (a *Runs) contactValue(ctx context.Context, c id.ID) (any, error) {
	if c == 0 {
		return nil, nil
	}
	found, err := a.Store.Contact(ctx, c)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil // erased meanwhile
	}
	if err != nil {
		return nil, err
	}
	return found.Value(), nil
}

// Program is what a run's workflow walks: ids and kinds.
type Program struct {
	Status run.Status  `json:"status"`
	Steps  []flow.Node `json:"steps"`
}

// BeginRun marks a run as running and gives its program. Running it twice gives
// the same; a run that ended before gives no steps.
func (a *Runs) BeginRun(ctx context.Context, in handover.RunInput) (Program, error) {
	r, err := a.Store.BeginRun(ctx, in.Run)
	if err != nil {
		return Program{}, err
	}
	if r.Status != run.Running {
		return Program{Status: r.Status}, nil
	}
	w, err := a.workflow(ctx, r.Workflow, r.Version)
	if err != nil {
		return Program{}, err
	}
	return Program{Status: r.Status, Steps: w.Program(a.Tasks.IsLocal)}, nil
}

// RunEnd is how a run ended.
type RunEnd struct {
	Run    id.ID      `json:"run"`
	Status run.Status `json:"status"`
	Step   run.Path   `json:"step,omitempty"` // the step that ended it
	// Problem is the kind of the error that ended it outside any step.
	Problem string `json:"problem,omitempty"`
}

// EndRun records a run's end. Running it twice: the first end counts.
func (a *Runs) EndRun(ctx context.Context, in RunEnd) error {
	reason := ""
	if in.Problem != "" {
		reason = "the run could not go on: " + in.Problem
	}
	if in.Step != "" {
		steps, err := a.Store.Steps(ctx, in.Run)
		if err != nil {
			return err
		}
		for _, s := range steps {
			if s.Step == in.Step && s.Error != "" {
				reason = string(in.Step) + ": " + s.Error
			}
		}
	}
	return a.Store.EndRun(ctx, in.Run, in.Status, reason)
}
