package activities

import (
	"cmp"
	"context"
	"hash/fnv"
	"sync"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
)

// Accounts opens the accounts behind remote destinations.
type Accounts interface {
	// Open gives a destination's account, whose limits go on where pace, an earlier
	// Account's Pace, left off. It calls nobody; an error names what the plan lacks.
	Open(ctx context.Context, d *routing.Destination, pace string) (Account, error)
}

// Account is a remote account. Safe for concurrent use.
type Account interface {
	// Deliver makes one attempt, within the account's limits: it waits for its turn
	// when that is soon.
	Deliver(ctx context.Context, a delivery.Attempt) delivery.Outcome
	// Send has the account send one message of an invitation; the Remote is what was
	// learnt of it, beside an error too.
	Send(ctx context.Context, m distribution.Outgoing) (distribution.Remote, delivery.Outcome)
	// Progress looks at what became of an invitation.
	Progress(ctx context.Context, known distribution.Remote) (distribution.Progress, delivery.Outcome)
	// Refused asks whether the account takes our credentials at all, which one call
	// that was refused does not say yet.
	Refused(ctx context.Context) bool
	// Links are how a message names a person's own addresses.
	Links() (survey, optOut string)
	// Pace is what is known of the account's limits, as text for Open.
	Pace() string
}

// RemoteQueue is where deliveries to remote accounts wait.
type RemoteQueue interface {
	RemoteDue(ctx context.Context, destination id.ID, action string, limit int) ([]delivery.Remote, error)
	BeginAttempt(ctx context.Context, r delivery.Ref, attempts int) (ours bool, err error)
	DueActions(ctx context.Context, destination id.ID) ([]delivery.Due, error)
	Holds(ctx context.Context, revision int64) (delivery.Holds, error)
	Pace(ctx context.Context, destination id.ID) (string, error)
	EndRound(ctx context.Context, r delivery.Round) error
}

const (
	// roundTime is after how long a round lets its Deliver workflow look around.
	roundTime = time.Minute
	// remoteBatch is how many deliveries are read at once: few, so that a pause is
	// seen soon.
	remoteBatch = 20
	// lanes is how many deliveries of one action are under way at once. Those about
	// one person share a lane, so that they arrive in the order of their events.
	lanes = 8
	// idleTime is the same once an action has nothing due.
	idleTime = 5 * time.Second
	// mendWait is after how long an account that refuses our credentials is asked
	// again without anybody having changed the plan.
	mendWait = 5 * time.Minute
	// maxRequestIDs bounds the request ids kept on a delivery, the newest.
	maxRequestIDs = 20
)

// round is one DeliverDue on a remote account. Each action has its own stream, so
// that one whose limit is used up does not keep the others waiting.
type round struct {
	*Effects
	dest     *routing.Destination
	revision int64
	account  Account

	mu       sync.Mutex
	ends     time.Time
	holds    []delivery.Hold // in force
	made     []delivery.Hold // of them, by this round
	done     int
	answered bool
	trouble  string
}

func (a *Effects) deliverRemote(ctx context.Context, revision int64, dest *routing.Destination) (Drained, error) {
	r := &round{Effects: a, dest: dest, revision: revision, ends: time.Now().Add(roundTime)}
	holds, err := a.Remote.Holds(ctx, revision)
	if err != nil {
		return Drained{}, err
	}
	for _, h := range holds {
		if h.Destination == dest.ID {
			r.holds = append(r.holds, h)
		}
	}
	if r.holdOn("") == nil {
		if err := r.deliver(ctx); err != nil {
			return Drained{}, err
		}
	}
	return r.rest(ctx)
}

// deliver runs the streams and keeps what they have learnt.
func (r *round) deliver(ctx context.Context) error {
	pace, err := r.Remote.Pace(ctx, r.dest.ID)
	if err != nil {
		return err
	}
	if r.account, err = r.Accounts.Open(ctx, r.dest, pace); err != nil {
		if !fault.KindOf(err).Final() {
			return err
		}
		r.stop("", mendWait, r.revision, words(err))
		return r.Remote.EndRound(ctx, delivery.Round{Destination: r.dest.ID, Pace: pace, Holds: r.made, Trouble: r.trouble})
	}
	actions := []string{plan.UpsertContact, plan.UpsertTransaction, plan.StartWorkflow, distribution.ActionDistribute, distribution.ActionProgress}
	var all sync.WaitGroup
	failed := make([]error, len(actions))
	for i, action := range actions {
		all.Go(func() {
			failed[i] = r.stream(ctx, action)
		})
	}
	all.Wait()
	// Also when the process is about to stop: what was learnt is not learnt twice.
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	end := delivery.Round{Destination: r.dest.ID, Pace: r.account.Pace(), Holds: r.made, Answered: r.answered, Trouble: r.trouble}
	return cmp.Or(append(failed, r.Remote.EndRound(keep, end))...)
}

// stream delivers what is due of one action until nothing is, the action is held,
// or the round is over.
func (r *round) stream(ctx context.Context, action string) error {
	take := func(ctx context.Context) (bool, error) { return r.deliveryBatch(ctx, action) }
	if action == distribution.ActionDistribute || action == distribution.ActionProgress {
		take = func(ctx context.Context) (bool, error) { return r.messageBatch(ctx, action) }
	}
	for !r.over(ctx) && r.holdOn(action) == nil {
		if some, err := take(ctx); err != nil || !some {
			r.idle()
			return err
		}
	}
	return nil
}

// deliveryBatch takes some deliveries of an action that are due; some reports
// whether there were any.
func (r *round) deliveryBatch(ctx context.Context, action string) (some bool, err error) {
	due, err := r.Remote.RemoteDue(ctx, r.dest.ID, action, remoteBatch)
	if err != nil || len(due) == 0 {
		return false, err
	}
	if stop, err := r.turnedOff(ctx); stop || err != nil {
		return true, err
	}
	return true, r.batch(ctx, due)
}

// idle says that an action has nothing due. The round ends soon after, so that what
// comes for this action meanwhile does not wait for the others' work.
func (r *round) idle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if soon := time.Now().Add(idleTime); soon.Before(r.ends) {
		r.ends = soon
	}
}

func (r *round) over(ctx context.Context) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return ctx.Err() != nil || !time.Now().Before(r.ends)
}

// turnedOff reports whether the destination was switched off, paused or changed
// meanwhile. The round ends then: the next one sees how it is now.
func (r *round) turnedOff(ctx context.Context) (bool, error) {
	live, err := r.Revisions.Current(ctx)
	if err != nil {
		return false, err
	}
	pauses, err := r.Deliveries.Pauses(ctx)
	if err != nil || live.Revision == r.revision && off(r.dest, pauses) == "" {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends = time.Time{}
	return true, nil
}

// batch delivers in lanes.
func (r *round) batch(ctx context.Context, due []delivery.Remote) error {
	var queues [lanes][]delivery.Remote
	for i, d := range due {
		n := laneOf(d, i)
		queues[n] = append(queues[n], d)
	}
	var all sync.WaitGroup
	var failed [lanes]error
	for n, queue := range queues {
		all.Go(func() {
			for _, d := range queue {
				if ctx.Err() != nil || r.holdOn(d.Action) != nil {
					return // they stay due
				}
				if failed[n] = r.one(ctx, d); failed[n] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return cmp.Or(failed[:]...)
}

// laneOf is the lane of a delivery: by whom it is about, when the payload says so.
func laneOf(d delivery.Remote, otherwise int) int {
	payload, err := jsonvalue.ParseObject(d.Payload)
	if err != nil || d.Action == plan.StartWorkflow {
		return otherwise % lanes
	}
	p := mapping.ContactOf(payload)
	who := cmp.Or(p.ExtRef, p.Email, p.Phone)
	if who == "" {
		return otherwise % lanes
	}
	h := fnv.New32a()
	h.Write([]byte(who)) //nolint:errcheck // never fails
	return int(h.Sum32() % lanes)
}

// one makes one attempt and records how it ended.
func (r *round) one(ctx context.Context, d delivery.Remote) error {
	ours, err := r.Remote.BeginAttempt(ctx, d.Ref(), d.Attempts)
	if err != nil || !ours {
		return err
	}
	o := r.attempt(ctx, d)
	// The outcome is written also when the process is about to stop: not knowing it
	// would cost a look.
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return r.Deliveries.MarkDeliveries(keep, []delivery.Mark{r.mark(d, o)})
}

func (r *round) attempt(ctx context.Context, d delivery.Remote) (o delivery.Outcome) {
	err := guarded(func() error {
		m, err := r.pinned(ctx, d.Open)
		if err != nil {
			return err
		}
		payload, err := jsonvalue.ParseObject(d.Payload)
		if err != nil {
			return err
		}
		o = r.account.Deliver(ctx, delivery.Attempt{
			Action: d.Action, Payload: payload, Mode: m.Def.Mode, MayResubscribe: m.Def.MayResubscribe,
			Source: d.Source.String(), Mapping: d.Mapping.String(), MessageID: d.MessageID, Accepted: d.Accepted(),
			Repeat: d.Unsure, Contact: textOf(resultSoFar(d).Get("contact")),
		})
		o.Refused = o.Refused && r.account.Refused(ctx)
		return o.Err
	})
	o.Err = err
	o.Unsure = o.Unsure || fault.KindOf(err) == fault.Internal && err != nil // nobody knows how far it got
	return o
}

// mark is a delivery's state after an attempt.
func (r *round) mark(d delivery.Remote, o delivery.Outcome) delivery.Mark {
	now := r.Now()
	m := delivery.Mark{
		Ref: d.Ref(), Attempts: d.Attempts + 1, Status: delivery.Done, Result: result(d, o),
		Due: now, Unsure: d.Unsure || o.Unsure,
	}
	r.note(o)
	if o.Err == nil {
		return m
	}
	kind := fault.KindOf(o.Err)
	m.Status, m.Reason = delivery.Retrying, words(o.Err)
	after, blameless := r.verdict(d.Action, o)
	switch {
	case blameless: // it keeps its tries
		m.Attempts = d.Attempts
	// The delivery that makes the contact may be on its way.
	case kind == fault.NotFound && now.Sub(d.Accepted()) < contactPatience:
		m.Due = now.Add(delivery.Backoff(m.Attempts, after))
	// A permission can be given, a token's scope widened: what is forbidden now is
	// tried again, unlike what makes no sense.
	case kind.Final() && kind != fault.Unauthorized, tired(d.Open, m.Attempts, now):
		m.Status = delivery.Rejected
	default:
		m.Due = now.Add(delivery.Backoff(m.Attempts, after))
	}
	return m
}

// verdict says when to come back after a failed attempt, and whether what was tried
// is not to blame: then its action, or all of them, are held until that.
func (r *round) verdict(action string, o delivery.Outcome) (after time.Duration, blameless bool) {
	after = fault.RetryAfter(o.Err)
	switch {
	// Workflow URLs may be anywhere: that one place does not answer says nothing of
	// the account.
	case o.Untried && (fault.KindOf(o.Err) == fault.RateLimited || action == plan.StartWorkflow):
		r.stop(action, after, 0, words(o.Err))
	case o.Untried:
		r.stop("", after, 0, words(o.Err))
	case o.Refused:
		r.stop("", mendWait, r.revision, words(o.Err))
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

// stop holds an action, or all of them, for a while.
func (r *round) stop(action string, d time.Duration, revision int64, reason string) {
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

func (r *round) holdOn(action string) *delivery.Hold {
	r.mu.Lock()
	defer r.mu.Unlock()
	return delivery.Holds(r.holds).On(r.dest.ID, action)
}

// rest says how long the workflow may wait.
func (r *round) rest(ctx context.Context) (Drained, error) {
	waiting, err := r.Remote.DueActions(ctx, r.dest.ID)
	if err != nil {
		return Drained{}, err
	}
	out := Drained{Done: r.done, Empty: true}
	for _, w := range waiting {
		at := w.Time()
		if h := r.holdOn(w.Action); h != nil && h.Until().After(at) {
			at = h.Until()
		}
		if !at.Before(HeldUntil) {
			continue
		}
		if wait := max(at.Sub(r.Now()), 0); out.Empty || wait < out.Next {
			out.Empty, out.Next = false, wait
		}
	}
	return out, nil
}

// resultSoFar is what earlier attempts have left on a delivery.
func resultSoFar(d delivery.Remote) *jsonvalue.Object {
	if o, err := jsonvalue.ParseObject([]byte(d.Result)); err == nil {
		return o
	}
	return jsonvalue.NewObject(0)
}

// result is what a delivery keeps of its attempts: the summary, and the request ids
// that the account's support asks for.
func result(d delivery.Remote, o delivery.Outcome) *jsonvalue.Object {
	before := resultSoFar(d)
	out := jsonvalue.NewObject(4)
	for k, v := range before.All() {
		out.Set(k, v)
	}
	for k, v := range o.Summary.All() {
		out.Set(k, v)
	}
	requests, _ := before.Get("requests").([]any)
	for _, r := range o.RequestIDs {
		requests = append(requests, r)
	}
	if len(requests) > 0 {
		out.Set("requests", requests[max(0, len(requests)-maxRequestIDs):])
	}
	return out
}
