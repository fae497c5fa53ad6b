package activities

import (
	"cmp"
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/mail"
)

// DistributionStore is where distributions and their invitations are kept.
type DistributionStore interface {
	BeginDistribution(ctx context.Context, dist id.ID) (distribution.Distribution, error)
	StayAwake(ctx context.Context, dist id.ID, lease time.Duration) error
	Rest(ctx context.Context, dist id.ID) (next time.Time, err error)
	DueInvitations(ctx context.Context, dist id.ID, limit int) ([]distribution.Due, error)
	AskedOf(ctx context.Context, invitation id.ID) (distribution.Asked, error)
	Reserve(ctx context.Context, invitation id.ID, kind distribution.Kind, rule distribution.Rule) (distribution.Reservation, error)
	MessageWasSent(ctx context.Context, invitation id.ID, kind distribution.Kind, next distribution.Then) error
	MessageFailed(ctx context.Context, invitation id.ID, kind distribution.Kind, reason string, final bool) error
	Next(ctx context.Context, invitation id.ID, done distribution.Kind, next distribution.Then) error
	Forward(ctx context.Context, destination, invitation id.ID, kind distribution.Kind, next distribution.Then) error
	ExpireInvitation(ctx context.Context, invitation id.ID) error
	EndInvitation(ctx context.Context, invitation id.ID, status distribution.Status, reason string) error
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
	// Follow, when set, is told when something is done for an invitation; what is done
	// goes on in the context it returns, and end is told how it went.
	Follow func(ctx context.Context, invitation id.ID, kind distribution.Kind) (followed context.Context, end func(error))
}

// Schedule is what a distribution's workflow begins with.
type Schedule struct {
	Standing bool `json:"standing,omitempty"` // it drains what is due
	Ended    bool `json:"ended,omitempty"`    // there is nothing to do

	// Of a single run's, up to 0.1.0: when its reminders go and when it ends, each
	// counted from its start.
	Reminders []time.Duration `json:"reminders,omitempty"`
	Expires   time.Duration   `json:"expires,omitempty"`
}

// BeginDistribution says how a distribution's workflow begins. One of a single run is
// put into its step's standing one, and there is nothing left to do. Running it twice
// gives the same.
func (a *Distributions) BeginDistribution(ctx context.Context, in handover.DistributionInput) (Schedule, error) {
	d, err := a.Store.BeginDistribution(ctx, in.Distribution)
	standing := d.Workflow != 0 && !d.Status.Ended()
	return Schedule{Standing: standing, Ended: !standing}, err
}

const (
	// sendPage is how many invitations are looked up at a time.
	sendPage = 200
	// sendAtOnce is how many messages are on their way at the same time.
	sendAtOnce = 32
	// inVain is after how many mails, one after the other, a mail server counts as away.
	inVain = 8
	// sendRound is after how long a round ends, so that it is seen in the history.
	sendRound = time.Minute
	// mailAway is how long a distribution counts as awake whose mail server does not
	// answer: as long as Temporal waits at most before it tries again.
	mailAway = 5 * time.Minute
	// noteTime is how long there is to note how a mail went when the process is about
	// to stop: one that is not noted goes again.
	noteTime = 5 * time.Second
)

// SendDue does what is due in a distribution: invitations, reminders, ends of the
// time to answer. Opt-outs, answers, expiry and, for invitations, the frequency rule
// are looked at in the moment of each send. It says when something is due next.
// Running it twice: what was recorded is not due any more; a message that was on its
// way when the first run broke off is sent again with the same Message-ID, and the
// outbox keeps that once. Those of a remote account are queued for its Deliver
// workflow, each once. An error is that of a mail server that takes nothing at all.
func (a *Distributions) SendDue(ctx context.Context, in handover.DistributionInput) (delivery.Drained, error) {
	defer alive(ctx)()
	var out delivery.Drained
	for begun := time.Now(); time.Since(begun) < sendRound; {
		due, err := a.Store.DueInvitations(ctx, in.Distribution, sendPage)
		if err != nil {
			return out, err
		}
		if len(due) == 0 {
			next, err := a.Store.Rest(ctx, in.Distribution)
			if err != nil {
				return out, err
			}
			if out.Empty, out.Next = next.IsZero(), next.Sub(a.Now()); out.Empty || out.Next > 0 {
				out.Next = max(out.Next, 0)
				return out, nil
			}
			continue // due meanwhile
		}
		if err := a.Store.StayAwake(ctx, in.Distribution, HandoverLease); err != nil {
			return out, err
		}
		p := page{Distributions: a, asked: map[string]asked{}}
		err = p.send(ctx, due)
		out.Done += p.done
		if err != nil {
			return out, err
		}
		if p.away != nil && p.done == 0 {
			if err := a.Store.StayAwake(ctx, in.Distribution, mailAway); err != nil {
				return out, err
			}
			return out, p.away
		}
	}
	out.Next = 0
	return out, nil
}

// page is some invitations that are dealt with at the same time.
type page struct {
	*Distributions

	mu    sync.Mutex
	asked map[string]asked // by version
	done  int
	tried int   // in vain, one after the other
	away  error // why nothing could be sent
}

// asked is what an invitation asks, read.
type asked struct {
	distribution.Asked
	settings distribution.Settings
	rule     distribution.Rule
}

// send deals with all of them, or until the database fails or the mail server takes
// nothing: the rest stays due.
func (p *page) send(ctx context.Context, due []distribution.Due) error {
	var all sync.WaitGroup
	var failed error
	slots := make(chan struct{}, sendAtOnce)
	for _, d := range due {
		slots <- struct{}{}
		p.mu.Lock()
		stop := failed != nil || p.tried >= inVain || ctx.Err() != nil
		p.mu.Unlock()
		if stop {
			break
		}
		all.Go(func() {
			defer func() { <-slots }()
			err := p.follow(ctx, d)
			if err != nil && !passing(ctx, err) {
				err = p.putOff(ctx, d, err)
			}
			if err != nil {
				p.mu.Lock()
				defer p.mu.Unlock()
				failed = cmp.Or(failed, err)
			}
		})
	}
	all.Wait()
	return cmp.Or(failed, ctx.Err())
}

// passing reports whether an error is of the database or of this moment, and not of an
// invitation.
func passing(ctx context.Context, err error) bool {
	k := fault.KindOf(err)
	return k == fault.Unavailable || k == fault.RateLimited || ctx.Err() != nil
}

// putOff deals with an invitation that is to blame itself, so that it harms no others:
// one that can never be sent fails, else it is looked at again later.
func (p *page) putOff(ctx context.Context, d distribution.Due, err error) error {
	if activity.IsActivity(ctx) {
		activity.GetLogger(ctx).Warn("an invitation could not be dealt with", "invitation", d.Invitation.String(), "kind", string(d.Kind), "error", err)
	}
	if fault.KindOf(err).Final() && d.Kind == distribution.KindInvitation {
		if err := p.Store.EndInvitation(ctx, d.Invitation, distribution.Failed, fault.Words(err)); err != nil {
			return err
		}
		return p.Store.Next(ctx, d.Invitation, d.Kind, distribution.Then{})
	}
	return p.Store.Next(ctx, d.Invitation, d.Kind, distribution.Then{Kind: d.Kind, Due: p.Now().Add(delivery.Backoff(d.Tries+1, 0))})
}

// follow does what is due for one invitation, and has it followed.
func (p *page) follow(ctx context.Context, d distribution.Due) error {
	do := func() error { return p.one(ctx, d) }
	if p.Follow == nil {
		return fault.Guard(do)
	}
	var end func(error)
	ctx, end = p.Follow(ctx, d.Invitation, d.Kind)
	err := fault.Guard(do)
	end(err)
	return err
}

// one does what is due for one invitation and puts what follows into the queue.
func (p *page) one(ctx context.Context, d distribution.Due) error {
	nothing := distribution.Then{}
	if d.Status.Over() { // ended while it waited
		return p.Store.Next(ctx, d.Invitation, d.Kind, nothing)
	}
	if d.Kind == distribution.KindExpiry {
		return p.Store.ExpireInvitation(ctx, d.Invitation)
	}
	a, err := p.about(ctx, d)
	if err != nil {
		return err
	}
	now, sent := p.Now(), d.Sent()
	if sent.IsZero() {
		sent = now
	}
	next := a.settings.Then(d.Kind, sent, now)
	unsent := next // what follows when it did not go
	if d.Kind == distribution.KindInvitation && d.SentAt == 0 {
		unsent = nothing
	}
	if a.Destination != 0 {
		return p.Store.Forward(ctx, a.Destination, d.Invitation, d.Kind, unsent)
	}
	r, err := p.Store.Reserve(ctx, d.Invitation, d.Kind, a.rule)
	if err != nil {
		return err
	}
	if at := r.Invitation.Sent(); r.Sent && !at.IsZero() { // meanwhile, by somebody else
		return p.Store.Next(ctx, d.Invitation, d.Kind, a.settings.Then(d.Kind, at, now))
	}
	if r.Sent || !r.Verdict.OK {
		return p.Store.Next(ctx, d.Invitation, d.Kind, unsent)
	}
	m, err := p.compose(a.settings, r, d.Kind)
	if err == nil {
		err = p.Mail.Send(ctx, m)
	}
	p.count(err)
	ctx, cancel := outlive(ctx, noteTime)
	defer cancel()
	if err == nil {
		return p.Store.MessageWasSent(ctx, d.Invitation, d.Kind, next)
	}
	final := fault.KindOf(err).Final() || now.Sub(r.Since) > patience
	if err := p.Store.MessageFailed(ctx, d.Invitation, d.Kind, fault.Words(err), final); err != nil {
		return err
	}
	if !final {
		unsent = distribution.Then{Kind: d.Kind, Due: now.Add(delivery.Backoff(d.Tries+1, 0))}
	}
	return p.Store.Next(ctx, d.Invitation, d.Kind, unsent)
}

// outlive is a context that ends some time after ctx does.
func outlive(ctx context.Context, some time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(some, cancel) })
	return out, func() { stop(); cancel() }
}

// count notes how a mail went.
func (p *page) count(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil || fault.KindOf(err).Final() {
		p.done++
		p.tried = 0
		return
	}
	p.tried++
	p.away = err
}

// about is what an invitation asks and what its messages are judged by now.
func (p *page) about(ctx context.Context, d distribution.Due) (asked, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a, ok := p.asked[string(d.Version)]; ok {
		return a, nil
	}
	read, err := p.Store.AskedOf(ctx, d.Invitation)
	if err != nil {
		return asked{}, err
	}
	s, err := distribution.ReadStored(read.Settings)
	if err != nil {
		return asked{}, err
	}
	live, err := p.Revisions.Current(ctx)
	if err != nil {
		return asked{}, err
	}
	a := asked{read, s.Settings, distribution.Rule{Window: live.Frequency(read.Directory), IgnoreFrequency: s.IgnoreFrequency}}
	p.asked[string(d.Version)] = a
	return a, nil
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
		ID: distribution.MessageID(r.Invitation.ID, kind, a.MailHost), From: cmp.Or(frozen.From, s.From, a.From), ReplyTo: cmp.Or(frozen.ReplyTo, s.ReplyTo), To: r.Email,
		Subject: text.Subject, Body: text.Message, UnsubscribeURL: link.Get("opt_out_url").(string), Language: language,
	})
}

// What follows is called by executions of 0.1.0, when each step of each run had a
// distribution of its own: they find their invitations gone to the standing one, and
// end.

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
	Queued  int `json:"queued,omitempty"`
}

// SendMessages leaves sending to the standing distribution. Running it twice changes
// nothing.
func (a *Distributions) SendMessages(ctx context.Context, in SendInput) (Sent, error) {
	_, err := a.Store.BeginDistribution(ctx, in.Distribution)
	return Sent{}, err
}

// Remaining counts the invitations that are left here: none. Running it twice changes
// nothing.
func (a *Distributions) Remaining(ctx context.Context, in handover.DistributionInput) (int, error) {
	_, err := a.Store.BeginDistribution(ctx, in.Distribution)
	return 0, err
}

// FinishDistribution ends nothing: expiry is the standing distribution's too. Running
// it twice changes nothing.
func (a *Distributions) FinishDistribution(ctx context.Context, in handover.DistributionInput) error {
	_, err := a.Store.BeginDistribution(ctx, in.Distribution)
	return err
}
