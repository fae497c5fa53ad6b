package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/columns"
	"github.com/segue-xm/segue/internal/data/db"
	"github.com/segue-xm/segue/internal/data/pgtest"
)

// plainSealer stands for encryption where a test is not about it.
type plainSealer struct{}

func (plainSealer) Seal(b []byte) ([]byte, error) { return b, nil }
func (plainSealer) Open(b []byte) ([]byte, error) { return b, nil }

// writable is a store with a plan, a clock the test moves, and shorthands.
type writable struct {
	*Store
	t      *testing.T
	clock  time.Time
	dir    contact.Directory
	source id.ID
	dest   id.ID
	mapped id.ID
	list   id.ID
}

// eachStore runs a test on both databases, each empty and its own.
func eachStore(t *testing.T, test func(t *testing.T, s *writable)) {
	t.Helper()
	t.Parallel()
	urls := map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite://" + filepath.Join(t.TempDir(), "segue.db") },
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &writable{t: t, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
			d, err := db.Open(t.Context(), db.Options{URL: url(t), Now: func() time.Time { return w.clock }})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, d.Close()) })
			s := New(d)
			w.Store = s
			w.save(testPlan())
			w.source = w.named(plan.KindSource, "web")
			w.dest = w.named(plan.KindDestination, "xm")
			w.mapped = w.named(plan.KindMapping, "people")
			w.list = w.named(plan.KindList, "customers/everyone")
			w.dir = contact.Directory{ID: w.named(plan.KindDirectory, "customers")}
			test(t, w)
		})
	}
}

func testPlan() *plan.Plan {
	return &plan.Plan{
		Version:      1,
		Sources:      []plan.Source{{Name: "web"}},
		Directories:  []plan.Directory{{Name: "customers", MailingLists: []string{"everyone"}}},
		Destinations: []plan.Destination{{Name: "xm", Type: plan.TypeDirectory, Directory: "customers"}},
		Mappings:     []plan.Mapping{{Name: "people", Source: "web", Destination: "xm", Action: plan.UpsertContact}},
		Workflows:    []plan.Workflow{{Name: "ask", Steps: []plan.Step{{ID: "end", Stop: &plan.Stop{}}}}},
	}
}

func (s *writable) save(p *plan.Plan) int64 {
	s.t.Helper()
	rev, err := s.SavePlan(s.t.Context(), plainSealer{}, p, nil, "test")
	require.NoError(s.t, err)
	return rev
}

func (s *writable) named(kind plan.Kind, name string) id.ID {
	s.t.Helper()
	v, err := s.NameID(s.t.Context(), kind, name)
	require.NoError(s.t, err)
	return v
}

func (s *writable) rows(table string) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.db.ReadOne(s.t.Context(), &n, "SELECT count(*) FROM "+table))
	return n
}

// set changes rows as no verb of the store does.
func (s *writable) set(query string, args ...any) {
	s.t.Helper()
	require.NoError(s.t, s.db.InTx(s.t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(s.t.Context(), query, args...)
		return err
	}))
}

// take stores events with these message ids and returns what became of them.
func (s *writable) take(messages ...string) []Accepted {
	s.t.Helper()
	events := make([]NewEvent, len(messages))
	for i, m := range messages {
		events[i] = NewEvent{Source: s.source, Type: "identify", MessageID: m, Body: []byte(`{}`)}
	}
	out, err := s.StoreEvents(s.t.Context(), events, time.Minute)
	require.NoError(s.t, err)
	return out
}

// deliver stores an event and a pending delivery for each input.
func (s *writable) deliver(inputs ...contact.Input) []delivery.ContactEffect {
	s.t.Helper()
	var out []delivery.ContactEffect
	for _, in := range inputs {
		e := s.take(fmt.Sprint("m", s.db.Next()))[0].ID
		require.NoError(s.t, s.WriteDeliveries(s.t.Context(), []delivery.New{{Event: e, Mapping: s.mapped, Destination: s.dest,
			Action: plan.UpsertContact, Status: delivery.Pending, Occurred: s.clock, Due: s.clock.Add(time.Minute)}}))
		in.Stamp.Event = e
		if in.Stamp.At == 0 {
			in.Stamp.At = s.clock.UnixMilli()
		}
		out = append(out, delivery.ContactEffect{Ref: delivery.Ref{Event: e, Mapping: s.mapped}, Input: &in, Mode: contact.Upsert})
	}
	return out
}

func (s *writable) apply(effects ...delivery.ContactEffect) {
	s.t.Helper()
	require.NoError(s.t, s.ApplyContacts(s.t.Context(), s.dir, effects))
}

func (s *writable) status(r delivery.Ref) (status string) {
	s.t.Helper()
	require.NoError(s.t, s.db.ReadOne(s.t.Context(), &status, `SELECT status FROM deliveries WHERE event = ? AND mapping = ?`, r.Event, r.Mapping))
	return status
}

func TestStoreEvents_SameMessageTwice_IsStoredOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		first := s.take("a", "b", "a")
		require.False(t, first[0].Duplicate)
		require.True(t, first[2].Duplicate)
		require.Equal(t, first[0].ID, first[2].ID)

		again := s.take("b", "c")
		require.True(t, again[0].Duplicate)
		require.Equal(t, first[1].ID, again[0].ID)
		require.False(t, again[1].Duplicate)
		require.Equal(t, 3, s.rows("events"))
		require.Equal(t, 3, s.rows("inbox"))
	})
}

func TestStoreEvents_Refused_IsKeptButNotQueuedNorAKey(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		_, err := s.StoreEvents(t.Context(), []NewEvent{{Source: s.source, MessageID: "a", Refusal: "no type", Body: []byte("x")}}, time.Minute)
		require.NoError(t, err)
		require.Equal(t, 0, s.rows("inbox"))
		require.False(t, s.take("a")[0].Duplicate, "a mended event must not be taken for the refused one")
	})
}

func TestStoreEvents_ConcurrentBatchesShareMessages_EachOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 10 {
					var events []NewEvent
					for range 20 {
						events = append(events, NewEvent{Source: s.source, MessageID: fmt.Sprint(rand.IntN(50)), Body: []byte(`{}`)})
					}
					_, err := s.StoreEvents(context.Background(), events, time.Minute)
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		require.Equal(t, 50, s.rows("event_keys"))
		require.Equal(t, 50, s.rows("events"))
		require.Equal(t, 50, s.rows("inbox"))
	})
}

func TestClaimInbox_LeaseRunsOut_IsClaimedOnceAndLeasedLonger(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		e := s.take("a")[0].ID
		claim := func() []id.ID {
			ids, err := s.ClaimInbox(t.Context(), 10, time.Minute)
			require.NoError(t, err)
			return ids
		}
		require.Empty(t, claim(), "the lease of who stored it still runs")
		s.clock = s.clock.Add(time.Minute)
		require.Equal(t, []id.ID{e}, claim())
		s.clock = s.clock.Add(time.Minute)
		require.Empty(t, claim(), "the second lease is twice as long")
		s.clock = s.clock.Add(time.Minute)
		require.Equal(t, []id.ID{e}, claim())
	})
}

func TestWriteDeliveries_Twice_WritesOnceAndEmptiesTheInbox(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		e := s.take("a")[0].ID
		d := delivery.New{Event: e, Mapping: s.mapped, Destination: s.dest, Action: plan.UpsertContact, Status: delivery.Pending, Occurred: s.clock, Due: s.clock}
		require.NoError(t, s.WriteDeliveries(t.Context(), []delivery.New{d}))
		d.Mapping++ // a worker with another idea of the mappings must not add to it
		require.NoError(t, s.WriteDeliveries(t.Context(), []delivery.New{d}))
		require.Equal(t, 1, s.rows("deliveries"))
		require.Equal(t, 0, s.rows("inbox"))
	})
}

func TestApplyContacts_Twice_HappensOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		effects := s.deliver(contact.Input{ExtRef: "u1", Email: "a@example.com"}, contact.Input{Email: " A@Example.com"})
		s.apply(effects...)
		s.apply(effects...)
		require.Equal(t, 1, s.rows("contacts"))
		require.Equal(t, 2, s.rows("contact_keys"))
		require.Equal(t, 2, s.rows("contact_changes"), "one for making it, one for the other spelling")
		require.Equal(t, 0, s.rows("delivery_queue"))
		require.Equal(t, "done", s.status(effects[0].Ref))
	})
}

func TestApplyContacts_OneIsNobody_OnlyThatIsRejected(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		effects := s.deliver(contact.Input{Language: "JA"}, contact.Input{Email: "a@example.com"})
		s.apply(effects...)
		require.Equal(t, "rejected", s.status(effects[0].Ref))
		require.Equal(t, "done", s.status(effects[1].Ref))
	})
}

func TestApplyContacts_EmailBecomesSomebodyElses_KeyStaysAndIsNoted(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		s.apply(s.deliver(contact.Input{ExtRef: "u1", Email: "a@example.com"}, contact.Input{ExtRef: "u2", Email: "b@example.com"})...)
		s.clock = s.clock.Add(time.Second)
		s.apply(s.deliver(contact.Input{ExtRef: "u2", Email: "a@example.com"})...)
		require.Equal(t, 2, s.rows("contacts"), "nothing is merged by surprise")
		require.Equal(t, 1, s.rows("possible_duplicates"))

		// Its owner moves on: the other holder of the value is next in line.
		s.clock = s.clock.Add(time.Second)
		s.apply(s.deliver(contact.Input{ExtRef: "u1", Email: "c@example.com"})...)
		s.clock = s.clock.Add(time.Second)
		s.apply(s.deliver(contact.Input{Email: "a@example.com", FirstName: "Bea"})...)
		var name string
		require.NoError(t, s.db.ReadOne(t.Context(), &name, `SELECT first_name FROM contacts WHERE ext_ref = 'u2'`))
		require.Equal(t, "Bea", name)
		require.Equal(t, 2, s.rows("contacts"))
	})
}

// TestApplyContacts_AnyInterleaving checks the promise of the merge rules: however
// batches of many writers interleave, every key has one owner, that owner holds
// the value, and no two contacts could have been one by a rule.
func TestApplyContacts_AnyInterleaving_OneOwnerPerKey(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		const writers, batches, people = 6, 8, 12
		var wg sync.WaitGroup
		work := make([][][]delivery.ContactEffect, writers)
		for w := range writers {
			for range batches {
				var in []contact.Input
				for range 10 {
					p := rand.IntN(people)
					i := contact.Input{ExtRef: fmt.Sprint("u", p), Stamp: contact.Stamp{At: s.clock.UnixMilli() + int64(rand.IntN(1000))}}
					if rand.IntN(2) == 0 {
						i.Email = fmt.Sprintf("p%d@example.com", p)
					}
					if rand.IntN(4) == 0 {
						i.ExtRef = ""
						i.Email = fmt.Sprintf("P%d@example.com", p)
					}
					in = append(in, i)
				}
				work[w] = append(work[w], s.deliver(in...))
			}
		}
		for w := range writers {
			wg.Go(func() {
				for _, b := range work[w] {
					if err := s.ApplyContacts(context.Background(), s.dir, b); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		s.checkKeys()
		var refs int
		require.NoError(t, s.db.ReadOne(t.Context(), &refs, `SELECT count(*) - count(DISTINCT ext_ref) FROM contacts WHERE ext_ref <> ''`))
		require.Zero(t, refs, "two contacts with one external reference")
		require.Equal(t, writers*batches*10, s.rows("deliveries WHERE status = 'done'"))
	})
}

// checkKeys verifies that keys and contacts agree.
func (s *writable) checkKeys() {
	s.t.Helper()
	var contacts []contactRow
	require.NoError(s.t, s.db.Read(s.t.Context(), &contacts, `SELECT `+columns.Contact+` FROM contacts`))
	var owners []ownerRow
	require.NoError(s.t, s.db.Read(s.t.Context(), &owners, `SELECT key, rule, contact FROM contact_keys`))
	owned := map[db.Key]id.ID{}
	for _, o := range owners {
		owned[db.Key(o.Key)] = o.Contact
	}
	rules := contact.Rules{Directory: s.dir.ID, Match: contact.DefaultRules()}
	asked := map[db.Key]map[id.ID]bool{}
	for _, r := range contacts {
		c, err := r.contact()
		require.NoError(s.t, err)
		for _, k := range rules.ContactKeys(c) {
			require.Contains(s.t, owned, db.Key(k.Key), "a value without an owner")
			if asked[db.Key(k.Key)] == nil {
				asked[db.Key(k.Key)] = map[id.ID]bool{}
			}
			asked[db.Key(k.Key)][c.ID] = true
		}
	}
	for k, o := range owned {
		require.True(s.t, asked[k][o], "an owner that does not hold the value")
	}
}

func TestApplyContacts_LateEvent_DoesNotUndoANewerOne(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		at := s.clock.UnixMilli()
		s.apply(s.deliver(contact.Input{ExtRef: "u1", FirstName: "New", Stamp: contact.Stamp{At: at}})...)
		s.apply(s.deliver(contact.Input{ExtRef: "u1", FirstName: "Old", LastName: "Kept", Stamp: contact.Stamp{At: at - 1000}})...)
		var c contactRow
		require.NoError(t, s.db.ReadOne(t.Context(), &c, `SELECT `+columns.Contact+` FROM contacts`))
		require.Equal(t, "New", c.FirstName)
		require.Equal(t, "Kept", c.LastName)
	})
}

func TestApplyTransactions_MissingContact_IsMadeWithItAndOnlyOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		lists := func(string) id.ID { return s.list }
		var effects []delivery.TransactionEffect
		for _, e := range s.deliver(contact.Input{ExtRef: "u1"}, contact.Input{ExtRef: "u1"}) {
			data := jsonvalue.NewObject(1)
			data.Set("total", 12.5)
			effects = append(effects, delivery.TransactionEffect{Ref: e.Ref, Input: e.Input, Date: s.clock, Data: data})
		}
		for range 2 {
			require.NoError(t, s.ApplyTransactions(t.Context(), s.dir, lists, effects))
		}
		require.Equal(t, 1, s.rows("contacts"))
		require.Equal(t, 2, s.rows("transactions"))
		require.Equal(t, 1, s.rows("list_members"))
		require.Equal(t, "done", s.status(effects[1].Ref))
	})
}

func TestApplyContacts_MergedValuesAskForAnothersKey_IsNotedNotRefused(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		p := testPlan()
		p.Directories[0].MergeRules = [][]string{{"ext_ref"}, {"email", "phone"}}
		s.save(p)
		s.apply(s.deliver(contact.Input{ExtRef: "u1", Email: "a@example.com", Phone: "+81312345678"}, contact.Input{ExtRef: "u2", Phone: "+81312345678"})...)
		s.clock = s.clock.Add(time.Second)
		// Neither the event nor u2 as it was has email and phone; u2 as it becomes does.
		effects := s.deliver(contact.Input{ExtRef: "u2", Email: "a@example.com"})
		s.apply(effects...)
		require.Equal(t, "done", s.status(effects[0].Ref))
		require.Equal(t, 2, s.rows("contacts"))
		require.Equal(t, 1, s.rows("possible_duplicates"))
	})
}

func TestSavePlan_NewRule_IsFilledInBeforeItDecides(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		s.apply(s.deliver(contact.Input{ExtRef: "u1", FirstName: "Ann", LastName: "Lee"}, contact.Input{ExtRef: "u2", FirstName: "Ann", LastName: "Lee"})...)
		p := testPlan()
		p.Directories[0].MergeRules = [][]string{{"first_name", "last_name"}}
		require.Equal(t, int64(2), s.save(p))
		require.Equal(t, 1, s.rows("contact_keys"), "keys of rules no longer there are gone")
		require.Equal(t, 1, s.rows("possible_duplicates"))
		s.clock = s.clock.Add(time.Second)
		s.apply(s.deliver(contact.Input{FirstName: "ANN", LastName: "lee", Email: "ann@example.com"})...)
		require.Equal(t, 2, s.rows("contacts"))
	})
}

func TestSavePlan_PhoneRegionChanges_NumbersAreFoundInTheNewOne(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		s.apply(s.deliver(contact.Input{ExtRef: "u1", Phone: "03-1234-5678"})...)
		p := testPlan()
		p.Directories[0].PhoneRegion = "JP"
		s.save(p)
		s.dir.PhoneRegion = "JP"
		s.clock = s.clock.Add(time.Second)
		s.apply(s.deliver(contact.Input{Phone: "+81 3 1234 5678", FirstName: "Aya"})...)
		require.Equal(t, 1, s.rows("contacts"))
		require.Equal(t, 2, s.rows("contact_keys"))
	})
}

func TestSavePlan_SameTwice_IsOneRevision(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		require.Equal(t, int64(1), s.save(testPlan()))
		p := testPlan()
		p.Workflows[0].When = "true"
		require.Equal(t, int64(2), s.save(p))
		require.Equal(t, 2, s.rows("workflow_versions"))
		require.Equal(t, 1, s.rows("workflow_urls"))
	})
}

func TestSavePlan_DirectoryWithContacts_CannotBeLeftOut(t *testing.T) {
	eachStore(t, func(t *testing.T, s *writable) {
		s.apply(s.deliver(contact.Input{ExtRef: "u1"})...)
		p := testPlan()
		p.Directories = nil
		_, err := s.SavePlan(t.Context(), plainSealer{}, p, nil, "test")
		require.ErrorContains(t, err, `directory "customers" has contacts`)
	})
}
