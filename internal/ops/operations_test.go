package ops_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/segment"
	"github.com/segue-xm/segue/internal/ops"
	"github.com/segue-xm/segue/internal/ops/opstest"
)

func TestEvents_ShowNamesStatusAndDeliveries(t *testing.T) {
	b := opstest.New(t)
	s := b.Tell()
	page, err := b.Events.List(t.Context(), ops.EventFilter{Source: "web"}, ops.Paging{})
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
	byID := map[id.ID]ops.Event{}
	for _, e := range page.Items {
		require.Equal(t, "web", e.Source)
		require.Equal(t, e.ID.String(), e.Key)
		require.NotNil(t, e.Deliveries)
		byID[e.ID] = e
	}
	require.Equal(t, segment.Processed, byID[s.Identify].Status)
	require.Equal(t, segment.Processed, byID[s.Plain].Status)
	require.Empty(t, byID[s.Plain].Deliveries)
	require.Equal(t, segment.Invalid, byID[s.Refused].Status)
	require.Equal(t, "type is missing", byID[s.Refused].Reason)
	d := byID[s.Identify].Deliveries[0]
	require.Equal(t, "keep", d.Mapping)
	require.Equal(t, "xm", d.Destination)
	require.Equal(t, s.Contact, d.Contact)
	require.Nil(t, d.Payload, "a list leaves payloads out")
	one, err := b.Events.Get(t.Context(), s.Identify)
	require.NoError(t, err)
	require.Equal(t, `{"email":"ada@example.com"}`, jsonvalue.Text(one.Deliveries[0].Payload))
}

func TestLists_BadFilters_NameTheField(t *testing.T) {
	b := opstest.New(t)
	b.Tell()
	ctx := t.Context()
	_, source := b.Events.List(ctx, ops.EventFilter{Source: "nope"}, ops.Paging{})
	_, status := b.Events.List(ctx, ops.EventFilter{Status: "nope"}, ops.Paging{})
	_, cursor := b.Events.List(ctx, ops.EventFilter{}, ops.Paging{Cursor: "nope"})
	_, limit := b.Events.List(ctx, ops.EventFilter{}, ops.Paging{Limit: -1})
	_, event := b.Runs.List(ctx, ops.RunFilter{Event: "nope"}, ops.Paging{})
	_, directory := b.Contacts.List(ctx, ops.ContactFilter{Directory: "nope"}, ops.Paging{})
	_, run := b.Distributions.List(ctx, ops.DistributionFilter{Run: "nope"}, ops.Paging{})
	_, contact := b.Invitations.List(ctx, ops.InvitationFilter{Contact: "nope"}, ops.Paging{})
	for field, err := range map[string]error{"source": source, "status": status, "cursor": cursor, "limit": limit, "event": event,
		"directory": directory, "run": run, "contact": contact} {
		var f *fault.Error
		require.ErrorAs(t, err, &f, field)
		require.Equal(t, fault.Invalid, f.Kind)
		require.Equal(t, field, f.Field)
	}
}

func TestWhy_JudgesEveryMappingByTheEventsRevision(t *testing.T) {
	b := opstest.New(t)
	s := b.Tell()
	why, err := b.Events.Why(t.Context(), s.Identify)
	require.NoError(t, err)
	require.Len(t, why.Mappings, 2)
	keep, pay := why.Mappings[0], why.Mappings[1]
	require.True(t, keep.Matched)
	require.Equal(t, `type = "identify"`, keep.Filter)
	require.Equal(t, delivery.Done, keep.Delivery.Status)
	require.NotEmpty(t, keep.Fields)
	require.False(t, pay.Matched)
	require.Equal(t, fql.False, pay.Clauses.Outcome)
	require.Nil(t, pay.Delivery)
	require.Nil(t, pay.Fields)
	require.Len(t, why.Changes, 1)
	require.Len(t, why.Runs, 1)
	require.Equal(t, "ada", why.Runs[0].Fields.Get("user"))
	require.Equal(t, "http://ui/namespaces/default/workflows?query=SegueEvents+%3D+%22"+s.Identify.String()+"%22", why.TemporalURL)

	refused, err := b.Events.Why(t.Context(), s.Refused)
	require.NoError(t, err)
	require.Equal(t, `{"x":1}`, refused.Raw)
	require.Empty(t, refused.Mappings)

	// A delivery that a later plan made is not left out.
	b.Do(`INSERT INTO deliveries (event, mapping, destination, action, status, attempts, occurred_at, updated_at) VALUES (?, 99, 98, 'upsert_contact', 'done', 1, 0, 0)`, s.Plain)
	plain, err := b.Events.Why(t.Context(), s.Plain)
	require.NoError(t, err)
	require.Len(t, plain.Mappings, 3)
	require.True(t, plain.Mappings[2].Matched)

	_, err = b.Events.Why(t.Context(), 5)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
}

func TestContacts_OneDirectoryOrAll_InTheirRegion(t *testing.T) {
	b := opstest.New(t)
	s := b.Tell()
	for _, f := range []ops.ContactFilter{{}, {Directory: "customers"}, {Email: "ADA@example.com"}, {ExtRef: "ada", Directory: b.Name(plan.KindDirectory, "customers").String()}, {Phone: "090-1234-5678"}} {
		page, err := b.Contacts.List(t.Context(), f, ops.Paging{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1, "%+v", f)
		require.Equal(t, s.Contact, page.Items[0].ID)
		require.Equal(t, "customers", page.Items[0].Directory)
		require.Equal(t, `{"b":1,"a":2}`, jsonvalue.Text(page.Items[0].EmbeddedData))
	}
	page, err := b.Contacts.List(t.Context(), ops.ContactFilter{Email: "bob@example.com"}, ops.Paging{})
	require.NoError(t, err)
	require.NotNil(t, page.Items)
	require.Empty(t, page.Items)
	tx, err := b.Contacts.Transactions(t.Context(), s.Contact, ops.Paging{})
	require.NoError(t, err)
	require.Equal(t, "everyone", tx.Items[0].MailingList)
	changes, err := b.Contacts.Changes(t.Context(), s.Contact, ops.Paging{})
	require.NoError(t, err)
	require.Equal(t, s.Identify, changes.Items[0].Event)
	_, err = b.Contacts.Changes(t.Context(), 5, ops.Paging{})
	require.Equal(t, fault.NotFound, fault.KindOf(err))
}

func TestDistributions_CountsAreCumulativeForStages(t *testing.T) {
	b := opstest.New(t)
	s := b.Tell()
	b.Do(`INSERT INTO invitations (id, distribution, run, contact, token, status, snapshot, created_at, opens) VALUES (?, ?, ?, 1, 'u', 'skipped', '{}', 5, 0)`, b.DB.Next(), s.Distribution, s.Run)
	d, err := b.Distributions.Get(t.Context(), s.Distribution)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"planned": 2, "sent": 1, "opened": 1, "started": 1, "finished": 1, "skipped": 1}, d.Counts)
	inv, err := b.Invitations.List(t.Context(), ops.InvitationFilter{Distribution: s.Distribution.String(), Status: "finished"}, ops.Paging{})
	require.NoError(t, err)
	require.Len(t, inv.Items, 1)
	require.Equal(t, "invitation", inv.Items[0].Messages[0].Kind)
	require.NotContains(t, fmt.Sprintf("%+v", inv.Items[0]), "secret-token")
	mail, err := b.Outbox.Get(t.Context(), s.Mail)
	require.NoError(t, err)
	require.Equal(t, []string{"http://x.example/l/1", "http://x.example/u/2"}, mail.Links)
}

// fresh is how long one overview serves everybody.
const fresh = 3 * time.Second

func TestOverview_SixtyMinutesThatAddUp(t *testing.T) {
	now := opstest.Time
	b := opstest.New(t, func(o *ops.Options) { o.Now = func() time.Time { return now } })
	s := b.Tell()
	b.Do(`INSERT INTO deliveries (event, mapping, destination, action, status, attempts, occurred_at, updated_at, reason) VALUES (?, ?, 1, 'upsert_contact', 'rejected', 1, 0, 7, 'no email')`,
		s.Plain, b.Name(plan.KindMapping, "keep"))
	o, err := b.Installation.Overview(t.Context())
	require.NoError(t, err)
	require.Len(t, o.Minutes, 60)
	last := o.Minutes[59]
	require.Equal(t, opstest.Time.Truncate(time.Minute), last.Start)
	require.Equal(t, ops.Minute{Start: last.Start, Processed: 1, Failed: 2}, last) // refused, and the rejected one
	require.Equal(t, map[string]int{"accepted": 2, "invalid": 1, "done": 1, "retrying": 0, "held": 0, "rejected": 1, "runs": 1, "mails": 1}, o.Totals)
	require.Equal(t, []ops.Cause{{Mapping: "keep", Reason: "no email", Count: 1, Last: time.UnixMilli(7).UTC(), Example: s.Plain}}, o.Failures)
	require.Equal(t, ops.FirstRun{true, true, true, true}, o.FirstRun)
	require.NotNil(t, o.Parts)

	b.Do(`INSERT INTO inbox (event, revision, lease_until, tries) VALUES (?, 1, 0, 0)`, s.Plain)
	again, err := b.Installation.Overview(t.Context())
	require.NoError(t, err)
	require.Zero(t, again.Waiting, "for some seconds everybody gets the same")
	now = now.Add(fresh)
	again, err = b.Installation.Overview(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, again.Waiting)
	require.Equal(t, fresh, again.OldestWait)
}

func TestOverview_EmptyInstallation_HasNoNulls(t *testing.T) {
	b := opstest.New(t)
	o, err := b.Installation.Overview(t.Context())
	require.NoError(t, err)
	require.Len(t, o.Minutes, 60)
	require.NotNil(t, o.Failures)
	require.Equal(t, ops.FirstRun{}, o.FirstRun)
}

func TestFind_WhateverIsInTheClipboard_LeadsToItsPage(t *testing.T) {
	b := opstest.New(t)
	s := b.Tell()
	for text, want := range map[string]string{
		" " + s.Identify.String() + "\n": "/events/" + s.Identify.String(),
		"m2":                             "/events/" + s.Plain.String(),
		"m3":                             "/events/" + s.Refused.String(),
		s.Run.String():                   "/runs/" + s.Run.String(),
		"run/" + s.Run.String():          "/runs/" + s.Run.String(),
		"events/" + s.Identify.String():  "/events/" + s.Identify.String(),
		"distribution/" + s.Distribution.String(): "/distributions/" + s.Distribution.String(),
		s.Distribution.String():                   "/distributions/" + s.Distribution.String(),
		s.Invitation.String():                     "/distributions/" + s.Distribution.String(),
		s.Contact.String():                        "/contacts/" + s.Contact.String(),
		s.Mail.String():                           "/outbox/" + s.Mail.String(),
		"Ada@Example.com":                         "/contacts/" + s.Contact.String(),
		"ada":                                     "/contacts/" + s.Contact.String(),
		"090 1234 5678":                           "/contacts/" + s.Contact.String(),
		"bob":                                     "/events/" + s.Plain.String(), // no contact, but events
	} {
		path, err := b.Finder.Find(t.Context(), text)
		require.NoError(t, err, text)
		require.Equal(t, want, path, text)
	}
	for _, text := range []string{"", "nobody", "run/" + s.Identify.String(), "a/b/c", "nobody@example.com", "12345"} {
		_, err := b.Finder.Find(t.Context(), text)
		require.Equal(t, fault.NotFound, fault.KindOf(err), text)
	}
}
