package replay

import (
	"bytes"
	"slices"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Outcome is what a replay makes of a pair of event and mapping, or of an event.
type Outcome string

// The outcomes of pairs.
const (
	New     Outcome = "new"     // today's plan wants it, and nothing was done
	Done    Outcome = "done"    // done before, with the same payload: skipped
	Differs Outcome = "differs" // done before, and today it would be something else: skipped
	Again   Outcome = "again"   // it was rejected or cancelled: tried again
	Waiting Outcome = "waiting" // it is under way: left alone
	Gone    Outcome = "gone"    // done before, and today's plan does not want it: nothing is undone
	Forced  Outcome = "forced"  // done before, and done once more because that was asked for
)

// The outcomes of events.
const (
	Unprocessed Outcome = "unprocessed" // it has not been processed yet: left alone
	Invalid     Outcome = "invalid"     // it was refused at the door
	Failed      Outcome = "failed"      // it could not be judged; the reason says why
)

// What a replay counts beside the outcomes.
const (
	Events    = "events"    // that its filter let pass
	Unmatched = "unmatched" // of them, those that nothing was done for and nothing is to be
)

// Outcomes are all outcomes, those first that change something.
func Outcomes() []Outcome {
	return []Outcome{New, Again, Forced, Differs, Gone, Done, Waiting, Unprocessed, Invalid, Failed}
}

// Writes reports whether a replay that is not a dry run writes a delivery.
func (o Outcome) Writes() bool { return o == New || o == Again || o == Forced }

// Verdict is what becomes of a pair.
type Verdict struct {
	Outcome Outcome
	Differs []string // names of the payload's members, and what else is another
}

// maxDiffers bounds the names in a verdict.
const maxDiffers = 20

// Judge compares what was done with what today's plan makes of the same event and
// mapping. Either may be nil, but not both; no outcome means that there is nothing
// to say: a delivery that came to nothing, and that nobody wants any more.
func Judge(before *Before, today *delivery.New, force bool) Verdict {
	switch {
	case before == nil:
		return Verdict{Outcome: New}
	case !before.Status.Ended():
		return Verdict{Outcome: Waiting}
	case today == nil && before.Status == delivery.Done:
		return Verdict{Outcome: Gone}
	case today == nil:
		return Verdict{}
	case before.Status != delivery.Done:
		return Verdict{Outcome: Again, Differs: differences(before, today)}
	}
	v := Verdict{Outcome: Done, Differs: differences(before, today)}
	switch {
	case force && today.Status != delivery.Rejected: // what cannot be made takes nothing away
		v.Outcome = Forced
	case len(v.Differs) > 0:
		v.Outcome = Differs
	}
	return v
}

func differences(before *Before, today *delivery.New) (names []string) {
	if before.Destination != today.Destination {
		names = append(names, "destination")
	}
	if before.Action != today.Action {
		names = append(names, "action")
	}
	if today.Payload == nil { // today's mapping fails on the event
		return append(names, "payload")
	}
	if before.Payload == nil || bytes.Equal(before.Payload, today.Payload) {
		return names // what is not kept any more cannot be compared
	}
	was, err := jsonvalue.ParseObject(before.Payload)
	if err != nil {
		return append(names, "payload")
	}
	is, err := jsonvalue.ParseObject(today.Payload)
	if err != nil {
		return append(names, "payload")
	}
	for _, key := range append(was.Keys(), is.Keys()...) {
		if same(was.Get(key), is.Get(key)) || slices.Contains(names, key) {
			continue
		}
		if len(names) == maxDiffers {
			return append(names, "…")
		}
		names = append(names, key)
	}
	return names
}

// same compares values whatever the order of their keys.
func same(a, b any) bool {
	if jsonvalue.IsUndefined(a) || jsonvalue.IsUndefined(b) {
		return jsonvalue.IsUndefined(a) && jsonvalue.IsUndefined(b)
	}
	switch a := a.(type) {
	case *jsonvalue.Object:
		o, ok := b.(*jsonvalue.Object)
		if !ok || a.Len() != o.Len() {
			return false
		}
		for k, v := range a.All() {
			if !o.Has(k) || !same(v, o.Get(k)) {
				return false
			}
		}
		return true
	case []any:
		list, ok := b.([]any)
		return ok && slices.EqualFunc(a, list, same)
	}
	switch b.(type) {
	case *jsonvalue.Object, []any:
		return false
	}
	return a == b
}
