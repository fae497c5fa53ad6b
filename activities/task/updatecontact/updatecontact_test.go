package updatecontact

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/activities/task/tasktest"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// fakeDirectory keeps one contact per key, as a real one keeps one per identity
// and event.
type fakeDirectory struct {
	mu   sync.Mutex
	seen map[string]task.ContactRequest
	err  error
}

func (f *fakeDirectory) UpsertContact(ctx context.Context, r task.ContactRequest) (id.ID, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return 0, false, f.err
	}
	if f.seen == nil {
		f.seen = map[string]task.ContactRequest{}
	}
	f.seen[r.Key] = r
	return 77, true, ctx.Err()
}

func (f *fakeDirectory) effects() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.seen)
}

func TestConform(t *testing.T) {
	t.Parallel()
	tasktest.Conform(t, tasktest.Cases{
		Good: []string{`{"contact":{"ext_ref":"u1","first_name":"Ann","unsubscribed":"true","embedded_data":{"plan":"pro"}}}`, `{"contact":{"email":"a@x.test"},"mode":"update_only","directory":"customers"}`},
		Bad:  []string{`{}`, `{"contact":{"unsubscribed":"maybe"}}`, `{"contact":{"name":"x"}}`, `{"contact":{"email":"a@x.test"},"mode":"merge"}`, `{"contact":{"first_name":"nobody named"}, "mode": 1}`},
	}, func(*testing.T) (task.Task[Config], func() int, func(string) string) {
		f := &fakeDirectory{}
		return New(f), f.effects, nil
	})
}

func TestRun_WritesWhatIsSaid(t *testing.T) {
	t.Parallel()
	f := &fakeDirectory{}
	reg := task.NewRegistry()
	task.Add(reg, New(f))
	with, err := jsonvalue.ParseObject([]byte(`{"contact":{"ext_ref":"u1","unsubscribed":false,"embedded_data":{"n":1}},"may_resubscribe":"true"}`))
	require.NoError(t, err)
	out, err := reg.Run(t.Context(), Kind, task.RawInput{Context: task.Context{Key: "k", Run: 1, Event: 2, ContactID: 9}, With: with})
	require.NoError(t, err)
	require.Equal(t, id.ID(77), out.Contact)
	require.Equal(t, `{"contact":"`+id.ID(77).String()+`","changed":true}`, jsonvalue.Text(out.Values))
	r := f.seen["k"]
	require.Equal(t, task.ContactRef{ExtRef: "u1"}, r.ContactRef)
	require.Equal(t, "upsert", r.Mode)
	require.False(t, *r.Unsubscribed)
	require.True(t, r.MayResubscribe)
	require.Equal(t, id.ID(2), r.Event)
	require.Equal(t, `{"n":1}`, jsonvalue.Text(r.EmbeddedData))
}

func TestRun_NobodyNamed(t *testing.T) {
	t.Parallel()
	f := &fakeDirectory{}
	in := task.Input[Config]{Config: Config{Contact: Contact{FirstName: "Ann"}}}
	_, err := New(f).Run(t.Context(), in)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	in.ContactID = 9
	_, err = New(f).Run(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, id.ID(9), f.seen[""].ID)
}

func TestRun_ContactNotThere_IsTriedAgain(t *testing.T) {
	t.Parallel()
	f := &fakeDirectory{err: fault.New(fault.NotFound, "no contact")}
	in := task.Input[Config]{Config: Config{Contact: Contact{Email: "a@x.test"}, Mode: "update_only"}}
	_, err := New(f).Run(t.Context(), in)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	in.Config.Mode = "upsert" // then it is the directory that does not exist
	_, err = New(f).Run(t.Context(), in)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
}
