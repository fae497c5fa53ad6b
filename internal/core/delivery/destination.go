package delivery

import (
	"slices"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
)

// Due is an action of a destination that has deliveries waiting, and when the
// first is due.
type Due struct {
	Destination id.ID
	Action      string
	At          int64 `db:"due_at"` // milliseconds
}

// Time is when the first delivery is due.
func (d Due) Time() time.Time { return instant(d.At) }

// Hold keeps deliveries of an action from being tried at a destination.
type Hold struct {
	Destination id.ID
	Action      string // "": all actions
	UntilMillis int64  `db:"until"`
	Revision    int64  // not 0: over when the plan has another revision
	Reason      string
}

// Until is when the hold ends.
func (h Hold) Until() time.Time { return instant(h.UntilMillis) }

// Holds are the holds of all destinations that are in force now, under a revision
// of the plan.
type Holds []Hold

// On is the hold that keeps an action back the longest, nil when none does.
func (h Holds) On(destination id.ID, action string) *Hold {
	var longest *Hold
	for i := range h {
		if h[i].Destination == destination && (h[i].Action == "" || h[i].Action == action) && (longest == nil || h[i].UntilMillis > longest.UntilMillis) {
			longest = &h[i]
		}
	}
	return longest
}

// Pause is a destination that an operator has paused.
type Pause struct {
	Destination id.ID
	AtMillis    int64  `db:"paused_at"`
	By          string `db:"paused_by"`
	Note        string `db:"pause_note"`
}

// At is when it was paused.
func (p Pause) At() time.Time { return instant(p.AtMillis) }

// Paused reports whether a destination is among the paused ones.
func Paused(list []Pause, destination id.ID) bool {
	return slices.ContainsFunc(list, func(p Pause) bool { return p.Destination == destination })
}

// Round is what one round of deliveries to a remote account has learnt.
type Round struct {
	Destination id.ID
	Pace        string // JSON for the next round
	Holds       []Hold // that it has made; those there were run out by themselves
	Answered    bool   // the account did something for us: the trouble, if there was one, is over
	Trouble     string // why nothing can be delivered for now
}
