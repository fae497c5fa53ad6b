package console

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/doors/kit"
	"github.com/segue-xm/segue/internal/ops"
)

// ConnectionsView is what the plan is connected with: where events come from and
// where they go.
type ConnectionsView struct {
	Destinations []DestinationRow
	Sources      []SourceRow
	Live         bool
	Empty        Empty
}

// DestinationRow is one destination of the list.
type DestinationRow struct {
	ops.Destination
	Link    string
	Mark    Mark
	Where   string // what it is and where: Qualtrics · fra1
	Place   string // the directory or data center
	Notes   []StateNote
	Total   int // of what waits
	Pending int
	Retries int
	Held    int
	Oldest  string // how long the oldest waits
}

// SourceRow is one source of the list. Its keys are not shown.
type SourceRow struct {
	Name string
	Keys string
}

// StateNote says one thing about the state of a destination: what, why, since or
// until when, and what to do.
type StateNote struct {
	Mark         Mark
	Text, Reason string
	When, Do     string
}

func (c *Console) connections(r *request) error {
	all, err := c.ops.Destinations.List(r.context())
	if err != nil {
		return err
	}
	sources, err := c.ops.Sources.List(r.context())
	if err != nil {
		return err
	}
	v := r.view
	view := ConnectionsView{Empty: v.Empty("destinations", false, "")}
	view.Empty.Link, view.Empty.LinkText = "/help/segment", v.T("connections.help")
	for _, d := range all.Destinations {
		view.Destinations = append(view.Destinations, v.destinationRow(d))
		view.Live = view.Live || mayChange(d)
	}
	for _, s := range sources.Sources {
		view.Sources = append(view.Sources, SourceRow{s.Name, v.N("connections.keys", len(s.WriteKeys))})
	}
	return show(r, "connections", v.T("nav.connections"), view)
}

// mayChange reports whether the state of a destination may change by itself.
func mayChange(d ops.Destination) bool {
	return len(d.Waiting) > 0 || d.Status != "ok" && d.Status != "off"
}

func destinationLink(name string) string { return "/destinations/" + url.PathEscape(name) }

func (v *View) destinationRow(d ops.Destination) DestinationRow {
	row := DestinationRow{
		Destination: d, Link: destinationLink(d.Name), Mark: v.Status(d.Status), Where: v.word("destination.type_", d.Type), Place: d.Directory + d.Datacenter,
		Notes: v.stateNotes(d), Pending: d.Waiting["pending"], Retries: d.Waiting["retrying"], Held: d.Waiting["held"],
	}
	for _, n := range d.Waiting {
		row.Total += n
	}
	if d.OldestAt != nil {
		row.Oldest = v.Duration(v.Now.Sub(*d.OldestAt))
	}
	return row
}

// stateNotes are why a destination is not ok, the weightiest first.
func (v *View) stateNotes(d ops.Destination) (notes []StateNote) {
	if d.Status == "off" {
		notes = append(notes, StateNote{Mark: v.Status("off"), Text: v.T("destination.off"), Do: v.T("destination.off_do")})
	}
	if d.Paused != nil {
		notes = append(notes, v.pausedNote(*d.Paused))
	}
	var trouble *StateNote
	if t := d.Trouble; t != nil {
		trouble = &StateNote{Mark: v.Status("failed"), Text: v.T("destination.trouble"), Reason: t.Reason, When: v.since(t.Since), Do: v.T("destination.trouble_do")}
	}
	var held []StateNote
	for _, h := range d.Holds {
		if trouble != nil && h.Reason == trouble.Reason { // the wait that the trouble makes
			trouble.When += " · " + v.T("destination.next", v.Time(h.Until).Text, v.Ago(h.Until))
			continue
		}
		held = append(held, v.holdNote(h))
	}
	if trouble != nil {
		notes = append(notes, *trouble)
	}
	return append(notes, held...)
}

func (v *View) pausedNote(p ops.Paused) StateNote {
	return StateNote{Mark: v.Status("paused"), Text: v.T("destination.paused", p.By), Reason: p.Note, When: v.since(p.At), Do: v.T("destination.paused_do")}
}

func (v *View) holdNote(h ops.Hold) StateNote {
	n := StateNote{Mark: v.Status("held"), Text: v.T("destination.hold_all"), Reason: h.Reason, When: v.until(h.Until), Do: v.T("destination.hold_do")}
	if h.Action != "" {
		n.Text = v.T("destination.hold", v.Action(h.Action))
	}
	return n
}

func (v *View) since(t time.Time) string {
	return v.T("destination.since", v.Time(t).Text, v.Ago(t))
}
func (v *View) until(t time.Time) string {
	return v.T("destination.until", v.Time(t).Text, v.Ago(t))
}

// DestinationView is the page about one destination.
type DestinationView struct {
	DestinationRow
	Live     bool
	Oldest   Stamp
	Waits    []WaitRow
	Remote   bool // has an account that can be tested
	MayPause bool
	Resume   string // the button that lets everything go again; empty when all goes
	Test     *TestResult

	Asked       bool // for the account's directories
	Directories []ops.RemoteDirectory
	Problem     string // why they are not to be had
}

// WaitRow counts what waits in one status.
type WaitRow struct {
	Mark  Mark
	N, Of int
	Share string
}

// TestResult is what a test of a connection found.
type TestResult struct {
	ops.Connection
	Mark Mark
	Text string
}

// askLimit is how long a page waits for a remote account.
const askLimit = 10 * time.Second

// name reads the name or id of a destination in the path.
func (r *request) name() (string, error) {
	name, err := url.PathUnescape(r.Params("id"))
	if err != nil {
		return "", fault.New(fault.NotFound, "no such name")
	}
	return strings.Clone(name), nil
}

// named is the destination in the path.
func (c *Console) named(r *request) (ops.Destination, error) {
	name, err := r.name()
	if err != nil {
		return ops.Destination{}, err
	}
	return c.ops.Destinations.Get(r.context(), name)
}

func (c *Console) destination(r *request) error {
	d, err := c.named(r)
	if err != nil {
		return err
	}
	return c.showDestination(r, d, nil)
}

func (c *Console) showDestination(r *request, d ops.Destination, test *TestResult) error {
	v := r.view
	view := DestinationView{
		DestinationRow: v.destinationRow(d), Live: mayChange(d), Oldest: v.MomentOf(d.OldestAt),
		Remote: d.Type == plan.TypeQualtrics, MayPause: d.Paused == nil && d.Status != "off", Test: test,
	}
	for _, status := range texts(delivery.OpenStatuses()) {
		w := WaitRow{Mark: v.Status(status), N: d.Waiting[status], Of: max(view.Total, 1)}
		w.Share = v.T("unit.percent", (w.N*100+w.Of/2)/w.Of)
		view.Waits = append(view.Waits, w)
	}
	switch {
	case d.Paused != nil:
		view.Resume = v.T("destination.resume")
	case len(d.Holds) > 0 || d.Trouble != nil:
		view.Resume = v.T("destination.try_now")
	}
	view.Asked = view.Remote && r.query("directories") == "1"
	if part := r.Get("X-Part"); view.Asked && (part == "" || part == "directories") { // other parts are fetched again and again
		ctx, cancel := context.WithTimeout(r.context(), askLimit)
		defer cancel()
		list, err := c.ops.Destinations.RemoteDirectories(ctx, d.Name)
		view.Directories, view.Problem = list.Directories, r.problem(err)
	}
	return show(r, "destination", d.Name+" · "+v.T("nav.connections"), view)
}

// problem is the text of an error that a page shows beside what it has.
func (r *request) problem(err error) string {
	if err == nil {
		return ""
	}
	if fault.KindOf(err) == fault.Internal {
		id := kit.RequestID(r.Ctx)
		r.console.log.Error("console page has only a part", "path", r.Path(), "request_id", id, "error", err)
		return r.view.T("destination.internal", id)
	}
	return fault.Public(err)
}

// testDestination asks the account and shows what came of it.
func (c *Console) testDestination(r *request) error {
	d, err := c.named(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.context(), askLimit)
	defer cancel()
	found, err := c.ops.Destinations.TestConnection(ctx, d.Name, ops.ConnectionInput{})
	if err != nil {
		found = ops.Connection{Problem: r.problem(err)}
	}
	test := &TestResult{Connection: found, Mark: r.view.Status("failed"), Text: r.view.T("destination.test_failed")}
	if found.OK {
		test.Mark, test.Text = r.view.Status("ok"), r.view.T("destination.test_ok")
	}
	return c.showDestination(r, d, test)
}

// backToDestination answers who loads the address of a test again: the test is not
// repeated.
func (c *Console) backToDestination(r *request) error {
	name, err := r.name()
	if err != nil {
		return err
	}
	return r.see(destinationLink(name))
}

func (c *Console) pauseDestination(r *request) error {
	name, err := r.name()
	if err != nil {
		return err
	}
	d, err := c.ops.Destinations.Pause(r.context(), name, ops.PauseInput{Note: r.form("note")}, "console")
	if err != nil {
		return err
	}
	return r.see(destinationLink(d.Name))
}

func (c *Console) resumeDestination(r *request) error {
	name, err := r.name()
	if err != nil {
		return err
	}
	d, err := c.ops.Destinations.Resume(r.context(), name)
	if err != nil {
		return err
	}
	return r.see(destinationLink(d.Name))
}
