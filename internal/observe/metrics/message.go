package metrics

import (
	"context"
	"time"

	"github.com/segue-xm/segue/activities"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/mail"
	"github.com/segue-xm/segue/internal/outside/courier"
)

// message counts what became of one; reminders are one kind, whatever their number.
func (m *Metrics) message(kind distribution.Kind, by, outcome string) {
	if _, ok := distribution.ReminderOf(kind); ok {
		kind = "reminder"
	}
	m.messages.WithLabelValues(string(kind), by, outcome).Inc()
}

func (m *Metrics) reserved(kind distribution.Kind, by string, r distribution.Reservation, err error) {
	if err == nil && !r.Sent && !r.Verdict.OK {
		m.message(kind, by, "skipped")
	}
}

func (m *Metrics) failed(kind distribution.Kind, by string, final bool, err error) {
	switch {
	case err != nil: // not recorded: it will be again
	case final:
		m.message(kind, by, "failed")
	default:
		m.message(kind, by, "retrying")
	}
}

// Distributions counts the messages that are mailed.
func (m *Metrics) Distributions(s activities.DistributionStore) activities.DistributionStore {
	return mailed{s, m}
}

type mailed struct {
	activities.DistributionStore
	m *Metrics
}

func (s mailed) Reserve(ctx context.Context, v id.ID, kind distribution.Kind, rule distribution.Rule) (distribution.Reservation, error) {
	r, err := s.DistributionStore.Reserve(ctx, v, kind, rule)
	s.m.reserved(kind, "mail", r, err)
	return r, err
}

func (s mailed) MessageWasSent(ctx context.Context, v id.ID, kind distribution.Kind, next distribution.Then) error {
	err := s.DistributionStore.MessageWasSent(ctx, v, kind, next)
	if err == nil {
		s.m.message(kind, "mail", "sent")
	}
	return err
}

func (s mailed) MessageFailed(ctx context.Context, v id.ID, kind distribution.Kind, reason string, final bool) error {
	err := s.DistributionStore.MessageFailed(ctx, v, kind, reason, final)
	s.m.failed(kind, "mail", final, err)
	return err
}

// EndInvitation counts one that could never be made.
func (s mailed) EndInvitation(ctx context.Context, v id.ID, status distribution.Status, reason string) error {
	err := s.DistributionStore.EndInvitation(ctx, v, status, reason)
	if err == nil && status == distribution.Failed {
		s.m.message(distribution.KindInvitation, "mail", "failed")
	}
	return err
}

// Courier counts the messages that remote accounts send.
func (m *Metrics) Courier(s courier.Store) courier.Store { return sentByAccounts{s, m} }

type sentByAccounts struct {
	courier.Store
	m *Metrics
}

func (s sentByAccounts) Reserve(ctx context.Context, v id.ID, kind distribution.Kind, rule distribution.Rule) (distribution.Reservation, error) {
	r, err := s.Store.Reserve(ctx, v, kind, rule)
	s.m.reserved(kind, "account", r, err)
	return r, err
}

func (s sentByAccounts) AccountSent(ctx context.Context, destination id.ID, state distribution.MessageState, firstLook time.Time) error {
	err := s.Store.AccountSent(ctx, destination, state, firstLook)
	if err == nil {
		s.m.message(state.Kind, "account", "sent")
	}
	return err
}

func (s sentByAccounts) MessageFailed(ctx context.Context, v id.ID, kind distribution.Kind, reason string, final bool) error {
	err := s.Store.MessageFailed(ctx, v, kind, reason, final)
	s.m.failed(kind, "account", final, err)
	return err
}

// Mail times a sender of mails.
func (m *Metrics) Mail(s activities.MailSender) activities.MailSender { return sender{s, m} }

type sender struct {
	activities.MailSender
	m *Metrics
}

func (s sender) Send(ctx context.Context, letter mail.Message) error {
	begin := time.Now()
	err := s.MailSender.Send(ctx, letter)
	s.m.mailSeconds.WithLabelValues(outcomeOf(err)).Observe(seconds(begin))
	return err
}
