package activities

import (
	"context"
	"log/slog"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
)

// JobKind is one kind of long work.
type JobKind interface {
	// Page does the next page of a job: from j.Cursor on, a few hundred items at most.
	// It writes what it does in one transaction with the page's record, so that a page
	// that is done twice happens once, and returns the job as it is then. An item that
	// fails is a row of the report. An error that trying again cannot help fails the
	// job; after any other the page is done again.
	Page(ctx context.Context, j job.Job) (job.Job, error)
}

// JobStore is where jobs are kept.
type JobStore interface {
	BeginPage(ctx context.Context, j id.ID) (job.Job, error)
	PageFailed(ctx context.Context, j id.ID, reason string) error
	EndJob(ctx context.Context, j id.ID, status job.Status, reason string) (job.Job, bool, error)
}

// Jobs is long work, page by page.
type Jobs struct {
	Store JobStore
	Kinds map[job.Kind]JobKind
	Log   *slog.Logger // nil is the default one
}

// JobPage is how a job stands after a page.
type JobPage struct {
	Status job.Status `json:"status"`
}

// pageTime is how long a page may take.
const pageTime = 4 * time.Minute

// NextPage does a job's next page, unless the job does not run. Running it twice: a
// page is recorded once, together with what it wrote.
func (a *Jobs) NextPage(ctx context.Context, in handover.JobInput) (JobPage, error) {
	defer alive(ctx)()
	j, err := a.Store.BeginPage(ctx, in.Job)
	if err != nil || j.Status != job.Running {
		return JobPage{j.Status}, err
	}
	paged, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	var after job.Job
	err = fault.Guard(func() error {
		kind := a.Kinds[j.Kind]
		if kind == nil {
			return fault.New(fault.Unavailable, "waits for a worker of a version that knows jobs of kind %s", j.Kind)
		}
		after, err = kind.Page(paged, j)
		return err
	})
	switch {
	case err == nil:
		if after.Status.Ended() {
			a.log().InfoContext(ctx, "job ended", "job", j.ID, "kind", j.Kind, "status", after.Status, "done", after.Done, "counts", after.Counts)
		}
		return JobPage{after.Status}, nil
	case ctx.Err() != nil:
		return JobPage{}, err // this process ends, or nobody waits any more
	case !fault.KindOf(err).Final():
		_ = a.Store.PageFailed(ctx, j.ID, fault.Words(err)) // shown meanwhile; the page's own error says more
		return JobPage{}, err
	}
	a.log().WarnContext(ctx, "job failed", "job", j.ID, "kind", j.Kind, "error", err)
	j, _, err = a.Store.EndJob(ctx, j.ID, job.Failed, fault.Words(err))
	return JobPage{j.Status}, err
}

func (a *Jobs) log() *slog.Logger {
	if a.Log == nil {
		return slog.Default()
	}
	return a.Log
}
