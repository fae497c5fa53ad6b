package console

import (
	"net/url"
	"time"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/ops"
)

// RunsView is the list of runs.
type RunsView struct {
	Workflow, Event, Contact string
	Statuses                 []Option
	Rows                     []RunRow
	Pager                    Pager
	Empty                    Empty
}

// RunRow is one run of a list.
type RunRow struct {
	ops.Run
	Link string
	Mark Mark
	Took string
	Step string // where it is, while it is somewhere
}

func (c *Console) runs(r *request) error {
	f := ops.RunFilter{Workflow: r.query("workflow"), Event: r.query("event"), Status: run.Status(r.query("status")), Contact: r.query("contact")}
	page, err := c.ops.Runs.List(r.context(), f, ops.Paging{Cursor: r.query("cursor")})
	if err != nil {
		return err
	}
	v, filters := r.view, r.filters("workflow", "event", "status", "contact")
	view := RunsView{
		Workflow: f.Workflow, Event: f.Event, Contact: f.Contact,
		Statuses: v.options(texts(run.Statuses()), string(f.Status), func(s string) string { return v.Status(s).Word }),
		Pager:    v.pager("/runs", filters, r.query("cursor"), page.Next),
		Empty:    v.Empty("runs", len(filters) > 0, "/runs"),
	}
	for _, run := range page.Items {
		view.Rows = append(view.Rows, v.runRow(run))
	}
	return show(r, "runs", v.T("nav.runs"), view)
}

// filters are the named parameters of the address that are set.
func (r *request) filters(names ...string) url.Values {
	q := url.Values{}
	for _, name := range names {
		if t := r.query(name); t != "" {
			q.Set(name, t)
		}
	}
	return q
}

func (v *View) runRow(run ops.Run) RunRow {
	row := RunRow{Run: run, Link: "/runs/" + run.ID.String(), Mark: v.Status(string(run.Status)), Took: v.Took(&run.StartedAt, run.EndedAt)}
	for _, s := range run.Steps {
		if open(s.Status) {
			row.Step = s.ID
		}
	}
	return row
}

// RunView is the page about one run.
type RunView struct {
	ops.Run
	Mark          Mark
	Took          string
	Live          bool
	Fields        []RunField
	Steps         []StepLine
	Distributions []DistributionRow
	Invitations   []InvitationRow
	Temporal      string
	StepsDone     int
}

// RunField is one typed field and how it came to its value.
type RunField struct {
	Name, Type, Text, Note string
	Required               bool
	Mark                   Mark
}

// StepLine is one step of a run. From and Width place its bar, in thousandths of
// the run's time.
type StepLine struct {
	ops.RunStep
	Number        int
	Mark          Mark
	Took          string
	From, Width   int
	HasBar        bool
	Input, Output Node
	Tries         string
	Open          bool
}

func (c *Console) run(r *request) error {
	run, err := r.id()
	if err != nil {
		return err
	}
	ctx, v := r.context(), r.view
	one, err := c.ops.Runs.Get(ctx, run)
	if err != nil {
		return err
	}
	distributions, err := c.ops.Distributions.List(ctx, ops.DistributionFilter{Run: run.String()}, ops.Paging{})
	if err != nil {
		return err
	}
	invitations, err := c.ops.Invitations.List(ctx, ops.InvitationFilter{Run: run.String()}, ops.Paging{})
	if err != nil {
		return err
	}
	view := RunView{
		Run: one, Mark: v.Status(string(one.Status)), Took: v.Took(&one.StartedAt, one.EndedAt), Live: open(one.Status),
		Fields: v.runFields(one), Steps: v.stepLines(one), Temporal: c.temporal(one.TemporalURL),
	}
	for _, s := range one.Steps {
		if !open(s.Status) {
			view.StepsDone++
		}
	}
	for _, d := range distributions.Items {
		view.Distributions = append(view.Distributions, v.distributionRow(d))
	}
	for _, i := range invitations.Items {
		view.Invitations = append(view.Invitations, v.invitationRow(i))
	}
	return show(r, "run", one.Workflow+" · "+run.String(), view)
}

func (v *View) runFields(run ops.Run) []RunField {
	var fields []RunField
	for _, s := range run.FieldStates {
		f := RunField{Name: s.Name, Type: s.Type, Required: s.Required, Mark: v.Status(string(s.State))}
		if s.Value != nil {
			f.Text = clip(jsonvalue.Text(s.Value), maxLeaf)
		}
		if s.Found != nil {
			f.Note = v.T("run.found", s.Found.Type, s.Found.Text)
		}
		fields = append(fields, f)
	}
	return fields
}

func (v *View) stepLines(run ops.Run) []StepLine {
	begin, end := run.StartedAt, v.Now
	if run.EndedAt != nil {
		end = *run.EndedAt
	}
	whole := max(end.Sub(begin), time.Millisecond)
	lines := make([]StepLine, 0, len(run.Steps))
	for i, s := range run.Steps {
		l := StepLine{
			RunStep: s, Number: i + 1, Mark: v.Status(string(s.Status)), Took: v.Took(s.StartedAt, s.EndedAt), Open: s.Error != "",
			Input: v.ObjectTree("$", s.Input), Output: v.ObjectTree("$", s.Output),
		}
		if s.Attempts > 1 {
			l.Tries = v.N("run.tries", s.Attempts)
		}
		if s.StartedAt != nil {
			until := end
			if s.EndedAt != nil {
				until = *s.EndedAt
			}
			l.HasBar = true
			l.From = bound(int(s.StartedAt.Sub(begin)*1000/whole), 0, 990)
			l.Width = bound(int(until.Sub(*s.StartedAt)*1000/whole), 10, 1000-l.From)
		}
		lines = append(lines, l)
	}
	return lines
}

func bound(n, low, high int) int { return min(max(n, low), high) }
