package qualtrics

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

func checkMessage(m wire.Message) error {
	if (m.Text == "") == (m.MessageID == "") {
		return fault.Field("message", "want a text or a library's message")
	}
	return nil
}

func checkDistribution(d wire.Distribution) error {
	to := d.Recipients
	switch {
	case d.SurveyLink.SurveyID == "":
		return fault.Field("survey", "is required")
	case to.BatchID != "" && (to.MailingListID != "" || to.ContactID != ""):
		return fault.Field("recipients", "a transaction batch cannot be combined with a mailing list or a contact")
	case to.BatchID == "" && to.MailingListID == "":
		return fault.Field("recipients", "want a mailing list or a transaction batch")
	}
	return checkMessage(d.Message)
}

// orNow is when something is sent that names no time.
func (c *Client) orNow(t wire.Instant) wire.Instant {
	if t.IsZero() {
		return wire.Instant{Time: c.now()}
	}
	return t
}

// CreateDistribution sends invitations, or has them sent later. Links are for one
// person each unless it says otherwise, and without a time it is sent now. The id is
// EMD_…. Doing it twice sends twice: after an unknown outcome look with
// DistributionsOf.
func (c *Client) CreateDistribution(ctx context.Context, d wire.Distribution) (string, error) {
	if err := checkDistribution(d); err != nil {
		return "", err
	}
	d.SurveyLink.Type = cmp.Or(d.SurveyLink.Type, wire.Individual)
	d.SendDate = c.orNow(d.SendDate)
	return c.post(ctx, "create distribution", d, wire.PathDistributions)
}

// CreateReminder has those who have not finished reminded. The id is that of the
// reminder's own distribution.
func (c *Client) CreateReminder(ctx context.Context, distribution string, f wire.FollowUp) (string, error) {
	return c.followUp(ctx, "create reminder", wire.PathReminders, distribution, f)
}

// CreateThankYou has those who finish thanked.
func (c *Client) CreateThankYou(ctx context.Context, distribution string, f wire.FollowUp) (string, error) {
	return c.followUp(ctx, "create thank-you", wire.PathThankYous, distribution, f)
}

func (c *Client) followUp(ctx context.Context, what, path, distribution string, f wire.FollowUp) (string, error) {
	if err := checkMessage(f.Message); err != nil {
		return "", err
	}
	f.SendDate = c.orNow(f.SendDate)
	return c.post(ctx, what, f, path, distribution)
}

// post makes a distribution and gives its id, which must be there.
func (c *Client) post(ctx context.Context, what string, body any, path string, ids ...string) (string, error) {
	do, err := c.api(what, http.MethodPost, Distributions, body, path, ids...)
	if err != nil {
		return "", err
	}
	do.write = true
	a, err := c.do(ctx, do)
	if err != nil {
		return "", err
	}
	r := result[wire.FollowedUp](a)
	id := cmp.Or(r.DistributionID, r.ID)
	if id == "" {
		return "", replyError(do, a, "has no id")
	}
	return id, nil
}

// DeleteDistribution cancels a distribution that is still to be sent.
func (c *Client) DeleteDistribution(ctx context.Context, distribution string) error {
	do, err := c.api("delete distribution", http.MethodDelete, Distributions, nil, wire.PathDistribution, distribution)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, do)
	return err
}

// DistributionsOf lists a survey's distributions to a mailing list since a time; ""
// and the zero time do not restrict.
func (c *Client) DistributionsOf(ctx context.Context, survey, mailingList string, since time.Time) ([]wire.Sent, error) {
	query := "?surveyId=" + url.QueryEscape(survey)
	if mailingList != "" {
		query += "&mailingListId=" + url.QueryEscape(mailingList)
	}
	if !since.IsZero() {
		query += "&sendStartDate=" + url.QueryEscape(wire.Instant{Time: since}.Text())
	}
	do, err := c.reading("list distributions", Distributions, wire.PathDistributions+query)
	if err != nil {
		return nil, err
	}
	return all[wire.Sent](ctx, c, do)
}

// Distribution is one distribution of a survey.
func (c *Client) Distribution(ctx context.Context, distribution, survey string) (wire.Sent, error) {
	do, err := c.reading("read distribution", Distributions, wire.PathDistribution+"?surveyId="+url.QueryEscape(survey), distribution)
	if err != nil {
		return wire.Sent{}, err
	}
	a, err := c.do(ctx, do)
	if err != nil {
		return wire.Sent{}, err
	}
	if !a.hasResult() {
		return wire.Sent{}, replyError(do, a, "has no result")
	}
	return result[wire.Sent](a), nil
}

// History is what became of a distribution's invitations.
func (c *Client) History(ctx context.Context, distribution string) ([]wire.Invited, error) {
	do, err := c.reading("read distribution history", DistributionHistory, wire.PathHistory, distribution)
	if err != nil {
		return nil, err
	}
	return all[wire.Invited](ctx, c, do)
}
