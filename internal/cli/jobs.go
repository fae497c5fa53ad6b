package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/segue-xm/segue/internal/client"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/ops"
)

type jobsCommand struct {
	Status string `placeholder:"STATUS" help:"Only those that are running, paused, done, failed or cancelled."`
	Limit  int    `default:"20" placeholder:"N" help:"How many; default ${default}."`
	remote
	JSON bool `help:"Write JSON, as /api/jobs has it."`
}

// Run runs the command.
func (c *jobsCommand) Run(p *Program) error {
	ctx, stop := p.interruptible()
	defer stop()
	server, err := c.client()
	if err != nil {
		return err
	}
	page, err := server.Jobs(ctx, ops.JobFilter{Status: job.Status(c.Status)}, ops.Paging{Limit: c.Limit})
	if err != nil {
		return err
	}
	if c.JSON {
		return p.writeJSON(map[string]any{"jobs": page.Items})
	}
	if len(page.Items) == 0 {
		fmt.Fprintln(p.Out, "there is no job")
		return nil
	}
	lines := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	for _, j := range page.Items {
		fmt.Fprintf(lines, "%s %s\t%s\t%s\t%s by %s\t%s\n", jobMark(j.Status), j.ID, kindText(j), j.Status, j.StartedAt.UTC().Format(time.RFC3339), j.Author, amountText(j))
	}
	return lines.Flush()
}

type jobShowCommand struct {
	ID      string `arg:"" help:"The job's id."`
	Rows    int    `default:"50" placeholder:"N" help:"How many rows of the report; default ${default}."`
	Outcome string `placeholder:"OUTCOME" help:"Only rows of this outcome."`
	remote
	JSON bool `help:"Write JSON, as /api/jobs/{id} has it."`
}

// Help is the long help text.
func (jobShowCommand) Help() string {
	return "The rows of a replay: new, again and forced are done, differs and done were done before and are skipped, gone was done and would not be done today, " +
		"waiting and unprocessed are under way and left alone, invalid was refused at the door, failed could not be judged."
}

// Run runs the command.
func (c *jobShowCommand) Run(p *Program) error {
	ctx, stop := p.interruptible()
	defer stop()
	v, server, err := c.job(c.ID)
	if err != nil {
		return err
	}
	j, err := server.Job(ctx, v)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.writeJSON(j)
	}
	if _, err := io.WriteString(p.Out, jobText(j)); err != nil {
		return err
	}
	return c.items(ctx, p, server, v)
}

// items writes rows of the report as they come, a page at a time.
func (c *jobShowCommand) items(ctx context.Context, p *Program, server *client.Client, v id.ID) error {
	paging := ops.Paging{}
	for left := c.Rows; left > 0; {
		paging.Limit = min(left, ops.MaxLimit)
		page, err := server.JobItems(ctx, v, ops.JobItemFilter{Outcome: c.Outcome}, paging)
		if err != nil {
			return err
		}
		lines := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
		for _, item := range page.Items {
			fmt.Fprintf(lines, "%d\t%s\t%s\t%s\t%s\n", item.N, item.Outcome, item.Event, item.Mapping, itemText(item))
		}
		if err := lines.Flush(); err != nil {
			return err
		}
		left -= len(page.Items)
		if paging.Cursor = page.Next; paging.Cursor == "" {
			return nil
		}
	}
	fmt.Fprintln(p.Out, "… there are more: see --rows and --outcome")
	return nil
}

type jobCommand struct {
	ID string `arg:"" help:"The job's id."`
	remote
	JSON bool `help:"Write JSON, as /api/jobs/{id} has it."`
}

type (
	jobPauseCommand  struct{ jobCommand }
	jobResumeCommand struct{ jobCommand }
	jobCancelCommand struct{ jobCommand }
)

// Run runs the command.
func (c *jobPauseCommand) Run(p *Program) error { return c.change(p, (*client.Client).PauseJob) }

// Run runs the command.
func (c *jobResumeCommand) Run(p *Program) error { return c.change(p, (*client.Client).ResumeJob) }

// Run runs the command.
func (c *jobCancelCommand) Run(p *Program) error { return c.change(p, (*client.Client).CancelJob) }

func (c *jobCommand) change(p *Program, do func(*client.Client, context.Context, id.ID) (ops.Job, error)) error {
	ctx, stop := p.interruptible()
	defer stop()
	v, server, err := c.job(c.ID)
	if err != nil {
		return err
	}
	j, err := do(server, ctx, v)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.writeJSON(j)
	}
	_, err = io.WriteString(p.Out, jobText(j))
	return err
}

// job reads a job's id, and finds the server.
func (r *remote) job(text string) (id.ID, *client.Client, error) {
	v, err := id.Parse(text)
	if err != nil {
		return 0, nil, usage(err)
	}
	server, err := r.client()
	return v, server, err
}

func jobMark(s job.Status) string {
	switch s {
	case job.Done:
		return "●"
	case job.Failed:
		return "✕"
	case job.Cancelled:
		return "⊘"
	}
	return "◔"
}

func kindText(j ops.Job) string {
	text := string(j.Kind)
	if j.Replay != nil && j.Replay.DryRun {
		text += ", dry run"
	}
	if j.Replay != nil && j.Replay.Force {
		text += ", by force"
	}
	return text
}

// amountText is "1200 of 5000".
func amountText(j ops.Job) string {
	if j.Total == nil {
		return fmt.Sprint(j.Done)
	}
	return fmt.Sprintf("%d of %d", j.Done, *j.Total)
}

// progressText is one line about a job.
func progressText(j ops.Job) string {
	text := fmt.Sprintf("%s %s %s (%s): %s looked at", jobMark(j.Status), j.ID, j.Status, kindText(j), amountText(j))
	if j.EndedAt != nil {
		text += fmt.Sprintf(" in %s", j.EndedAt.Sub(j.StartedAt).Round(time.Millisecond))
	}
	return text
}

// jobText is what a job counted, and what became of what it wrote.
func jobText(j ops.Job) string {
	var b strings.Builder
	fmt.Fprintln(&b, progressText(j))
	if j.Reason != "" {
		fmt.Fprintf(&b, "  %s\n", j.Reason)
	}
	for _, word := range slices.Sorted(maps.Keys(j.Counts)) {
		fmt.Fprintf(&b, "  %-12s %d\n", word, j.Counts[word])
	}
	if j.Report != nil {
		for _, status := range slices.Sorted(maps.Keys(j.Report.Deliveries)) {
			fmt.Fprintf(&b, "  deliveries %s: %d\n", status, j.Report.Deliveries[status])
		}
	}
	return b.String()
}

// itemText is what a row says beside its outcome.
func itemText(i ops.JobItem) string {
	var parts []string
	switch {
	case i.Now != "":
		parts = append(parts, strings.TrimSuffix(string(i.Now)+": "+i.NowReason, ": "))
	case i.Status != "":
		parts = append(parts, string(i.Status))
	}
	if i.Reason != "" && i.Reason != i.NowReason {
		parts = append(parts, i.Reason)
	}
	if len(i.Differs) > 0 {
		parts = append(parts, "differs: "+strings.Join(i.Differs, ", "))
	}
	return strings.Join(parts, "; ")
}
