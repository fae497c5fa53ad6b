package store

import (
	"context"
	"slices"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/data/columns"
	"github.com/segue-xm/segue/internal/data/db"
)

type contactRow struct {
	ID           id.ID
	Directory    id.ID
	ExtRef       string `db:"ext_ref"`
	Email        string
	Phone        string
	FirstName    string `db:"first_name"`
	LastName     string `db:"last_name"`
	Language     string
	Unsubscribed bool
	EmbeddedData string `db:"embedded_data"`
	Stamps       string
	CreatedAt    int64 `db:"created_at"`
	UpdatedAt    int64 `db:"updated_at"`
}

func (r contactRow) contact() (*contact.Contact, error) {
	c := &contact.Contact{
		ID: r.ID, Directory: r.Directory, ExtRef: r.ExtRef, Email: r.Email, Phone: r.Phone, FirstName: r.FirstName,
		LastName: r.LastName, Language: r.Language, Unsubscribed: r.Unsubscribed,
		CreatedAt: db.Instant(r.CreatedAt), UpdatedAt: db.Instant(r.UpdatedAt),
	}
	var err error
	if c.EmbeddedData, err = jsonvalue.ParseObject([]byte(r.EmbeddedData)); err != nil {
		return nil, err
	}
	c.Stamps, err = contact.ParseStamps(r.Stamps)
	return c, err
}

func contactCells(c *contact.Contact) []any {
	data := c.EmbeddedData
	if data == nil {
		data = jsonvalue.NewObject(0)
	}
	return []any{c.ID, c.Directory, c.ExtRef, c.Email, c.Phone, c.FirstName, c.LastName, c.Language, c.Unsubscribed,
		jsonvalue.Text(data), c.Stamps.Text(), c.CreatedAt.UnixMilli(), c.UpdatedAt.UnixMilli()}
}

var (
	contactsTable = db.NewTable("contacts", "id bigint, directory bigint, ext_ref text, email text, phone text, first_name text, last_name text, language text, "+
		"unsubscribed boolean, embedded_data text, stamps text, created_at bigint, updated_at bigint")
	contactKeysTable = db.NewTable("contact_keys", "key bytea, directory bigint, rule text, contact bigint")
	duplicatesTable  = db.NewTable("possible_duplicates", "key bytea, contact bigint, owner bigint, directory bigint, rule text, at bigint, event bigint")
	changesTable     = db.NewTable("contact_changes", "id bigint, contact bigint, event bigint, at bigint, cause text, diff text")
)

// Causes of a contact's change.
const (
	ByEvent  = "event"
	ByTask   = "task"
	ByOptOut = "opt_out"
)

// person is one input to resolve in a transaction.
type person struct {
	in    *contact.Input
	mode  string
	cause string
}

// resolve decides who the inputs are about, one after the other, and writes what
// that changes. It returns db.ErrRace when another transaction was quicker: nothing
// may be kept of a failed try.
func (tx *Tx) resolve(ctx context.Context, dir contact.Directory, people []person) ([]contact.Outcome, error) {
	rules, err := tx.rules(ctx, dir)
	if err != nil {
		return nil, err
	}
	var out []contact.Outcome
	var w contact.Writes
	known := needed{keys: map[db.Key]bool{}}
	for more := true; more; {
		b, err := tx.loadBatch(ctx, rules, people, known)
		if err != nil {
			return nil, err
		}
		out = applyAll(b, people)
		w = b.Writes()
		if more, err = tx.learn(ctx, &known, w); err != nil {
			return nil, err
		}
	}
	if err := tx.writeContacts(ctx, dir, w); err != nil {
		return nil, err
	}
	return out, tx.writeChanges(ctx, people, out)
}

// needed is what a batch turned out to touch beyond its inputs.
type needed struct {
	keys     map[db.Key]bool // asked for: of inputs, of contacts, of what merging made of them
	holders  []holder        // next in line for keys that were let go
	released bool            // holders were looked for
}

// learn adds what a try of a batch would write and had not looked up: keys of
// merged values, which may have an owner, and who else holds the value of a key
// that is let go. more says that the batch must be done again with it.
func (tx *Tx) learn(ctx context.Context, n *needed, w contact.Writes) (more bool, err error) {
	for _, o := range w.Own {
		if !n.keys[o.Key] {
			n.keys[o.Key], more = true, true
		}
	}
	if len(w.Release) > 0 && !n.released {
		n.released = true
		if n.holders, err = tx.holders(ctx, w.Release); err != nil {
			return false, err
		}
		more = more || len(n.holders) > 0
	}
	return more, nil
}

func applyAll(b *contact.Batch, people []person) []contact.Outcome {
	out := make([]contact.Outcome, len(people))
	for i, p := range people {
		out[i] = b.Apply(p.in, p.mode)
	}
	return out
}

func (tx *Tx) rules(ctx context.Context, dir contact.Directory) (contact.Rules, error) {
	if err := tx.Shared(ctx, rulesLock); err != nil {
		return contact.Rules{}, err
	}
	names, err := tx.ruleNames(ctx, dir.ID)
	rules := contact.Rules{Directory: dir.ID, Region: dir.PhoneRegion}
	for _, n := range names {
		rules.Match = append(rules.Match, contact.ParseRule(n))
	}
	return rules, err
}

// holder is a contact recorded as a possible duplicate for a key.
type holder struct {
	Key     []byte
	Contact id.ID
}

func (tx *Tx) holders(ctx context.Context, released []contact.Owned) (rows []holder, err error) {
	list := make([]db.Key, len(released))
	for i, r := range released {
		list[i] = r.Key
	}
	return rows, tx.Select(ctx, &rows, `SELECT key, contact FROM possible_duplicates WHERE key {keys} ORDER BY at, contact`, tx.s.db.Keys(list))
}

// loadBatch reads and locks what the inputs can touch: the owners of their keys,
// the contacts they name, and what an earlier try found to be needed.
func (tx *Tx) loadBatch(ctx context.Context, rules contact.Rules, people []person, known needed) (*contact.Batch, error) {
	ask := map[db.Key]bool{}
	var ids []id.ID
	for _, p := range people {
		if p.in.ID != 0 {
			ids = append(ids, p.in.ID)
		}
		for _, k := range rules.InputKeys(p.in) {
			ask[k.Key] = true
		}
	}
	inputs := sortedKeys(ask)
	owners, err := tx.owners(ctx, inputs)
	if err != nil {
		return nil, err
	}
	for _, o := range owners {
		ids = append(ids, o.Contact)
	}
	for _, h := range known.holders {
		ids = append(ids, h.Contact)
	}
	contacts, err := tx.lockContacts(ctx, rules.Directory, ids)
	if err != nil {
		return nil, err
	}
	// Owning changes only under the contact's lock. So who owns the locked
	// contacts' keys is settled now, and an input's key must still have the owner
	// that was locked for it.
	loaded := make(map[id.ID]bool, len(contacts))
	for _, c := range contacts {
		loaded[c.ID] = true
		for _, k := range rules.ContactKeys(c) {
			ask[k.Key] = true
		}
	}
	for k := range known.keys {
		ask[k] = true
	}
	for k := range ask {
		known.keys[k] = true
	}
	if len(contacts) > 0 || len(ask) > len(inputs) {
		if owners, err = tx.owners(ctx, sortedKeys(ask)); err != nil {
			return nil, err
		}
	}
	owned := map[id.ID][]contact.Keyed{}
	var others []ownerRow
	for _, o := range owners {
		if !loaded[o.Contact] {
			if slices.Contains(inputs, db.Key(o.Key)) {
				return nil, db.ErrRace
			}
			others = append(others, o)
			continue
		}
		owned[o.Contact] = append(owned[o.Contact], contact.Keyed{Key: contact.Key(o.Key), Rule: o.Rule})
	}
	b := contact.NewBatch(rules, tx.s.db.Next, tx.Now, contacts, owned)
	for _, o := range others {
		b.KnowOwner(contact.Key(o.Key), o.Contact)
	}
	for _, h := range known.holders {
		b.KnowHolder(contact.Key(h.Key), h.Contact)
	}
	return b, nil
}

type ownerRow struct {
	Key     []byte
	Rule    string
	Contact id.ID
}

func (tx *Tx) owners(ctx context.Context, list []db.Key) (rows []ownerRow, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	return rows, tx.Select(ctx, &rows, `SELECT key, rule, contact FROM contact_keys WHERE key {keys}`, tx.s.db.Keys(list))
}

func (tx *Tx) lockContacts(ctx context.Context, dir id.ID, ids []id.ID) ([]*contact.Contact, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []contactRow
	if err := tx.Select(ctx, &rows, `SELECT `+columns.Contact+` FROM contacts WHERE id {ids} AND directory = ? ORDER BY id {lock}`,
		tx.s.db.IDs(ids), dir); err != nil {
		return nil, err
	}
	out := make([]*contact.Contact, len(rows))
	for i, r := range rows {
		c, err := r.contact()
		if err != nil {
			return nil, err
		}
		out[i] = c
	}
	return out, nil
}

func (tx *Tx) writeContacts(ctx context.Context, dir contact.Directory, w contact.Writes) error {
	// Released keys go first: another contact of the same batch may take them.
	if len(w.Release) > 0 {
		released := make([]db.Key, len(w.Release))
		for i, r := range w.Release {
			released[i] = r.Key
		}
		// Their owners are locked: nobody else can have them meanwhile.
		if _, err := tx.Exec(ctx, `DELETE FROM contact_keys WHERE key {keys}`, tx.s.db.Keys(released)); err != nil {
			return err
		}
	}
	rows := make([][]any, len(w.Own))
	for i, o := range w.Own {
		rows[i] = []any{o.Key[:], dir.ID, o.Rule, o.Contact}
	}
	n, err := tx.Insert(ctx, contactKeysTable, rows, "ON CONFLICT (key) DO NOTHING")
	if err != nil {
		return err
	}
	if int(n) != len(rows) {
		return db.ErrRace // somebody became owner since we looked
	}
	created := make([][]any, len(w.Created))
	for i, c := range w.Created {
		created[i] = contactCells(c)
	}
	if _, err := tx.Insert(ctx, contactsTable, created, ""); err != nil {
		return err
	}
	updated := make([][]any, len(w.Updated))
	for i, c := range w.Updated {
		updated[i] = contactCells(c)
	}
	if err := tx.Update(ctx, contactsTable, 1, updated); err != nil {
		return err
	}
	dups := make([][]any, len(w.Duplicates))
	for i, d := range w.Duplicates {
		dups[i] = []any{d.Key[:], d.Contact, d.Owner, dir.ID, d.Rule, tx.Now.UnixMilli(), d.Event}
	}
	_, err = tx.Insert(ctx, duplicatesTable, dups, "ON CONFLICT DO NOTHING")
	return err
}

func (tx *Tx) writeChanges(ctx context.Context, people []person, out []contact.Outcome) error {
	var rows [][]any
	for i, o := range out {
		if o.Err == nil && len(o.Changes) > 0 {
			rows = append(rows, []any{tx.s.db.Next(), o.Contact, people[i].in.Stamp.Event, tx.Now.UnixMilli(), people[i].cause, jsonvalue.Text(contact.Diff(o.Changes))})
		}
	}
	_, err := tx.Insert(ctx, changesTable, rows, "")
	return err
}

func sortedKeys(set map[db.Key]bool) []db.Key {
	list := make([]db.Key, 0, len(set))
	for k := range set {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b db.Key) int { return slices.Compare(a[:], b[:]) })
	return list
}

// Contact reads one contact.
func (s *Store) Contact(ctx context.Context, c id.ID) (*contact.Contact, error) {
	var r contactRow
	if err := s.db.ReadOne(ctx, &r, `SELECT `+columns.Contact+` FROM contacts WHERE id = ?`, c); err != nil {
		return nil, err
	}
	return r.contact()
}

// FindContact finds whom an input is about by the merge rules; nobody is NotFound.
func (s *Store) FindContact(ctx context.Context, dir contact.Directory, in *contact.Input) (id.ID, error) {
	var names []string
	if err := s.db.Read(ctx, &names, `SELECT rule FROM directory_rules WHERE directory = ? ORDER BY position`, dir.ID); err != nil {
		return 0, err
	}
	rules := contact.Rules{Directory: dir.ID, Region: dir.PhoneRegion}
	for _, n := range names {
		rules.Match = append(rules.Match, contact.ParseRule(n))
	}
	for _, k := range rules.InputKeys(in) {
		var found id.ID
		err := s.db.ReadOne(ctx, &found, `SELECT contact FROM contact_keys WHERE key = ?`, k.Key[:])
		if err == nil || fault.KindOf(err) != fault.NotFound {
			return found, err
		}
	}
	return 0, fault.New(fault.NotFound, "no contact matches")
}

// ApplyStep upserts a contact for a step of a run, in one transaction with the
// note on the step of whom it was: a second call finds the note and changes
// nothing more.
func (s *Store) ApplyStep(ctx context.Context, dir contact.Directory, c contact.ForStep) (out contact.Outcome, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		var noted []string
		if err := tx.Select(ctx, &noted, `SELECT output FROM run_tasks WHERE run = ? AND step = ? AND output IS NOT NULL {lock}`, c.Run, c.Step); err != nil {
			return err
		}
		if len(noted) == 1 {
			o, err := jsonvalue.ParseObject([]byte(noted[0]))
			if err != nil {
				return err
			}
			text, _ := o.Get("contact").(string)
			out = contact.Outcome{}
			out.Contact, err = id.Parse(text)
			out.Created = o.Get("created") == true
			return err
		}
		if c.Input.Stamp.At == 0 {
			c.Input.Stamp.At = tx.Now.UnixMilli()
		}
		outcomes, err := tx.resolve(ctx, dir, []person{{c.Input, c.Mode, ByTask}})
		if err != nil {
			return err
		}
		if out = outcomes[0]; out.Err != nil {
			return out.Err
		}
		if c.List != 0 {
			if _, err := tx.Insert(ctx, membersTable, [][]any{{c.List, out.Contact, false, tx.Now.UnixMilli()}}, "ON CONFLICT DO NOTHING"); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `UPDATE run_tasks SET output = ? WHERE run = ? AND step = ?`, jsonvalue.Text(out.Summary()), c.Run, c.Step)
		return err
	})
	return out, err
}
