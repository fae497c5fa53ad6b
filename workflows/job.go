package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/job"
)

// jobPages bounds a Job execution's history.
const jobPages = 200

// Job does a job's pages, one after the other, as long as its row says that it runs.
// It ends when the job has ended, or was paused; whoever resumes it starts it again.
func Job(ctx workflow.Context, in handover.JobInput) error {
	wake := workflow.GetSignalChannel(ctx, handover.SignalWake)
	for range jobPages {
		var p activities.JobPage
		if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, jobPage), jobs.NextPage, in).Get(ctx, &p); err != nil {
			return err
		}
		if p.Status != job.Running && !drain(wake) {
			return nil
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() { // signals make it long too
			break
		}
	}
	drain(wake) // the next execution asks the row first thing
	return workflow.NewContinueAsNewError(ctx, Job, in)
}
