package ops

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/data/query"
)

// Invitation is one person's copy of a distribution.
type Invitation struct {
	ID           id.ID               `json:"id"`
	Distribution id.ID               `json:"distribution"`
	Run          id.ID               `json:"run"`
	Step         string              `json:"step,omitempty"` // path in the run
	Contact      id.ID               `json:"contact"`
	Status       distribution.Status `json:"status"`
	Reason       string              `json:"reason,omitempty"`
	SentAt       *time.Time          `json:"sent_at,omitempty"`
	OpenedAt     *time.Time          `json:"opened_at,omitempty"`
	ExpiresAt    *time.Time          `json:"expires_at,omitempty"`
	Response     *jsonvalue.Object   `json:"response,omitempty"`
	Messages     []Message           `json:"messages,omitempty"`
}

// Message is one mail to an invited person.
type Message struct {
	Kind   string                     `json:"kind"`
	Status distribution.MessageStatus `json:"status"`
	SentAt *time.Time                 `json:"sent_at,omitempty"`
	Error  string                     `json:"error,omitempty"`
}

// InvitationFilter selects invitations.
type InvitationFilter struct {
	Run          string              `json:"run,omitempty" query:"run" doc:"id of a run"`
	Distribution string              `json:"distribution,omitempty" query:"distribution" doc:"id of a distribution"`
	Contact      string              `json:"contact,omitempty" query:"contact" doc:"id of a contact"`
	Status       distribution.Status `json:"status,omitempty" query:"status" doc:"pending, sent, opened, started, finished, skipped, failed, expired or cancelled"`
}

// InvitationStore reads invitations.
type InvitationStore interface {
	ListInvitations(ctx context.Context, f query.InvitationQuery, p query.Paging) ([]query.InvitationRow, id.ID, error)
	InvitationRow(ctx context.Context, invitation id.ID) (query.InvitationRow, error)
	MessageRows(ctx context.Context, invitations []id.ID) ([]query.MessageRow, error)
}

// Invitations are what is asked about invitations.
type Invitations struct{ Store InvitationStore }

// List lists invitations with their mails.
func (o *Invitations) List(ctx context.Context, f InvitationFilter, p Paging) (Page[Invitation], error) {
	var none Page[Invitation]
	at, err := p.paging()
	if err != nil {
		return none, err
	}
	q := query.InvitationQuery{Status: f.Status}
	for _, v := range []struct {
		field, text string
		to          *id.ID
	}{{"run", f.Run, &q.Run}, {"distribution", f.Distribution, &q.Distribution}, {"contact", f.Contact, &q.Contact}} {
		if *v.to, err = filterID(v.field, v.text); err != nil {
			return none, err
		}
	}
	rows, next, err := o.Store.ListInvitations(ctx, q, at)
	if err != nil {
		return none, err
	}
	ids := make([]id.ID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	list, err := o.Store.MessageRows(ctx, ids)
	if err != nil {
		return none, err
	}
	messages := make(map[id.ID][]Message, len(rows))
	for _, m := range list {
		messages[m.Invitation] = append(messages[m.Invitation], showMessage(m))
	}
	return listPage(rows, next, func(r query.InvitationRow) Invitation { return showInvitation(r, messages[r.ID]) }), nil
}

func showInvitation(r query.InvitationRow, messages []Message) Invitation {
	return Invitation{
		ID: r.ID, Distribution: r.Distribution, Run: r.Run, Step: r.Step, Contact: r.Contact, Status: r.Status, Reason: r.Reason,
		SentAt: instantOrNil(r.SentAt.Int64), OpenedAt: instantOrNil(r.OpenedAt.Int64), ExpiresAt: instantOrNil(r.ExpiresAt.Int64),
		Response: object(r.Response), Messages: messages,
	}
}

func showMessage(r query.MessageRow) Message {
	return Message{Kind: r.Kind, Status: r.Status, SentAt: instantOrNil(r.SentAt.Int64), Error: r.Error}
}
