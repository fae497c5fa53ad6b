package api

import (
	"context"
	"strings"
	"unicode"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
)

// Find returns the path of the page about whatever the text names: an id of
// anything, a Temporal workflow id, a message id, or a person's email, phone,
// ext_ref or user id. Of several it is the newest. NotFound when it names
// nothing. A path never holds what names a person.
func (s *Service) Find(ctx context.Context, text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", fault.New(fault.NotFound, "nothing to look for")
	}
	for _, look := range []func(context.Context, string) (string, error){s.findWorkflow, s.findID, s.findMessage, s.findPerson} {
		if path, err := look(ctx, text); err != nil || path != "" {
			return path, err
		}
	}
	return "", fault.New(fault.NotFound, "nothing here has this id, message id, address or number")
}

// pages are the pages of Temporal workflows by the first part of their ids.
var pages = map[string]string{"events": "/events/", "run": "/runs/", "distribution": "/distributions/"}

// findWorkflow reads a Temporal workflow id: run/<id>.
func (s *Service) findWorkflow(ctx context.Context, text string) (string, error) {
	kind, rest, ok := strings.Cut(text, "/")
	if !ok || pages[kind] == "" {
		return "", nil
	}
	path, err := s.findID(ctx, rest)
	if !strings.HasPrefix(path, pages[kind]) {
		return "", err
	}
	return path, nil
}

// findID asks for each thing that has ids.
func (s *Service) findID(ctx context.Context, text string) (string, error) {
	v, err := id.Parse(strings.ToLower(text))
	if err != nil || v <= 0 {
		return "", nil
	}
	invitation := id.ID(0)
	for _, look := range []struct {
		path string
		get  func() error
	}{
		{"/events/", func() error { _, err := s.Store.EventRow(ctx, v); return err }},
		{"/runs/", func() error { _, err := s.Store.RunRow(ctx, v); return err }},
		{"/contacts/", func() error { _, err := s.Store.ContactRow(ctx, v); return err }},
		{"/distributions/", func() error { _, err := s.Store.DistributionRow(ctx, v); return err }},
		{"/distributions/", func() error {
			row, err := s.Store.InvitationRow(ctx, v)
			invitation = row.Distribution
			return err
		}},
		{"/outbox/", func() error { _, err := s.Store.MailRow(ctx, v); return err }},
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

func (s *Service) findMessage(ctx context.Context, text string) (string, error) {
	return s.findEvent(ctx, EventFilter{MessageID: text})
}

func (s *Service) findEvent(ctx context.Context, f EventFilter) (string, error) {
	page, err := s.Events(ctx, f, Paging{Limit: 1})
	if err != nil || len(page.Items) == 0 {
		return "", err
	}
	return "/events/" + page.Items[0].ID.String(), nil
}

// findPerson looks for a contact, and for the events of someone who is none.
func (s *Service) findPerson(ctx context.Context, text string) (string, error) {
	filters := []ContactFilter{{ExtRef: text}}
	switch {
	case strings.Contains(text, "@"):
		filters = append(filters, ContactFilter{Email: text})
	case digits(text) >= 5:
		filters = append(filters, ContactFilter{Phone: text})
	}
	for _, f := range filters {
		page, err := s.Contacts(ctx, f, Paging{Limit: 1})
		if err != nil {
			return "", err
		}
		if len(page.Items) > 0 {
			return "/contacts/" + page.Items[0].ID.String(), nil
		}
	}
	return s.findEvent(ctx, EventFilter{UserID: text})
}

func digits(text string) (n int) {
	for _, r := range text {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}
