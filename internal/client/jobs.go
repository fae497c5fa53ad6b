package client

import (
	"context"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/ops"
)

// Jobs lists jobs.
func (c *Client) Jobs(ctx context.Context, f ops.JobFilter, p ops.Paging) (ops.Page[ops.Job], error) {
	return list[ops.Job](ctx, c, "/jobs", "jobs", f, p)
}

// Job is one job with the beginning of its report.
func (c *Client) Job(ctx context.Context, job id.ID) (ops.Job, error) {
	return get[ops.Job](ctx, c, "/jobs/"+job.String())
}

// JobItems lists the rows of a job's report, in the order of its work.
func (c *Client) JobItems(ctx context.Context, job id.ID, f ops.JobItemFilter, p ops.Paging) (ops.Page[ops.JobItem], error) {
	return list[ops.JobItem](ctx, c, "/jobs/"+job.String()+"/items", "items", f, p)
}

// PauseJob keeps a job from beginning another page. Pausing twice does nothing.
func (c *Client) PauseJob(ctx context.Context, job id.ID) (ops.Job, error) {
	return post[ops.Job](ctx, c, "/jobs/"+job.String()+"/pause", struct{}{})
}

// ResumeJob lets a paused job go on. Safe to call twice.
func (c *Client) ResumeJob(ctx context.Context, job id.ID) (ops.Job, error) {
	return post[ops.Job](ctx, c, "/jobs/"+job.String()+"/resume", struct{}{})
}

// CancelJob ends a job; what it has done stays. Cancelling twice does nothing.
func (c *Client) CancelJob(ctx context.Context, job id.ID) (ops.Job, error) {
	return post[ops.Job](ctx, c, "/jobs/"+job.String()+"/cancel", struct{}{})
}

// Replay processes stored events again, as a job.
func (c *Client) Replay(ctx context.Context, in ops.ReplayInput) (ops.Job, error) {
	return post[ops.Job](ctx, c, "/replays", in)
}

// Process processes one event again, as a job.
func (c *Client) Process(ctx context.Context, event id.ID, in ops.ProcessInput) (ops.Job, error) {
	return post[ops.Job](ctx, c, "/events/"+event.String()+"/process", in)
}
