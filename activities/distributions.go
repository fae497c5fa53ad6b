package activities

import (
	"cmp"
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/mail"
)

// DistributionStore is where distributions and their invitations are kept.
type DistributionStore interface {
	BeginDistribution(ctx context.Context, dist id.ID) (distribution.Distribution, error)
	DistributionByID(ctx context.Context, dist id.ID) (distribution.Distribution, error)
	SetDistributionStatus(ctx context.Context, dist id.ID, status distribution.State) error
	Unsent(ctx context.Context, dist id.ID, kind distribution.Kind, after id.ID, limit int) ([]id.ID, error)
	OpenInvitations(ctx context.Context, dist id.ID) (int, error)
	Reserve(ctx context.Context, invitation id.ID, kind distribution.Kind, rule distribution.Rule) (distribution.Reservation, error)
	MessageWasSent(ctx context.Context, invitation id.ID, kind distribution.Kind) error
	MessageFailed(ctx context.Context, invitation id.ID, kind distribution.Kind, reason string, final bool) error
	ExpireInvitations(ctx context.Context, dist id.ID) error
	QueueMessages(ctx context.Context, destination id.ID, kind distribution.Kind, invitations []id.ID, due time.Time) error
}

// MailSender hands a mail over. An error of kind Invalid is final for this mail;
// Unavailable may pass. Sending again after an error can deliver twice: the
// Message-ID lets mail programs see that.
type MailSender interface {
	Send(ctx context.Context, m mail.Message) error
}

// Distributions is the activities of a distribution.
type Distributions struct {
	Store     DistributionStore
	Revisions Revisions
	Mail      MailSender
	From      string // of messages whose step names no sender
	PublicURL string // base of the links in messages
	MailHost  string // right side of message ids
	Now       func() time.Time
}

// Schedule is what a distribution's workflow walks: when its reminders go, and
// when it ends, each counted from its start.
type Schedule struct {
	Ended     bool            `json:"ended,omitempty"`
	Reminders []time.Duration `json:"reminders,omitempty"`
	Expires   time.Duration   `json:"expires,omitempty"`
}

// BeginDistribution marks a distribution as sending and gives its schedule.
// Running it twice gives the same.
func (a *Distributions) BeginDistribution(ctx context.Context, in handover.DistributionInput) (Schedule, error) {
	d, err := a.Store.BeginDistribution(ctx, in.Distribution)
	if err != nil {
		return Schedule{}, err
	}
	s, err := distribution.ReadStored(d.Settings)
	if err != nil {
		return Schedule{}, err
	}
	out := Schedule{Ended: d.Status == distribution.StateDone, Expires: s.Expires.Std()}
	for _, r := range s.Reminders {
		out.Reminders = append(out.Reminders, r.After.Std())
	}
	return out, nil
}

// SendInput names the messages of one kind of a distribution.
type SendInput struct {
	Distribution id.ID             `json:"distribution"`
	Kind         distribution.Kind `json:"kind"`
}

// Sent counts messages.
type Sent struct {
	Sent    int `json:"sent"`
	Skipped int `json:"skipped"`
	Failed  int `json:"failed"`
	Queued  int `json:"queued,omitempty"` // for the remote account's Deliver workflow
}

// sendPage is how many invitations are looked up at a time.
const sendPage = 100

// SendMessages sends one kind of message to everybody of a distribution who may
// get it now. Opt-outs, answers, expiry and, for invitations, the frequency rule
// are looked at in the moment of each send. Running it twice: messages that went
// out are left alone; one that was on its way when the first run broke off is sent
// again with the same Message-ID, and the outbox keeps that once. Those of a remote
// account are queued for its Deliver workflow, each once.
func (a *Distributions) SendMessages(ctx context.Context, in SendInput) (Sent, error) {
	defer alive(ctx)()
	d, err := a.Store.DistributionByID(ctx, in.Distribution)
	if err != nil {
		return Sent{}, err
	}
	var total Sent
	var after id.ID
	for {
		page, err := a.Store.Unsent(ctx, in.Distribution, in.Kind, after, sendPage)
		if err != nil {
			return total, err
		}
		if len(page) == 0 {
			return total, a.Store.SetDistributionStatus(ctx, in.Distribution, distribution.StateWaiting)
		}
		if d.Destination != 0 {
			if err := a.Store.QueueMessages(ctx, d.Destination, in.Kind, page, a.Now()); err != nil {
				return total, err
			}
			after = page[len(page)-1]
			total.Queued += len(page)
			continue
		}
		for _, invitation := range page {
			if err := a.send(ctx, d, invitation, in.Kind, &total); err != nil {
				return total, err
			}
			after = invitation
			activity.RecordHeartbeat(ctx, total)
		}
	}
}

func (a *Distributions) send(ctx context.Context, d distribution.Distribution, invitation id.ID, kind distribution.Kind, total *Sent) error {
	s, err := distribution.ReadStored(d.Settings)
	if err != nil {
		return err
	}
	rule, err := a.rule(ctx, d, s.Settings)
	if err != nil {
		return err
	}
	r, err := a.Store.Reserve(ctx, invitation, kind, rule)
	if err != nil {
		return err
	}
	switch {
	case r.Sent:
		return nil
	case !r.Verdict.OK:
		total.Skipped++
		return nil
	}
	m, err := a.compose(s.Settings, r, kind)
	if err == nil {
		err = a.Mail.Send(ctx, m)
	}
	if err == nil {
		total.Sent++
		return a.Store.MessageWasSent(ctx, invitation, kind)
	}
	final := fault.KindOf(err).Final() || a.Now().Sub(r.Since) > patience
	if noted := a.Store.MessageFailed(ctx, invitation, kind, fault.Words(err), final); noted != nil {
		return noted
	}
	if final {
		total.Failed++
		return nil
	}
	return err
}

// rule is what a message of a distribution is judged by now.
func (a *Distributions) rule(ctx context.Context, d distribution.Distribution, s distribution.Settings) (distribution.Rule, error) {
	live, err := a.Revisions.Current(ctx)
	if err != nil {
		return distribution.Rule{}, err
	}
	return distribution.Rule{Window: live.Frequency(d.Directory), IgnoreFrequency: s.IgnoreFrequency}, nil
}

func (a *Distributions) compose(s distribution.Settings, r distribution.Reservation, kind distribution.Kind) (mail.Message, error) {
	link := distribution.OwnLink(a.PublicURL, r.Invitation.Token)
	frozen, err := distribution.ReadSnapshot(r.Invitation.Snapshot)
	if err != nil {
		return mail.Message{}, err
	}
	text, err := s.Render(kind, frozen, link)
	if err != nil {
		return mail.Message{}, err
	}
	language, _ := frozen.Contact.Get("language").(string)
	return mail.Compose(mail.Letter{
		ID: distribution.MessageID(r.Invitation.ID, kind, a.MailHost), From: cmp.Or(s.From, a.From), ReplyTo: s.ReplyTo, To: r.Email,
		Subject: text.Subject, Body: text.Message, UnsubscribeURL: link.Get("opt_out_url").(string), Language: language,
	})
}

// Remaining counts the invitations that may still be answered.
func (a *Distributions) Remaining(ctx context.Context, in handover.DistributionInput) (int, error) {
	return a.Store.OpenInvitations(ctx, in.Distribution)
}

// FinishDistribution ends a distribution: who has not answered by now is expired.
// Running it twice changes nothing.
func (a *Distributions) FinishDistribution(ctx context.Context, in handover.DistributionInput) error {
	d, err := a.Store.DistributionByID(ctx, in.Distribution)
	if err != nil {
		return err
	}
	s, err := distribution.ReadStored(d.Settings)
	if err != nil {
		return err
	}
	if s.Expires > 0 {
		if err := a.Store.ExpireInvitations(ctx, in.Distribution); err != nil {
			return err
		}
	}
	return a.Store.SetDistributionStatus(ctx, in.Distribution, distribution.StateDone)
}
