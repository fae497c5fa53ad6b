package console

import (
	"encoding/json"
	"net/url"
	"time"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/doors/api"
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
	api.Run
	Link string
	Mark Mark
	Took string
	Step string // where it is, while it is somewhere
}

var runStatuses = []string{"pending", "running", "done", "failed", "not_started", "cancelled"}

func (c *Console) runs(r *request) error {
	f := api.RunFilter{Workflow: r.query("workflow"), Event: r.query("event"), Status: r.query("status"), Contact: r.query("contact")}
	page, err := c.ops.Runs(r.context(), f, api.Paging{Cursor: r.query("cursor")})
	if err != nil {
		return err
	}
	v, filters := r.view, r.filters("workflow", "event", "status", "contact")
	view := RunsView{
		Workflow: f.Workflow, Event: f.Event, Contact: f.Contact,
		Statuses: v.options(runStatuses, f.Status, func(s string) string { return v.Status(s).Word }),
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

func (v *View) runRow(run api.Run) RunRow {
	row := RunRow{Run: run, Link: "/runs/" + run.ID.String(), Mark: v.Status(run.Status), Took: v.Took(&run.StartedAt, run.EndedAt)}
	for _, s := range run.Steps {
		if open(s.Status) {
			row.Step = s.ID
		}
	}
	return row
}

// RunView is the page about one run.
type RunView struct {
	api.Run
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
	api.RunStep
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
	one, err := c.ops.Run(ctx, run)
	if err != nil {
		return err
	}
	distributions, err := c.ops.Distributions(ctx, run.String(), api.Paging{})
	if err != nil {
		return err
	}
	invitations, err := c.ops.Invitations(ctx, api.InvitationFilter{Run: run.String()}, api.Paging{})
	if err != nil {
		return err
	}
	view := RunView{
		Run: one, Mark: v.Status(one.Status), Took: v.Took(&one.StartedAt, one.EndedAt), Live: open(one.Status),
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

// fieldState takes a run's field states through their JSON: a list of fields, or
// states by name.
type fieldState struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Required bool   `json:"required"`
	State    string `json:"state"`
	Found    *struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"found"`
}

func readFieldStates(states any) map[string]fieldState {
	b, err := json.Marshal(states)
	if err != nil {
		return nil
	}
	byName := map[string]fieldState{}
	var list []fieldState
	if json.Unmarshal(b, &list) == nil {
		for _, s := range list {
			byName[s.Name] = s
		}
		return byName
	}
	var full map[string]fieldState
	if json.Unmarshal(b, &full) == nil {
		return full
	}
	var plain map[string]string
	if json.Unmarshal(b, &plain) == nil {
		for name, s := range plain {
			byName[name] = fieldState{State: s}
		}
	}
	return byName
}

func (v *View) runFields(run api.Run) []RunField {
	if run.Fields == nil {
		return nil
	}
	states := readFieldStates(run.FieldStates)
	var fields []RunField
	for name, value := range run.Fields.All() {
		s := states[name]
		if s.State == "" {
			s.State = "value"
			if jsonvalue.IsNil(value) {
				s.State = "missing"
			}
		}
		f := RunField{Name: name, Type: first(s.Type, jsonvalue.TypeName(value)), Required: s.Required, Mark: v.Status(s.State)}
		if !jsonvalue.IsNil(value) {
			f.Text = clip(jsonvalue.Text(value), maxLeaf)
		}
		if s.Found != nil {
			f.Note = v.T("run.found", s.Found.Type, s.Found.Text)
		}
		fields = append(fields, f)
	}
	return fields
}

func (v *View) stepLines(run api.Run) []StepLine {
	begin, end := run.StartedAt, v.Now
	if run.EndedAt != nil {
		end = *run.EndedAt
	}
	whole := max(end.Sub(begin), time.Millisecond)
	lines := make([]StepLine, 0, len(run.Steps))
	for i, s := range run.Steps {
		l := StepLine{
			RunStep: s, Number: i + 1, Mark: v.Status(s.Status), Took: v.Took(s.StartedAt, s.EndedAt), Open: s.Error != "",
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
