package console

import (
	"net/url"
	"sort"

	"github.com/segue-xm/segue/internal/ops"
)

// DistributionsView is the list of distributions.
type DistributionsView struct {
	Chips []DistributionChip // what the list is restricted to
	Rows  []DistributionRow
	Pager Pager
	Empty Empty
}

// DistributionChip is one restriction of the list.
type DistributionChip struct{ Word, Value string }

// DistributionRow is one distribution of a list.
type DistributionRow struct {
	ops.Distribution
	Link                    string
	Mark                    Mark
	Planned, Sent, Finished int
}

func (c *Console) distributions(r *request) error {
	f := ops.DistributionFilter{Run: r.query("run"), Workflow: r.query("workflow"), Survey: r.query("survey")}
	page, err := c.ops.Distributions.List(r.context(), f, ops.Paging{Cursor: r.query("cursor")})
	if err != nil {
		return err
	}
	v, filters := r.view, r.filters("run", "workflow", "survey")
	view := DistributionsView{
		Pager: v.pager("/distributions", filters, r.query("cursor"), page.Next),
		Empty: v.Empty("distributions", len(filters) > 0, "/distributions"),
	}
	for _, c := range []DistributionChip{{"word.run", f.Run}, {"word.workflow", f.Workflow}, {"word.survey", f.Survey}} {
		if c.Value != "" {
			view.Chips = append(view.Chips, DistributionChip{v.T(c.Word), c.Value})
		}
	}
	for _, d := range page.Items {
		view.Rows = append(view.Rows, v.distributionRow(d))
	}
	return show(r, "distributions", v.T("nav.distributions"), view)
}

func (v *View) distributionRow(d ops.Distribution) DistributionRow {
	return DistributionRow{
		Distribution: d, Link: "/distributions/" + d.ID.String(), Mark: v.Status(string(d.Status)),
		Planned: d.Counts["planned"], Sent: d.Counts["sent"], Finished: d.Counts["finished"],
	}
}

// DistributionView is the page about one distribution.
type DistributionView struct {
	ops.Distribution
	Mark        Mark
	Live        bool
	RunsLink    string
	Funnel      []FunnelStage
	Beside      []BesideStage
	Invitations []InvitationRow
	Pager       Pager
	Reasons     []ReasonCount
}

// FunnelStage is one stage of the funnel: how many of those planned reached it.
type FunnelStage struct {
	Label    string
	N, Of    int
	Share    string
	HasShare bool
}

// BesideStage counts those who left the funnel.
type BesideStage struct {
	Mark Mark
	N    int
}

// ReasonCount is one reason on this page of invitations.
type ReasonCount struct {
	Reason string
	N      int
}

// InvitationRow is one invitation of a list.
type InvitationRow struct {
	ops.Invitation
	Mark     Mark
	Last     Stamp
	Messages []MessageLine
	Answer   Node
	HasMore  bool
}

// MessageLine is one message of an invitation.
type MessageLine struct {
	ops.Message
	KindText string
	Mark     Mark
}

var (
	funnelStages = []string{"planned", "sent", "opened", "started", "finished"}
	besideStages = []string{"skipped", "failed", "expired", "cancelled"}
)

func (c *Console) distribution(r *request) error {
	distribution, err := r.id()
	if err != nil {
		return err
	}
	ctx, v := r.context(), r.view
	d, err := c.ops.Distributions.Get(ctx, distribution)
	if err != nil {
		return err
	}
	invitations, err := c.ops.Invitations.List(ctx, ops.InvitationFilter{Distribution: d.ID.String()}, ops.Paging{Cursor: r.query("cursor")})
	if err != nil {
		return err
	}
	view := DistributionView{
		Distribution: d, Mark: v.Status(string(d.Status)), Live: d.Counts["pending"] > 0, RunsLink: "/runs?" + url.Values{"workflow": {d.Workflow}}.Encode(),
		Pager: v.pager("/distributions/"+distribution.String(), nil, r.query("cursor"), invitations.Next),
	}
	planned := d.Counts["planned"]
	for i, stage := range funnelStages {
		s := FunnelStage{Label: v.T("funnel." + stage), N: d.Counts[stage], Of: max(planned, 1), HasShare: i > 0 && planned > 0}
		if s.HasShare {
			s.Share = v.T("unit.percent", (d.Counts[stage]*100+planned/2)/planned)
		}
		view.Funnel = append(view.Funnel, s)
	}
	for _, stage := range besideStages {
		if n := d.Counts[stage]; n > 0 {
			view.Beside = append(view.Beside, BesideStage{Mark: v.Status(stage), N: n})
		}
	}
	reasons := map[string]int{}
	for _, i := range invitations.Items {
		view.Invitations = append(view.Invitations, v.invitationRow(i))
		if i.Reason != "" {
			reasons[i.Reason]++
		}
	}
	for reason, n := range reasons {
		view.Reasons = append(view.Reasons, ReasonCount{reason, n})
	}
	sort.Slice(view.Reasons, func(i, k int) bool {
		a, b := view.Reasons[i], view.Reasons[k]
		return a.N > b.N || a.N == b.N && a.Reason < b.Reason
	})
	return show(r, "distribution", d.Survey+" · "+distribution.String(), view)
}

func (v *View) invitationRow(i ops.Invitation) InvitationRow {
	row := InvitationRow{Invitation: i, Mark: v.Status(string(i.Status)), Answer: v.ObjectTree("$", i.Response)}
	row.Last = v.TimeOf(i.SentAt)
	if i.OpenedAt != nil {
		row.Last = v.TimeOf(i.OpenedAt)
	}
	for _, m := range i.Messages {
		row.Messages = append(row.Messages, MessageLine{Message: m, KindText: v.Kind(m.Kind), Mark: v.Status(string(m.Status))})
	}
	row.HasMore = len(row.Messages) > 0 || i.Response != nil
	return row
}
