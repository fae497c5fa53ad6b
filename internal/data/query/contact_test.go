package query

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/id"
)

// contact stores a contact that owns the keys of these rules.
func (s *reads) contact(v, directory id.ID, extRef, email, phone string, rules ...string) {
	s.t.Helper()
	s.do(`INSERT INTO contacts (id, directory, ext_ref, email, phone, first_name, last_name, language, unsubscribed, embedded_data, stamps, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, 'Ada', '', 'EN', ?, '{"plan":"pro"}', '{}', 1, 2)`, v, directory, extRef, email, phone, false)
	for _, r := range rules {
		for _, k := range (contact.Rules{Directory: directory, Match: []contact.Rule{contact.NewRule(r)}, Region: "JP"}).
			InputKeys(&contact.Input{ExtRef: extRef, Email: email, Phone: phone}) {
			s.do(`INSERT INTO contact_keys (key, directory, rule, contact) VALUES (?, ?, ?, ?)`, k.Key[:], directory, r, v)
		}
	}
}

func TestListContacts_ByAttribute_ComparesNormalisedValues(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		// Directory 1 has rules to look up by; directory 2 has none and is looked through.
		s.do(`INSERT INTO directory_rules (directory, rule, position, region) VALUES (1, 'ext_ref', 0, ''), (1, 'email', 1, ''), (2, 'first_name+phone', 0, '')`)
		s.contact(11, 1, "u1", "Ada@Example.com", "+81 90-1234-5678", "ext_ref", "email")
		s.contact(12, 1, "u2", "bob@example.com", "")
		s.contact(21, 2, "u1", "ada@example.com", "090-1234-5678")
		// 13 holds the address of 11, who owns its key.
		s.contact(13, 1, "u3", "ada@example.com", "", "ext_ref")
		k := (contact.Rules{Directory: 1, Match: []contact.Rule{contact.NewRule("email")}}).InputKeys(&contact.Input{Email: "ada@example.com"})[0].Key
		s.do(`INSERT INTO possible_duplicates (key, contact, owner, directory, rule, at, event) VALUES (?, 13, 11, 1, 'email', 0, 0)`, k[:])

		one, two := ContactScope{1, "JP"}, ContactScope{2, "JP"}
		for _, q := range []struct {
			f    ContactQuery
			want []id.ID
		}{
			{ContactQuery{Directories: []ContactScope{one}}, []id.ID{13, 12, 11}},
			{ContactQuery{Directories: []ContactScope{one, two}}, []id.ID{21, 13, 12, 11}},
			{ContactQuery{Directories: []ContactScope{one}, Email: " ADA@example.COM"}, []id.ID{13, 11}},
			{ContactQuery{Directories: []ContactScope{two}, Email: "ADA@example.com"}, []id.ID{21}},
			{ContactQuery{Directories: []ContactScope{one, two}, Email: "ada@example.com"}, []id.ID{21, 13, 11}},
			{ContactQuery{Directories: []ContactScope{one}, Email: "ada@example.com", ExtRef: "u3"}, []id.ID{13}},
			{ContactQuery{Directories: []ContactScope{one}, Phone: "09012345678"}, []id.ID{11}}, // no rule to look up by
			{ContactQuery{Directories: []ContactScope{two}, Phone: "+819012345678"}, []id.ID{21}},
			{ContactQuery{Directories: []ContactScope{one}, ExtRef: "nobody"}, nil},
		} {
			for limit := 1; limit <= 5; limit++ {
				rows, _ := all(t, limit, func(p Paging) ([]ContactRow, id.ID, error) { return s.ListContacts(t.Context(), q.f, p) })
				var got []id.ID
				for _, r := range rows {
					got = append(got, r.ID)
				}
				require.Equal(t, q.want, got, "%+v", q.f)
			}
		}
		row, err := s.ContactRow(t.Context(), 11)
		require.NoError(t, err)
		require.Equal(t, ContactRow{ID: 11, Directory: 1, ExtRef: "u1", Email: "Ada@Example.com", Phone: "+81 90-1234-5678", FirstName: "Ada",
			Language: "EN", EmbeddedData: `{"plan":"pro"}`, CreatedAt: 1, UpdatedAt: 2}, row)
	})
}

func TestContactHistory_PagesByChangeAndByTransactionDate(t *testing.T) {
	readStores(t, func(t *testing.T, s *reads) {
		for n := range 5 {
			s.do(`INSERT INTO contact_changes (id, contact, event, at, cause, diff) VALUES (?, 1, ?, 0, 'event', '{}')`, 10+n, 100+n%2)
			s.do(`INSERT INTO transactions (id, event, mapping, contact, list, date, data) VALUES (?, ?, 1, 1, 3, ?, '{}')`, 10+n, n, 1000-n/2)
		}
		s.do(`INSERT INTO contact_changes (id, contact, event, at, cause, diff) VALUES (20, 2, 100, 0, 'edit', '{}')`)
		changes, pages := all(t, 2, func(p Paging) ([]ChangeRow, id.ID, error) { return s.ListContactChanges(t.Context(), 1, p) })
		require.Equal(t, 3, pages)
		require.Len(t, changes, 5)
		require.Equal(t, id.ID(14), changes[0].ID)
		byEvent, err := s.ChangeRows(t.Context(), 100, []id.ID{1})
		require.NoError(t, err)
		require.Len(t, byEvent, 3)

		var got []id.ID
		p := Paging{Limit: 2}
		for {
			rows, next, err := s.ListContactTransactions(t.Context(), 1, p)
			require.NoError(t, err)
			for _, r := range rows {
				got = append(got, r.ID)
			}
			if p.Before = next; next == 0 {
				break
			}
		}
		require.Equal(t, []id.ID{11, 10, 13, 12, 14}, got)
	})
}
