package query

import (
	"context"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/data/db"
)

// ContactRow is a contact as lists and details show it.
type ContactRow struct {
	ID           id.ID  `db:"id"`
	Directory    id.ID  `db:"directory"`
	ExtRef       string `db:"ext_ref"`
	Email        string `db:"email"`
	Phone        string `db:"phone"`
	FirstName    string `db:"first_name"`
	LastName     string `db:"last_name"`
	Language     string `db:"language"`
	Unsubscribed bool   `db:"unsubscribed"`
	EmbeddedData string `db:"embedded_data"` // JSON object
	CreatedAt    int64  `db:"created_at"`    // milliseconds
	UpdatedAt    int64  `db:"updated_at"`
}

const selectContacts = `SELECT c.id, c.directory, c.ext_ref, c.email, c.phone, c.first_name, c.last_name, c.language, c.unsubscribed,
  c.embedded_data, c.created_at, c.updated_at FROM contacts AS c`

// ContactQuery selects contacts. Texts are compared as merge rules do, after
// normalising; empty ones do not restrict.
type ContactQuery struct {
	Directories []ContactScope // never empty: where to look
	ExtRef      string
	Email       string
	Phone       string
}

// ContactScope is a directory to look in, with the region of its phone numbers.
type ContactScope struct {
	Directory id.ID
	Region    string
}

// ListContacts lists contacts. A person is found through the directory's merge rules
// where one is about a single attribute asked for; then also those who hold the
// value while another contact owns its key. Otherwise contacts are looked through.
func (r *Reader) ListContacts(ctx context.Context, f ContactQuery, p Paging) ([]ContactRow, id.ID, error) {
	wanted := f.attributes()
	scope := make([]id.ID, len(f.Directories))
	for i, d := range f.Directories {
		scope[i] = d.Directory
	}
	var q query
	q.and("c.directory {ids}", r.db.IDs(scope))
	if len(wanted) == 0 {
		w, err := r.window(ctx, "contacts", p.before(), 0, true)
		if err != nil {
			return nil, 0, err
		}
		return page(ctx, r, selectContacts, "c", q, w, p, contactRowID)
	}
	keys, err := r.contactKeys(ctx, f, wanted)
	if err != nil {
		return nil, 0, err
	}
	var w span
	if keys != nil {
		var ids []id.ID
		if err = r.db.Read(ctx, &ids, `SELECT id FROM (SELECT contact AS id FROM contact_keys WHERE key {keys}
			UNION SELECT contact AS id FROM possible_duplicates WHERE key {keys}) AS found WHERE id < ? ORDER BY id DESC LIMIT ?`,
			r.db.Keys(keys), r.db.Keys(keys), p.before(), candidates); err != nil {
			return nil, 0, err
		}
		w = among(ids)
	} else if w, err = r.window(ctx, "contacts", p.before(), 0, true); err != nil {
		return nil, 0, err
	}
	return r.matching(ctx, f, wanted, q, w, p)
}

func contactRowID(c *ContactRow) id.ID { return c.ID }

// attributes are the values asked for, by attribute, in the order in which an
// index is likely to be there.
func (f ContactQuery) attributes() [][2]string {
	var out [][2]string
	for _, a := range [...][2]string{{contact.ExtRef, f.ExtRef}, {contact.Email, f.Email}, {contact.Phone, f.Phone}} {
		if a[1] != "" {
			out = append(out, a)
		}
	}
	return out
}

// contactKeys are the keys that whoever is asked for must own or hold, one per
// directory; nil when some directory has no rule that serves.
func (r *Reader) contactKeys(ctx context.Context, f ContactQuery, wanted [][2]string) ([]db.Key, error) {
	var rows []struct {
		Directory id.ID  `db:"directory"`
		Rule      string `db:"rule"`
	}
	if err := r.db.Read(ctx, &rows, `SELECT directory, rule FROM directory_rules`); err != nil {
		return nil, err
	}
	type place struct {
		directory id.ID
		rule      string
	}
	known := make(map[place]bool, len(rows))
	for _, r := range rows {
		known[place{r.Directory, r.Rule}] = true
	}
	keys := []db.Key{}
	for _, d := range f.Directories {
		found := false
		for _, a := range wanted {
			if !known[place{d.Directory, a[0]}] {
				continue
			}
			found = true
			rules := contact.Rules{Directory: d.Directory, Match: []contact.Rule{contact.NewRule(a[0])}, Region: d.Region}
			for _, k := range rules.InputKeys(&contact.Input{ExtRef: f.ExtRef, Email: f.Email, Phone: f.Phone}) {
				keys = append(keys, db.Key(k.Key))
			}
			break
		}
		if !found {
			return nil, nil
		}
	}
	return keys, nil
}

// matching pages through the contacts of a span whose values are the wanted ones.
// Normalising is not SQL's, so values are compared here: first without the rest
// of the row.
func (r *Reader) matching(ctx context.Context, f ContactQuery, wanted [][2]string, q query, w span, p Paging) ([]ContactRow, id.ID, error) {
	regions := make(map[id.ID]string, len(f.Directories))
	for _, d := range f.Directories {
		regions[d.Directory] = d.Region
	}
	rows, _, err := page(ctx, r, `SELECT c.id, c.directory, c.ext_ref, c.email, c.phone FROM contacts AS c`, "c", q, w,
		Paging{Limit: scanWindow}, contactRowID)
	if err != nil {
		return nil, 0, err
	}
	normal := map[[2]string]string{} // region, attribute -> value
	ids := []id.ID{}
	for _, r := range rows {
		if matches(r, wanted, regions[r.Directory], normal) {
			ids = append(ids, r.ID)
		}
	}
	rest := w.rest
	if len(ids) > p.Limit {
		ids = ids[:p.Limit]
		rest = ids[p.Limit-1]
	}
	found, _, err := page(ctx, r, selectContacts, "c", query{}, span{at: ids}, Paging{Limit: len(ids)}, contactRowID)
	return found, rest, err
}

func matches(r ContactRow, wanted [][2]string, region string, normal map[[2]string]string) bool {
	has := map[string]string{contact.ExtRef: r.ExtRef, contact.Email: r.Email, contact.Phone: r.Phone}
	for _, a := range wanted {
		place := [2]string{region, a[0]}
		want, ok := normal[place]
		if !ok {
			want = contact.Normalize(a[0], a[1], region)
			normal[place] = want
		}
		if has[a[0]] == "" || contact.Normalize(a[0], has[a[0]], region) != want {
			return false
		}
	}
	return true
}

// ContactRow is one contact; unknown is NotFound.
func (r *Reader) ContactRow(ctx context.Context, v id.ID) (row ContactRow, err error) {
	return row, r.db.ReadOne(ctx, &row, selectContacts+` WHERE c.id = ?`, v)
}

// ChangeRow is one change of a contact.
type ChangeRow struct {
	ID      id.ID  `db:"id"`
	Contact id.ID  `db:"contact"`
	Event   id.ID  `db:"event"`
	At      int64  `db:"at"` // milliseconds
	Cause   string `db:"cause"`
	Diff    string `db:"diff"` // JSON object
}

const selectChanges = `SELECT h.id, h.contact, h.event, h.at, h.cause, h.diff FROM contact_changes AS h`

// ListContactChanges lists the changes of a contact.
func (r *Reader) ListContactChanges(ctx context.Context, v id.ID, p Paging) ([]ChangeRow, id.ID, error) {
	var q query
	q.and("h.contact = ?", v)
	return page(ctx, r, selectChanges, "h", q, span{top: p.before()}, p, func(c *ChangeRow) id.ID { return c.ID })
}

// ChangeRows are what an event changed on these contacts.
func (r *Reader) ChangeRows(ctx context.Context, event id.ID, contacts []id.ID) (rows []ChangeRow, err error) {
	if len(contacts) == 0 {
		return nil, nil
	}
	return rows, r.db.Read(ctx, &rows, selectChanges+` WHERE h.contact {ids} AND h.event = ? ORDER BY h.id LIMIT ?`, r.db.IDs(contacts), event, candidates)
}

// TransactionRow is one transaction of a contact.
type TransactionRow struct {
	ID    id.ID  `db:"id"`
	Event id.ID  `db:"event"`
	List  id.ID  `db:"list"`
	Date  int64  `db:"date"` // milliseconds
	Data  string `db:"data"` // JSON object
}

// ListContactTransactions lists the transactions of a contact, those with the latest
// date first. Here Paging.Before is the last transaction of the page before, not
// an upper bound of ids.
func (r *Reader) ListContactTransactions(ctx context.Context, v id.ID, p Paging) (rows []TransactionRow, next id.ID, err error) {
	text := `SELECT id, event, list, date, data FROM transactions WHERE contact = ?`
	args := []any{v}
	if p.Before != 0 {
		text += ` AND (date, id) < (SELECT date, id FROM transactions WHERE id = ?)`
		args = append(args, p.Before)
	}
	if err := r.db.Read(ctx, &rows, text+` ORDER BY date DESC, id DESC LIMIT ?`, append(args, p.Limit+1)...); err != nil {
		return nil, 0, err
	}
	if len(rows) > p.Limit {
		rows = rows[:p.Limit]
		next = rows[p.Limit-1].ID
	}
	return rows, next, nil
}
