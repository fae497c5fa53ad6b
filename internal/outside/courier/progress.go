package courier

import (
	"context"
	"encoding/json"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
)

// lookAtSome asks the account what became of some invitations that are due.
func (r *round) lookAtSome(ctx context.Context, action string) (some bool, err error) {
	return r.eachInvitation(ctx, action, r.lookAt)
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
		return r.Store.EndMessage(ctx, state)
	}
	p, o := r.account.Progress(ctx, known)
	o.Refused = o.Refused && r.account.Refused(ctx)
	after, blameless := r.ended(distribution.ActionProgress, o)
	state.Remote = distribution.Remote{Requests: o.RequestIDs, Status: p.Status}
	state.Due = now.Add(distribution.NextLook(now.Sub(m.Made())))
	switch {
	case blameless:
		state.Tries, state.Due = m.Tries, now.Add(after)
		return r.Store.EndMessage(ctx, state)
	case o.Err != nil:
		state.Tries = m.Tries + 1
		state.Due = later(state.Due, now.Add(delivery.Backoff(state.Tries, after)))
		return r.Store.EndMessage(ctx, state)
	}
	if err := r.progressed(ctx, m, p); err != nil {
		return err
	}
	state.Done = p.Finished || over(m, p)
	return r.Store.EndMessage(ctx, state)
}

// over reports whether an account's word ends an invitation. It does not for one that
// was opened: who opened it has got it, whatever is reported then, and may still answer.
func over(m distribution.QueuedMessage, p distribution.Progress) bool {
	return p.Ended != "" && !p.Opened && m.Status.May(p.Ended)
}

// progressed records what became of an invitation, and has those who have answered
// thanked.
func (r *round) progressed(ctx context.Context, m distribution.QueuedMessage, p distribution.Progress) error {
	switch {
	case p.Finished || p.Started:
		return r.answer(ctx, m, p)
	case over(m, p):
		return r.Store.EndInvitation(ctx, m.Invitation, p.Ended, "the account says: "+p.Status)
	case p.Opened:
		return r.opened(ctx, m.Invitation)
	}
	return nil
}

func (r *round) answer(ctx context.Context, m distribution.QueuedMessage, p distribution.Progress) error {
	inv, err := r.Store.InvitationByID(ctx, m.Invitation)
	if err != nil {
		return err
	}
	inv, changed, err := r.Store.RecordAnswer(ctx, distribution.Answer{Token: inv.Token, Finished: p.Finished, ResponseID: p.ResponseID})
	if err != nil || !p.Finished {
		return err
	}
	if err := r.thank(ctx, m); err != nil {
		return err
	}
	if changed {
		// Who waits looks again at the latest when its timer runs out.
		_ = r.Answered(ctx, inv.Run)
	}
	return nil
}

func (r *round) opened(ctx context.Context, invitation id.ID) error {
	inv, err := r.Store.InvitationByID(ctx, invitation)
	if err != nil || inv.OpenedAt != 0 {
		return err
	}
	return r.Store.LinkOpened(ctx, invitation)
}

// thank has a person thanked who has answered, when the step says so.
func (r *round) thank(ctx context.Context, m distribution.QueuedMessage) error {
	_, s, err := r.asked(ctx, m)
	if err != nil || s.Thanks == nil {
		return err
	}
	return r.Store.QueueMessages(ctx, r.dest.ID, distribution.KindThanks, []id.ID{m.Invitation}, r.Now())
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
