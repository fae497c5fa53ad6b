package routing

import (
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Bounds on what the filters of one event look at together. They are counted before
// anything is looked at, so that the same event and plan always get the same answer.
const (
	// fewConditions need no counting: whatever the event, they are soon judged.
	fewConditions = 500
	// maxFilterWork bounds the conditions times the length of the event's longest
	// text, of which each may look at every byte.
	maxFilterWork = 64 << 20
	perCondition  = 64 // bytes that a condition counts for beside
)

var errFilterWork = fault.New(fault.Invalid, "filter: too much work: the filters asked before about this event, with this one, "+
	"may look at %d MB of text, and no more", maxFilterWork>>20)

// filterWork is what the filters of one event may look at.
type filterWork struct{ conditions, longest int }

// add counts a filter and is an error when it is one too many.
func (w *filterWork) add(m *Mapping, event *jsonvalue.Object) error {
	if w.conditions += m.conditions; w.conditions <= fewConditions {
		return nil
	}
	if w.longest == 0 {
		w.longest = perCondition + longestText(event)
	}
	if w.conditions*w.longest > maxFilterWork {
		return errFilterWork
	}
	return nil
}

func longestText(v any) int {
	n := 0
	switch v := v.(type) {
	case string:
		n = len(v)
	case []any:
		for _, e := range v {
			n = max(n, longestText(e))
		}
	case *jsonvalue.Object:
		for _, e := range v.All() {
			n = max(n, longestText(e))
		}
	}
	return n
}
