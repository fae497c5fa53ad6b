package ops

import (
	"context"
	"strings"
	"unicode"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/job"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/data/query"
)

// FinderStore has what has ids.
type FinderStore interface {
	EventRow(ctx context.Context, event id.ID) (query.EventRow, error)
	RunRow(ctx context.Context, v id.ID) (run.Run, error)
	JobRow(ctx context.Context, v id.ID) (job.Job, error)
	ContactRow(ctx context.Context, contact id.ID) (query.ContactRow, error)
	DistributionRow(ctx context.Context, v id.ID) (distribution.Distribution, error)
	InvitationRow(ctx context.Context, invitation id.ID) (query.InvitationRow, error)
	MailRow(ctx context.Context, mail id.ID) (query.MailRow, error)
}

// Finder leads from a text to the page about what it names.
type Finder struct {
	Store    FinderStore
	Events   *Events
	Contacts *Contacts
}

// Find returns the path of the page about whatever the text names: an id of
// anything, a Temporal workflow id, a message id, or a person's email, phone,
// ext_ref or user id. Of several it is the newest. NotFound when it names
// nothing. A path never holds what names a person.
func (f *Finder) Find(ctx context.Context, text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", fault.New(fault.NotFound, "nothing to look for")
	}
	for _, look := range []func(context.Context, string) (string, error){f.findWorkflow, f.findID, f.findMessage, f.findPerson} {
		if path, err := look(ctx, text); err != nil || path != "" {
			return path, err
		}
	}
	return "", fault.New(fault.NotFound, "nothing here has this id, message id, address or number")
}

// pages are the pages of Temporal workflows by the first part of their ids.
var pages = map[string]string{"events": "/events/", "run": "/runs/", "distribution": "/distributions/", "job": "/jobs/"}

// findWorkflow reads a Temporal workflow id: run/<id>.
func (f *Finder) findWorkflow(ctx context.Context, text string) (string, error) {
	kind, rest, ok := strings.Cut(text, "/")
	if !ok || pages[kind] == "" {
		return "", nil
	}
	path, err := f.findID(ctx, rest)
	if !strings.HasPrefix(path, pages[kind]) {
		return "", err
	}
	return path, nil
}

// findID asks for each thing that has ids.
func (f *Finder) findID(ctx context.Context, text string) (string, error) {
	v, err := id.Parse(strings.ToLower(text))
	if err != nil || v <= 0 {
		return "", nil
	}
	invitation := id.ID(0)
	for _, look := range []struct {
		path string
		get  func() error
	}{
		{"/events/", func() error { _, err := f.Store.EventRow(ctx, v); return err }},
		{"/runs/", func() error { _, err := f.Store.RunRow(ctx, v); return err }},
		{"/contacts/", func() error { _, err := f.Store.ContactRow(ctx, v); return err }},
		{"/distributions/", func() error { _, err := f.Store.DistributionRow(ctx, v); return err }},
		{"/distributions/", func() error {
			row, err := f.Store.InvitationRow(ctx, v)
			invitation = row.Distribution
			return err
		}},
		{"/jobs/", func() error { _, err := f.Store.JobRow(ctx, v); return err }},
		{"/outbox/", func() error { _, err := f.Store.MailRow(ctx, v); return err }},
	} {
		switch err := look.get(); {
		case err == nil && invitation != 0:
			return look.path + invitation.String(), nil
		case err == nil:
			return look.path + v.String(), nil
		case fault.KindOf(err) != fault.NotFound:
			return "", err
		}
	}
	return "", nil
}

func (f *Finder) findMessage(ctx context.Context, text string) (string, error) {
	return f.findEvent(ctx, EventFilter{MessageID: text})
}

func (f *Finder) findEvent(ctx context.Context, filter EventFilter) (string, error) {
	page, err := f.Events.List(ctx, filter, Paging{Limit: 1})
	if err != nil || len(page.Items) == 0 {
		return "", err
	}
	return "/events/" + page.Items[0].ID.String(), nil
}

// findPerson looks for a contact, and for the events of someone who is none.
func (f *Finder) findPerson(ctx context.Context, text string) (string, error) {
	filters := []ContactFilter{{ExtRef: text}}
	switch {
	case strings.Contains(text, "@"):
		filters = append(filters, ContactFilter{Email: text})
	case digits(text) >= 5:
		filters = append(filters, ContactFilter{Phone: text})
	}
	for _, filter := range filters {
		page, err := f.Contacts.List(ctx, filter, Paging{Limit: 1})
		if err != nil {
			return "", err
		}
		if len(page.Items) > 0 {
			return "/contacts/" + page.Items[0].ID.String(), nil
		}
	}
	return f.findEvent(ctx, EventFilter{UserID: text})
}

func digits(text string) (n int) {
	for _, r := range text {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}
