package console

import (
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/ops"
)

// EventView is the page about one event.
type EventView struct {
	ops.Why
	Mark     Mark
	Name     string
	Counts   string // "1 done, 2 not matched"
	Mappings []MappingLine
	Tree     Node
	Raw      string
	ShowRaw  bool
	Size     string
	Live     bool
	Link     string // this page's own address
	Curl     string
	Temporal string
	UserLink string // the other events of the same user

	MayProcess bool // once more: it was taken
}

// maxRaw is how much of a body a page shows as text; the whole is a download.
const maxRaw = 64 << 10

func (c *Console) event(r *request) error {
	event, err := r.id()
	if err != nil {
		return err
	}
	why, err := c.ops.Events.Why(r.context(), event)
	if err != nil {
		return err
	}
	v := r.view
	text := event.String()
	view := EventView{
		Why: why, Mark: v.eventRow(why.Event).Mark, Name: first(why.Event.Event, why.Event.Type, text),
		Mappings: v.mappingLines(why.Mappings), ShowRaw: r.query("body") == "raw" || why.Body == nil,
		Size: v.size(len(why.Raw)), Live: open(why.Event.Status), Link: v.Base + "/events/" + text,
		Curl:     `curl -H "Authorization: Bearer $SEGUE_TOKEN" ` + v.Base + "/api/events/" + text,
		Temporal: c.temporal(why.TemporalURL),
	}
	view.MayProcess = why.Raw != "" && why.Event.Status != segment.Invalid
	view.Counts = v.mappingCounts(view.Mappings)
	if view.ShowRaw {
		view.Raw = why.Raw
		if len(view.Raw) > maxRaw {
			view.Raw = view.Raw[:maxRaw] + "\n…"
		} else {
			view.Raw = prettyBody(view.Raw)
		}
	} else {
		view.Tree = v.ObjectTree("$", why.Body)
	}
	if u := why.Event.UserID; u != "" {
		view.UserLink = address("/events", c.withPerson(url.Values{}, map[string]string{"user_id": u}))
	}
	return show(r, "event", view.Name+" · "+text, view)
}

// mappingCounts says what came of the mappings, each outcome once.
func (v *View) mappingCounts(lines []MappingLine) string {
	n, order := map[string]int{}, []Mark{}
	for _, l := range lines {
		if n[l.Mark.Code] == 0 {
			order = append(order, l.Mark)
		}
		n[l.Mark.Code]++
	}
	text := ""
	for i, m := range order {
		if i > 0 {
			text += v.T("list.join")
		}
		text += v.T("why.count", n[m.Code], m.Word)
	}
	return text
}

// temporal returns an address in the Temporal UI; one that starts with a slash is
// meant under the configured address.
func (c *Console) temporal(address string) string {
	switch {
	case address == "" || address[0] != '/':
		return address
	case c.options.TemporalUI == "":
		return ""
	default:
		return c.options.TemporalUI + address
	}
}

func (v *View) size(n int) string {
	if n < 1024 {
		return v.T("unit.bytes", n)
	}
	return v.T("unit.kib", strconv.FormatFloat(float64(n)/1024, 'f', 1, 64))
}

// processEvent processes an event once more, or says what that would do.
func (c *Console) processEvent(r *request) error {
	event, err := r.id()
	if err != nil {
		return err
	}
	j, err := c.ops.Replays.Process(r.context(), event, ops.ProcessInput{DryRun: r.form("dry_run") == "1"}, "console")
	if err != nil {
		return err
	}
	return r.see("/jobs/" + j.ID.String())
}

// eventRaw sends the stored text as it came.
func (c *Console) eventRaw(r *request) error {
	event, err := r.id()
	if err != nil {
		return err
	}
	why, err := c.ops.Events.Why(r.context(), event)
	if err != nil {
		return err
	}
	if why.Raw == "" {
		return fault.New(fault.NotFound, "the body is not kept any more")
	}
	r.Set(fiber.HeaderContentType, "application/json; charset=utf-8")
	r.Set(fiber.HeaderContentDisposition, `attachment; filename="`+event.String()+`.json"`)
	return r.SendString(why.Raw)
}
