package courier

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
)

// firstLook is how long after an invitation its account is first asked what became
// of it.
const firstLook = 2 * time.Minute

// sendSome has the account send some messages that are due.
func (r *round) sendSome(ctx context.Context, action string) (some bool, err error) {
	return r.eachInvitation(ctx, action, r.send)
}

// eachInvitation takes what is due for invitations of a remote account; some reports
// whether there was any. One after the other, and each invitation once: what follows
// an invitation needs what the account said to it.
func (r *round) eachInvitation(ctx context.Context, action string, do func(context.Context, distribution.QueuedMessage) error) (some bool, err error) {
	due, err := r.Store.MessagesDue(ctx, r.dest.ID, action, batch)
	if err != nil || len(due) == 0 {
		return false, err
	}
	if stop, err := r.turnedOff(ctx); stop || err != nil {
		return true, err
	}
	seen := map[id.ID]bool{}
	for _, m := range due {
		if ctx.Err() != nil || r.holdOn(action) != nil {
			break
		}
		if seen[m.Invitation] {
			continue // it stays due, and is read anew
		}
		seen[m.Invitation] = true
		if err := do(ctx, m); err != nil {
			return true, err
		}
	}
	return true, nil
}

// send looks whether a message may still go, and has the account send it.
func (r *round) send(ctx context.Context, m distribution.QueuedMessage) error {
	state := distribution.MessageState{Invitation: m.Invitation, Kind: m.Kind, Tries: m.Tries, Unsure: m.Unsure}
	a, s, err := r.asked(ctx, m)
	if err != nil {
		return err
	}
	if m.Kind != distribution.KindThanks && m.Status.Over() { // ended while it waited
		state.Done = true
		return r.Store.EndMessage(ctx, state)
	}
	state.Next = r.follows(m, s)
	if n, ok := distribution.ReminderOf(m.Kind); ok && n <= len(s.Reminders) {
		if at := r.reminderDue(m, s.Reminders[n-1].After.Std()); at.After(r.Now()) {
			state.Due = at
			return r.Store.EndMessage(ctx, state)
		}
	}
	live, err := r.Revisions.Current(ctx)
	if err != nil {
		return err
	}
	rule := distribution.Rule{Window: live.Frequency(a.Directory), IgnoreFrequency: s.IgnoreFrequency}
	reserved, err := r.Store.Reserve(ctx, m.Invitation, m.Kind, rule)
	if err != nil {
		return err
	}
	if reserved.Sent || !reserved.Verdict.OK {
		state.Done = true
		return r.Store.EndMessage(ctx, state)
	}
	out, err := r.outgoing(s, reserved, m)
	if err != nil { // it can never be made
		return r.sent(ctx, m, s, distribution.Remote{}, delivery.Outcome{Err: err}, reserved.Since)
	}
	if ours, err := r.Store.BeginMessage(ctx, m.Invitation, m.Kind, m.Tries); err != nil || !ours {
		return err
	}
	learnt, o := r.account.Send(ctx, out)
	o.Refused = o.Refused && r.account.Refused(ctx)
	ctx, cancel := mustWrite(ctx)
	defer cancel()
	return r.sent(ctx, m, s, learnt, o, reserved.Since)
}

// asked is what the invitation of a message asks and says.
func (r *round) asked(ctx context.Context, m distribution.QueuedMessage) (distribution.Asked, distribution.Stored, error) {
	a, err := r.Store.AskedOf(ctx, m.Invitation)
	if err != nil {
		return a, distribution.Stored{}, err
	}
	s, err := distribution.ReadStored(a.Settings)
	return a, s, err
}

// reminderDue is when a reminder may go: so long after its invitation really went,
// however long that had to wait.
func (r *round) reminderDue(m distribution.QueuedMessage, after time.Duration) time.Time {
	if m.SentAt == 0 {
		return r.Now().Add(firstLook)
	}
	return m.Sent().Add(after)
}

// follows is what follows a reminder, whether it went or not; an invitation that did
// not go is followed by nothing.
func (r *round) follows(m distribution.QueuedMessage, s distribution.Stored) distribution.Then {
	if _, reminder := distribution.ReminderOf(m.Kind); !reminder {
		return distribution.Then{}
	}
	return s.Then(m.Kind, m.Sent(), r.Now())
}

// outgoing is a message as the account gets it.
func (r *round) outgoing(s distribution.Stored, reserved distribution.Reservation, m distribution.QueuedMessage) (distribution.Outgoing, error) {
	out := distribution.Outgoing{
		Invitation: m.Invitation, Kind: m.Kind, Email: reserved.Email, From: s.From, ReplyTo: s.ReplyTo, Made: m.Made(), Expires: m.Expires(), Repeat: m.Unsure,
		Remote: distribution.Remote{Directory: s.DirectoryID, MailingList: s.MailingListID, Survey: s.SurveyID},
	}
	if s.Expires > 0 && out.Expires.IsZero() { // it counts from now, when it is sent
		out.Expires = r.Now().Add(s.Expires.Std())
	}
	if m.Remote != "" {
		if err := json.Unmarshal([]byte(m.Remote), &out.Remote); err != nil {
			return out, err
		}
	}
	frozen, err := distribution.ReadSnapshot(reserved.Invitation.Snapshot)
	if err != nil {
		return out, err
	}
	out.From, out.ReplyTo = cmp.Or(frozen.From, out.From), cmp.Or(frozen.ReplyTo, out.ReplyTo)
	survey, optOut := r.account.Links()
	text, err := s.Render(m.Kind, frozen, distribution.Link(survey, optOut, reserved.Invitation.Token))
	out.Contact, out.Subject, out.Text = frozen.Contact, text.Subject, text.Message
	return out, err
}

// sent records how an attempt to send a message ended, and what follows.
func (r *round) sent(ctx context.Context, m distribution.QueuedMessage, s distribution.Stored, learnt distribution.Remote, o delivery.Outcome, since time.Time) error {
	after, blameless := r.ended(distribution.ActionDistribute, o)
	now := r.Now()
	state := distribution.MessageState{Invitation: m.Invitation, Kind: m.Kind, Remote: learnt, Tries: m.Tries + 1, Unsure: m.Unsure || o.Unsure, Next: r.follows(m, s)}
	if o.Err == nil {
		if m.Kind == distribution.KindInvitation {
			state.Next = s.Then(m.Kind, now, now)
		}
		return r.Store.AccountSent(ctx, r.dest.ID, state, now.Add(firstLook))
	}
	kind, tired := fault.KindOf(o.Err), now.Sub(since) > delivery.Patience && state.Tries >= delivery.MinAttempts
	final := !blameless && (kind.Final() && kind != fault.Unauthorized || tired)
	if err := r.Store.MessageFailed(ctx, m.Invitation, m.Kind, fault.Words(o.Err), final); err != nil {
		return err
	}
	state.Done, state.Due = final, now.Add(delivery.Backoff(state.Tries, after))
	if blameless {
		state.Tries, state.Due = m.Tries, now.Add(after)
	}
	return r.Store.EndMessage(ctx, state)
}
