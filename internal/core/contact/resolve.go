package contact

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Modes of an upsert.
const (
	Upsert     = "upsert"
	UpdateOnly = "update_only"
	CreateOnly = "create_only"
	// FindOrCreate uses an existing contact as it is and makes a missing one.
	FindOrCreate = "find_or_create"
)

// Batch resolves inputs one after the other against the contacts and owners that
// were read, as if each were alone: the result equals doing them in that order.
// Not safe for concurrent use.
type Batch struct {
	Rules Rules
	NewID func() id.ID
	Now   time.Time

	owners   map[Key]id.ID
	contacts map[id.ID]*entry
	dups     []Duplicate
	holders  map[Key][]id.ID // who else holds a key's value, oldest first
}

type entry struct {
	*Contact
	isNew bool
	dirty bool
	owned map[Key]string // keys owned now, with their rules
	had   map[Key]bool   // keys owned in the database
}

// Outcome is what one input did.
type Outcome struct {
	Contact id.ID
	Created bool
	Rule    string // the rule that matched; "" for a new contact or one named by id
	Changes []Change
	Err     error // fault.Invalid, NotFound or Conflict: this input can never work
}

// Duplicate is a contact that holds a value whose key another contact owns.
type Duplicate struct {
	Key     Key
	Rule    string
	Contact id.ID
	Owner   id.ID
	Event   id.ID
}

// NewBatch starts a batch from what the database holds: the owners of all keys
// of its inputs, those owners' contacts, and all keys that these contacts own.
func NewBatch(rules Rules, newID func() id.ID, now time.Time, contacts []*Contact, owned map[id.ID][]Keyed) *Batch {
	b := &Batch{Rules: rules, NewID: newID, Now: now, owners: map[Key]id.ID{}, contacts: map[id.ID]*entry{}, holders: map[Key][]id.ID{}}
	for _, c := range contacts {
		e := &entry{Contact: c, owned: map[Key]string{}, had: map[Key]bool{}}
		for _, k := range owned[c.ID] {
			e.owned[k.Key] = k.Rule
			e.had[k.Key] = true
			b.owners[k.Key] = c.ID
		}
		b.contacts[c.ID] = e
	}
	return b
}

// KnowHolder tells the batch that a contact is recorded as a possible duplicate
// for a key: should the owner let the key go, it is next.
func (b *Batch) KnowHolder(k Key, contact id.ID) { b.holders[k] = append(b.holders[k], contact) }

// KnowOwner tells the batch who owns a key. The contact need not be loaded when
// the key is only asked for to be owned, not to be matched.
func (b *Batch) KnowOwner(k Key, contact id.ID) { b.owners[k] = contact }

// Apply resolves one input and merges it.
func (b *Batch) Apply(in *Input, mode string) Outcome {
	e, rule, err := b.find(in)
	if err != nil {
		return Outcome{Err: err}
	}
	switch {
	case e == nil && mode == UpdateOnly:
		return Outcome{Err: fault.New(fault.NotFound, "no contact matches, and the mapping only updates")}
	case e != nil && mode == CreateOnly:
		return Outcome{Contact: e.ID, Rule: rule, Err: fault.New(fault.Conflict, "a contact matches by %s, and the mapping only creates", rule)}
	case e != nil && mode == FindOrCreate:
		return Outcome{Contact: e.ID, Rule: rule}
	}
	created := e == nil
	if created {
		if !in.Identifies(b.Rules.Match) {
			return Outcome{Err: fault.New(fault.Invalid, "nothing says who this is: no external reference, email, phone or name")}
		}
		e = b.create()
	}
	changes, touched := e.merge(in, created)
	if touched || created || len(changes) > 0 {
		e.dirty = true
		e.UpdatedAt = b.Now
	}
	if len(changes) > 0 {
		b.rekey(e, in.Stamp.Event)
	}
	return Outcome{Contact: e.ID, Created: created, Rule: rule, Changes: changes}
}

// find is the first contact that a rule matches, or the one the input names.
func (b *Batch) find(in *Input) (*entry, string, error) {
	if in.ID != 0 {
		e := b.contacts[in.ID]
		if e == nil {
			return nil, "", fault.New(fault.NotFound, "no contact %s in this directory", in.ID)
		}
		return e, "", nil
	}
	for _, r := range b.Rules.Match {
		k, ok := b.Rules.key(r, in.Attribute)
		if !ok {
			continue
		}
		if owner, ok := b.owners[k]; ok {
			if e := b.contacts[owner]; e != nil {
				return e, r.name, nil
			}
		}
	}
	return nil, "", nil
}

func (b *Batch) create() *entry {
	e := &entry{
		Contact: &Contact{ID: b.NewID(), Directory: b.Rules.Directory, CreatedAt: b.Now},
		isNew:   true, owned: map[Key]string{}, had: map[Key]bool{},
	}
	b.contacts[e.ID] = e
	return e
}

// rekey makes a contact own the keys of the values it has now: free ones become
// its own, those of another owner are noted as a possible duplicate, and those of
// values it no longer has go to the next contact that holds the value, or free.
func (b *Batch) rekey(e *entry, event id.ID) {
	want := map[Key]string{}
	for _, k := range b.Rules.ContactKeys(e.Contact) {
		want[k.Key] = k.Rule
	}
	for _, k := range sortedKeys(e.owned) {
		if _, keep := want[k]; keep {
			continue
		}
		rule := e.owned[k]
		delete(e.owned, k)
		delete(b.owners, k)
		b.passOn(k, rule, e.ID)
	}
	for _, k := range sortedKeys(want) {
		rule := want[k]
		switch owner, taken := b.owners[k]; {
		case !taken:
			e.owned[k] = rule
			b.owners[k] = e.ID
		case owner != e.ID:
			b.dups = append(b.dups, Duplicate{k, rule, e.ID, owner, event})
			b.holders[k] = append(b.holders[k], e.ID)
		}
	}
}

// passOn gives a key that its owner let go to the next contact that still holds
// the value.
func (b *Batch) passOn(k Key, rule string, from id.ID) {
	for _, h := range b.holders[k] {
		e := b.contacts[h]
		if h == from || e == nil {
			continue
		}
		if has, ok := b.Rules.key(ParseRule(rule), e.Attribute); ok && has == k {
			e.owned[k] = rule
			e.dirty = true
			b.owners[k] = h
			return
		}
	}
}

func sortedKeys(m map[Key]string) []Key {
	return slices.SortedFunc(maps.Keys(m), func(a, b Key) int { return bytes.Compare(a[:], b[:]) })
}

// Writes is what a batch wants written, each list sorted as locks must be taken.
type Writes struct {
	Created, Updated []*Contact
	Own              []Owned // keys that must become, and so must not be, somebody's
	Release          []Owned // keys that contacts let go
	Duplicates       []Duplicate
}

// Owned is a key with its rule and contact.
type Owned struct {
	Key     Key
	Rule    string
	Contact id.ID
}

// Writes returns what changed since the batch was read.
func (b *Batch) Writes() Writes {
	var w Writes
	for _, cid := range slices.Sorted(maps.Keys(b.contacts)) {
		e := b.contacts[cid]
		if !e.dirty {
			continue
		}
		if e.isNew {
			w.Created = append(w.Created, e.Contact)
		} else {
			w.Updated = append(w.Updated, e.Contact)
		}
		for k, rule := range e.owned {
			if !e.had[k] {
				w.Own = append(w.Own, Owned{k, rule, cid})
			}
		}
		for k := range e.had {
			if _, still := e.owned[k]; !still {
				w.Release = append(w.Release, Owned{Key: k, Contact: cid})
			}
		}
	}
	byKey := func(a, b Owned) int { return bytes.Compare(a.Key[:], b.Key[:]) }
	slices.SortFunc(w.Own, byKey)
	slices.SortFunc(w.Release, byKey)
	w.Duplicates = b.dups
	slices.SortStableFunc(w.Duplicates, func(a, b Duplicate) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return w
}

// Contact returns a contact of the batch as it is now, or nil.
func (b *Batch) Contact(c id.ID) *Contact {
	if e := b.contacts[c]; e != nil {
		return e.Contact
	}
	return nil
}

// Summary is the result kept on a delivery.
func (o Outcome) Summary() *jsonvalue.Object {
	r := jsonvalue.NewObject(3)
	r.Set("contact", o.Contact.String())
	r.Set("created", o.Created)
	if o.Rule != "" {
		r.Set("matched_by", o.Rule)
	}
	fields := make([]any, 0, len(o.Changes))
	for _, c := range o.Changes {
		fields = append(fields, c.Field)
	}
	r.Set("changed", fields)
	return r
}
