package store

import (
	"context"
	"slices"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/columns"
)

// rulesLock is held shared by every transaction that resolves contacts and alone
// by the one that changes merge rules: a contact written while keys are filled in
// would otherwise miss its new key.
const rulesLock = 7313

// setRules makes the directories' merge rules those of the plan. Keys of a rule
// that is new to a directory are filled in here, in the transaction that lets the
// rule decide; the oldest contact owns a key that several ask for.
func (tx *Tx) setRules(ctx context.Context, p *plan.Plan) error {
	if err := tx.Alone(ctx, rulesLock); err != nil {
		return err
	}
	for _, d := range p.Directories {
		dir, err := tx.nameID(ctx, plan.KindDirectory, d.Name)
		if err != nil {
			return err
		}
		if err := tx.setDirectoryRules(ctx, dir, d); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) setDirectoryRules(ctx context.Context, dir id.ID, d plan.Directory) error {
	wanted := contact.DefaultRules()
	if len(d.MergeRules) > 0 {
		wanted = wanted[:0]
		for _, attributes := range d.MergeRules {
			wanted = append(wanted, contact.NewRule(attributes...))
		}
	}
	var had []struct{ Rule, Region string }
	if err := tx.Select(ctx, &had, `SELECT rule, region FROM directory_rules WHERE directory = ?`, dir); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM directory_rules WHERE directory = ?`, dir); err != nil {
		return err
	}
	fresh := wanted
	for i, r := range wanted {
		if _, err := tx.Exec(ctx, `INSERT INTO directory_rules (directory, rule, position, region) VALUES (?, ?, ?, ?)`, dir, r.Name(), i, d.PhoneRegion); err != nil {
			return err
		}
	}
	for _, h := range had {
		// A number's key depends on the region it is read in.
		stays := func(r contact.Rule) bool {
			return r.Name() == h.Rule && (h.Region == d.PhoneRegion || !slices.Contains(r.Attributes, contact.Phone))
		}
		if slices.ContainsFunc(wanted, stays) {
			fresh = slices.DeleteFunc(slices.Clone(fresh), stays)
			continue
		}
		if _, err := tx.Exec(ctx, `DELETE FROM contact_keys WHERE directory = ? AND rule = ?`, dir, h.Rule); err != nil {
			return err
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return tx.fillKeys(ctx, contact.Rules{Directory: dir, Match: fresh, Region: d.PhoneRegion})
}

// fillKeys gives every contact of a directory the keys of new rules, oldest
// contact first.
func (tx *Tx) fillKeys(ctx context.Context, rules contact.Rules) error {
	const page = 1000
	var after id.ID
	for {
		var rows []contactRow
		if err := tx.Select(ctx, &rows, `SELECT `+columns.Contact+` FROM contacts WHERE directory = ? AND id > ? ORDER BY id LIMIT ?`,
			rules.Directory, after, page); err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			c, err := r.contact()
			if err != nil {
				return err
			}
			for _, k := range rules.ContactKeys(c) {
				n, err := tx.Insert(ctx, contactKeysTable, [][]any{{k.Key[:], rules.Directory, k.Rule, c.ID}}, "ON CONFLICT (key) DO NOTHING")
				if err != nil {
					return err
				}
				if n == 0 {
					if _, err := tx.Exec(ctx, `INSERT INTO possible_duplicates (key, contact, owner, directory, rule, at, event)
						SELECT key, ?, contact, directory, rule, ?, 0 FROM contact_keys WHERE key = ?
						ON CONFLICT DO NOTHING`, c.ID, tx.Now.UnixMilli(), k.Key[:]); err != nil {
						return err
					}
				}
			}
			after = c.ID
		}
	}
}

func (tx *Tx) ruleNames(ctx context.Context, dir id.ID) (names []string, err error) {
	return names, tx.Select(ctx, &names, `SELECT rule FROM directory_rules WHERE directory = ? ORDER BY position`, dir)
}

func (tx *Tx) nameID(ctx context.Context, kind plan.Kind, name string) (v id.ID, err error) {
	return v, tx.Get(ctx, &v, `SELECT id FROM names WHERE kind = ? AND name = ?`, kind, name)
}
