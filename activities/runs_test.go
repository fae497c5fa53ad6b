package activities_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/data/query"
)

func tour(user string) string { return `{"type":"track","event":"Tour","userId":"` + user + `"}` }

func TestStartRuns_TemporalAway_LeavesTheRunToASweeper(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.launched.err = fault.New(fault.Unavailable, "Temporal is away")
		h.process(tour("ada"))
		made := h.listRuns()[0]
		require.Equal(t, run.Pending, made.Status)
		claim, err := h.ClaimHandovers(t.Context(), 10, time.Minute)
		require.NoError(t, err)
		require.Empty(t, claim, "the lease of whoever made it runs")
		h.pass(time.Minute)
		claim, err = h.ClaimHandovers(t.Context(), 10, time.Minute)
		require.NoError(t, err)
		require.Equal(t, []handover.Overdue{{Kind: handover.KindRun, ID: made.ID}}, claim)
	})
}

func TestStartRuns_NotToBeStarted_SaysWhy(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		for body, reason := range map[string]string{
			`{"type":"track","event":"Tour","userId":"x","properties":{"fine":false}}`: "fields.fine",
			`{"type":"track","event":"Tour","userId":"x","properties":{"fine":"?"}}`:   "fine",
			`{"type":"track","event":"Tour"}`:                                          "user",
			`{"type":"track","event":"Tour","userId":"\u0000"}`:                        "",
		} {
			event := h.process(body)[0]
			runs, _, err := h.ListRuns(t.Context(), query.RunQuery{Event: event}, query.Paging{Limit: 10})
			require.NoError(t, err)
			require.Len(t, runs, 1, body)
			require.Contains(t, runs[0].Reason, reason, body)
			if reason != "" {
				require.Equal(t, run.NotStarted, runs[0].Status, body)
			}
			require.Equal(t, delivery.Done, h.delivery(event).Status)
		}
		require.Len(t, h.launched.runs, 1, "only the last")

		p := h.plan()
		no := false
		p.Workflows[0].Enabled = &no
		h.save(p)
		h.process(tour("late"))
		require.Contains(t, h.listRuns()[0].Reason, "switched off")
	})
}

func TestBeginRun_Twice_GivesTheSameProgram_AfterItsEndNone(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.process(tour("ada"))
		made := h.listRuns()[0].ID
		first, err := h.runs.BeginRun(t.Context(), handover.RunInput{Run: made})
		require.NoError(t, err)
		require.Equal(t, run.Running, first.Status)
		require.Len(t, first.Steps, 6)
		second, err := h.runs.BeginRun(t.Context(), handover.RunInput{Run: made})
		require.NoError(t, err)
		require.Equal(t, first, second)

		for _, status := range []run.Status{run.Failed, run.Done} {
			require.NoError(t, h.runs.EndRun(t.Context(), activities.RunEnd{Run: made, Status: status, Problem: "invalid"}))
			require.Equal(t, run.Failed, h.status(made).Status, "the first end counts")
			require.Equal(t, "the run could not go on: invalid", h.status(made).Reason)
		}
		third, err := h.runs.BeginRun(t.Context(), handover.RunInput{Run: made})
		require.NoError(t, err)
		require.Equal(t, activities.Program{Status: run.Failed}, third)
	})
}

// An earlier release followed paths that are none any more. Its runs have their fields,
// and go on; new ones say what is the matter.
func TestBeginRun_VersionWithAPathThatIsNoneAnyMore_GoesOn(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		p := h.plan()
		p.Workflows[0].Fields = append(p.Workflows[0].Fields, plan.Field{Name: "old", Path: "$.items[?(@.a =~ /x/)].a", Type: plan.String})
		h.save(p)
		h.process(tour("ada"))
		made := h.listRuns()[0]
		require.Equal(t, run.Pending, made.Status, made.Reason)
		require.Contains(t, made.Fields, `"state":"wrong_type"`)
		require.Contains(t, made.Fields, "write search(@.a, '…') for =~")
		first, err := h.runs.BeginRun(t.Context(), handover.RunInput{Run: made.ID})
		require.NoError(t, err)
		require.Len(t, first.Steps, 6)
		_, err = h.runs.JudgeStep(t.Context(), activities.StepInput{Run: made.ID, Step: run.Path(first.Steps[0].ID), Kind: first.Steps[0].Task})
		require.NoError(t, err)

		p.Workflows[0].Fields[len(p.Workflows[0].Fields)-1].Required = true
		h.save(p)
		h.process(tour("bob"))
		made = h.listRuns()[0]
		require.Equal(t, run.NotStarted, made.Status)
		require.Contains(t, made.Reason, "required field old: not a JSONPath of RFC 9535")
	})
}

func TestBeginRun_Unknown_IsFinal(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite://"+t.TempDir()+"/segue.db")
	_, err := h.runs.BeginRun(t.Context(), handover.RunInput{Run: 7})
	require.Equal(t, fault.NotFound, fault.KindOf(err))
}

func TestJudgeStep_Twice_RecordsOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		made := h.run("ada")
		judge := func(step run.Path, kind string) activities.Judgement {
			var j activities.Judgement
			for range 2 {
				again, err := h.runs.JudgeStep(t.Context(), activities.StepInput{Run: made, Step: step, Kind: kind})
				require.NoError(t, err)
				if j != (activities.Judgement{}) {
					require.Equal(t, j, again)
				}
				j = again
			}
			return j
		}
		require.Equal(t, activities.Judgement{Branch: 1}, judge("which", "branch"))
		require.Equal(t, run.StepDone, h.step(made, "which").Status)
		require.Equal(t, 1, h.step(made, "which").Attempts)
		require.JSONEq(t, `{"branch":1}`, h.step(made, "which").Output)

		require.Equal(t, activities.Judgement{Wait: time.Hour}, judge("short", "wait"))
		require.Equal(t, run.StepWaiting, h.step(made, "short").Status)
		for _, by := range []string{"time", "response"} {
			require.NoError(t, h.runs.EndWait(t.Context(), activities.WaitEnd{Run: made, Step: "short", By: by}))
			require.Equal(t, run.StepDone, h.step(made, "short").Status)
			require.JSONEq(t, `{"ended_by":"time"}`, h.step(made, "short").Output, "the first end counts")
		}

		require.Equal(t, activities.Judgement{Stop: true}, judge("end", "stop"))
		require.Contains(t, h.step(made, "end").Output, "over")

		require.Equal(t, activities.Judgement{Wait: 48 * time.Hour, Response: true}, judge("answer", "wait"))

		// The contact's first name is a text: comparing it with 3 is an error.
		h.process(`{"type":"identify","userId":"ada","traits":{"firstName":"Ada"}}`)
		require.True(t, judge("odd", "wait").Failed)
		require.Equal(t, run.StepFailed, h.step(made, "odd").Status)
		require.NotEmpty(t, h.step(made, "odd").Error)
	})
}

func TestJudgeStep_ConditionSpeaksOfTheContactNow(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		made := h.run("ada")
		h.process(identify("ada"))
		ask := activities.StepInput{Run: made, Step: "ask", Kind: "distribute"}
		j, err := h.runs.JudgeStep(t.Context(), ask)
		require.NoError(t, err)
		require.Equal(t, activities.Judgement{}, j)

		h.pass(time.Minute)
		_, changed, err := h.OptOut(t.Context(), h.token(h.invited("ada")))
		require.NoError(t, err)
		require.True(t, changed)
		j, err = h.runs.JudgeStep(t.Context(), ask)
		require.NoError(t, err)
		require.Equal(t, activities.Judgement{Skip: true}, j)
		require.Equal(t, run.StepSkipped, h.step(made, "ask").Status)
	})
}

// The example of the plan format: a condition over a contact whose identify call
// may be in another batch.
func TestJudgeStep_ContactComesLater_IsWaitedForAFewMinutes(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		patient, late := h.run("ada"), h.run("bob")
		ask := func(made id.ID) (activities.Judgement, error) {
			return h.runs.JudgeStep(t.Context(), activities.StepInput{Run: made, Step: "ask", Kind: "distribute"})
		}
		for _, made := range []id.ID{patient, late} {
			_, err := ask(made)
			require.Equal(t, fault.Unavailable, fault.KindOf(err), "it is tried again")
			require.Contains(t, h.step(made, "ask").Error, "contact")
			require.Zero(t, h.step(made, "ask").EndedAt)
		}
		h.pass(4 * time.Minute)
		h.process(identify("ada"))
		j, err := ask(patient)
		require.NoError(t, err)
		require.Equal(t, activities.Judgement{}, j)
		r, err := h.runs.RunTask(t.Context(), activities.StepInput{Run: patient, Step: "ask", Kind: "distribute"})
		require.NoError(t, err)
		require.NotZero(t, r.Distribution)
		require.Empty(t, h.step(patient, "ask").Error, "what went well in the end shows no error")

		h.pass(2 * time.Minute)
		j, err = ask(late)
		require.NoError(t, err)
		require.True(t, j.Failed)
		require.Equal(t, run.StepFailed, h.step(late, "ask").Status)
	})
}

func TestRunTask_EachKindTwice_HappensOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		made := h.run("ada")
		for range 2 {
			r, err := h.runs.RunTask(t.Context(), activities.StepInput{Run: made, Step: "know", Kind: "update_contact"})
			require.NoError(t, err)
			require.Equal(t, activities.StepResult{}, r)
		}
		require.Len(t, h.contacts(), 1)
		changes, _, err := h.ListContactChanges(t.Context(), h.contacts()[0].ID, query.Paging{Limit: 10})
		require.NoError(t, err)
		require.Len(t, changes, 1)

		var dists []id.ID
		for range 2 {
			_, err := h.runs.RunTask(t.Context(), activities.StepInput{Run: made, Step: "ask", Kind: "distribute"})
			require.NoError(t, err)
			rows, _, err := h.ListDistributions(t.Context(), query.DistributionQuery{Run: made}, query.Paging{Limit: 10})
			require.NoError(t, err)
			require.Len(t, rows, 1)
			dists = append(dists, rows[0].ID)
		}
		require.Equal(t, dists[0], dists[1])
		require.Equal(t, dists[:1], h.launched.dists)
		require.Equal(t, 1, h.step(made, "ask").Attempts)
		require.Equal(t, h.contacts()[0].ID, h.status(made).Contact, "the run is about them from now on")
	})
}

func TestRunTask_StepOfAPass_HasItsOwnRecordKeyAndSight(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		made := h.run("ada")
		var seen []task.Context
		h.runs.Tasks = task.NewRegistry()
		task.Add(h.runs.Tasks, spy{kind: "update_contact", see: func(c task.Context) { seen = append(seen, c) }})
		for _, step := range []run.Path{"know", "each#2/know", "each#3/know", "each#3/both#1/know"} {
			_, err := h.runs.RunTask(t.Context(), activities.StepInput{Run: made, Step: step, Kind: "update_contact"})
			require.NoError(t, err)
			require.Equal(t, run.StepDone, h.step(made, step).Status)
			require.JSONEq(t, `{"path":"`+string(step)+`"}`, h.step(made, step).Output)
		}
		require.Len(t, seen, 4)
		for i, sees := range []string{"", "know", "know", "each#3/know"} {
			require.Equal(t, made.String()+"/"+string(seen[i].Step), seen[i].Key)
			known, _ := seen[i].Steps.(*jsonvalue.Object).Get("know").(*jsonvalue.Object)
			if sees == "" {
				require.Nil(t, known)
				continue
			}
			require.Equal(t, sees, known.Get("path"), "the nearest")
		}
	})
}

// spy is a task that shows what it is given.
type spy struct {
	kind string
	see  func(task.Context)
}

type spied struct {
	Contact task.ContactRef `json:"contact"`
}

func (s spy) Spec() task.Spec {
	return task.Spec{Kind: s.kind, Title: "Spy", Doc: "Looks.", Timeout: time.Second, Fields: []task.FieldSpec{{Name: "contact", Type: "object", Doc: "who"}}}
}
func (spy) Validate(spied) error { return nil }
func (s spy) Run(_ context.Context, in task.Input[spied]) (task.Output, error) {
	s.see(in.Context)
	o := jsonvalue.NewObject(1)
	o.Set("path", string(in.Step))
	return task.Output{Values: o}, nil
}

// lost makes the answer to a step's end get lost once.
type lost struct {
	activities.RunStore
	err error
}

func (l *lost) EndStep(ctx context.Context, made id.ID, step run.Path, status run.StepStatus, output, message string) error {
	if err := l.err; err != nil {
		l.err = nil
		return err
	}
	return l.RunStore.EndStep(ctx, made, step, status, output, message)
}

func TestRunTask_BreaksOffAfterTheEffect_EffectIsThereOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		made := h.run("ada")
		l := &lost{RunStore: h.Store}
		h.runs.Store = l
		for _, s := range []activities.StepInput{{Run: made, Step: "know", Kind: "update_contact"}, {Run: made, Step: "ask", Kind: "distribute"}} {
			l.err = fault.New(fault.Unavailable, "gone")
			_, err := h.runs.RunTask(t.Context(), s)
			require.Error(t, err)
			r, err := h.runs.RunTask(t.Context(), s)
			require.NoError(t, err)
			require.False(t, r.Failed)
			require.Equal(t, run.StepDone, h.step(made, s.Step).Status)
			require.Equal(t, 2, h.step(made, s.Step).Attempts)
		}
		require.Len(t, h.contacts(), 1)
		rows, _, err := h.ListInvitations(t.Context(), query.InvitationQuery{Run: made}, query.Paging{Limit: 10})
		require.NoError(t, err)
		require.Len(t, rows, 1)
	})
}

func TestRunTask_ContactComesLater_IsWaitedForAFewMinutes(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		patient, late := h.run("ada"), h.run("bob")
		ask := func(made id.ID) (activities.StepResult, error) {
			return h.runs.RunTask(t.Context(), activities.StepInput{Run: made, Step: "ask", Kind: "distribute"})
		}
		for _, made := range []id.ID{patient, late} {
			_, err := ask(made)
			require.Equal(t, fault.Unavailable, fault.KindOf(err), "it is tried again")
			require.Equal(t, run.StepRunning, h.step(made, "ask").Status)
			require.Contains(t, h.step(made, "ask").Error, "not known yet")
		}
		h.pass(4 * time.Minute)
		_, err := ask(late)
		require.Error(t, err)
		h.process(identify("ada"))
		r, err := ask(patient)
		require.NoError(t, err)
		require.NotZero(t, r.Distribution)

		h.pass(2 * time.Minute)
		r, err = ask(late)
		require.NoError(t, err)
		require.Equal(t, activities.StepResult{Failed: true}, r)
		require.Equal(t, run.StepFailed, h.step(late, "ask").Status)
		r, err = ask(late)
		require.NoError(t, err)
		require.True(t, r.Failed, "an end stays")
	})
}

func TestRunTask_SettingsThatCannotWork_FailTheStepWithTheirName(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		p := h.plan()
		p.Workflows[0].Steps[2].With.Set("survey", "gone")
		p.Surveys = append(p.Surveys, p.Surveys[0])
		p.Surveys[1].Name = "gone"
		h.save(p)
		made := h.run("ada")
		h.process(identify("ada"))
		h.save(h.plan())
		r, err := h.runs.RunTask(t.Context(), activities.StepInput{Run: made, Step: "ask", Kind: "distribute"})
		require.NoError(t, err)
		require.True(t, r.Failed)
		require.Contains(t, h.step(made, "ask").Error, `"gone"`)
		require.NoError(t, h.runs.EndRun(t.Context(), activities.RunEnd{Run: made, Status: run.Failed, Step: "ask"}))
		require.True(t, strings.HasPrefix(h.status(made).Reason, "ask: survey"), h.status(made).Reason)

		r, err = h.runs.RunTask(t.Context(), activities.StepInput{Run: made, Step: "other", Kind: "no_such_task"})
		require.NoError(t, err)
		require.True(t, r.Failed)
	})
}

func TestRunTask_DatabaseAway_IsTriedAgain(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite://"+t.TempDir()+"/segue.db")
	made := h.run("ada")
	h.runs.Store = &away{h.Store}
	_, err := h.runs.RunTask(t.Context(), activities.StepInput{Run: made, Step: "know", Kind: "update_contact"})
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.False(t, fault.KindOf(err).Final())
}

// away is a database that cannot be read.
type away struct{ activities.RunStore }

func (away) RunByID(context.Context, id.ID) (run.Run, error) {
	return run.Run{}, fault.Wrap(fault.Unavailable, errors.New("connection refused"), "database")
}
