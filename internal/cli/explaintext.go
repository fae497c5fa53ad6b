package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/ops"
)

// node is a line of the tree that explain prints, with what belongs to it.
type node struct {
	text  string
	below []*node
}

func (n *node) add(format string, args ...any) *node {
	c := &node{text: fmt.Sprintf(format, args...)}
	n.below = append(n.below, c)
	return c
}

func (n *node) write(b *strings.Builder, indent string) {
	for i, c := range n.below {
		fork, line := "├─ ", "│  "
		if i == len(n.below)-1 {
			fork, line = "└─ ", "   "
		}
		b.WriteString(indent + fork + c.text + "\n")
		c.write(b, indent+line)
	}
}

// whyText is an event's explanation for people: what came in, what each mapping
// made of it and why, what changed, what runs.
func whyText(w ops.Why) string {
	root := &node{text: eventLine(w.Event)}
	mappings := root.add("mappings: %s", mappingCounts(w.Mappings))
	for _, m := range w.Mappings {
		mappingNode(mappings, m)
	}
	if len(w.Changes) > 0 {
		changed := root.add("changed")
		for _, c := range w.Changes {
			n := changed.add("contact %s", c.Contact)
			for field, pair := range c.Diff.All() {
				n.add("%s: %s", field, changeText(pair))
			}
		}
	}
	if len(w.Runs) > 0 {
		runs := root.add("runs")
		for _, r := range w.Runs {
			runNode(runs, r)
		}
	}
	var b strings.Builder
	b.WriteString(root.text + "\n")
	root.write(&b, "")
	if w.TemporalURL != "" {
		b.WriteString("Temporal: " + w.TemporalURL + "\n")
	}
	return b.String()
}

func eventLine(e ops.Event) string {
	s := fmt.Sprintf("%s  %s", e.ID, e.Type)
	if e.Event != "" {
		s += fmt.Sprintf(" %q", e.Event)
	}
	s += fmt.Sprintf("  %s %s", mark(e.Status), e.Status)
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	s += "\nsource " + e.Source
	for _, part := range []struct{ name, value string }{{"message", e.MessageID}, {"user", e.UserID}} {
		if part.value != "" {
			s += " · " + part.name + " " + part.value
		}
	}
	return s + fmt.Sprintf(" · accepted %s · revision %d", e.AcceptedAt.UTC().Format(time.RFC3339Nano), e.Revision)
}

// mark is the sign of a status, of an event, a delivery, a run or a step.
func mark[S ~string](status S) string {
	switch status {
	case "processed", "done":
		return "●"
	case "failed", "rejected", "invalid":
		return "✕"
	case "skipped", "not_started", "cancelled":
		return "⊘"
	}
	return "◔"
}

func mappingCounts(all []ops.MappingWhy) string {
	matched, off := 0, 0
	for _, m := range all {
		switch {
		case m.Off != "":
			off++
		case m.Matched:
			matched++
		}
	}
	return fmt.Sprintf("%d looked at, %d matched, %d not, %d off", len(all), matched, len(all)-matched-off, off)
}

func mappingNode(parent *node, m ops.MappingWhy) {
	head := fmt.Sprintf("%s  %s → %s", m.Mapping, strings.ReplaceAll(m.Action, "_", " "), m.Destination)
	var n *node
	switch {
	case m.Delivery != nil:
		d := m.Delivery
		n = parent.add("%s %s  %s, %s", mark(d.Status), head, d.Status, count(d.Attempts, "attempt"))
		if d.Reason != "" {
			n.add("%s", d.Reason)
		}
		if d.NextAttempt != nil {
			n.add("next attempt %s", d.NextAttempt.UTC().Format(time.RFC3339))
		}
		for _, reason := range destinationReasons(ops.Destination{Paused: d.Paused, Holds: holdsOf(d)}) {
			n.add("%s: %s", d.Destination, reason)
		}
	case m.Off != "":
		n = parent.add("⊘ %s  off: %s", head, m.Off)
	case m.Matched:
		n = parent.add("◔ %s  matches, nothing delivered yet", head)
	default:
		n = parent.add("⊘ %s  does not match", head)
	}
	if m.Error != "" {
		n.add("✕ %s", m.Error)
	}
	if m.Clauses != nil {
		verdictNode(n.add("when"), *m.Clauses)
	} else if m.Filter == "" && m.Off == "" {
		n.add("when: takes every event")
	}
	if len(m.Fields) > 0 {
		fields := n.add("fields")
		for _, t := range m.Fields {
			fields.add("%s", fieldText(t))
		}
	}
	if m.Delivery != nil && m.Delivery.Result != nil && m.Delivery.Result.Len() > 0 {
		n.add("result %s", jsonvalue.Text(m.Delivery.Result))
	}
}

func holdsOf(d *ops.Delivery) []ops.Hold {
	if d.Hold == nil {
		return nil
	}
	return []ops.Hold{*d.Hold}
}

var outcomes = map[fql.Outcome]string{fql.True: "✓", fql.False: "✕", fql.NotJudged: "–", fql.Failed: "!"}

// verdictNode adds a filter's verdict; a group of one is its only child.
func verdictNode(parent *node, v fql.Verdict) {
	if len(v.Children) == 1 {
		verdictNode(parent, v.Children[0])
		return
	}
	if len(v.Children) > 0 {
		n := parent.add("%s %s of", outcomes[v.Outcome], map[string]string{"and": "all", "or": "any"}[v.Join])
		for _, c := range v.Children {
			verdictNode(n, c)
		}
		return
	}
	text := outcomes[v.Outcome] + " " + v.Text
	if v.Means != "" && !strings.Contains(v.Text, string(v.Operator)) { // it reads otherwise than it is understood
		text += "  " + v.Means
	}
	switch {
	case v.Outcome == fql.NotJudged:
		text += "  (not judged: the answer was known)"
	case v.Missing:
		text += "  saw nothing at " + v.Path
	case v.Seen != "":
		text += "  saw " + v.Seen
	}
	if v.Reason != "" {
		text += "  (" + v.Reason + ")"
	}
	parent.add("%s", text)
}

func fieldText(t mapping.FieldTrace) string {
	s := t.Field
	if t.Path != "" {
		s += " ← " + t.Path
	} else if t.Directive != "" {
		s += " ← " + t.Directive
	}
	switch {
	case t.Error != "":
		return s + ": " + t.Error
	case t.Missing:
		return s + ": nothing there"
	}
	s += " = " + jsonvalue.Text(t.Result)
	if t.Conversion != "" {
		s += "  (" + t.Conversion + ")"
	}
	return s
}

// changeText shows a field's values before and after.
func changeText(pair any) string {
	if p, ok := pair.([]any); ok && len(p) == 2 {
		return jsonvalue.Text(p[0]) + " → " + jsonvalue.Text(p[1])
	}
	return jsonvalue.Text(pair)
}

func runNode(parent *node, r ops.Run) {
	text := fmt.Sprintf("%s %s  %s version %d, %s", mark(r.Status), r.ID, r.Workflow, r.Version, strings.ReplaceAll(string(r.Status), "_", " "))
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	n := parent.add("%s", text)
	for _, s := range r.Steps {
		step := fmt.Sprintf("%s %s  %s, %s", mark(s.Status), s.ID, s.Kind, s.Status)
		if s.Attempts > 1 {
			step += fmt.Sprintf(" after %d attempts", s.Attempts)
		}
		if s.Error != "" {
			step += ": " + s.Error
		}
		n.add("%s", step)
	}
}
