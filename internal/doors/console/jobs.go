package console

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/replay"
	"github.com/segue-xm/segue/internal/ops"
)

// JobsView is the list of jobs.
type JobsView struct {
	Statuses []Option
	Rows     []JobRow
	Live     bool
	Pager    Pager
	Empty    Empty
}

// JobRow is one job of a list. Filled is how much of its bar is, in thousandths.
type JobRow struct {
	ops.Job
	Link   string
	Mark   Mark
	What   string // its kind, and how it is done
	Amount string
	Took   string
	HasBar bool
	Filled int
}

func (c *Console) jobs(r *request) error {
	f := ops.JobFilter{Status: job.Status(r.query("status"))}
	page, err := c.ops.Jobs.List(r.context(), f, ops.Paging{Cursor: r.query("cursor")})
	if err != nil {
		return err
	}
	v, filters := r.view, r.filters("status")
	view := JobsView{
		Statuses: v.options(texts(job.Statuses()), string(f.Status), func(s string) string { return v.Status(s).Word }),
		Pager:    v.pager("/jobs", filters, r.query("cursor"), page.Next),
		Empty:    v.Empty("jobs", len(filters) > 0, "/jobs"),
	}
	for _, j := range page.Items {
		view.Rows = append(view.Rows, v.jobRow(j))
		view.Live = view.Live || open(j.Status)
	}
	return show(r, "jobs", v.T("nav.jobs"), view)
}

func (v *View) jobRow(j ops.Job) JobRow {
	row := JobRow{
		Job: j, Link: "/jobs/" + j.ID.String(), Mark: v.Status(string(j.Status)), What: v.word("job.kind_", string(j.Kind)),
		Amount: v.Num(int(j.Done)), Took: v.Took(&j.StartedAt, j.EndedAt),
	}
	if j.Replay != nil && j.Replay.DryRun {
		row.What += v.T("list.join") + v.T("job.dry_run")
	}
	if j.Replay != nil && j.Replay.Force {
		row.What += v.T("list.join") + v.T("job.force")
	}
	if j.Total != nil && *j.Total > 0 {
		row.Amount = v.T("job.of", v.Num(int(j.Done)), v.Num(int(*j.Total)))
		row.HasBar, row.Filled = true, bound(int(j.Done*1000 / *j.Total), 0, 1000)
	}
	return row
}

// JobView is the page about one job.
type JobView struct {
	JobRow
	Live      bool
	Asked     []Fact
	Counts    []CountRow
	Written   []CountRow // what became of the deliveries that a replay wrote
	Items     []ItemRow
	Outcomes  []Option
	Pager     Pager
	MayPause  bool
	MayResume bool
	MayCancel bool
	Temporal  string
}

// Fact is a name and what it is.
type Fact struct{ Name, Text string }

// CountRow counts one thing. Only what has a status has a mark.
type CountRow struct {
	Mark  Mark
	Label string
	N, Of int
	Num   string
}

// ItemRow is one row of a report.
type ItemRow struct {
	ops.JobItem
	Mark Mark
	Now  Mark
	Text string
}

func (c *Console) job(r *request) error {
	v, err := r.id()
	if err != nil {
		return err
	}
	j, err := c.ops.Jobs.Get(r.context(), v)
	if err != nil {
		return err
	}
	outcome, cursor := r.query("outcome"), r.query("cursor")
	items := ops.Page[ops.JobItem]{}
	if j.Report != nil {
		items = ops.Page[ops.JobItem]{Items: j.Report.Items, Next: j.Report.Next}
	}
	if outcome != "" || cursor != "" {
		if items, err = c.ops.Jobs.Items(r.context(), v, ops.JobItemFilter{Outcome: outcome}, ops.Paging{Cursor: cursor}); err != nil {
			return err
		}
	}
	w := r.view
	row := w.jobRow(j)
	view := JobView{
		JobRow: row, Live: open(j.Status), Asked: w.asked(j), Counts: w.jobCounts(j), Written: w.written(j.Report),
		Outcomes: w.options(texts(replay.Outcomes()), outcome, func(s string) string { return w.Status(s).Word }),
		Pager:    w.pager(row.Link, r.filters("outcome"), cursor, items.Next),
		MayPause: j.Status == job.Running, MayResume: j.Status == job.Paused, MayCancel: !j.Status.Ended() && j.Status != "", Temporal: c.temporal(j.TemporalURL),
	}
	view.Pager.NewestText, view.Pager.OlderText = w.T("job.first_rows"), w.T("job.more_rows")
	for _, i := range items.Items {
		view.Items = append(view.Items, w.itemRow(i))
	}
	return show(r, "job", row.What+" · "+v.String(), view)
}

// asked is what a replay was asked for.
func (v *View) asked(j ops.Job) (facts []Fact) {
	if j.Replay == nil {
		return nil
	}
	f := j.Replay.Filter
	for _, one := range []struct{ key, text string }{
		{"word.source", f.Source}, {"word.mapping", f.Mapping}, {"events.type", f.Type}, {"events.name", f.Event},
		{"job.since", v.day(f.Since)}, {"job.until", v.day(f.Until)},
	} {
		if one.text != "" {
			facts = append(facts, Fact{v.T(one.key), one.text})
		}
	}
	if len(f.IDs) > 0 {
		facts = append(facts, Fact{v.T("nav.events"), v.Num(len(f.IDs))})
	}
	return facts
}

func (v *View) day(t *time.Time) string {
	if t == nil {
		return ""
	}
	return v.Time(*t).Text
}

// jobCounts are what a job counted: how many events, and what became of them.
func (v *View) jobCounts(j ops.Job) (rows []CountRow) {
	most := 1
	for _, n := range j.Counts {
		most = max(most, n)
	}
	for _, word := range []string{replay.Events, replay.Unmatched} {
		if n, ok := j.Counts[word]; ok {
			rows = append(rows, CountRow{Label: v.T("job.count_" + word), N: n, Of: most, Num: v.Num(n)})
		}
	}
	for _, o := range texts(replay.Outcomes()) {
		if n := j.Counts[o]; n > 0 {
			m := v.Status(o)
			rows = append(rows, CountRow{Mark: m, Label: m.Word, N: n, Of: most, Num: v.Num(n)})
		}
	}
	return rows
}

func (v *View) written(r *ops.JobReport) (rows []CountRow) {
	if r == nil {
		return nil
	}
	all := 0
	for _, n := range r.Deliveries {
		all += n
	}
	for _, s := range slices.Concat(delivery.OpenStatuses(), delivery.EndStatuses()) {
		if n := r.Deliveries[s]; n > 0 {
			m := v.Status(string(s))
			rows = append(rows, CountRow{Mark: m, Label: m.Word, N: n, Of: all, Num: v.Num(n)})
		}
	}
	return rows
}

func (v *View) itemRow(i ops.JobItem) ItemRow {
	row := ItemRow{JobItem: i, Mark: v.Status(i.Outcome), Text: first(i.NowReason, i.Reason)}
	switch {
	case i.Now != "":
		row.Now = v.Status(string(i.Now))
	case i.Status != "":
		row.Now = v.Status(string(i.Status))
	}
	return row
}

// JobChange is a button that changes a job.
type JobChange struct{ Link, CSRF, Text, Tone string }

// Change is a button that changes the job of this page.
func (v *View) Change(verb, text, tone string) JobChange {
	here, _, _ := strings.Cut(v.Path, "?")
	return JobChange{Link: here + "/" + verb, CSRF: v.CSRF, Text: text, Tone: tone}
}

// changeJob makes a handler of something that is done to a job.
func (c *Console) changeJob(do func(context.Context, id.ID) (ops.Job, error)) handler {
	return func(r *request) error {
		v, err := r.id()
		if err != nil {
			return err
		}
		j, err := do(r.context(), v)
		if err != nil {
			return err
		}
		return r.see("/jobs/" + j.ID.String())
	}
}
