package activities

import (
	"context"
	"encoding/json"
	"time"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/core/run"
)

// StepInput names a step of a run.
type StepInput struct {
	Run  id.ID    `json:"run"`
	Step run.Path `json:"step"`
	Kind string   `json:"kind"` // flow's kind, or a task's
}

// Judgement is what to do at a step: flow's verdict without its words.
type Judgement struct {
	Skip     bool          `json:"skip,omitempty"`
	Failed   bool          `json:"failed,omitempty"` // it could not be judged; the reason is on the step
	Branch   int           `json:"branch,omitempty"` // -1: none
	Wait     time.Duration `json:"wait,omitempty"`
	Response bool          `json:"response,omitempty"` // the wait also ends when an answer comes
	Answered bool          `json:"answered,omitempty"` // that answer is there
	Stop     bool          `json:"stop,omitempty"`
}

// situation is a run with all that its steps can see, read afresh.
type situation struct {
	run   run.Run
	def   *flow.Workflow
	dir   *routing.Directory
	name  string
	scope flow.Scope
	steps []run.Step
}

// look reads a run and what is true now, as a step of it sees it.
func (a *Runs) look(ctx context.Context, of id.ID, at run.Path) (situation, error) {
	var s situation
	var err error
	if s.run, err = a.Store.RunByID(ctx, of); err != nil {
		return s, err
	}
	if s.def, err = a.workflow(ctx, s.run.Workflow, s.run.Version); err != nil {
		return s, err
	}
	live, err := a.Revisions.Current(ctx)
	if err != nil {
		return s, err
	}
	if s.dir = live.Directory(s.run.Directory); s.dir == nil {
		return s, fault.New(fault.Invalid, "the run's directory is not in the plan any more")
	}
	if w := live.Workflow(s.run.Workflow); w != nil {
		s.name = w.Name
	}
	fields, err := fieldsObject(s.run.Fields)
	if err != nil {
		return s, err
	}
	s.scope.Fields = fields
	if s.scope.Event, err = jsonvalue.Parse(s.run.Payload); err != nil {
		return s, err
	}
	if s.run.Contact == 0 {
		if s.run.Contact, err = a.about(ctx, s.dir, s.scope.Event); err != nil {
			return s, err
		}
	}
	if s.scope.Contact, err = a.contactValue(ctx, s.run.Contact); err != nil {
		return s, err
	}
	if s.steps, err = a.Store.Steps(ctx, of); err != nil {
		return s, err
	}
	answers, err := a.Store.Responses(ctx, of)
	if err != nil {
		return s, err
	}
	s.scope.Steps, err = outputs(at, s.steps, answers)
	return s, err
}

// outputs is what a step at a path sees of the others: what each gave, that of the
// nearest pass, and what was answered to it. An answer is taken from the invitation,
// where it is however the step ended.
func outputs(at run.Path, steps []run.Step, answers []distribution.StepResponse) (*jsonvalue.Object, error) {
	out := jsonvalue.NewObject(len(steps))
	nearest := map[string]run.Path{}
	for _, st := range steps {
		name := st.Step.Step()
		if st.Output == "" || !at.Sees(st.Step) || len(st.Step) < len(nearest[name]) {
			continue
		}
		o, err := jsonvalue.ParseObject([]byte(st.Output))
		if err != nil {
			return nil, err
		}
		for _, a := range answers {
			if a.Step != st.Step {
				continue
			}
			response, err := jsonvalue.ParseObject([]byte(a.Response))
			if err != nil {
				return nil, err
			}
			o.Set("response", response)
		}
		nearest[name] = st.Step
		out.Set(name, o)
	}
	return out, nil
}

// JudgeStep looks at what is true now and says what to do at a step; what is
// skipped, branched over or stopped is recorded. Running it twice judges twice,
// each time by what is true then; the record of a step that ended stays.
func (a *Runs) JudgeStep(ctx context.Context, in StepInput) (Judgement, error) {
	s, err := a.look(ctx, in.Run, in.Step)
	if err != nil {
		return Judgement{}, err
	}
	scope := s.scope
	if named, err := s.named(ctx, a, in.Step.Step()); err != nil {
		return Judgement{}, err
	} else if named != nil {
		scope.Contact = named
	}
	if j, begun, err := s.waiting(in); begun || err != nil {
		return j, err
	}
	v, err := s.def.Judge(in.Step.Step(), scope)
	if err != nil && scope.Contact == nil {
		if notYet := a.awaitContact(ctx, in, err); notYet != nil {
			return Judgement{}, notYet
		}
	}
	if err != nil {
		return Judgement{Failed: true}, a.record(ctx, in, run.StepFailed, nil, fault.Words(err))
	}
	j := Judgement{Skip: v.Skip, Branch: v.Branch, Wait: v.Wait, Stop: v.Stop}
	output := jsonvalue.NewObject(1)
	switch {
	case v.Skip:
		output.Set("reason", v.Reason)
		return j, a.record(ctx, in, run.StepSkipped, output, "")
	case v.Stop:
		output.Set("reason", v.Reason)
		return j, a.record(ctx, in, run.StepDone, output, "")
	case in.Kind == flow.KindBranch:
		output.Set("branch", float64(v.Branch))
		return j, a.record(ctx, in, run.StepDone, output, "")
	case in.Kind == flow.KindWait:
		waits := jsonvalue.NewObject(2)
		waits.Set("for", v.Wait.String())
		if v.Response != "" {
			j.Response = true
			j.Answered = answered(s.scope.Steps, v.Response)
			waits.Set("response", v.Response)
		}
		_, err := a.Store.BeginStep(ctx, in.Run, in.Step, in.Kind, run.StepWaiting, jsonvalue.Text(waits))
		return j, err
	}
	return j, nil
}

// awaitContact says "not yet" while a condition that failed with no contact to
// speak of may still find one: the identify call that makes the contact may be in
// another batch. Nil when the patience for that is over.
func (a *Runs) awaitContact(ctx context.Context, in StepInput, failed error) error {
	row, err := a.Store.BeginStep(ctx, in.Run, in.Step, in.Kind, run.StepRunning, "")
	if err != nil {
		return err
	}
	if row.Status.Ended() || a.Now().Sub(row.Began()) > contact.Patience {
		return nil
	}
	if err := a.Store.StepError(ctx, in.Run, in.Step, fault.Words(failed)); err != nil {
		return err
	}
	return task.NotYet(fault.Wrap(fault.NotFound, failed, "no contact to judge by"))
}

// waiting is what a wait that has begun waits for: it was judged when it was
// reached, and from then on only time and the answer end it.
func (s situation) waiting(in StepInput) (j Judgement, begun bool, err error) {
	for _, st := range s.steps {
		if st.Step != in.Step || st.Status != run.StepWaiting || st.Input == "" {
			continue
		}
		o, err := jsonvalue.ParseObject([]byte(st.Input))
		if err != nil {
			return j, true, err
		}
		if j.Wait, err = time.ParseDuration(textOf(o.Get("for"))); err != nil {
			return j, true, err
		}
		if step := textOf(o.Get("response")); step != "" {
			j.Response, j.Answered = true, answered(s.scope.Steps, step)
		}
		return j, true, nil
	}
	return j, false, nil
}

// fieldsObject is a run's stored fields as conditions and templates see them.
func fieldsObject(stored string) (*jsonvalue.Object, error) {
	var fields flow.Fields
	if err := json.Unmarshal([]byte(stored), &fields); err != nil {
		return nil, err
	}
	return fields.Object(), nil
}

// named is the contact that a step's own settings name, so that its condition can
// speak of them before the step ran; nil when it names nobody who is known.
func (s situation) named(ctx context.Context, a *Runs, step string) (any, error) {
	by, err := s.def.StepContact(step, s.scope)
	if err != nil || by == nil {
		return nil, nil //nolint:nilerr // the step itself will say what is wrong with its settings
	}
	c, err := a.findBy(ctx, s.dir, by)
	if fault.KindOf(err) == fault.NotFound || c == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return a.contactValue(ctx, c)
}

// answered reports whether the invitation that a step sent was answered.
func answered(steps any, step string) bool {
	all, _ := steps.(*jsonvalue.Object)
	out, _ := all.Get(step).(*jsonvalue.Object)
	response, _ := out.Get("response").(*jsonvalue.Object)
	return response.Get("status") == string(distribution.Finished)
}

func (a *Runs) record(ctx context.Context, in StepInput, status run.StepStatus, output *jsonvalue.Object, message string) error {
	if _, err := a.Store.BeginStep(ctx, in.Run, in.Step, in.Kind, run.StepRunning, ""); err != nil {
		return err
	}
	text := ""
	if output != nil {
		text = jsonvalue.Text(output)
	}
	return a.Store.EndStep(ctx, in.Run, in.Step, status, text, message)
}

// WaitEnd is how a wait ended.
type WaitEnd struct {
	Run  id.ID    `json:"run"`
	Step run.Path `json:"step"`
	By   string   `json:"by"` // time or response
}

// EndWait records that a wait is over. Running it twice: the first end counts.
func (a *Runs) EndWait(ctx context.Context, in WaitEnd) error {
	output := jsonvalue.NewObject(1)
	output.Set("ended_by", in.By)
	return a.Store.EndStep(ctx, in.Run, in.Step, run.StepDone, jsonvalue.Text(output), "")
}

// StepResult is how a task went.
type StepResult struct {
	Failed       bool  `json:"failed,omitempty"` // for good; the reason is on the step
	Distribution id.ID `json:"distribution,omitempty"`
}

// RunTask runs a task with its settings rendered from what is true now. It is
// registered under each task kind's own name. Running it twice: a step that ended
// is not run again, and the task gets the same key in every attempt.
func (a *Runs) RunTask(ctx context.Context, in StepInput) (StepResult, error) {
	s, err := a.look(ctx, in.Run, in.Step)
	if err != nil {
		return StepResult{}, err
	}
	spec, ok := a.Tasks.Spec(in.Kind)
	if !ok {
		return StepResult{Failed: true}, a.record(ctx, in, run.StepFailed, nil, "this process knows no task "+in.Kind)
	}
	with, err := s.def.StepWith(in.Step.Step(), s.scope, spec.Deferred()...)
	if err != nil {
		return StepResult{Failed: true}, a.record(ctx, in, run.StepFailed, nil, fault.Words(err))
	}
	row, err := a.Store.BeginStep(ctx, in.Run, in.Step, in.Kind, run.StepRunning, jsonvalue.Text(a.Tasks.Redact(in.Kind, with)))
	if err != nil {
		return StepResult{}, err
	}
	if row.Status.Ended() {
		return StepResult{Failed: row.Status == run.StepFailed}, nil
	}
	out, err := a.Tasks.Run(ctx, in.Kind, task.RawInput{With: with, Context: task.Context{
		Key: in.Run.String() + "/" + string(in.Step), Run: in.Run, Workflow: s.name, Step: in.Step, Event: s.run.Event, ContactID: s.run.Contact,
		Contact: s.scope.Contact, Payload: s.scope.Event, Fields: s.scope.Fields, Steps: s.scope.Steps,
	}})
	if err != nil {
		return a.taskFailed(ctx, in, row, err)
	}
	if out.Contact != 0 {
		if err := a.Store.SetRunContact(ctx, in.Run, out.Contact); err != nil {
			return StepResult{}, err
		}
	}
	if err := a.Store.EndStep(ctx, in.Run, in.Step, run.StepDone, jsonvalue.Text(out.Values), ""); err != nil {
		return StepResult{}, err
	}
	if out.Distribution != 0 {
		a.wake(ctx, out.Distribution)
	}
	return StepResult{Distribution: out.Distribution}, nil
}

// wake tells a distribution that somebody was put into its queue, when it is not
// looking already. What goes wrong here is mended by a sweeper.
func (a *Runs) wake(ctx context.Context, dist id.ID) {
	if ours, err := a.Store.ClaimDistribution(ctx, dist, HandoverLease); err == nil && ours {
		_ = a.Launcher.WakeDistribution(ctx, dist)
	}
}

// patience is how long a step is tried while its contact is not there or a remote
// service fails, counted from its first attempt.
const patience = 24 * time.Hour

// taskFailed ends the step for good, or notes the failure and returns it so that
// Temporal tries again.
func (a *Runs) taskFailed(ctx context.Context, in StepInput, row run.Step, err error) (StepResult, error) {
	final := fault.KindOf(err).Final()
	if !final {
		limit := patience
		if task.IsNotYet(err) {
			limit = contact.Patience
		}
		final = a.Now().Sub(row.Began()) > limit
	}
	if final {
		return StepResult{Failed: true}, a.Store.EndStep(ctx, in.Run, in.Step, run.StepFailed, "", fault.Words(err))
	}
	if noted := a.Store.StepError(ctx, in.Run, in.Step, fault.Words(err)); noted != nil {
		return StepResult{}, noted
	}
	return StepResult{}, err
}
