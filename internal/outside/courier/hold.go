package courier

import (
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
)

// ended notes how an attempt ended, and holds what is not to be tried for now: its
// action, or all of them. It says when to come back after a failed attempt, and whether
// what was tried is not to blame for it: then it keeps its tries, and waits as long as
// the hold.
func (r *round) ended(action string, o delivery.Outcome) (after time.Duration, blameless bool) {
	r.note(o)
	after = fault.RetryAfter(o.Err)
	switch {
	// Workflow URLs may be anywhere: that one place does not answer says nothing of
	// the account.
	case o.Untried && (fault.KindOf(o.Err) == fault.RateLimited || action == plan.StartWorkflow):
		r.hold(action, after, 0, fault.Words(o.Err))
	case o.Untried:
		r.hold("", after, 0, fault.Words(o.Err))
	case o.Refused:
		r.hold("", mendWait, r.revision, fault.Words(o.Err))
	default:
		return after, false
	}
	return 0, true
}

// note counts an attempt, and notices an account that answers, whatever it says.
func (r *round) note(o delivery.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	r.answered = r.answered || o.Err == nil || !o.Refused && fault.KindOf(o.Err).Final()
}

// hold keeps an action, or all of them when it is "", from being tried for a while, or
// until the plan has another revision than the one given.
func (r *round) hold(action string, d time.Duration, revision int64, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if action == "" {
		r.trouble = reason
	}
	until := r.Now().Add(max(d, time.Second)).UnixMilli()
	for i := range r.made {
		if r.made[i].Action == action {
			r.made[i].UntilMillis = max(r.made[i].UntilMillis, until)
			return
		}
	}
	h := delivery.Hold{Destination: r.dest.ID, Action: action, UntilMillis: until, Revision: revision, Reason: reason}
	r.made, r.holds = append(r.made, h), append(r.holds, h)
}

// holdOn is the hold that keeps an action back, nil when none does.
func (r *round) holdOn(action string) *delivery.Hold {
	r.mu.Lock()
	defer r.mu.Unlock()
	return delivery.Holds(r.holds).On(r.dest.ID, action)
}
