package console

import (
	"github.com/segue-xm/segue/internal/ops"
)

// Tile is one number of the home page.
type Tile struct {
	Label, Number, Note, Link string
	Mark                      Mark
}

// FirstStep is one thing to do before events flow.
type FirstStep struct {
	Text, Link string
	Done       bool
}

// HomeView is what the home page shows.
type HomeView struct {
	ops.Overview
	Verdict     Mark
	VerdictText string
	Tiles       []Tile
	Chart       Chart
	Steps       []FirstStep
	StepsLeft   int
	Curl        string
	Parts       []PartLine
}

// PartLine is one part of the installation. A destination leads to its page.
type PartLine struct {
	ops.Part
	Label, Link, When string
	Mark              Mark
}

func (c *Console) home(r *request) error {
	o, err := c.ops.Installation.Overview(r.context())
	if err != nil {
		return err
	}
	v := r.view
	if !o.Now.IsZero() {
		v.Now = o.Now
	}
	h := HomeView{Overview: o, Chart: v.chart(o.Minutes)}
	h.Verdict, h.VerdictText = v.verdict(o)
	h.Tiles = v.tiles(o)
	for _, p := range o.Parts {
		h.Parts = append(h.Parts, v.partLine(p))
	}
	for _, s := range []struct {
		key, link string
		done      bool
	}{
		{"home.step_source", "/help/segment", o.FirstRun.Source},
		{"home.step_event", "/events", o.FirstRun.Event},
		{"home.step_mapping", "/help/fql", o.FirstRun.Mapping},
		{"home.step_workflow", "/help/cel", o.FirstRun.Workflow},
	} {
		h.Steps = append(h.Steps, FirstStep{Text: v.T(s.key), Link: s.link, Done: s.done})
		if !s.done {
			h.StepsLeft++
		}
	}
	h.Curl = `curl -u "$SEGUE_WRITE_KEY:" ` + v.Base + `/v1/track \
  -H 'Content-Type: application/json' \
  -d '{"userId": "u_1", "event": "Hello", "properties": {"plan": "pro"}}'`
	return show(r, "home", v.T("nav.home"), h)
}

func (v *View) partLine(p ops.Part) PartLine {
	line := PartLine{Part: p, Label: v.Part(p.Name), Mark: v.Status(p.Status)}
	if p.Destination != 0 {
		line.Label, line.Link = p.Name, destinationLink(p.Destination.String())
	}
	switch {
	case p.Until != nil:
		line.When = v.until(*p.Until)
	case p.Since != nil:
		line.When = v.since(*p.Since)
	}
	return line
}

// verdict answers "are we well" with what needs somebody: a part that failed is
// not well, anything else that waits for a person is a number of things. What goes
// on by itself needs nobody.
func (v *View) verdict(o ops.Overview) (Mark, string) {
	failed, held := 0, 0
	for _, p := range o.Parts {
		switch {
		case p.Status == "failed":
			failed++
		case p.Status == "held" && p.Until == nil:
			held++
		}
	}
	switch n := failed + held + len(o.Failures); {
	case failed > 0:
		return v.Status("unwell"), v.N("home.unwell", failed)
	case n > 0:
		return v.Status("needs_you"), v.N("home.needs_you", n)
	default:
		return v.Status("well"), v.T("home.well")
	}
}

func (v *View) tiles(o ops.Overview) []Tile {
	waiting := Tile{Label: v.T("home.waiting"), Number: v.Num(o.Waiting), Mark: v.Status("pending"), Link: "/events?status=accepted"}
	if o.OldestWait > 0 {
		waiting.Note = v.T("home.oldest", v.Duration(o.OldestWait))
	}
	tiles := []Tile{waiting}
	for _, t := range []struct{ key, status, link string }{
		{"accepted", "", "/events"},
		{"done", "done", ""},
		{"retrying", "retrying", "/events?status=retrying"},
		{"held", "held", "/events?status=retrying"},
		{"rejected", "rejected", "/events?status=failed"},
		{"invalid", "invalid", "/events?status=invalid"},
		{"runs", "", "/runs"},
		{"mails", "", "/distributions"},
	} {
		tile := Tile{Label: v.T("home.total_" + t.key), Number: v.Num(o.Totals[t.key]), Link: t.link}
		if t.status != "" && o.Totals[t.key] > 0 {
			tile.Mark = v.Status(t.status)
		}
		tiles = append(tiles, tile)
	}
	return tiles
}
