package api

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/data/store"
)

// Distributions lists distributions with their counts: those of one run, or all
// when run is empty.
func (s *Service) Distributions(ctx context.Context, run string, p Paging) (Page[Distribution], error) {
	var none Page[Distribution]
	at, err := p.paging()
	if err != nil {
		return none, err
	}
	of, err := filterID("run", run)
	if err != nil {
		return none, err
	}
	rows, next, err := s.Store.ListDistributions(ctx, of, at)
	if err != nil {
		return none, err
	}
	show, err := s.distributionShower(ctx, rows)
	if err != nil {
		return none, err
	}
	return listPage(rows, next, show), nil
}

// Distribution is one distribution.
func (s *Service) Distribution(ctx context.Context, v id.ID) (Distribution, error) {
	row, err := s.Store.DistributionRow(ctx, v)
	if err != nil {
		return Distribution{}, missing(err, "distribution", v)
	}
	show, err := s.distributionShower(ctx, []distribution.Distribution{row})
	if err != nil {
		return Distribution{}, err
	}
	return show(row), nil
}

func (s *Service) distributionShower(ctx context.Context, rows []distribution.Distribution) (func(distribution.Distribution) Distribution, error) {
	ids := make([]id.ID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	list, err := s.Store.DistributionCounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	counts := make(map[id.ID][]store.CountRow, len(rows))
	for _, c := range list {
		counts[c.Distribution] = append(counts[c.Distribution], c)
	}
	return func(r distribution.Distribution) Distribution {
		return Distribution{
			ID: r.ID, Run: r.Run, Step: r.Step, Survey: r.Survey, Channel: r.Channel, Status: string(r.Status), Counts: showCounts(counts[r.ID]),
			CreatedAt: instant(r.CreatedAt), EndedAt: instantOrNil(r.EndedAt),
		}
	}, nil
}

// stages are the counts that only grow: how many ever got that far. What is
// called the same as a status counts these, not those that stand there now.
var stages = []string{"planned", "sent", "opened", "started", "finished"}

func showCounts(rows []store.CountRow) map[string]int {
	out := map[string]int{}
	for _, stage := range stages {
		out[stage] = 0
	}
	for _, r := range rows {
		if !slices.Contains(stages, r.Status) {
			out[r.Status] = r.N
		}
		out["planned"] += r.N
		out["sent"] += r.Sent
		out["opened"] += r.Opened
		out["started"] += r.Started
		out["finished"] += r.Finished
	}
	return out
}

// Invitations lists invitations with their mails.
func (s *Service) Invitations(ctx context.Context, f InvitationFilter, p Paging) (Page[Invitation], error) {
	var none Page[Invitation]
	at, err := p.paging()
	if err != nil {
		return none, err
	}
	q := store.InvitationQuery{Status: f.Status}
	for _, v := range []struct {
		field, text string
		to          *id.ID
	}{{"run", f.Run, &q.Run}, {"distribution", f.Distribution, &q.Distribution}, {"contact", f.Contact, &q.Contact}} {
		if *v.to, err = filterID(v.field, v.text); err != nil {
			return none, err
		}
	}
	rows, next, err := s.Store.ListInvitations(ctx, q, at)
	if err != nil {
		return none, err
	}
	ids := make([]id.ID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	list, err := s.Store.MessageRows(ctx, ids)
	if err != nil {
		return none, err
	}
	messages := make(map[id.ID][]Message, len(rows))
	for _, m := range list {
		messages[m.Invitation] = append(messages[m.Invitation], Message{Kind: m.Kind, Status: m.Status, SentAt: instantOrNil(m.SentAt.Int64), Error: m.Error})
	}
	return listPage(rows, next, func(r store.InvitationRow) Invitation {
		return Invitation{
			ID: r.ID, Distribution: r.Distribution, Run: r.Run, Contact: r.Contact, Status: r.Status, Reason: r.Reason,
			SentAt: instantOrNil(r.SentAt.Int64), OpenedAt: instantOrNil(r.OpenedAt.Int64), ExpiresAt: instantOrNil(r.ExpiresAt.Int64),
			Response: object(r.Response), Messages: messages[r.ID],
		}
	}), nil
}

// Outbox lists the mails that were caught instead of sent.
func (s *Service) Outbox(ctx context.Context, p Paging) (Page[Mail], error) {
	at, err := p.paging()
	if err != nil {
		return Page[Mail]{}, err
	}
	rows, next, err := s.Store.ListOutbox(ctx, at)
	return listPage(rows, next, showMail), err
}

// Mail is one caught mail.
func (s *Service) Mail(ctx context.Context, mail id.ID) (Mail, error) {
	row, err := s.Store.MailRow(ctx, mail)
	if err != nil {
		return Mail{}, missing(err, "mail", mail)
	}
	return showMail(row), nil
}

func showMail(r store.MailRow) Mail {
	headers, err := jsonvalue.Parse([]byte(r.Headers))
	if err != nil {
		headers = nil
	}
	return Mail{ID: r.ID, To: r.Recipient, Subject: r.Subject, Text: r.Text, HTML: r.HTML, Links: links(r.Text), Headers: headers, SentAt: instant(r.SentAt)}
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
