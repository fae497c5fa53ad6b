package mapping

import (
	"errors"
	"time"

	"github.com/segue-xm/segue/internal/core/js"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid"
)

// Segment's limit on the text of a @liquid, in UTF-16 units.
const maxLiquid = 1000

// segmentLiquid is Liquid as Segment has it. A tag that it switched off is an error
// wherever it stands; a filter only when it is reached.
var segmentLiquid = liquid.Options{
	TagsOff: set("case", "for", "include", "layout", "render", "tablerow"),
	FiltersOff: set(
		"array_to_sentence_string", "concat", "find", "find_exp", "find_index", "find_index_exp",
		"group_by", "group_by_exp", "has", "has_exp", "map", "newline_to_br", "reject", "reject_exp",
		"reverse", "sort", "sort_natural", "uniq", "where_exp", "type",
	),
}

func set(names ...string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, n := range names {
		out[n] = true
	}
	return out
}

// liquidNode is a @liquid with its text.
type liquidNode struct {
	path     string
	template *liquid.Template
}

func (c *compiler) liquid(arg any, path string, _ bool) node {
	s, ok := arg.(string)
	switch {
	case !ok:
		return c.fail(path, "liquid template value must be a string")
	case s == "":
		return literal{""}
	case js.Length(s) > maxLiquid:
		return c.fail(path, "liquid templates are limited to %d characters", maxLiquid)
	}
	t, err := liquid.Parse(s, segmentLiquid)
	if err != nil {
		return c.fail(path, "%v", err)
	}
	return &liquidNode{path, t}
}

func (l *liquidNode) eval(root scope) (any, error) {
	m := liquid.Meter{Steps: maxWork, Text: maxWeight, Value: maxWeight}
	if root.budget != nil {
		m.Steps = root.budget.left
	}
	s, err := l.template.Render(liquid.Scope{Root: root.value, Now: func() (time.Time, bool) { return eventTime(root.value) }}, &m)
	if root.budget != nil {
		root.budget.left = m.Steps
	}
	switch {
	case errors.Is(err, liquid.ErrSteps):
		return nil, failf(l.path, "%s", tooMuch)
	case errors.Is(err, liquid.ErrLarge), err == nil && len(s) > maxText:
		return nil, failf(l.path, "%s", tooLarge)
	case err != nil:
		return nil, failf(l.path, "%v", err)
	}
	return s, nil
}

// eventTime is what "now" and "today" mean, so that the same event gives the same
// text again.
func eventTime(root any) (time.Time, bool) {
	event, _ := root.(*jsonvalue.Object)
	for _, key := range []string{"receivedAt", "timestamp", "sentAt"} {
		if s, ok := event.Get(key).(string); ok {
			if t, ok := js.ParseDate(s); ok {
				return t, true
			}
		}
	}
	return time.Time{}, false
}
