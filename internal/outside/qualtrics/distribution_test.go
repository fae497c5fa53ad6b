package qualtrics_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

var (
	header  = wire.Header{FromEmail: "noreply@qemailserver.com", FromName: "Acme", ReplyTo: "help@example.com", Subject: "How was it?"}
	message = wire.Message{LibraryID: "UR_1", MessageID: "MS_1"}
)

func TestCreateDistribution_ToOnePerson(t *testing.T) {
	t.Parallel()
	there := newAccount(t, ok(`{"result":{"id":"CID_1","contactLookupId":"CGC_1"}}`), ok(`{"result":{"id":"EMD_1"}}`))
	c := there.client(t)
	contact, lookup, err := c.AddToMailingList(bg(), "POOL_1", "CG_1", mapping.Contact{Email: "a@example.com"})
	require.NoError(t, err)
	require.Equal(t, "CID_1", contact)
	id, err := c.CreateDistribution(bg(), wire.Distribution{
		Header: header, Message: message, Recipients: wire.Recipients{MailingListID: "CG_1", ContactID: lookup},
		SurveyLink: wire.SurveyLink{SurveyID: "SV_1", Expires: wire.Instant{Time: frozen.Add(time.Hour)}},
	})
	require.NoError(t, err)
	require.Equal(t, "EMD_1", id)
	require.Equal(t, []string{"POST /API/v3/directories/POOL_1/mailinglists/CG_1/contacts", "POST /API/v3/distributions"}, there.paths())
	require.True(t, sameJSON(there.seen()[1].body, parsed(t, `{
		"header":{"fromEmail":"noreply@qemailserver.com","fromName":"Acme","replyToEmail":"help@example.com","subject":"How was it?"},
		"message":{"libraryId":"UR_1","messageId":"MS_1"},
		"recipients":{"mailingListId":"CG_1","contactId":"CGC_1"},
		"surveyLink":{"surveyId":"SV_1","type":"Individual","expirationDate":"2026-01-02T04:04:05Z"},
		"sendDate":"2026-01-02T03:04:05Z"}`)))
}

func TestCreateDistribution_Incomplete_IsInvalidBeforeAnyCall(t *testing.T) {
	t.Parallel()
	there := newAccount(t, ok(`{}`))
	survey, list := wire.SurveyLink{SurveyID: "SV_1"}, wire.Recipients{MailingListID: "CG_1"}
	for _, d := range []wire.Distribution{
		{Message: message, Recipients: list},
		{SurveyLink: survey, Message: message},
		{SurveyLink: survey, Message: message, Recipients: wire.Recipients{ContactID: "CGC_1"}},
		{SurveyLink: survey, Message: message, Recipients: wire.Recipients{BatchID: "BT_1", ContactID: "CGC_1"}},
		{SurveyLink: survey, Recipients: list},
		{SurveyLink: survey, Recipients: list, Message: wire.Message{Text: "x", MessageID: "MS_1"}},
	} {
		_, err := there.client(t).CreateDistribution(bg(), d)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
	}
	require.Empty(t, there.seen())
}

func TestCreateDistribution_NoAnswer_MayHaveBeenSent(t *testing.T) {
	t.Parallel()
	d := wire.Distribution{SurveyLink: wire.SurveyLink{SurveyID: "SV_1"}, Recipients: wire.Recipients{MailingListID: "CG_1"}, Message: message}
	for _, r := range []reply{{reset: true}, {status: 504}, ok(`{}`)} {
		_, err := newAccount(t, r).client(t).CreateDistribution(bg(), d)
		require.True(t, qualtrics.OutcomeUnknown(err))
	}
}

func TestFollowUps_GoToTheirParent(t *testing.T) {
	t.Parallel()
	there := newAccount(t, ok(`{"result":{"distributionId":"EMD_2"}}`))
	c := there.client(t)
	f := wire.FollowUp{Header: header, Message: wire.Message{Text: "Please"}, SendDate: wire.Instant{Time: frozen.Add(72 * time.Hour)}}
	id, err := c.CreateReminder(bg(), "EMD_1", f)
	require.NoError(t, err)
	require.Equal(t, "EMD_2", id)
	_, err = c.CreateThankYou(bg(), "EMD_1", f)
	require.NoError(t, err)
	require.Equal(t, []string{"POST /API/v3/distributions/EMD_1/reminders", "POST /API/v3/distributions/EMD_1/thankyous"}, there.paths())
	require.Equal(t, "2026-01-05T03:04:05Z", parsed(t, jsonvalue.Text(there.seen()[0].body)).Get("sendDate"))
}

func TestHistory_AllPagesAndTimes(t *testing.T) {
	t.Parallel()
	there := newAccount(t,
		ok(`{"result":{"elements":[{"contactId":"CID_1","contactLookupId":"CGC_1","status":"SurveyFinished","surveyLink":"https://l","responseId":"R_1","sentAt":"2026-01-01T00:00:00Z","responseCompletedAt":"2026-01-02 00:00:00","openedAt":null}],"nextPage":"https://fra1.qualtrics.com/API/v3/distributions/EMD_1/history?skipToken=2"}}`),
		ok(`{"result":{"elements":[{"contactId":"CID_2","status":"Skipped","contactFrequencyRuleId":"CFR_1"}],"nextPage":null}}`))
	all, err := there.client(t).History(bg(), "EMD_1")
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "R_1", all[0].ResponseID)
	require.Equal(t, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), all[0].CompletedAt.Time)
	require.True(t, all[0].OpenedAt.IsZero())
	require.Equal(t, "CFR_1", all[1].FrequencyRuleID)
}

func TestDistribution_Status(t *testing.T) {
	t.Parallel()
	one := `{"id":"EMD_1","parentDistributionId":null,"requestStatus":"Done","requestType":"Invite","sendDate":"2026-01-01T00:00:00Z","recipients":{"mailingListId":"CG_1"},"stats":{"sent":3,"bounced":1}}`
	there := newAccount(t, ok(`{"result":`+one+`}`), ok(`{"result":{"elements":[`+one+`]}}`), ok(`{"meta":{}}`))
	c := there.client(t)
	d, err := c.Distribution(bg(), "EMD_1", "SV_1")
	require.NoError(t, err)
	require.Equal(t, "Done", d.Status)
	require.Equal(t, 3, d.Stats["sent"])
	all, err := c.DistributionsOf(bg(), "SV_1", "", time.Time{})
	require.NoError(t, err)
	require.Equal(t, []wire.Sent{d}, all)
	require.NoError(t, c.DeleteDistribution(bg(), "EMD_1"))
	require.Equal(t, []string{"GET /API/v3/distributions/EMD_1?surveyId=SV_1", "GET /API/v3/distributions?surveyId=SV_1", "DELETE /API/v3/distributions/EMD_1"}, there.paths())
}
