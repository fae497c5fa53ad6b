package activities

import (
	"context"
	"encoding/json"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// MessageQueue is where messages wait that a remote account is to send.
type MessageQueue interface {
	QueueMessages(ctx context.Context, destination id.ID, kind distribution.Kind, invitations []id.ID, due time.Time) error
	MessagesDue(ctx context.Context, destination id.ID, action string, limit int) ([]distribution.QueuedMessage, error)
	BeginMessage(ctx context.Context, invitation id.ID, kind distribution.Kind, tries int) (ours bool, err error)
	AccountSent(ctx context.Context, destination id.ID, m distribution.MessageState, firstLook time.Time) error
	EndMessage(ctx context.Context, m distribution.MessageState) error
	EndInvitation(ctx context.Context, invitation id.ID, status distribution.Status, reason string) error
	InvitationByID(ctx context.Context, invitation id.ID) (distribution.Invitation, error)
	LinkOpened(ctx context.Context, invitation id.ID) error
	RecordAnswer(ctx context.Context, a distribution.Answer) (distribution.Invitation, bool, error)
}

// firstLook is how long after an invitation its account is first asked what became
// of it.
const firstLook = 2 * time.Minute

// messageBatch takes what is due for invitations of a remote account: messages to
// send, or looks at what became of them; some reports whether there was any. One
// after the other, and each invitation once: what follows an invitation needs what
// the account said to it.
func (r *round) messageBatch(ctx context.Context, action string) (some bool, err error) {
	due, err := r.Messages.MessagesDue(ctx, r.dest.ID, action, remoteBatch)
	if err != nil || len(due) == 0 {
		return false, err
	}
	if stop, err := r.turnedOff(ctx); stop || err != nil {
		return true, err
	}
	do := r.sendMessage
	if action == distribution.ActionProgress {
		do = r.lookAt
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

// sendMessage looks whether a message may still go, and has the account send it.
func (r *round) sendMessage(ctx context.Context, m distribution.QueuedMessage) error {
	state := distribution.MessageState{Invitation: m.Invitation, Kind: m.Kind, Tries: m.Tries, Unsure: m.Unsure}
	d, err := r.Surveys.Store.DistributionByID(ctx, m.Distribution)
	if err != nil {
		return err
	}
	s, err := settings(d)
	if err != nil {
		return err
	}
	if m.Kind != distribution.KindThanks && m.Status.Over() { // ended while it waited
		state.Done = true
		return r.Messages.EndMessage(ctx, state)
	}
	if n, ok := distribution.ReminderOf(m.Kind); ok && n <= len(s.Reminders) {
		at, err := r.reminderDue(ctx, m, s.Reminders[n-1].After)
		if err != nil {
			return err
		}
		if at.After(r.Now()) {
			state.Due = at
			return r.Messages.EndMessage(ctx, state)
		}
	}
	rule, err := r.Surveys.rule(ctx, d, s)
	if err != nil {
		return err
	}
	reserved, err := r.Surveys.Store.Reserve(ctx, m.Invitation, m.Kind, rule)
	if err != nil {
		return err
	}
	if reserved.Sent || !reserved.Verdict.OK {
		state.Done = true
		return r.Messages.EndMessage(ctx, state)
	}
	out, err := r.outgoing(s, reserved, m)
	if err != nil { // it can never be made
		return r.messageEnded(ctx, m, distribution.Remote{}, delivery.Outcome{Err: err}, reserved.Since)
	}
	if ours, err := r.Messages.BeginMessage(ctx, m.Invitation, m.Kind, m.Tries); err != nil || !ours {
		return err
	}
	learnt, o := r.account.Send(ctx, out)
	o.Refused = o.Refused && r.account.Refused(ctx)
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return r.messageEnded(keep, m, learnt, o, reserved.Since)
}

// reminderDue is when a reminder may go: so long after its invitation really went,
// however long that had to wait.
func (r *round) reminderDue(ctx context.Context, m distribution.QueuedMessage, after time.Duration) (time.Time, error) {
	inv, err := r.Messages.InvitationByID(ctx, m.Invitation)
	if err != nil || inv.SentAt == 0 {
		return r.Now().Add(firstLook), err
	}
	return inv.Sent().Add(after), nil
}

// outgoing is a message as the account gets it.
func (r *round) outgoing(s Settings, reserved distribution.Reservation, m distribution.QueuedMessage) (distribution.Outgoing, error) {
	out := distribution.Outgoing{
		Kind: m.Kind, Email: reserved.Email, From: s.From, ReplyTo: s.ReplyTo, Made: m.Made(), Expires: m.Expires(), Repeat: m.Unsure,
		Remote: distribution.Remote{Directory: s.DirectoryID, MailingList: s.MailingListID, Survey: s.SurveyID},
	}
	if m.Remote != "" {
		if err := json.Unmarshal([]byte(m.Remote), &out.Remote); err != nil {
			return out, err
		}
	}
	link := jsonvalue.NewObject(3)
	survey, optOut := r.account.Links()
	link.Set("url", survey)
	link.Set("opt_out_url", optOut)
	link.Set("token", reserved.Invitation.Token)
	snapshot, text, err := s.render(reserved, m.Kind, link)
	out.Contact, out.Subject, out.Text = snapshot.Contact, text["subject"], text["message"]
	return out, err
}

// messageEnded records how an attempt to send a message ended, and what follows.
func (r *round) messageEnded(ctx context.Context, m distribution.QueuedMessage, learnt distribution.Remote, o delivery.Outcome, since time.Time) error {
	r.note(o)
	now := r.Now()
	state := distribution.MessageState{Invitation: m.Invitation, Kind: m.Kind, Remote: learnt, Tries: m.Tries + 1, Unsure: m.Unsure || o.Unsure}
	if o.Err == nil {
		return r.Messages.AccountSent(ctx, r.dest.ID, state, now.Add(firstLook))
	}
	after, blameless := r.verdict(distribution.ActionDistribute, o)
	kind, tired := fault.KindOf(o.Err), now.Sub(since) > delivery.Patience && state.Tries >= delivery.MinAttempts
	final := !blameless && (kind.Final() && kind != fault.Unauthorized || tired)
	if err := r.Surveys.Store.MessageFailed(ctx, m.Invitation, m.Kind, words(o.Err), final); err != nil {
		return err
	}
	state.Done, state.Due = final, now.Add(delivery.Backoff(state.Tries, after))
	if blameless {
		state.Tries, state.Due = m.Tries, now.Add(after)
	}
	return r.Messages.EndMessage(ctx, state)
}

// lookAt asks the account what became of an invitation and records it; whoever waits
// for the answer is told.
func (r *round) lookAt(ctx context.Context, m distribution.QueuedMessage) error {
	state := distribution.MessageState{Invitation: m.Invitation, Kind: m.Kind}
	var known distribution.Remote
	if m.Remote != "" {
		if err := json.Unmarshal([]byte(m.Remote), &known); err != nil {
			return err
		}
	}
	now := r.Now()
	if m.Status == distribution.Finished {
		if err := r.thank(ctx, m); err != nil {
			return err
		}
	}
	if m.Status.Over() && m.Status != distribution.Expired || !now.Before(distribution.LookUntil(m.Made(), m.Expires())) {
		state.Done = true
		return r.Messages.EndMessage(ctx, state)
	}
	p, o := r.account.Progress(ctx, known)
	o.Refused = o.Refused && r.account.Refused(ctx)
	r.note(o)
	state.Remote = distribution.Remote{Requests: o.RequestIDs, Status: p.Status}
	state.Due = now.Add(distribution.NextLook(now.Sub(m.Made())))
	if o.Err != nil {
		after, blameless := r.verdict(distribution.ActionProgress, o)
		switch {
		case blameless:
			state.Tries, state.Due = m.Tries, now.Add(after)
		default:
			state.Tries = m.Tries + 1
			state.Due = later(state.Due, now.Add(delivery.Backoff(state.Tries, after)))
		}
		return r.Messages.EndMessage(ctx, state)
	}
	if err := r.progressed(ctx, m, p); err != nil {
		return err
	}
	state.Done = p.Finished || p.Ended != ""
	return r.Messages.EndMessage(ctx, state)
}

// progressed records what became of an invitation, and has those who have answered
// thanked.
func (r *round) progressed(ctx context.Context, m distribution.QueuedMessage, p distribution.Progress) error {
	inv, err := r.Messages.InvitationByID(ctx, m.Invitation)
	if err != nil {
		return err
	}
	switch {
	case p.Finished || p.Started:
		var changed bool
		if inv, changed, err = r.Messages.RecordAnswer(ctx, distribution.Answer{Token: inv.Token, Finished: p.Finished, ResponseID: p.ResponseID}); err != nil {
			return err
		}
		if !p.Finished {
			return nil
		}
		if err := r.thank(ctx, m); err != nil {
			return err
		}
		if changed {
			// Who waits looks again at the latest when its timer runs out.
			_ = r.Answered(ctx, inv.Run, inv.Distribution)
		}
		return nil
	case p.Ended != "":
		return r.Messages.EndInvitation(ctx, m.Invitation, p.Ended, "the account says: "+p.Status)
	case p.Opened && inv.OpenedAt == 0:
		return r.Messages.LinkOpened(ctx, m.Invitation)
	}
	return nil
}

func (r *round) thank(ctx context.Context, m distribution.QueuedMessage) error {
	d, err := r.Surveys.Store.DistributionByID(ctx, m.Distribution)
	if err != nil {
		return err
	}
	s, err := settings(d)
	if err != nil || s.Thanks == nil {
		return err
	}
	return r.Messages.QueueMessages(ctx, r.dest.ID, distribution.KindThanks, []id.ID{m.Invitation}, r.Now())
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
