package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

func TestEvents_ShowNamesStatusAndDeliveries(t *testing.T) {
	b := setup(t)
	s := b.tell()
	page, err := b.Events(t.Context(), EventFilter{Source: "web"}, Paging{})
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
	byID := map[id.ID]Event{}
	for _, e := range page.Items {
		require.Equal(t, "web", e.Source)
		require.Equal(t, e.ID.String(), e.Key)
		require.NotNil(t, e.Deliveries)
		byID[e.ID] = e
	}
	require.Equal(t, EventProcessed, byID[s.identify].Status)
	require.Equal(t, EventProcessed, byID[s.plain].Status)
	require.Empty(t, byID[s.plain].Deliveries)
	require.Equal(t, EventInvalid, byID[s.refused].Status)
	require.Equal(t, "type is missing", byID[s.refused].Reason)
	d := byID[s.identify].Deliveries[0]
	require.Equal(t, "keep", d.Mapping)
	require.Equal(t, "xm", d.Destination)
	require.Equal(t, s.contact, d.Contact)
	require.Nil(t, d.Payload, "a list leaves payloads out")
	one, err := b.Event(t.Context(), s.identify)
	require.NoError(t, err)
	require.Equal(t, `{"email":"ada@example.com"}`, jsonvalue.Text(one.Deliveries[0].Payload))
}

func TestLists_BadFilters_NameTheField(t *testing.T) {
	b := setup(t)
	b.tell()
	ctx := t.Context()
	_, source := b.Events(ctx, EventFilter{Source: "nope"}, Paging{})
	_, status := b.Events(ctx, EventFilter{Status: "nope"}, Paging{})
	_, cursor := b.Events(ctx, EventFilter{}, Paging{Cursor: "nope"})
	_, limit := b.Events(ctx, EventFilter{}, Paging{Limit: -1})
	_, event := b.Runs(ctx, RunFilter{Event: "nope"}, Paging{})
	_, directory := b.Contacts(ctx, ContactFilter{Directory: "nope"}, Paging{})
	_, run := b.Distributions(ctx, "nope", Paging{})
	_, contact := b.Invitations(ctx, InvitationFilter{Contact: "nope"}, Paging{})
	for field, err := range map[string]error{"source": source, "status": status, "cursor": cursor, "limit": limit, "event": event,
		"directory": directory, "run": run, "contact": contact} {
		var f *fault.Error
		require.ErrorAs(t, err, &f, field)
		require.Equal(t, fault.Invalid, f.Kind)
		require.Equal(t, field, f.Field)
	}
}

func TestWhy_JudgesEveryMappingByTheEventsRevision(t *testing.T) {
	b := setup(t)
	s := b.tell()
	why, err := b.Why(t.Context(), s.identify)
	require.NoError(t, err)
	require.Len(t, why.Mappings, 2)
	keep, pay := why.Mappings[0], why.Mappings[1]
	require.True(t, keep.Matched)
	require.Equal(t, `type = "identify"`, keep.Filter)
	require.Equal(t, "done", keep.Delivery.Status)
	require.NotEmpty(t, keep.Fields)
	require.False(t, pay.Matched)
	require.Equal(t, fql.False, pay.Clauses.(fql.Verdict).Outcome)
	require.Nil(t, pay.Delivery)
	require.Nil(t, pay.Fields)
	require.Len(t, why.Changes, 1)
	require.Len(t, why.Runs, 1)
	require.Equal(t, "ada", why.Runs[0].Fields.Get("user"))
	require.Equal(t, "http://ui/namespaces/default/workflows?query=SegueEvents+%3D+%22"+s.identify.String()+"%22", why.TemporalURL)

	refused, err := b.Why(t.Context(), s.refused)
	require.NoError(t, err)
	require.Equal(t, `{"x":1}`, refused.Raw)
	require.Empty(t, refused.Mappings)

	// A delivery that a later plan made is not left out.
	b.do(`INSERT INTO deliveries (event, mapping, destination, action, status, attempts, occurred_at, updated_at) VALUES (?, 99, 98, 'upsert_contact', 'done', 1, 0, 0)`, s.plain)
	plain, err := b.Why(t.Context(), s.plain)
	require.NoError(t, err)
	require.Len(t, plain.Mappings, 3)
	require.True(t, plain.Mappings[2].Matched)

	_, err = b.Why(t.Context(), 5)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
}

func TestContacts_OneDirectoryOrAll_InTheirRegion(t *testing.T) {
	b := setup(t)
	s := b.tell()
	for _, f := range []ContactFilter{{}, {Directory: "customers"}, {Email: "ADA@example.com"}, {ExtRef: "ada", Directory: b.name(plan.KindDirectory, "customers").String()}, {Phone: "090-1234-5678"}} {
		page, err := b.Contacts(t.Context(), f, Paging{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1, "%+v", f)
		require.Equal(t, s.contact, page.Items[0].ID)
		require.Equal(t, "customers", page.Items[0].Directory)
		require.Equal(t, `{"b":1,"a":2}`, jsonvalue.Text(page.Items[0].EmbeddedData))
	}
	page, err := b.Contacts(t.Context(), ContactFilter{Email: "bob@example.com"}, Paging{})
	require.NoError(t, err)
	require.NotNil(t, page.Items)
	require.Empty(t, page.Items)
	tx, err := b.Transactions(t.Context(), s.contact, Paging{})
	require.NoError(t, err)
	require.Equal(t, "everyone", tx.Items[0].MailingList)
	changes, err := b.Changes(t.Context(), s.contact, Paging{})
	require.NoError(t, err)
	require.Equal(t, s.identify, changes.Items[0].Event)
	_, err = b.Changes(t.Context(), 5, Paging{})
	require.Equal(t, fault.NotFound, fault.KindOf(err))
}

func TestDistributions_CountsAreCumulativeForStages(t *testing.T) {
	b := setup(t)
	s := b.tell()
	b.do(`INSERT INTO invitations (id, distribution, run, contact, token, status, snapshot, created_at, opens) VALUES (?, ?, ?, 1, 'u', 'skipped', '{}', 5, 0)`, b.db.Next(), s.distribution, s.run)
	d, err := b.Distribution(t.Context(), s.distribution)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"planned": 2, "sent": 1, "opened": 1, "started": 1, "finished": 1, "skipped": 1}, d.Counts)
	inv, err := b.Invitations(t.Context(), InvitationFilter{Distribution: s.distribution.String(), Status: "finished"}, Paging{})
	require.NoError(t, err)
	require.Len(t, inv.Items, 1)
	require.Equal(t, "invitation", inv.Items[0].Messages[0].Kind)
	require.NotContains(t, fmt.Sprintf("%+v", inv.Items[0]), "secret-token")
	mail, err := b.Mail(t.Context(), s.mail)
	require.NoError(t, err)
	require.Equal(t, []string{"http://x.example/l/1", "http://x.example/u/2"}, mail.Links)
}

func TestOverview_SixtyMinutesThatAddUp(t *testing.T) {
	now := testTime
	b := setup(t, func(o *Options) { o.Now = func() time.Time { return now } })
	s := b.tell()
	b.do(`INSERT INTO deliveries (event, mapping, destination, action, status, attempts, occurred_at, updated_at, reason) VALUES (?, ?, 1, 'upsert_contact', 'rejected', 1, 0, 7, 'no email')`,
		s.plain, b.name(plan.KindMapping, "keep"))
	o, err := b.Overview(t.Context())
	require.NoError(t, err)
	require.Len(t, o.Minutes, 60)
	last := o.Minutes[59]
	require.Equal(t, testTime.Truncate(time.Minute), last.Start)
	require.Equal(t, Minute{Start: last.Start, Processed: 1, Failed: 2}, last) // refused, and the rejected one
	require.Equal(t, map[string]int{"accepted": 2, "invalid": 1, "done": 1, "retrying": 0, "held": 0, "rejected": 1, "runs": 1, "mails": 1}, o.Totals)
	require.Equal(t, []Cause{{Mapping: "keep", Reason: "no email", Count: 1, Last: instant(7), Example: s.plain}}, o.Failures)
	require.Equal(t, FirstRun{true, true, true, true}, o.FirstRun)
	require.NotNil(t, o.Parts)

	b.do(`INSERT INTO inbox (event, revision, lease_until, tries) VALUES (?, 1, 0, 0)`, s.plain)
	again, err := b.Overview(t.Context())
	require.NoError(t, err)
	require.Zero(t, again.Waiting, "for some seconds everybody gets the same")
	now = now.Add(overviewFresh)
	again, err = b.Overview(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, again.Waiting)
	require.Equal(t, overviewFresh, again.OldestWait)
}

func TestOverview_EmptyInstallation_HasNoNulls(t *testing.T) {
	b := setup(t)
	o, err := b.Overview(t.Context())
	require.NoError(t, err)
	require.Len(t, o.Minutes, 60)
	require.NotNil(t, o.Failures)
	require.Equal(t, FirstRun{}, o.FirstRun)
}

func TestFind_WhateverIsInTheClipboard_LeadsToItsPage(t *testing.T) {
	b := setup(t)
	s := b.tell()
	for text, want := range map[string]string{
		" " + s.identify.String() + "\n": "/events/" + s.identify.String(),
		"m2":                             "/events/" + s.plain.String(),
		"m3":                             "/events/" + s.refused.String(),
		s.run.String():                   "/runs/" + s.run.String(),
		"run/" + s.run.String():          "/runs/" + s.run.String(),
		"events/" + s.identify.String():  "/events/" + s.identify.String(),
		"distribution/" + s.distribution.String(): "/distributions/" + s.distribution.String(),
		s.distribution.String():                   "/distributions/" + s.distribution.String(),
		s.invitation.String():                     "/distributions/" + s.distribution.String(),
		s.contact.String():                        "/contacts/" + s.contact.String(),
		s.mail.String():                           "/outbox/" + s.mail.String(),
		"Ada@Example.com":                         "/contacts/" + s.contact.String(),
		"ada":                                     "/contacts/" + s.contact.String(),
		"090 1234 5678":                           "/contacts/" + s.contact.String(),
		"bob":                                     "/events/" + s.plain.String(), // no contact, but events
	} {
		path, err := b.Find(t.Context(), text)
		require.NoError(t, err, text)
		require.Equal(t, want, path, text)
	}
	for _, text := range []string{"", "nobody", "run/" + s.identify.String(), "a/b/c", "nobody@example.com", "12345"} {
		_, err := b.Find(t.Context(), text)
		require.Equal(t, fault.NotFound, fault.KindOf(err), text)
	}
}
