package wire

// Header is who a mail is from and about what.
type Header struct {
	FromEmail string `json:"fromEmail,omitempty"`
	FromName  string `json:"fromName,omitempty"`
	ReplyTo   string `json:"replyToEmail,omitempty"`
	Subject   string `json:"subject,omitempty"` // a text, or a library message (MS_…)
}

// Message is what a mail says: a library's message, or a text.
type Message struct {
	LibraryID string `json:"libraryId,omitempty"` // UR_… or GR_…
	MessageID string `json:"messageId,omitempty"` // MS_…
	Text      string `json:"messageText,omitempty"`
}

// Recipients are everybody of a mailing list; one of them, by lookup id (CGC_…); or
// those of a transaction batch.
type Recipients struct {
	MailingListID string `json:"mailingListId,omitempty"`
	ContactID     string `json:"contactId,omitempty"`
	BatchID       string `json:"transactionBatchId,omitempty"`
}

// SurveyLink is which survey a mail leads to, and how.
type SurveyLink struct {
	SurveyID string  `json:"surveyId"` // SV_…
	Type     string  `json:"type"`
	Expires  Instant `json:"expirationDate,omitzero"`
}

// Individual is the type of links that are for one person each.
const Individual = "Individual"

// Distribution is an invitation to a survey by mail.
type Distribution struct {
	Header     Header     `json:"header"`
	Message    Message    `json:"message"`
	Recipients Recipients `json:"recipients"`
	SurveyLink SurveyLink `json:"surveyLink"`
	SendDate   Instant    `json:"sendDate"`
}

// FollowUp is a reminder or a thank-you.
type FollowUp struct {
	Header   Header  `json:"header"`
	Message  Message `json:"message"`
	SendDate Instant `json:"sendDate"`
}

// FollowedUp is the result of making one.
type FollowedUp struct {
	DistributionID string `json:"distributionId"`
	ID             string `json:"id,omitempty"` // seen instead of it
}

// The types of distributions that are read.
const (
	TypeInvite   = "Invite"
	TypeReminder = "Reminder"
	TypeThankYou = "ThankYou"
)

// Sent is a distribution as it is read.
type Sent struct {
	ID         string         `json:"id"`
	ParentID   string         `json:"parentDistributionId,omitempty"` // of a follow-up
	Type       string         `json:"requestType"`
	Status     string         `json:"requestStatus"` // Pending, Done …
	SendDate   Instant        `json:"sendDate"`
	Recipients Recipients     `json:"recipients"`      // the contact as it was given: a lookup id
	Stats      map[string]int `json:"stats,omitempty"` // sent, failed, started, bounced, opened, skipped, finished, complaints, blocked
}

// What became of an invitation. Besides these there are Pending, Unknown,
// SurveyPartiallyFinished, SurveyScreenedOut and SessionExpired.
const (
	StatusSuccess    = "Success"
	StatusOpened     = "Opened"
	StatusStarted    = "SurveyStarted"
	StatusFinished   = "SurveyFinished"
	StatusSkipped    = "Skipped"
	StatusBlocked    = "Blocked"
	StatusError      = "Error"
	StatusFailure    = "Failure"
	StatusHardBounce = "HardBounce"
	StatusSoftBounce = "SoftBounce"
	StatusComplaint  = "Complaint"
)

// Invited is one person's part in a distribution's history.
type Invited struct {
	ContactID       string `json:"contactId"`
	LookupID        string `json:"contactLookupId"`
	Status          string `json:"status"`
	Link            string `json:"surveyLink,omitempty"`
	FrequencyRuleID string `json:"contactFrequencyRuleId,omitempty"` // why it was skipped
	ResponseID      string `json:"responseId,omitempty"`
	SentAt          Date   `json:"sentAt,omitzero"` // each when it happened
	OpenedAt        Date   `json:"openedAt,omitzero"`
	StartedAt       Date   `json:"responseStartedAt,omitzero"`
	CompletedAt     Date   `json:"responseCompletedAt,omitzero"`
}
