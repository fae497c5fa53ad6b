package mapping

import (
	"fmt"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Bounds on what mappings do for one event, so that one that doubles a value again
// and again, or does a lot for each of many items, fails instead of holding a
// worker. They count steps, not time: the same mapping and event always get the
// same verdict. A step is about a byte that is looked at or made.
const (
	maxText   = 1 << 20 // bytes of one text made by a directive
	maxWeight = 4 << 20 // weight of one value, about its bytes as JSON
	maxWork   = 8 << 20 // steps of one mapping
	// maxEventWork is how many steps all mappings of an event may take together.
	maxEventWork = 4 * maxWork

	perValue   = 8 // steps, and weight, of a value whatever is in it
	perPattern = 8 // steps of a byte that a regular expression, or a search without regard to case, looks at
)

var (
	tooLarge = fmt.Sprintf("the result is too large: a text may have %d MB, a value %d MB", maxText>>20, maxWeight>>20)
	tooMuch  = fmt.Sprintf("this is too much work: a mapping may take %d steps for an event, all mappings of an event %d", maxWork, maxEventWork)
)

// Work is what the mappings of one event may still do; NewWork makes one. It is not
// safe for concurrent use.
type Work struct {
	left int    // of maxEventWork
	now  budget // of the mapping that runs
}

// NewWork is for an event for which nothing was done yet.
func NewWork() *Work { return &Work{left: maxEventWork} }

// begin gives the next mapping its share. Call end when it is done.
func (w *Work) begin() *budget {
	w.now.left = min(maxWork, w.left)
	return &w.now
}

func (w *Work) end() { w.left -= min(maxWork, w.left) - max(w.now.left, 0) }

// budget is the steps that a mapping may still take. A nil one never ends: it is for
// what does not depend on an event.
type budget struct{ left int }

// spend takes n steps and reports whether they were there. Once they were not, no
// more are.
func (b *budget) spend(n int) bool {
	if b == nil {
		return true
	}
	if b.left >= 0 {
		b.left -= n
	}
	return b.left >= 0
}

func (b *budget) over() bool { return b != nil && b.left < 0 }

// scope is what a node is evaluated for: the event, an item of @arrayPath or the
// result of @transform's apply, and the budget that they share.
type scope struct {
	value  any
	budget *budget
}

// of is the scope of another root.
func (s scope) of(v any) scope { return scope{v, s.budget} }

// weigh takes a step for each byte of v and fails when v is too large.
func (s scope) weigh(v any, path string) error {
	n := weight(v, maxWeight)
	enough := s.budget.spend(n)
	switch {
	case n > maxWeight:
		return failf(path, "%s", tooLarge)
	case !enough:
		return failf(path, "%s", tooMuch)
	}
	return nil
}

// refused is why a text was not made.
func (s scope) refused(path string) error {
	if s.budget.over() {
		return failf(path, "%s", tooMuch)
	}
	return failf(path, "%s", tooLarge)
}

// weight estimates the bytes of v written out. It stops soon after limit: values
// are shared, and a small graph can be an enormous tree.
func weight(v any, limit int) int {
	n := perValue
	switch v := v.(type) {
	case string:
		n += len(v)
	case []any:
		for _, e := range v {
			if n > limit {
				break
			}
			n += weight(e, limit-n)
		}
	case *jsonvalue.Object:
		for k, e := range v.All() {
			if n > limit {
				break
			}
			n += len(k) + weight(e, limit-n)
		}
	}
	return n
}
