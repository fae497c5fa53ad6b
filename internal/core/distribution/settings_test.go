package distribution_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

const day = plan.Duration(24 * time.Hour)

// kept is what version 0.1.0 writes into the column settings of a distribution.
const kept = `{"subject":"How was it?","message":"{{ link.url }}","from":"a@x.test","reply_to":"b@x.test",` +
	`"reminders":[{"After":259200000000000,"Subject":"","Message":""},{"After":518400000000000,"Subject":"Last call","Message":"Hurry"}],` +
	`"expires":"14d","ignore_frequency":true,"survey_id":"SV_1","directory_id":"POOL_1","mailing_list_id":"CG_1","thanks":{"message":"Thank you"}}`

func TestStored_IsReadAndWrittenAsEver(t *testing.T) {
	t.Parallel()
	s, err := distribution.ReadStored(kept)
	require.NoError(t, err)
	require.Equal(t, distribution.Stored{
		Settings: distribution.Settings{
			Subject: "How was it?", Message: "{{ link.url }}", From: "a@x.test", ReplyTo: "b@x.test",
			Reminders: []distribution.Reminder{{After: 3 * day}, {After: 6 * day, Subject: "Last call", Message: "Hurry"}},
			Expires:   14 * day, IgnoreFrequency: true,
			DirectoryID: "POOL_1", MailingListID: "CG_1", Thanks: &distribution.Thanks{Message: "Thank you"},
		},
		SurveyID: "SV_1",
	}, s)
	text, err := s.Text()
	require.NoError(t, err)
	require.JSONEq(t, kept, text)
	text, err = distribution.Stored{Settings: distribution.Settings{Subject: "s", Message: "m"}}.Text()
	require.NoError(t, err)
	require.Equal(t, `{"subject":"s","message":"m"}`, text)
	_, err = distribution.ReadStored(`{"reminders":[{"After":"3d"}]}`)
	require.Error(t, err)
}

func TestSettings_Validate_NamesTheField(t *testing.T) {
	t.Parallel()
	base := distribution.Settings{Subject: "s", Message: "{{ link.url }}"}
	account := base
	account.DirectoryID, account.MailingListID = "POOL_1", "CG_1"
	require.NoError(t, base.Validate(false))
	require.NoError(t, account.Validate(true))
	for field, c := range map[string]struct {
		remote bool
		change func(*distribution.Settings)
	}{
		"message":            {change: func(s *distribution.Settings) { s.Message = "{{ event.type }}" }},
		"directory_id":       {change: func(s *distribution.Settings) { s.DirectoryID = "POOL_1" }},
		"thanks":             {change: func(s *distribution.Settings) { s.Thanks = &distribution.Thanks{Message: "t"} }},
		"thanks.message":     {remote: true, change: func(s *distribution.Settings) { s.Thanks = &distribution.Thanks{} }},
		"mailing_list_id":    {remote: true, change: func(s *distribution.Settings) { s.MailingListID = "" }},
		"reminders":          {change: func(s *distribution.Settings) { s.Reminders = reminders(11) }},
		"reminders[1].after": {change: func(s *distribution.Settings) { s.Reminders, s.Expires = reminders(2), 2*day }},
		"reminders[0].subject": {change: func(s *distribution.Settings) {
			s.Reminders = []distribution.Reminder{{After: day, Subject: "{{ steps.ask.id }}"}}
		}},
	} {
		s := base
		if c.remote {
			s = account
		}
		c.change(&s)
		err := s.Validate(c.remote)
		var f *fault.Error
		require.ErrorAs(t, err, &f, field)
		require.Equal(t, fault.Invalid, f.Kind)
		require.Equal(t, field, f.Field)
	}
}

func reminders(n int) []distribution.Reminder {
	out := make([]distribution.Reminder, n)
	for i := range out {
		out[i].After = plan.Duration(i+1) * day
	}
	return out
}

func TestSettings_Render_WhatAKindDoesNotSay_IsTheInvitations(t *testing.T) {
	t.Parallel()
	s := distribution.Settings{
		Subject: "For {{ contact.first_name }}", Message: "{{ link.url }}",
		Reminders: []distribution.Reminder{{After: day}, {After: 2 * day, Message: "Again: {{ link.url }}"}},
		Thanks:    &distribution.Thanks{Message: "Thank you, {{ fields.plan }}"},
	}
	frozen, err := distribution.ReadSnapshot(`{"contact":{"first_name":"Ada"},"fields":{"plan":"pro"}}`)
	require.NoError(t, err)
	link := jsonvalue.NewObject(1)
	link.Set("url", "https://s.test/l/x")
	for kind, want := range map[distribution.Kind]distribution.Text{
		distribution.KindInvitation:  {Subject: "For Ada", Message: "https://s.test/l/x"},
		distribution.KindReminder(1): {Subject: "For Ada", Message: "https://s.test/l/x"},
		distribution.KindReminder(2): {Subject: "For Ada", Message: "Again: https://s.test/l/x"},
		distribution.KindReminder(3): {Subject: "For Ada", Message: "https://s.test/l/x"},
		distribution.KindThanks:      {Subject: "For Ada", Message: "Thank you, pro"},
	} {
		have, err := s.Render(kind, frozen, link)
		require.NoError(t, err)
		require.Equal(t, want, have, kind)
	}
	s.Message = "{{ nothing | shout }}"
	_, err = s.Render(distribution.KindInvitation, frozen, link)
	require.Error(t, err)
}
