package fql

import (
	"strings"
	"unicode/utf8"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Outcome is how a filter or a part of it judged an event.
type Outcome string

// The outcomes.
const (
	True      Outcome = "true"
	False     Outcome = "false"
	NotJudged Outcome = "not_judged" // the answer was known before
	Failed    Outcome = "error"      // judging failed; never a match
)

// maxSeen is how much of a value an explanation shows, in bytes.
const maxSeen = 200

// Verdict explains how one event was judged: by a group, which has Children,
// or by a condition, which has Path and what follows it.
type Verdict struct {
	Outcome  Outcome   `json:"outcome"`
	Text     string    `json:"text"`               // the part of the filter's text; of a group, what it was understood as
	Join     string    `json:"join,omitempty"`     // and, or: what joins the children
	Children []Verdict `json:"children,omitempty"` // in order; those behind the decision are not judged

	Path     string   `json:"path,omitempty"`     // where the value was looked for, without escapes
	Operator Operator `json:"operator,omitempty"` // as really understood
	Expected string   `json:"expected,omitempty"` // the filter's value as JSON text, when the operator takes one
	Missing  bool     `json:"missing,omitempty"`  // the event has nothing at Path
	Seen     string   `json:"seen,omitempty"`     // the event's value as JSON text, clipped; empty when missing or not judged
	Means    string   `json:"means,omitempty"`    // the test in words
	Reason   string   `json:"reason,omitempty"`   // why the value could not pass whatever it is, or the error
}

// Explain judges like Match and tells each step. Its Outcome is Match's answer.
func (f *Filter) Explain(event *jsonvalue.Object) Verdict {
	if event == nil {
		v := f.tree.notJudged(f.text)
		v.Outcome, v.Reason = False, "there is no event"
		return v
	}
	return explainGroup(f.tree, &f.root, f.text, event)
}

func explainGroup(tree *Group, compiled *group, text string, event *jsonvalue.Object) Verdict {
	v := Verdict{Text: tree.String(), Join: tree.Operator}
	if len(tree.Children) == 0 {
		v.Outcome, v.Text, v.Reason = Failed, "()", problemEmptyGroup
		return v
	}
	for i, child := range tree.Children {
		switch {
		case v.Outcome != "":
			v.Children = append(v.Children, notJudged(child, text))
			continue
		default:
			v.Children = append(v.Children, explain(child, compiled.children[i], text, event))
		}
		switch got := v.Children[i].Outcome; {
		case got == Failed, (got == True) == compiled.any:
			v.Outcome = got
		}
	}
	if v.Outcome == "" {
		v.Outcome = False
		if !compiled.any {
			v.Outcome = True
		}
	}
	return v
}

func explain(n Node, compiled judge, text string, event *jsonvalue.Object) Verdict {
	if g, ok := n.(*Group); ok {
		return explainGroup(g, compiled.(*group), text, event)
	}
	c, k := n.(*Condition), compiled.(*clause)
	v := c.notJudged(text)
	ok, err := k.match(event)
	switch {
	case err != nil:
		v.Outcome, v.Reason = Failed, strings.TrimPrefix(fault.Public(err), "filter: ")
		return v
	case ok:
		v.Outcome = True
	default:
		v.Outcome = False
	}
	value := k.lookup(event)
	v.Missing = jsonvalue.IsUndefined(value)
	if !v.Missing {
		v.Seen = clip(jsonvalue.Text(value))
	}
	if !ok {
		v.Reason = whyNever(c.Operator, value)
	}
	return v
}

func notJudged(n Node, text string) Verdict {
	if g, ok := n.(*Group); ok {
		return g.notJudged(text)
	}
	return n.(*Condition).notJudged(text)
}

func (g *Group) notJudged(text string) Verdict {
	v := Verdict{Outcome: NotJudged, Text: g.String(), Join: g.Operator}
	for _, child := range g.Children {
		v.Children = append(v.Children, notJudged(child, text))
	}
	if len(g.Children) == 0 {
		v.Text = "()"
	}
	return v
}

func (c *Condition) notJudged(text string) Verdict {
	v := Verdict{Outcome: NotJudged, Text: text[c.pos:c.end], Path: c.Where(), Operator: c.Operator, Means: c.Means()}
	if c.Value != nil {
		v.Expected = clip(jsonvalue.Text(c.Value))
	}
	return v
}

// takes is the type of value that each kind of test needs, and its words.
var takes = map[Operator]struct{ needs, words string }{
	Equal:           {"string", "is the text %"},
	NotEqual:        {"", "is not the text % (missing, numbers and booleans pass)"},
	Less:            {"number", "is a number less than %"},
	LessOrEqual:     {"number", "is a number of % or less"},
	Greater:         {"number", "is a number greater than %"},
	GreaterOrEqual:  {"number", "is a number of % or more"},
	NumberEquals:    {"number", "is the number %"},
	NumberNotEquals: {"number", "is a number other than %"},
	Contains:        {"string", "is text with % in it"},
	NotContains:     {"string", "is text without % in it"},
	StartsWith:      {"string", "is text that starts with %"},
	NotStartsWith:   {"string", "is text that does not start with %"},
	EndsWith:        {"string", "is text that ends with %"},
	NotEndsWith:     {"string", "is text that does not end with %"},
	Exists:          {"", "is there and not null"},
	NotExists:       {"", "is missing or null"},
	IsTrue:          {"boolean", "is true"},
	IsFalse:         {"boolean", "is false"},
}

// Means says in words what the condition asks of its value.
func (c *Condition) Means() string {
	t, ok := takes[c.Operator]
	if !ok {
		return "is never true: " + jsonvalue.Text(string(c.Operator)) + " is no operator here"
	}
	value := jsonvalue.Text(c.text())
	if t.needs == "number" {
		switch n := c.number(); {
		case n == n:
		case c.Operator == NumberNotEquals:
			return "is a number"
		default:
			return "is never true: " + clip(value) + " is not a number"
		}
		value = jsonvalue.NumberText(c.number())
	}
	return strings.Replace(t.words, "%", clip(value), 1)
}

// whyNever says that the value's type cannot pass this test, or nothing.
func whyNever(op Operator, value any) string {
	t, ok := takes[op]
	if !ok || t.needs == "" || jsonvalue.IsUndefined(value) {
		return ""
	}
	if have := jsonvalue.TypeName(value); have != t.needs {
		return "the value's type is " + have + ", only type " + t.needs + " can pass"
	}
	return ""
}

// clip cuts a text at a character's end.
func clip(s string) string {
	if len(s) <= maxSeen {
		return s
	}
	cut := maxSeen
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
