package qualtrics_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
)

const (
	person      = `{"directoryId":"POOL_1","extRef":"u-1","email":"A@example.com","firstName":"Jo","unsubscribed":false,"embeddedData":{"plan":"pro","n":5}}`
	transaction = `{"directoryId":"POOL_1","mailingListId":"CG_1","extRef":"u-1","transactionDate":"2025-05-06T07:08:09.123Z","transactionData":{"amount":12.5,"list":[1,2],"none":null}}`

	noContact  = `{"result":{"elements":[]}}`
	oneContact = `{"result":{"elements":[{"id":"CID_1"}]}}`
	isPerson   = `{"result":{"elements":[{"id":"CID_0"},{"id":"CID_1","externalDataReference":"u-1","email":"a@example.com","firstName":"Jo","unsubscribed":false,"embeddedData":{"plan":"pro","n":"5","x":"y"}}]}}`
	written    = `{"result":{"createdTransactions":{"$RANDOM16":{"id":"CTR_1"}},"unprocessedTransactions":{}},"meta":{"requestId":"r9"}}`
)

func deliver(t *testing.T, there *account, d delivery.Attempt, payload string) (delivery.Outcome, error) {
	t.Helper()
	d.Payload = parsed(t, payload)
	d.Source, d.Mapping, d.MessageID, d.Accepted = "web", "m", "m-1", frozen
	o := qualtrics.NewConnector(there.client(t)).Deliver(bg(), d)
	require.Equal(t, qualtrics.OutcomeUnknown(o.Err), o.Unsure)
	return o, o.Err
}

const (
	create   = "POST /API/v3/directories/POOL_1/contacts"
	search   = "POST /API/v3/directories/POOL_1/contacts/search"
	look     = "POST /API/v3/directories/POOL_1/contacts/search?includeEmbedded=true"
	write    = "POST /API/v3/directories/POOL_1/transactions"
	lookTx   = "GET /API/v3/directories/POOL_1/contacts/CID_1/transactions"
	update   = "PUT /API/v3/directories/POOL_1/contacts/CID_1"
	lookTxID = "CTR_0"
)

func TestDeliver_Contact_AgainAfterUnknownOutcome_LooksFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		d      delivery.Attempt
		script []reply
		paths  []string
		done   bool
	}{
		"it is there":              {delivery.Attempt{Repeat: true}, []reply{ok(isPerson)}, []string{look}, true},
		"it is not":                {delivery.Attempt{Repeat: true}, []reply{ok(noContact), ok(`{"result":{"id":"CID_1"}}`)}, []string{look, create}, false},
		"it is, as it was before":  {delivery.Attempt{Repeat: true}, []reply{ok(oneContact), ok(`{"result":{"id":"CID_1"}}`)}, []string{look, create}, false},
		"surely nothing was done":  {delivery.Attempt{}, []reply{ok(`{"result":{"id":"CID_1"}}`)}, []string{create}, false},
		"looking is not permitted": {delivery.Attempt{Repeat: true}, []reply{{status: 403}, ok(`{"result":{"id":"CID_1"}}`)}, []string{look, create}, false},
	} {
		there := newAccount(t, c.script...)
		c.d.Action = plan.UpsertContact
		r, err := deliver(t, there, c.d, person)
		require.NoError(t, err, name)
		require.Equal(t, c.paths, there.paths(), name)
		require.Equal(t, "CID_1", r.Summary.Get("contact"), name)
		require.Equal(t, c.done, r.Summary.Get("found_done") == true, name)
	}
	there := newAccount(t, reply{status: 503})
	_, err := deliver(t, there, delivery.Attempt{Action: plan.UpsertContact, Repeat: true}, person)
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "not seen is not written")
	require.Equal(t, []string{look}, there.paths())
}

func TestDeliver_Transaction_AgainAfterUnknownOutcome_LooksFirst(t *testing.T) {
	t.Parallel()
	is := func(date, data string) reply {
		return ok(`{"result":{"elements":[{"transactionId":"CTR_0","contactId":"CID_1","mailingListId":"CG_1","transactionDate":"` + date + `","data":` + data + `}],"nextPage":null}}`)
	}
	for name, c := range map[string]struct {
		script []reply
		paths  []string
		id     string
	}{
		"it is there":            {[]reply{ok(oneContact), is("2025-05-06 07:08:09", `{"amount":"12.5","list":"[1,2]"}`)}, []string{search, lookTx}, lookTxID},
		"its date is ISO":        {[]reply{ok(oneContact), is("2025-05-06T07:08:09Z", `{"list":"[1,2]","amount":"12.5"}`)}, []string{search, lookTx}, lookTxID},
		"another one is":         {[]reply{ok(oneContact), is("2025-05-06 07:08:10", `{"amount":"12.5","list":"[1,2]"}`), ok(written)}, []string{search, lookTx, write}, "CTR_1"},
		"one with more data is":  {[]reply{ok(oneContact), is("2025-05-06 07:08:09", `{"amount":"12.5","list":"[1,2]","x":"y"}`), ok(written)}, []string{search, lookTx, write}, "CTR_1"},
		"the contact is new":     {[]reply{ok(noContact), ok(`{"result":{"id":"CID_1"}}`), ok(`{"result":{"elements":[]}}`), ok(written)}, []string{search, create, lookTx, write}, "CTR_1"},
		"the contact was merged": {[]reply{ok(noContact), ok(`{"result":{"id":"CID_1"}}`), is("2025-05-06 07:08:09", `{"amount":"12.5","list":"[1,2]"}`)}, []string{search, create, lookTx}, lookTxID},
		"reading is not allowed": {[]reply{ok(oneContact), {status: 404}, ok(written)}, []string{search, lookTx, write}, "CTR_1"},
	} {
		there := newAccount(t, c.script...)
		r, err := deliver(t, there, delivery.Attempt{Action: plan.UpsertTransaction, Repeat: true}, transaction)
		require.NoError(t, err, name)
		require.Equal(t, c.paths, there.paths(), name)
		require.Equal(t, c.id, r.Summary.Get("transaction"), name)
	}
}

func TestDeliver_Transaction_SameKeyEveryAttempt(t *testing.T) {
	t.Parallel()
	keys := map[string]bool{}
	for range 2 {
		there := newAccount(t, ok(oneContact), ok(written))
		r, err := deliver(t, there, delivery.Attempt{Action: plan.UpsertTransaction}, transaction)
		require.NoError(t, err)
		require.Equal(t, []string{"r9"}, r.RequestIDs)
		body := there.seen()[1].body.(*jsonvalue.Object)
		require.Equal(t, body.Keys()[0], r.Summary.Get("key"))
		require.True(t, sameJSON(body.Get(body.Keys()[0]), parsed(t,
			`{"contactId":"CID_1","mailingListId":"CG_1","data":{"amount":12.5,"list":"[1,2]"},"transactionDate":"2025-05-06 07:08:09"}`)), jsonvalue.Text(body))
		keys[body.Keys()[0]] = true
	}
	require.Len(t, keys, 1)
}

func TestDeliver_Transaction_RefusedInsideASuccess_IsARefusal(t *testing.T) {
	t.Parallel()
	there := newAccount(t, ok(oneContact), ok(`{"result":{"createdTransactions":{},"unprocessedTransactions":{"$RANDOM16":{"error":"E_1","errorMessage":"bad mailing list"}}},"meta":{"requestId":"r9"}}`))
	r, err := deliver(t, there, delivery.Attempt{Action: plan.UpsertTransaction}, transaction)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.ErrorContains(t, err, "bad mailing list (E_1)")
	require.Equal(t, "r9", qualtrics.RequestID(err))
	require.False(t, qualtrics.OutcomeUnknown(err))
	require.Equal(t, "CID_1", r.Summary.Get("contact"), "as far as it went")
}

func TestDeliver_Transaction_WithoutDate_HasTheEventsTime(t *testing.T) {
	t.Parallel()
	there := newAccount(t, ok(written))
	_, err := deliver(t, there, delivery.Attempt{Action: plan.UpsertTransaction}, `{"directoryId":"POOL_1","mailingListId":"CG_1","contactId":"CID_1","extRef":"u"}`)
	require.NoError(t, err)
	require.Contains(t, jsonvalue.Text(there.seen()[0].body), `"transactionDate":"2026-01-02 03:04:05"`)
}

func TestDeliver_Modes(t *testing.T) {
	t.Parallel()
	created := ok(`{"result":{"id":"CID_1"}}`)
	for name, c := range map[string]struct {
		action, mode string
		resubscribe  bool
		script       []reply
		paths        []string
		kind         fault.Kind
		fails        bool
	}{
		"update only, found":        {action: plan.UpsertContact, mode: plan.ModeUpdateOnly, script: []reply{ok(oneContact), ok(`{"meta":{}}`)}, paths: []string{search, update}},
		"update only, none":         {action: plan.UpsertContact, mode: plan.ModeUpdateOnly, script: []reply{ok(noContact)}, paths: []string{search}, fails: true, kind: fault.NotFound},
		"update only, several":      {action: plan.UpsertContact, mode: plan.ModeUpdateOnly, script: []reply{ok(isPerson)}, paths: []string{search}, fails: true, kind: fault.Invalid},
		"create only, none":         {action: plan.UpsertContact, mode: plan.ModeCreateOnly, script: []reply{ok(noContact), created}, paths: []string{search, create}},
		"create only, found":        {action: plan.UpsertContact, mode: plan.ModeCreateOnly, script: []reply{ok(oneContact)}, paths: []string{search}, fails: true, kind: fault.Conflict},
		"transaction for nobody":    {action: plan.UpsertTransaction, mode: plan.ModeUpdateOnly, script: []reply{ok(noContact)}, paths: []string{search}, fails: true, kind: fault.NotFound},
		"transaction, create reply": {action: plan.UpsertTransaction, script: []reply{ok(noContact), ok(`{"result":{}}`)}, paths: []string{search, create}, fails: true, kind: fault.Unavailable},
	} {
		there := newAccount(t, c.script...)
		payload := person
		if c.action == plan.UpsertTransaction {
			payload = transaction
		}
		_, err := deliver(t, there, delivery.Attempt{Action: c.action, Mode: c.mode}, payload)
		require.Equal(t, c.fails, err != nil, "%s: %v", name, err)
		if err != nil {
			require.Equal(t, c.kind, fault.KindOf(err), name)
		}
		require.Equal(t, c.paths, there.paths(), name)
	}
}

func TestDeliver_UpdateOnly_DoesNotResubscribeUnlessTold(t *testing.T) {
	t.Parallel()
	const optOut = `{"directoryId":"POOL_1","extRef":"u-1","unsubscribed":true}`
	for _, c := range []struct {
		payload   string
		may, sent bool
	}{{person, false, false}, {person, true, true}, {optOut, false, true}, {optOut, true, true}} {
		there := newAccount(t, ok(oneContact), ok(`{"meta":{}}`))
		_, err := deliver(t, there, delivery.Attempt{Action: plan.UpsertContact, Mode: plan.ModeUpdateOnly, MayResubscribe: c.may}, c.payload)
		require.NoError(t, err)
		require.Equal(t, c.sent, there.seen()[1].body.(*jsonvalue.Object).Has("unsubscribed"))
	}
}

func TestDeliver_UnknownAction_IsInvalid(t *testing.T) {
	t.Parallel()
	_, err := deliver(t, newAccount(t, ok(`{}`)), delivery.Attempt{Action: "dance"}, `{}`)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
}

func TestDeliver_Transaction_ContactOfAnEarlierAttempt_IsNotMadeAgain(t *testing.T) {
	t.Parallel()
	there := newAccount(t, ok(noContact), ok(`{"result":{"id":"CID_1"}}`), reply{status: 503}, ok(written))
	r, err := deliver(t, there, delivery.Attempt{Action: plan.UpsertTransaction}, transaction)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.False(t, qualtrics.OutcomeUnknown(err))
	_, err = deliver(t, there, delivery.Attempt{Action: plan.UpsertTransaction, Contact: r.Contact}, transaction)
	require.NoError(t, err)
	require.Equal(t, []string{search, create, write, write}, there.paths())
}
