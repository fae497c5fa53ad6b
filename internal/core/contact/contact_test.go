package contact

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

func TestNormalize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ attribute, value, region, want string }{
		{Email, "  Ann@Example.COM ", "", "ann@example.com"},
		{FirstName, "STRAẞE", "", "strasse"},
		{FirstName, "e\u0301", "", "\u00e9"}, // composed and decomposed are one
		{ExtRef, "   ", "", ""},
		{Phone, "+1 (415) 555-2671", "", "+14155552671"},
		{Phone, "03-1234-5678", "JP", "+81312345678"},
		{Phone, "０３-１２３４-５６７８", "JP", "+81312345678"}, // full-width digits
		{Phone, "03-1234-5678", "", "0312345678"},     // no region: compared by its digits
		{Phone, "ext. A", "", "ext. a"},
	} {
		require.Equal(t, c.want, Normalize(c.attribute, c.value, c.region), "%q", c.value)
	}
}

func TestKeys_RuleWithAMissingValue_IsPassedOver(t *testing.T) {
	t.Parallel()
	rules := Rules{Directory: 7, Match: []Rule{NewRule(FirstName, LastName), NewRule(Email), NewRule("embedded_data.account")}}
	data := jsonvalue.NewObject(1)
	data.Set("account", 12.0)
	keys := rules.InputKeys(&Input{FirstName: "Ann", Email: "a@example.com", EmbeddedData: data})
	require.Len(t, keys, 2)
	require.Equal(t, "email", keys[0].Rule)
	require.Equal(t, "embedded_data.account", keys[1].Rule)

	other := Rules{Directory: 8, Match: rules.Match}.InputKeys(&Input{Email: "a@example.com"})
	require.NotEqual(t, keys[0].Key, other[0].Key, "a key belongs to one directory")
}

// one resolves inputs against an empty directory, each batch on its own.
type directory struct {
	rules    Rules
	contacts map[id.ID]*Contact
	owners   map[Key]Owned
	dups     []Duplicate
	next     id.ID
}

func newDirectory() *directory {
	return &directory{rules: Rules{Directory: 1, Match: DefaultRules()}, contacts: map[id.ID]*Contact{}, owners: map[Key]Owned{}}
}

// apply does what the store does: reads everything, resolves, writes.
func (d *directory) apply(mode string, inputs ...*Input) []Outcome {
	var list []*Contact
	for _, c := range d.contacts {
		copied := *c
		copied.Stamps = Stamps{}
		for k, v := range c.Stamps {
			copied.Stamps[k] = v
		}
		list = append(list, &copied)
	}
	owned := map[id.ID][]Keyed{}
	for _, o := range d.owners {
		owned[o.Contact] = append(owned[o.Contact], Keyed{o.Key, o.Rule})
	}
	b := NewBatch(d.rules, func() id.ID { d.next++; return d.next }, time.Unix(0, 0), list, owned)
	for _, dup := range d.dups {
		b.KnowHolder(dup.Key, dup.Contact)
	}
	out := make([]Outcome, len(inputs))
	for i, in := range inputs {
		out[i] = b.Apply(in, mode)
	}
	w := b.Writes()
	for _, c := range append(w.Created, w.Updated...) {
		d.contacts[c.ID] = c
	}
	for _, r := range w.Release {
		delete(d.owners, r.Key)
	}
	for _, o := range w.Own {
		d.owners[o.Key] = o
	}
	d.dups = append(d.dups, w.Duplicates...)
	return out
}

func at(ms int64) Stamp { return Stamp{At: ms, Event: id.ID(ms)} }

func TestApply_Modes(t *testing.T) {
	t.Parallel()
	d := newDirectory()
	require.ErrorContains(t, d.apply(UpdateOnly, &Input{ExtRef: "u1", Stamp: at(1)})[0].Err, "no contact matches")
	require.NoError(t, d.apply(CreateOnly, &Input{ExtRef: "u1", FirstName: "Ann", Stamp: at(2)})[0].Err)
	require.ErrorContains(t, d.apply(CreateOnly, &Input{ExtRef: "u1", Stamp: at(3)})[0].Err, "matches by ext_ref")
	found := d.apply(FindOrCreate, &Input{ExtRef: "u1", FirstName: "Other", Stamp: at(4)})[0]
	require.False(t, found.Created)
	require.Empty(t, found.Changes, "a transaction's person is found, not changed")
	require.Len(t, d.contacts, 1)
}

func TestApply_FirstRuleThatMatchesDecides(t *testing.T) {
	t.Parallel()
	d := newDirectory()
	a := d.apply(Upsert, &Input{ExtRef: "a", Email: "a@example.com", Stamp: at(1)})[0].Contact
	b := d.apply(Upsert, &Input{ExtRef: "b", Email: "b@example.com", Stamp: at(2)})[0].Contact
	out := d.apply(Upsert, &Input{ExtRef: "b", Email: "a@example.com", Stamp: at(3)})[0]
	require.Equal(t, b, out.Contact)
	require.Equal(t, "ext_ref", out.Rule)
	require.Len(t, d.dups, 1)
	require.Equal(t, a, d.dups[0].Owner)
	out = d.apply(Upsert, &Input{ExtRef: "unknown", Email: "A@example.com", Stamp: at(4)})[0]
	require.Equal(t, a, out.Contact, "the key stayed with its owner")
}

func TestMerge_EmptyNeverWins_LaterDoes(t *testing.T) {
	t.Parallel()
	d := newDirectory()
	c := d.apply(Upsert, &Input{ExtRef: "a", FirstName: "New", Stamp: at(10)})[0].Contact
	d.apply(Upsert, &Input{ExtRef: "a", FirstName: "Old", LastName: "Kept", Stamp: at(5)}, &Input{ExtRef: "a", FirstName: "  ", Stamp: at(20)})
	require.Equal(t, "New", d.contacts[c].FirstName)
	require.Equal(t, "Kept", d.contacts[c].LastName)
}

func TestMerge_SameValueSaidAgain_OutlivesWhatWasSaidBetween(t *testing.T) {
	t.Parallel()
	d := newDirectory()
	c := d.apply(Upsert, &Input{ExtRef: "a", FirstName: "Ann", Stamp: at(1)})[0].Contact
	d.apply(Upsert, &Input{ExtRef: "a", FirstName: "Ann", Stamp: at(3)})
	d.apply(Upsert, &Input{ExtRef: "a", FirstName: "Bea", Stamp: at(2)}) // late
	require.Equal(t, "Ann", d.contacts[c].FirstName)
}

func TestMerge_Resubscribing_NeedsToBeAllowed(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	d := newDirectory()
	c := d.apply(Upsert, &Input{ExtRef: "a", Unsubscribed: &yes, Stamp: at(1)})[0].Contact
	d.apply(Upsert, &Input{ExtRef: "a", Unsubscribed: &no, Stamp: at(2)})
	require.True(t, d.contacts[c].Unsubscribed)
	d.apply(Upsert, &Input{ExtRef: "a", Unsubscribed: &no, MayResubscribe: true, Stamp: at(3)})
	require.False(t, d.contacts[c].Unsubscribed)
}

func TestAfter_LaterPairWins_ByHandBeatsAnEventOfTheSameMoment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s, t Stamp
		want bool
	}{
		{Stamp{2, 1}, Stamp{1, 9}, true},
		{Stamp{1, 9}, Stamp{2, 1}, false},
		{Stamp{1, 2}, Stamp{1, 1}, true},
		{Stamp{1, 1}, Stamp{1, 1}, true},
		{Stamp{1, 1}, Stamp{1, 2}, false},
		{Stamp{1, 0}, Stamp{1, 5}, true},
		{Stamp{1, 5}, Stamp{1, 0}, false},
		{Stamp{1, 0}, Stamp{2, 5}, false},
		{Stamp{1, 1}, Stamp{}, true},
	} {
		require.Equal(t, c.want, c.s.After(c.t), "%v after %v", c.s, c.t)
	}
}

func TestMerge_BeforeTheEpoch_StillSays(t *testing.T) {
	t.Parallel()
	d := newDirectory()
	for _, ms := range []int64{0, -62_135_596_800_000} {
		d.apply(Upsert, &Input{ExtRef: fmt.Sprint("u", ms), FirstName: "Ann", Stamp: Stamp{At: ms, Event: 1}})
	}
	require.Len(t, d.contacts, 2)
	for _, c := range d.contacts {
		require.Equal(t, "Ann", c.FirstName)
	}
}

func TestMerge_NewContact_SpeaksEnglishUntilSomebodyKnows(t *testing.T) {
	t.Parallel()
	d := newDirectory()
	c := d.apply(Upsert, &Input{ExtRef: "a", Stamp: at(10)})[0].Contact
	require.Equal(t, "EN", d.contacts[c].Language)
	d.apply(Upsert, &Input{ExtRef: "a", Language: "JA", Stamp: at(1)}) // earlier, but the first to say so
	require.Equal(t, "JA", d.contacts[c].Language)
}

func TestMerge_EmbeddedData_EachKeyForItself(t *testing.T) {
	t.Parallel()
	data := func(text string) *jsonvalue.Object {
		o, err := jsonvalue.ParseObject([]byte(text))
		require.NoError(t, err)
		return o
	}
	d := newDirectory()
	c := d.apply(Upsert, &Input{ExtRef: "a", EmbeddedData: data(`{"plan":"pro","seats":5}`), Stamp: at(10)})[0].Contact
	out := d.apply(Upsert, &Input{ExtRef: "a", EmbeddedData: data(`{"plan":"free","team":{"n":1},"seats":null}`), Stamp: at(5)})[0]
	require.JSONEq(t, `{"plan":"pro","seats":5,"team":{"n":1}}`, jsonvalue.Text(d.contacts[c].EmbeddedData))
	require.JSONEq(t, `{"embedded_data.team":[null,{"n":1}]}`, jsonvalue.Text(Diff(out.Changes)))
}

func TestApply_NobodyIsNamed_IsRefused(t *testing.T) {
	t.Parallel()
	d := newDirectory()
	require.ErrorContains(t, d.apply(Upsert, &Input{Language: "JA", Stamp: at(1)})[0].Err, "nothing says who this is")
	require.NoError(t, d.apply(Upsert, &Input{FirstName: "Ann", Stamp: at(1)})[0].Err, "a name is somebody, though no rule will find them again")
}

func TestStamps_Text_ReadsBack(t *testing.T) {
	t.Parallel()
	s := Stamps{"email": at(1_763_850_000_000), "embedded_data.a b": {At: -5}, "phone": {At: 3, Event: 1 << 59}}
	back, err := ParseStamps(s.Text())
	require.NoError(t, err)
	require.Equal(t, s, back)
	for _, bad := range []string{"", "[]", `{"a":1}`, `{"a":"x"}`, `{"a":"1 short"}`} {
		_, err := ParseStamps(bad)
		require.Error(t, err, bad)
	}
}

// TestApply_OneBatchOrMany_SameResult states what a batch promises: the same as its
// inputs one after the other.
func TestApply_OneBatchOrMany_SameResult(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var inputs []*Input
		for k := range 30 {
			in := &Input{Stamp: at(int64(r.IntN(20) + 1))}
			if r.IntN(3) > 0 {
				in.ExtRef = fmt.Sprint("u", r.IntN(5))
			}
			if r.IntN(3) > 0 {
				in.Email = fmt.Sprintf("p%d@example.com", r.IntN(5))
			}
			in.FirstName = fmt.Sprint("n", k)
			inputs = append(inputs, in)
		}
		whole, single := newDirectory(), newDirectory()
		whole.apply(Upsert, inputs...)
		for _, in := range inputs {
			single.apply(Upsert, in)
		}
		require.Len(t, whole.contacts, len(single.contacts), "seed %d", seed)
		for cid, c := range single.contacts {
			require.Equal(t, c.Value(), whole.contacts[cid].Value(), "seed %d", seed)
		}
		require.Equal(t, single.owners, whole.owners, "seed %d", seed)
		for _, o := range whole.owners {
			k, ok := whole.rules.key(ParseRule(o.Rule), whole.contacts[o.Contact].Attribute)
			require.True(t, ok && k == o.Key, "an owner holds the value of its key")
		}
	}
}
