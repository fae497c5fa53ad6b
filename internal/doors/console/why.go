package console

import (
	"encoding/json"
	"sort"
	"strings"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/ops"
)

// ClauseLine is a clause on the page. Groups nest; their own line says how their
// parts are joined.
type ClauseLine struct {
	Mark     Mark
	Text     string
	Saw      string // the value it saw, worded; empty when it was not judged
	Note     string
	Join     string
	Children []ClauseLine
}

// maxClauseDepth stops drawing, not judging: a filter nested deeper is read in
// its text.
const maxClauseDepth = 12

// clauseLines flattens the outermost group, which nearly every filter is.
func (v *View) clauseLines(verdict *fql.Verdict) []ClauseLine {
	if verdict == nil {
		return nil
	}
	line := v.clauseLine(*verdict, 0)
	if len(line.Children) > 0 && (len(line.Children) == 1 || verdict.Join == "and") {
		return line.Children
	}
	return []ClauseLine{line}
}

var clauseMarks = map[fql.Outcome]string{fql.True: "true", fql.False: "false", fql.NotJudged: "unjudged", fql.Failed: "invalid"}

func (v *View) clauseLine(c fql.Verdict, depth int) ClauseLine {
	l := ClauseLine{Mark: v.Status(clauseMarks[c.Outcome]), Text: c.Text, Note: c.Reason}
	if c.Outcome == fql.NotJudged {
		l.Note = v.T("why.not_judged")
	}
	if len(c.Children) > 0 {
		l.Join = v.word("why.join_", c.Join)
		if depth < maxClauseDepth {
			for _, child := range c.Children {
				l.Children = append(l.Children, v.clauseLine(child, depth+1))
			}
		}
		return l
	}
	switch {
	case c.Outcome == fql.NotJudged || c.Path == "":
	case c.Missing:
		l.Saw = v.T("why.saw_nothing")
	case c.Seen != "":
		l.Saw = v.T("why.saw", c.Seen)
	}
	return l
}

// FieldLine is one field of a mapped payload and where it came from.
type FieldLine struct {
	Name, From string
	Raw        string // what the event has there, when the result differs
	Text       string
	Mark       Mark
	Note       string
}

func (v *View) fieldLines(traces []mapping.FieldTrace) []FieldLine {
	lines := make([]FieldLine, 0, len(traces))
	for _, t := range traces {
		l := FieldLine{Name: first(t.Field, "$"), From: first(t.Path, t.Directive, v.T("why.constant")), Note: first(t.Error, t.Conversion)}
		state := "value"
		switch raw := lineText(t.Raw); {
		case t.Error != "":
			state, l.Raw = "invalid", raw
		case t.Missing:
			state = "missing"
		default:
			l.Text = lineText(t.Result)
			if t.Path != "" && raw != l.Text {
				l.Raw = raw
			}
		}
		l.Mark = v.Status(state)
		lines = append(lines, l)
	}
	return lines
}

// lineText is a value as it is shown on one line.
func lineText(value any) string { return clip(jsonvalue.Text(value), 200) }

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// MappingLine is one mapping's part of an event's story.
type MappingLine struct {
	ops.MappingWhy
	Mark    Mark
	Summary string // what came of it, in a line
	// SummaryTone colours it when it says what is wrong.
	SummaryTone string
	Clauses     []ClauseLine
	Fields      []FieldLine
	Payload     Node
	Result      Node
	Next        string     // when it is tried again
	Waits       *StateNote // what its destination waits for
	Link        string     // the destination's page
	Open        bool
}

// order of the mappings on the page: what failed, what still goes on, what was
// done, what did not match, what was off.
var mappingOrder = map[string]int{"invalid": 0, "rejected": 0, "retrying": 1, "held": 1, "pending": 1, "matched": 2, "done": 2, "cancelled": 3, "not_matched": 4, "off": 5}

func (v *View) mappingLines(all []ops.MappingWhy) []MappingLine {
	lines := make([]MappingLine, 0, len(all))
	for _, m := range all {
		lines = append(lines, v.mappingLine(m))
	}
	sort.SliceStable(lines, func(i, k int) bool {
		return mappingOrder[lines[i].Mark.Code] < mappingOrder[lines[k].Mark.Code]
	})
	return lines
}

func (v *View) mappingLine(m ops.MappingWhy) MappingLine {
	l := MappingLine{MappingWhy: m, Clauses: v.clauseLines(m.Clauses), Fields: v.fieldLines(m.Fields)}
	code := "not_matched"
	switch {
	case m.Delivery != nil:
		code = string(m.Delivery.Status)
		l.Open = m.Delivery.Status != delivery.Done && m.Delivery.Status != delivery.Cancelled
		l.Summary = first(m.Delivery.Reason, v.Line(m.Delivery.Result))
		l.Payload, l.Result = v.ObjectTree("$", m.Delivery.Payload), v.ObjectTree("$", m.Delivery.Result)
		if next := m.Delivery.NextAttempt; next != nil {
			l.Next = v.T("why.next_attempt", v.Ago(*next), v.Clock(*next).Text)
		}
		l.Waits, l.Link = v.waits(m.Delivery), destinationLink(m.Destination)
	case m.Off != "":
		code, l.Summary = "off", m.Off
	case m.Error != "":
		code, l.Summary, l.Open = "invalid", m.Error, true
	case m.Matched:
		code = "matched"
	default:
		l.Open = true
	}
	l.Mark = v.Status(code)
	if l.Mark.Tone == "bad" || l.Mark.Tone == "warn" {
		l.SummaryTone = l.Mark.Tone
	}
	return l
}

// waits is what a delivery's destination waits for; nil when for nothing.
func (v *View) waits(d *ops.Delivery) *StateNote {
	var n StateNote
	switch {
	case d.Paused != nil:
		n = v.pausedNote(*d.Paused)
	case d.Hold != nil:
		n = v.holdNote(*d.Hold)
	default:
		return nil
	}
	return &n
}

// ChangeLine is one field that a change set.
type ChangeLine struct {
	Field, Before, After string
	Added, Removed       bool
}

// changeLines reads a change's diff: field -> [before, after].
func changeLines(diff *jsonvalue.Object) []ChangeLine {
	if diff == nil {
		return nil
	}
	var lines []ChangeLine
	for field, pair := range diff.All() {
		two, ok := pair.([]any)
		if !ok || len(two) != 2 {
			lines = append(lines, ChangeLine{Field: field, Before: "–", After: plainText(pair)})
			continue
		}
		lines = append(lines, ChangeLine{
			Field: field, Before: clip(plainText(two[0]), 120), After: clip(plainText(two[1]), 120),
			Added: jsonvalue.IsNil(two[0]), Removed: jsonvalue.IsNil(two[1]),
		})
	}
	return lines
}

// Diff is changeLines for templates.
func (v *View) Diff(c ops.Change) []ChangeLine { return changeLines(c.Diff) }

// prettyBody indents a body for reading; what is not JSON stays as it came.
func prettyBody(raw string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if !json.Valid([]byte(raw)) || e.Encode(json.RawMessage(raw)) != nil {
		return raw
	}
	return strings.TrimSuffix(b.String(), "\n")
}
