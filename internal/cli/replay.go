package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/segue-xm/segue/internal/client"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops"
)

type replayCommand struct {
	Source  string   `placeholder:"NAME" help:"Events of this source."`
	Since   string   `placeholder:"TIME" help:"Events stored at this time or later: 2026-11-01T09:00:00Z, 2026-11-01, or 36h and 3d for so long ago."`
	Until   string   `placeholder:"TIME" help:"Events stored before this time; default: now."`
	Mapping string   `placeholder:"NAME" help:"Only what this mapping does."`
	Type    string   `placeholder:"TYPE" help:"Events of this type: identify, track, page …"`
	Name    string   `placeholder:"NAME" help:"Events of this name: a track event's, a page's, a screen's."`
	Event   []string `placeholder:"ID" help:"This event. May be given several times."`
	DryRun  bool     `help:"Only say what it would do."`
	Force   bool     `help:"Do once more what was done: the transaction is written over, the contact updated, a new run sends again."`
	Wait    bool     `default:"true" negatable:"" help:"Wait until it has ended; --no-wait only begins it."`
	remote
	JSON bool `help:"Write the job as JSON, as /api/jobs/{id} has it."`

	every time.Duration // between looks; for tests
}

// Help is the long help text.
func (replayCommand) Help() string {
	return "The events that a filter names are judged by the plan in force, and compared with what was done for them: what is new is done, what failed is tried again, " +
		"what was done is skipped. Events that come meanwhile are not part of it. It goes on in the server when this command is interrupted: see segue jobs. " +
		"Exit code 1 when the job failed or was cancelled."
}

// Run runs the command.
func (c *replayCommand) Run(p *Program) error {
	ctx, stop := p.interruptible()
	defer stop()
	in := ops.ReplayInput{DryRun: c.DryRun, Force: c.Force, Filter: ops.ReplayFilter{Source: c.Source, Mapping: c.Mapping, Type: c.Type, Event: c.Name, IDs: c.Event}}
	var err error
	if in.Filter.Since, err = moment("since", c.Since, time.Now()); err != nil {
		return usage(err)
	}
	if in.Filter.Until, err = moment("until", c.Until, time.Now()); err != nil {
		return usage(err)
	}
	server, err := c.client()
	if err != nil {
		return err
	}
	j, err := server.Replay(ctx, in)
	if err != nil {
		return err
	}
	if c.Wait {
		if j, err = c.wait(ctx, p, server, j); err != nil {
			return fmt.Errorf("%w; the job %s goes on: segue jobs show %s", err, j.ID, j.ID)
		}
	}
	if c.JSON {
		err = p.writeJSON(j)
	} else {
		_, err = io.WriteString(p.Out, jobText(j))
	}
	if err == nil && (j.Status == job.Failed || j.Status == job.Cancelled) {
		return fault.New(fault.Conflict, "the job %s is %s", j.ID, j.Status)
	}
	return err
}

// wait looks at the job until it has ended or somebody has paused it, and says every
// few seconds how far it is.
func (c *replayCommand) wait(ctx context.Context, p *Program, server *client.Client, j ops.Job) (ops.Job, error) {
	every := c.every
	if every == 0 {
		every = 500 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for looks := 1; j.Status == job.Running; looks++ {
		select {
		case <-ctx.Done():
			return j, ctx.Err()
		case <-tick.C:
		}
		now, err := server.Job(ctx, j.ID)
		if err != nil {
			return j, err
		}
		if j = now; looks%10 == 0 && j.Status == job.Running {
			fmt.Fprintf(p.Err, "%s\n", progressText(j))
		}
	}
	return j, nil
}

// moment reads a time: RFC 3339, a day, or how long ago.
func moment(flag, text string, now time.Time) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return &t, nil
		}
	}
	ago, err := plan.ParseDuration(text)
	if err != nil {
		return nil, fault.Field(flag, "want a time like 2026-11-01T09:00:00Z or 2026-11-01, or how long ago, like 36h or 3d; found %q", text)
	}
	t := now.Add(-ago.Std())
	return &t, nil
}
