package routing

import (
	"iter"

	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// index finds the mappings of a source that an event is worth asking. Most filters
// want a certain text somewhere: an event's name, its type, a property. Each such
// mapping is filed under texts of which the event must have one, and of those that
// its filter leaves to choose, under the texts that fewest others ask for. So the
// cost of an event grows with the mappings that are like those it matches, not
// with all. Mappings are positions in plan order.
type index struct {
	places []place
	always []int // those that any event could match
}

// place is one place in events, with the mappings filed under each text there.
type place struct {
	fql.Place
	read   func(*jsonvalue.Object) any
	byText map[string][]int
}

func newIndex(mappings []*Mapping) index {
	asked := map[fql.Clue]int{}
	for _, m := range mappings {
		if m.Filter != nil {
			for _, c := range m.Filter.Clues() {
				asked[c]++
			}
		}
	}
	var x index
	at := map[fql.Place]int{}
	for i, m := range mappings {
		if m.Off(nil) != "" {
			continue // for every event
		}
		var clues []fql.Clue
		if m.Filter != nil {
			clues = m.Filter.Needs(asked)
		}
		if clues == nil {
			x.always = append(x.always, i)
		}
		for _, c := range clues {
			n, known := at[c.Place]
			if !known {
				n, at[c.Place] = len(x.places), len(x.places)
				x.places = append(x.places, place{c.Place, c.Reader(), map[string][]int{}})
			}
			list := x.places[n].byText[c.Text]
			if len(list) == 0 || list[len(list)-1] != i { // a filter may ask for a text twice
				x.places[n].byText[c.Text] = append(list, i)
			}
		}
	}
	return x
}

// candidates are the positions of the mappings that the event may match or fail
// on, in plan order.
func (x *index) candidates(event *jsonvalue.Object) iter.Seq[int] {
	return func(yield func(int) bool) {
		lists := append(make([][]int, 0, 8), x.always)
		for i := range x.places {
			if text, ok := x.places[i].read(event).(string); ok {
				if list := x.places[i].byText[text]; list != nil {
					lists = append(lists, list)
				}
			}
		}
		for {
			next := -1
			for _, list := range lists {
				if len(list) > 0 && (next < 0 || list[0] < next) {
					next = list[0]
				}
			}
			if next < 0 {
				return
			}
			for i, list := range lists { // a mapping may be in several
				if len(list) > 0 && list[0] == next {
					lists[i] = list[1:]
				}
			}
			if !yield(next) {
				return
			}
		}
	}
}
