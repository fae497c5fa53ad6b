package ops

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/data/store"
)

// Mail is one message caught by the outbox.
type Mail struct {
	ID      id.ID             `json:"id"`
	To      string            `json:"to"`
	Subject string            `json:"subject"`
	Text    string            `json:"text"`
	HTML    string            `json:"html"`
	Links   []string          `json:"links"`
	Headers *jsonvalue.Object `json:"headers" null:"true"` // texts by name
	SentAt  time.Time         `json:"sent_at"`
}

// OutboxStore reads the mails that were caught.
type OutboxStore interface {
	ListOutbox(ctx context.Context, p store.Paging) ([]store.MailRow, id.ID, error)
	MailRow(ctx context.Context, mail id.ID) (store.MailRow, error)
}

// Outbox is the mails that were caught instead of sent.
type Outbox struct{ Store OutboxStore }

// List lists them.
func (o *Outbox) List(ctx context.Context, p Paging) (Page[Mail], error) {
	at, err := p.paging()
	if err != nil {
		return Page[Mail]{}, err
	}
	rows, next, err := o.Store.ListOutbox(ctx, at)
	return listPage(rows, next, showMail), err
}

// Get is one of them.
func (o *Outbox) Get(ctx context.Context, mail id.ID) (Mail, error) {
	row, err := o.Store.MailRow(ctx, mail)
	if err != nil {
		return Mail{}, missing(err, "mail", mail)
	}
	return showMail(row), nil
}

func showMail(r store.MailRow) Mail {
	return Mail{
		ID: r.ID, To: r.Recipient, Subject: r.Subject, Text: r.Text, HTML: r.HTML, Links: links(r.Text), Headers: object(r.Headers), SentAt: instant(r.SentAt),
	}
}

var link = regexp.MustCompile(`https?://[^\s<>"]+`)

// links are the addresses in a mail's text, each once, in order.
func links(text string) []string {
	out := []string{}
	for _, l := range link.FindAllString(text, -1) {
		if l = strings.TrimRight(l, ".,;:!?)]}'"); !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}
