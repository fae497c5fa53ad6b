package console

import (
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/ops"
)

// EventsView is the list of events.
type EventsView struct {
	Filter   EventForm
	Chips    []Chip
	Rows     []EventRow
	Pager    Pager
	Empty    Empty
	Newest   string // the first row's id; what is newer is counted from it
	Newer    int
	NewerMax bool
	ShowLink string
	Problem  string
}

// EventForm is the filter as typed.
type EventForm struct {
	MessageID, Source, UserID, Name string
	Since, Until                    string
	Types, Statuses                 []Option
}

// Chip is one filter in force, with the address of the list without it.
type Chip struct{ Label, Text, Remove, RemoveLabel string }

// EventRow is one event of the list.
type EventRow struct {
	ops.Event
	Link    string
	Mark    Mark
	Title   string // what happened: the track name, the page
	Summary string
}

// eventFilters are the filters of the address, in the order of the form. Those
// that name a person travel sealed.
var eventFilters = []struct {
	name, label string
	sealed      bool
}{
	{"message_id", "events.message_id", false},
	{"user_id", "events.user_id", true},
	{"source", "events.source", false},
	{"event", "events.name", false},
	{"type", "events.type", false},
	{"status", "events.status", false},
	{"since", "events.since", false},
	{"until", "events.until", false},
}

var eventTypes = []string{"identify", "track", "page", "screen", "group", "alias", "delete"}

const newerMax = 100

func (c *Console) events(r *request) error {
	// An address that names a person outright is answered with one that does not.
	if r.query("user_id") != "" {
		return r.see(c.eventAddress(r.view, r.query))
	}
	values := c.filterValues(r, "user_id")
	filter, problem := r.view.eventFilter(values)

	if r.Get("X-Part") == "newer" {
		return c.eventsNewer(r, filter)
	}
	if r.query("bad") == "time" {
		problem = r.view.T("filter.bad_time")
	}
	page, err := c.ops.Events.List(r.context(), filter, ops.Paging{Cursor: r.query("cursor")})
	if err != nil {
		return err
	}
	v := r.view
	view := EventsView{Filter: v.eventForm(values, filter), Problem: problem}
	inForce := c.eventQuery(values)
	for _, f := range eventFilters {
		if text := values.Get(f.name); text != "" {
			rest := clone(values)
			rest.Del(f.name)
			view.Chips = append(view.Chips, Chip{Label: v.T(f.label), Text: text, Remove: address("/events", c.eventQuery(rest)), RemoveLabel: v.T("filter.remove", v.T(f.label))})
		}
	}
	for _, e := range page.Items {
		view.Rows = append(view.Rows, v.eventRow(e))
	}
	if r.query("cursor") == "" {
		view.Newest = id.ID(1).String() // in an empty list anything is newer
		if len(page.Items) > 0 {
			view.Newest = page.Items[0].ID.String()
		}
	}
	view.Pager = v.pager("/events", inForce, r.query("cursor"), page.Next)
	view.Empty = v.Empty("events", len(inForce) > 0, "/events")
	view.ShowLink = address("/events", inForce)
	return show(r, "events", v.T("nav.events"), view)
}

// eventsNewer counts what came since the reader's first row: rows never move by
// themselves, the reader decides.
func (c *Console) eventsNewer(r *request, filter ops.EventFilter) error {
	newest, err := id.Parse(r.Get("X-Since"))
	if err != nil {
		return err
	}
	page, err := c.ops.Events.List(r.context(), filter, ops.Paging{Limit: newerMax})
	if err != nil {
		return err
	}
	view := EventsView{Newest: newest.String(), ShowLink: address("/events", c.eventQuery(c.filterValues(r, "user_id")))}
	for _, e := range page.Items {
		if e.ID > newest {
			view.Newer++
		}
	}
	view.NewerMax = view.Newer == newerMax
	return show(r, "events", r.view.T("nav.events"), view)
}

func (c *Console) searchEvents(r *request) error { return r.see(c.eventAddress(r.view, r.form)) }

func (c *Console) eventAddress(v *View, get func(string) string) string {
	values := url.Values{}
	for _, f := range eventFilters {
		if t := get(f.name); t != "" {
			values.Set(f.name, t)
		}
	}
	_, problem := v.eventFilter(values) // writes the times as UTC
	q := c.eventQuery(values)
	if problem != "" {
		q.Set("bad", "time")
	}
	return address("/events", q)
}

// eventQuery is the address of filters: the sealed ones as q.
func (c *Console) eventQuery(values url.Values) url.Values {
	q, person := url.Values{}, map[string]string{}
	for _, f := range eventFilters {
		switch t := values.Get(f.name); {
		case t == "":
		case f.sealed:
			person[f.name] = t
		default:
			q.Set(f.name, t)
		}
	}
	return c.withPerson(q, person)
}

func (c *Console) withPerson(q url.Values, person map[string]string) url.Values {
	if len(person) > 0 {
		b, _ := json.Marshal(person) // a map of texts always encodes
		q.Set("q", c.searches.seal(b))
	}
	return q
}

// filterValues reads the filters of an address, the sealed ones opened. A seal
// that is not ours is no filter; the page then says so by showing none.
func (c *Console) filterValues(r *request, sealed ...string) url.Values {
	values := url.Values{}
	for _, f := range eventFilters {
		if t := r.query(f.name); t != "" && !f.sealed {
			values.Set(f.name, t)
		}
	}
	var person map[string]string
	if text, ok := c.searches.open(r.query("q")); ok && json.Unmarshal(text, &person) == nil {
		for _, name := range sealed {
			if t := person[name]; t != "" {
				values.Set(name, t)
			}
		}
	}
	return values
}

func (v *View) eventFilter(values url.Values) (ops.EventFilter, string) {
	f := ops.EventFilter{
		Source: values.Get("source"), MessageID: values.Get("message_id"), Status: segment.Status(values.Get("status")),
		Type: values.Get("type"), Name: values.Get("event"), UserID: values.Get("user_id"),
	}
	problem := ""
	// The address keeps UTC, so that a colleague in another zone sees the same rows.
	for _, t := range []struct {
		name string
		at   **time.Time
	}{{"since", &f.Since}, {"until", &f.Until}} {
		at, ok := v.readTime(values.Get(t.name))
		switch {
		case !ok:
			problem = v.T("filter.bad_time")
			values.Del(t.name)
		case at != nil:
			values.Set(t.name, utc(*at))
		}
		*t.at = at
	}
	return f, problem
}

func (v *View) eventForm(values url.Values, f ops.EventFilter) EventForm {
	form := EventForm{
		MessageID: values.Get("message_id"), Source: values.Get("source"), UserID: values.Get("user_id"), Name: values.Get("event"),
		Since: v.inputTime(f.Since), Until: v.inputTime(f.Until),
	}
	form.Types = v.options(eventTypes, f.Type, func(t string) string { return t })
	form.Statuses = v.options(texts(segment.Statuses()), string(f.Status), func(s string) string { return v.Status(s).Word })
	return form
}

// texts are the words of a fixed set.
func texts[S ~string](set []S) []string {
	list := make([]string, len(set))
	for i, s := range set {
		list[i] = string(s)
	}
	return list
}

// options are "any" and then the given values.
func (v *View) options(values []string, chosen string, text func(string) string) []Option {
	all := []Option{{Text: v.T("filter.any"), Selected: chosen == ""}}
	for _, x := range values {
		all = append(all, Option{Value: x, Text: text(x), Selected: x == chosen})
	}
	return all
}

func (v *View) eventRow(e ops.Event) EventRow {
	row := EventRow{Event: e, Link: "/events/" + e.ID.String(), Title: first(e.Event, e.Type, "–"), Mark: v.Status(string(e.Status))}
	switch {
	case e.Reason != "":
		row.Summary = e.Reason
	case e.Status == segment.Processed && len(e.Deliveries) == 0:
		row.Mark = v.Status("nothing")
	default:
		row.Summary = v.deliveriesLine(e.Deliveries)
	}
	return row
}

// deliveriesLine names the mapping that matters most: one that failed, then one
// that still goes on, then the first; and how many more there are.
func (v *View) deliveriesLine(ds []ops.Delivery) string {
	if len(ds) == 0 {
		return ""
	}
	rank := map[delivery.Status]int{delivery.Rejected: 3, delivery.Held: 2, delivery.Retrying: 2, delivery.Pending: 1}
	best := ds[0]
	for _, d := range ds[1:] {
		if rank[d.Status] > rank[best.Status] {
			best = d
		}
	}
	line := best.Mapping
	if best.Reason != "" {
		line += ": " + best.Reason
	}
	if more := len(ds) - 1; more > 0 {
		line += " +" + strconv.Itoa(more)
	}
	return line
}

func clone(q url.Values) url.Values {
	c := url.Values{}
	for k, vs := range q {
		c[k] = append([]string(nil), vs...)
	}
	return c
}
