package distribution

import (
	"maps"
	"slices"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Remote is what a remote account knows an invitation by. It is kept as JSON, and
// grows as messages are sent.
type Remote struct {
	Directory   string          `json:"directory"`
	MailingList string          `json:"mailing_list"`
	Survey      string          `json:"survey"`
	Contact     string          `json:"contact,omitempty"`  // in the directory
	Lookup      string          `json:"lookup,omitempty"`   // in the mailing list
	Messages    map[Kind]string `json:"messages,omitempty"` // kind of message to the account's distribution
	Status      string          `json:"status,omitempty"`   // as the account last said
	Requests    []string        `json:"requests,omitempty"` // ids of the newest calls
}

// maxRequests bounds the request ids that are kept.
const maxRequests = 20

// With is what is known with what was learnt since; neither is changed.
func (r Remote) With(learnt Remote) Remote {
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&r.Directory, learnt.Directory}, {&r.MailingList, learnt.MailingList}, {&r.Survey, learnt.Survey},
		{&r.Contact, learnt.Contact}, {&r.Lookup, learnt.Lookup}, {&r.Status, learnt.Status},
	} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	messages := maps.Clone(r.Messages)
	if messages == nil {
		messages = map[Kind]string{}
	}
	maps.Copy(messages, learnt.Messages)
	r.Messages = messages
	r.Requests = append(slices.Clone(r.Requests), learnt.Requests...)
	r.Requests = r.Requests[max(0, len(r.Requests)-maxRequests):]
	return r
}

// Outgoing is one message for a remote account to send.
type Outgoing struct {
	Invitation id.ID // for who follows it; it is not sent
	Kind       Kind
	Remote     Remote
	Contact    *jsonvalue.Object // as in a Snapshot
	Email      string
	Subject    string
	Text       string
	From       string    // an address, perhaps with a name; "": the account's own
	ReplyTo    string    // an address or ""
	Expires    time.Time // of the link; zero: the account's default
	Made       time.Time // when the invitation was made: older ones are others
	// Repeat: an earlier attempt may have sent it, so look first.
	Repeat bool
}

// Progress is what became of a remote invitation.
type Progress struct {
	Status     string // as the account says
	Opened     bool
	Started    bool
	Finished   bool
	ResponseID string
	// Ended is why nothing more will come of it, when something else than an answer
	// ended it: Failed or Skipped.
	Ended Status
}

// NextLook is when to look again at an invitation of a certain age: often while
// answers are likely, seldom later.
func NextLook(age time.Duration) time.Duration {
	if age > 3*24*time.Hour {
		return 6 * time.Hour
	}
	return min(max(age/4, 2*time.Minute), time.Hour)
}

// lookAfterEnd is how long answers are still looked for once the time to answer is
// over: one that was begun in time still counts.
const lookAfterEnd = 24 * time.Hour

// withoutEnd is how long an invitation that never expires is looked at.
const withoutEnd = 60 * 24 * time.Hour

// LookUntil is until when an invitation is looked at; expires may be zero.
func LookUntil(made, expires time.Time) time.Time {
	if expires.IsZero() {
		return made.Add(withoutEnd)
	}
	return expires.Add(lookAfterEnd)
}
