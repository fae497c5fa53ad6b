package qualtrics

import (
	"context"
	"net/mail"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/outside/courier/pace"
	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

// SurveyLink and OptOutLink are how a message names a person's own addresses to the
// account, which puts them in.
const (
	SurveyLink = "${l://SurveyURL}"
	OptOutLink = "${l://OptOutLink?d=Unsubscribe}"
)

// defaultSender is the account's own address.
const defaultSender = "noreply@qemailserver.com"

// Send has the account send one message of an invitation: the invitation itself,
// for which the person is put on the mailing list, or a reminder or thanks to it. It
// looks before it repeats. The outcome is as Deliver's; the Remote is what was learnt,
// beside an error too.
func (c *Connector) Send(ctx context.Context, m distribution.Outgoing) (distribution.Remote, delivery.Outcome) {
	ctx, requests := Record(ctx)
	known := m.Remote
	id, err := "", error(nil)
	if m.Kind == distribution.KindInvitation {
		id, err = c.invite(ctx, m, &known)
	} else {
		id, err = c.followUp(ctx, m)
	}
	learnt := distribution.Remote{Directory: known.Directory, MailingList: known.MailingList, Survey: known.Survey, Contact: known.Contact, Lookup: known.Lookup}
	if err == nil {
		learnt.Messages = map[distribution.Kind]string{m.Kind: id}
	}
	learnt.Requests = requests.IDs()
	return learnt, outcome(err, requests)
}

// outcome is how something ended that has no summary.
func outcome(err error, requests *Requests) delivery.Outcome {
	return delivery.Outcome{
		Err: err, RequestIDs: requests.IDs(),
		Unsure: OutcomeUnknown(err), Untried: pace.HeldBack(err), Refused: TokenRefused(err),
	}
}

func header(m distribution.Outgoing) (wire.Header, error) {
	h := wire.Header{FromEmail: defaultSender, Subject: m.Subject}
	if m.From != "" {
		a, err := mail.ParseAddress(m.From)
		if err != nil {
			return h, fault.Field("from", "%q is no address", m.From)
		}
		h.FromEmail, h.FromName = a.Address, a.Name
	}
	h.ReplyTo = m.ReplyTo
	return h, nil
}

func (c *Connector) invite(ctx context.Context, m distribution.Outgoing, known *distribution.Remote) (string, error) {
	h, err := header(m)
	if err != nil {
		return "", err
	}
	if known.Lookup == "" {
		if err := c.enlist(ctx, m, known); err != nil {
			return "", err
		}
	}
	if m.Repeat {
		id, err := c.sent(ctx, m, func(s wire.Sent) bool {
			return s.ParentID == "" && s.Recipients.MailingListID == known.MailingList && s.Recipients.ContactID == known.Lookup && !s.SendDate.Before(m.Made.Add(-clockDiffers))
		})
		if id != "" || err != nil {
			return id, err
		}
	}
	return c.client.CreateDistribution(ctx, wire.Distribution{
		Header: h, Message: wire.Message{Text: m.Text},
		Recipients: wire.Recipients{MailingListID: known.MailingList, ContactID: known.Lookup},
		SurveyLink: wire.SurveyLink{SurveyID: known.Survey, Expires: wire.Instant{Time: m.Expires}},
	})
}

// clockDiffers is how far the account's clock may be from ours.
const clockDiffers = 5 * time.Minute

// enlist puts the person on the mailing list.
func (c *Connector) enlist(ctx context.Context, m distribution.Outgoing, known *distribution.Remote) error {
	text := func(key string) string { s, _ := m.Contact.Get(key).(string); return s }
	p := mapping.Contact{
		DirectoryID: known.Directory, ExtRef: text("ext_ref"), Email: m.Email, Phone: text("phone"),
		FirstName: text("first_name"), LastName: text("last_name"), Language: strings.ToUpper(text("language")),
	}
	if m.Repeat {
		found, err := c.holding(ctx, p)
		if err != nil {
			return err
		}
		if found != "" {
			lookup, err := c.client.LookupID(ctx, known.Directory, found, known.MailingList)
			if err != nil && !fault.KindOf(err).Final() {
				return err
			}
			if lookup != "" {
				known.Contact, known.Lookup = found, lookup
				return nil
			}
		}
	}
	var err error
	known.Contact, known.Lookup, err = c.client.AddToMailingList(ctx, known.Directory, known.MailingList, p)
	return err
}

func (c *Connector) followUp(ctx context.Context, m distribution.Outgoing) (string, error) {
	parent := m.Remote.Messages[distribution.KindInvitation]
	if parent == "" {
		return "", fault.New(fault.Unavailable, "the invitation is not sent yet")
	}
	h, err := header(m)
	if err != nil {
		return "", err
	}
	kind, create := wire.TypeReminder, c.client.CreateReminder
	if m.Kind == distribution.KindThanks {
		kind, create = wire.TypeThankYou, c.client.CreateThankYou
	}
	if m.Repeat {
		id, err := c.sent(ctx, m, func(s wire.Sent) bool {
			for _, other := range m.Remote.Messages {
				if s.ID == other {
					return false
				}
			}
			return s.ParentID == parent && s.Type == kind
		})
		if id != "" || err != nil {
			return id, err
		}
	}
	return create(ctx, parent, wire.FollowUp{Header: h, Message: wire.Message{Text: m.Text}})
}

// sent looks for a distribution that may be a message, "" when there is none or the
// account does not let us look.
func (c *Connector) sent(ctx context.Context, m distribution.Outgoing, is func(wire.Sent) bool) (string, error) {
	all, err := c.client.DistributionsOf(ctx, m.Remote.Survey, m.Remote.MailingList, m.Made.Add(-clockDiffers))
	if err != nil {
		return "", passing(err)
	}
	for _, s := range all {
		if is(s) {
			return s.ID, nil
		}
	}
	return "", nil
}

// ends are the statuses of an account's history after which nothing more comes.
var ends = map[string]distribution.Status{
	wire.StatusSkipped: distribution.Skipped, wire.StatusBlocked: distribution.Skipped,
	wire.StatusError: distribution.Failed, wire.StatusFailure: distribution.Failed,
	wire.StatusHardBounce: distribution.Failed, wire.StatusSoftBounce: distribution.Failed,
	wire.StatusComplaint: distribution.Failed,
}

// Progress looks at what became of an invitation. An account that has nothing to
// say yet gives the zero Progress.
func (c *Connector) Progress(ctx context.Context, known distribution.Remote) (distribution.Progress, delivery.Outcome) {
	ctx, requests := Record(ctx)
	all, err := c.client.History(ctx, known.Messages[distribution.KindInvitation])
	var p distribution.Progress
	for _, i := range all {
		if i.LookupID != "" && i.LookupID != known.Lookup {
			continue
		}
		p = distribution.Progress{
			Status: i.Status, Opened: !i.OpenedAt.IsZero(), Started: !i.StartedAt.IsZero(),
			Finished: i.Status == wire.StatusFinished || !i.CompletedAt.IsZero(), ResponseID: i.ResponseID, Ended: ends[i.Status],
		}
		break
	}
	return p, outcome(err, requests)
}
