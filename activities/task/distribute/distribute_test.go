package distribute

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/activities/task/tasktest"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

type fakeStore struct {
	mu    sync.Mutex
	made  map[id.ID]Request // by run
	find  error
	asked task.ContactRef
}

func (f *fakeStore) FindContact(_ context.Context, _ string, by task.ContactRef) (id.ID, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = by
	return 7, f.find
}

func (f *fakeStore) Invite(_ context.Context, r Request) (id.ID, id.ID, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made == nil {
		f.made = map[id.ID]Request{}
	}
	if _, there := f.made[r.Run]; !there {
		f.made[r.Run] = r
	}
	return r.Run + 100, r.Run + 200, nil
}

func (f *fakeStore) effects() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.made)
}

const full = `{"survey":"onboarding","contact":{"ext_ref":"u1"},"channel":"email","subject":"How was it, {{ contact.first_name }}?","message":"{{ link.url }}","from":"a@x.test","reply_to":"b@x.test",
	"reminders":[{"after":"3d"},{"after":"6d","subject":"Last call"}],"expires":"14d","ignore_frequency":true}`

func TestConform(t *testing.T) {
	t.Parallel()
	tasktest.Conform(t, tasktest.Cases{
		Good: []string{full, `{"survey":"s","contact":{"ext_ref":"u1"},"subject":"a","message":"m","destination":"acme","directory_id":"POOL_1","mailing_list_id":"CG_1","thanks":{"message":"Thank you"}}`, `{"survey":"s","contact":{"phone":"+81312345678"},"subject":"a","message":"{{ link.url }}"}`},
		Bad: []string{
			`{"survey":"s","subject":"s","message":"m","destination":"acme","directory_id":"POOL_1"}`, `{"survey":"s","subject":"s","message":"m","mailing_list_id":"CG_1"}`,
			`{"survey":"s","subject":"s","message":"m","thanks":{"message":"t"}}`, `{"survey":"s","subject":"s","message":"m","destination":"acme","directory_id":"POOL_1","mailing_list_id":"CG_1","thanks":{}}`,
			`{"contact":{"ext_ref":"u"},"subject":"s","message":"m"}`, `{"survey":"s","subject":"s","contact":{"ext_ref":"u"}}`, `{"survey":"s","message":"m","contact":{"ext_ref":"u"}}`,
			`{"survey":"s","subject":"s","message":"m","channel":"pigeon"}`, `{"survey":"s","subject":"s","message":"{{ x | shout }}"}`, `{"survey":"s","subject":"s","message":"m","contact":{"id":"short"}}`,
			`{"survey":"s","subject":"s","message":"m","reminders":[{"after":"3d"},{"after":"2d"}]}`, `{"survey":"s","subject":"s","message":"m","reminders":[{}]}`,
			`{"survey":"s","subject":"s","message":"{{ steps.call.body }}"}`, `{"survey":"s","subject":"s","message":"m","reminders":[{"after":"1d","message":"{{ event.type }}"}]}`,
			`{"survey":"s","subject":"s","message":"m","reminders":[{"after":"3d"}],"expires":"3d"}`, `{"survey":"s","subject":"s","message":"m","reminders":{"after":"3d"}}`, `{"survey":"s","subject":"s","message":"m","expires":3}`,
		},
	}, func(*testing.T) (task.Task[Config], func() int, func(string) string) {
		f := &fakeStore{}
		return New(f, f), f.effects, nil
	})
}

func days(n int) plan.Duration { return plan.Duration(time.Duration(n) * 24 * time.Hour) }

func TestRun_HandsTemplatesOnAsWritten(t *testing.T) {
	t.Parallel()
	f := &fakeStore{}
	reg := task.NewRegistry()
	task.Add(reg, New(f, f))
	with, err := jsonvalue.ParseObject([]byte(full))
	require.NoError(t, err)
	out, err := reg.Run(t.Context(), Kind, task.RawInput{Context: task.Context{Key: "k", Run: 1, Step: "ask", ContactID: 3}, With: with})
	require.NoError(t, err)
	require.Equal(t, Request{
		Run: 1, Step: "ask", Survey: "onboarding", Channel: Email, Contact: 7,
		Settings: distribution.Settings{
			Subject: "How was it, {{ contact.first_name }}?", Message: "{{ link.url }}", From: "a@x.test", ReplyTo: "b@x.test",
			Reminders: []distribution.Reminder{{After: days(3)}, {After: days(6), Subject: "Last call"}}, Expires: days(14), IgnoreFrequency: true,
		},
	}, f.made[1])
	require.Equal(t, task.ContactRef{ExtRef: "u1"}, f.asked)
	require.Equal(t, id.ID(101), out.Distribution)
	require.Equal(t, id.ID(7), out.Contact)
	require.Equal(t, id.ID(201).String(), out.Values.Get("invitation"))
	spec, _ := reg.Spec(Kind)
	require.Equal(t, []string{"subject", "message", "reminders", "thanks"}, spec.Deferred())
}

func TestRun_WithoutContact_IsAboutTheRunsContact(t *testing.T) {
	t.Parallel()
	f := &fakeStore{}
	in := task.Input[Config]{Context: task.Context{Run: 1, ContactID: 3}, Config: Config{Survey: "s"}}
	_, err := New(f, f).Run(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, id.ID(3), f.made[1].Contact)
	in.ContactID = 0
	_, err = New(f, f).Run(t.Context(), in)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
}

func TestRun_ContactNotThere_IsTriedAgain(t *testing.T) {
	t.Parallel()
	f := &fakeStore{find: fault.New(fault.NotFound, "no contact")}
	_, err := New(f, f).Run(t.Context(), task.Input[Config]{Config: Config{Contact: task.ContactRef{Email: "a@x.test"}}})
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.Zero(t, f.effects())
}
