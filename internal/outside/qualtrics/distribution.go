package qualtrics

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
)

// Header is who a mail is from and about what.
type Header struct {
	FromEmail, FromName, ReplyTo string
	Subject                      string // a text, or a library message (MS_…)
}

// Message is what a mail says: a library's message, or a text.
type Message struct {
	LibraryID, MessageID string // UR_… or GR_…, MS_…
	Text                 string // may be HTML; with a message of a library: empty
}

// Distribution is an invitation to a survey by mail.
type Distribution struct {
	SurveyID string // SV_…
	LinkType string // Individual (default), Multiple or Anonymous
	Expires  time.Time
	Header   Header
	Message  Message
	SendAt   time.Time // zero: now
	// Whom it goes to: everybody of a mailing list; one of them, by the lookup id
	// (CGC_…) that AddToMailingList gives; or a transaction batch alone.
	MailingListID, ContactLookupID, BatchID string
}

// FollowUp is a reminder or a thank-you.
type FollowUp struct {
	Header  Header
	Message Message
	SendAt  time.Time // zero: now
}

func (h Header) object() *jsonvalue.Object {
	o := jsonvalue.NewObject(4)
	setText(o, "fromEmail", h.FromEmail)
	setText(o, "fromName", h.FromName)
	setText(o, "replyToEmail", h.ReplyTo)
	setText(o, "subject", h.Subject)
	return o
}

func (m Message) object() (*jsonvalue.Object, error) {
	if (m.Text == "") == (m.MessageID == "") {
		return nil, fault.Field("message", "want a text or a library's message")
	}
	o := jsonvalue.NewObject(2)
	setText(o, "libraryId", m.LibraryID)
	setText(o, "messageId", m.MessageID)
	setText(o, "messageText", m.Text)
	return o, nil
}

// instant writes a time as most of the API reads it; some of it refuses
// milliseconds.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (d Distribution) object(now time.Time) (*jsonvalue.Object, error) {
	switch {
	case d.SurveyID == "":
		return nil, fault.Field("survey", "is required")
	case d.BatchID != "" && (d.MailingListID != "" || d.ContactLookupID != ""):
		return nil, fault.Field("recipients", "a transaction batch cannot be combined with a mailing list or a contact")
	case d.BatchID == "" && d.MailingListID == "":
		return nil, fault.Field("recipients", "want a mailing list or a transaction batch")
	}
	message, err := d.Message.object()
	if err != nil {
		return nil, err
	}
	recipients := jsonvalue.NewObject(2)
	setText(recipients, "mailingListId", d.MailingListID)
	setText(recipients, "contactId", d.ContactLookupID)
	setText(recipients, "transactionBatchId", d.BatchID)
	kind := d.LinkType
	if kind == "" {
		kind = "Individual"
	}
	link := object("surveyId", d.SurveyID, "type", kind)
	if !d.Expires.IsZero() {
		link.Set("expirationDate", instant(d.Expires))
	}
	return object("header", d.Header.object(), "message", message, "recipients", recipients,
		"surveyLink", link, "sendDate", instant(orNow(d.SendAt, now))), nil
}

func orNow(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return t
}

// CreateDistribution sends invitations, or has them sent later. The id is EMD_….
// Doing it twice sends twice: after an unknown outcome look with DistributionsOf.
func (c *Client) CreateDistribution(ctx context.Context, d Distribution) (string, error) {
	body, err := d.object(c.now())
	if err != nil {
		return "", err
	}
	return c.post(ctx, "create distribution", Distributions, "id", body, "/distributions")
}

// CreateReminder has those who have not finished reminded. The id is that of the
// reminder's own distribution.
func (c *Client) CreateReminder(ctx context.Context, distribution string, f FollowUp) (string, error) {
	return c.followUp(ctx, "create reminder", "/distributions/{}/reminders", distribution, f)
}

// CreateThankYou has those who finish thanked.
func (c *Client) CreateThankYou(ctx context.Context, distribution string, f FollowUp) (string, error) {
	return c.followUp(ctx, "create thank-you", "/distributions/{}/thankyous", distribution, f)
}

func (c *Client) followUp(ctx context.Context, what, path, distribution string, f FollowUp) (string, error) {
	message, err := f.Message.object()
	if err != nil {
		return "", err
	}
	body := object("header", f.Header.object(), "message", message, "sendDate", instant(orNow(f.SendAt, c.now())))
	return c.post(ctx, what, Distributions, "distributionId", body, path, distribution)
}

// post writes and gives a member of the result, which must be there.
func (c *Client) post(ctx context.Context, what string, g Group, member string, body any, path string, ids ...string) (string, error) {
	do, err := c.api(what, http.MethodPost, g, path, ids...)
	if err != nil {
		return "", err
	}
	do.body, do.write = body, true
	a, err := c.do(ctx, do)
	if err != nil {
		return "", err
	}
	id := textAt(a.result(), member)
	if id == "" {
		id = textAt(a.result(), "id")
	}
	if id == "" {
		return "", replyError(do, a, "has no id")
	}
	return id, nil
}

// DeleteDistribution cancels a distribution that is still to be sent.
func (c *Client) DeleteDistribution(ctx context.Context, distribution string) error {
	do, err := c.api("delete distribution", http.MethodDelete, Distributions, "/distributions/{}", distribution)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, do)
	return err
}

// Sent is a distribution as the account has it.
type Sent struct {
	ID, ParentID  string
	Type          string // Invite, Reminder, ThankYou …
	Status        string // Pending, Done …
	MailingListID string
	ContactID     string // as it was given: a lookup id
	SendAt        time.Time
	Stats         map[string]int // sent, failed, started, bounced, opened, skipped, finished, complaints, blocked
}

// DistributionsOf lists a survey's distributions to a mailing list since a time; ""
// and the zero time do not restrict.
func (c *Client) DistributionsOf(ctx context.Context, survey, mailingList string, since time.Time) ([]Sent, error) {
	query := "?surveyId=" + url.QueryEscape(survey)
	if mailingList != "" {
		query += "&mailingListId=" + url.QueryEscape(mailingList)
	}
	if !since.IsZero() {
		query += "&sendStartDate=" + url.QueryEscape(instant(since))
	}
	do, err := c.api("list distributions", http.MethodGet, Distributions, "/distributions"+query)
	if err != nil {
		return nil, err
	}
	var out []Sent
	err = c.pages(ctx, do, func(o *jsonvalue.Object) bool {
		out = append(out, readSent(o))
		return true
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Distribution is one distribution of a survey.
func (c *Client) Distribution(ctx context.Context, distribution, survey string) (Sent, error) {
	do, err := c.api("read distribution", http.MethodGet, Distributions, "/distributions/{}?surveyId="+url.QueryEscape(survey), distribution)
	if err != nil {
		return Sent{}, err
	}
	a, err := c.do(ctx, do)
	if err != nil {
		return Sent{}, err
	}
	if a.result() == nil {
		return Sent{}, replyError(do, a, "has no result")
	}
	return readSent(a.result()), nil
}

func readSent(o *jsonvalue.Object) Sent {
	recipients, _ := o.Get("recipients").(*jsonvalue.Object)
	s := Sent{
		ID: textAt(o, "id"), ParentID: textAt(o, "parentDistributionId"), Type: textAt(o, "requestType"), Status: textAt(o, "requestStatus"),
		MailingListID: textAt(recipients, "mailingListId"), ContactID: textAt(recipients, "contactId"), Stats: map[string]int{},
	}
	s.SendAt, _ = readDate(textAt(o, "sendDate"))
	stats, _ := o.Get("stats").(*jsonvalue.Object)
	for k, v := range stats.All() {
		if n, ok := v.(float64); ok {
			s.Stats[k] = int(n)
		}
	}
	return s
}

// Invited is what became of one person's invitation.
type Invited struct {
	ContactID, ContactLookupID string
	// Status is Pending, Success, Error, Opened, Complaint, Skipped, Blocked,
	// Failure, Unknown, SoftBounce, HardBounce, SurveyStarted,
	// SurveyPartiallyFinished, SurveyFinished, SurveyScreenedOut or SessionExpired.
	Status          string
	Link            string
	FrequencyRuleID string // why it was skipped
	ResponseID      string
	SentAt          time.Time // times are zero when it did not happen
	OpenedAt        time.Time
	StartedAt       time.Time
	CompletedAt     time.Time
}

// History is what became of a distribution's invitations.
func (c *Client) History(ctx context.Context, distribution string) ([]Invited, error) {
	do, err := c.api("read distribution history", http.MethodGet, DistributionHistory, "/distributions/{}/history", distribution)
	if err != nil {
		return nil, err
	}
	var out []Invited
	err = c.pages(ctx, do, func(o *jsonvalue.Object) bool {
		i := Invited{
			ContactID: textAt(o, "contactId"), ContactLookupID: textAt(o, "contactLookupId"), Status: textAt(o, "status"),
			Link: textAt(o, "surveyLink"), FrequencyRuleID: textAt(o, "contactFrequencyRuleId"), ResponseID: textAt(o, "responseId"),
		}
		i.SentAt, _ = readDate(textAt(o, "sentAt"))
		i.OpenedAt, _ = readDate(textAt(o, "openedAt"))
		i.StartedAt, _ = readDate(textAt(o, "responseStartedAt"))
		i.CompletedAt, _ = readDate(textAt(o, "responseCompletedAt"))
		out = append(out, i)
		return true
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// AddToMailingList creates a contact in a directory and in one of its lists, or
// changes the one that matches. lookup (CGC_…) names the person within the list,
// for a distribution to one.
func (c *Client) AddToMailingList(ctx context.Context, directory, list string, p mapping.Contact) (contact, lookup string, err error) {
	do, err := c.api("add to mailing list", http.MethodPost, MailingListWrites, "/directories/{}/mailinglists/{}/contacts", directory, list)
	if err != nil {
		return "", "", err
	}
	do.body, do.write = contactBody(p), true
	a, err := c.do(ctx, do)
	if err != nil {
		return "", "", err
	}
	contact, lookup = textAt(a.result(), "id"), textAt(a.result(), "contactLookupId")
	if lookup == "" {
		return contact, "", replyError(do, a, "has no lookup id")
	}
	return contact, lookup, nil
}
