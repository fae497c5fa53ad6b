package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/db"
)

// Named is one name of the plan with its id.
type Named struct {
	ID   id.ID     `db:"id"`
	Kind plan.Kind `db:"kind"`
	Name string    `db:"name"`
}

// Sealer encrypts secrets at rest. Open fails for what no known key sealed.
type Sealer interface {
	Seal(plain []byte) ([]byte, error)
	Open(sealed []byte) ([]byte, error)
}

// Revision is one saved plan.
type Revision struct {
	ID        int64 `db:"id"`
	CreatedAt int64 `db:"created_at"`
	Author    string
	Plan      *plan.Plan `db:"-"`
}

// CurrentRevision is the number of the newest revision; 0 when there is none.
func (s *Store) CurrentRevision(ctx context.Context) (rev int64, err error) {
	return rev, s.db.ReadOne(ctx, &rev, `SELECT coalesce(max(id), 0) FROM revisions`)
}

// RevisionPlan is the plan of a revision. A revision never changes.
func (s *Store) RevisionPlan(ctx context.Context, rev int64) (*plan.Plan, error) {
	var b []byte
	if err := s.db.ReadOne(ctx, &b, `SELECT plan FROM revisions WHERE id = ?`, rev); err != nil {
		return nil, err
	}
	return plan.Decode(b)
}

// Names is what all names of a kind are called, by id.
func (s *Store) Names(ctx context.Context, kind plan.Kind) (map[id.ID]string, error) {
	var rows []Named
	if err := s.db.Read(ctx, &rows, `SELECT id, kind, name FROM names WHERE kind = ?`, kind); err != nil {
		return nil, err
	}
	m := make(map[id.ID]string, len(rows))
	for _, r := range rows {
		m[r.ID] = r.Name
	}
	return m, nil
}

// NameIDs is the id of every named thing, by kind and name.
func (s *Store) NameIDs(ctx context.Context) (map[plan.Name]id.ID, error) {
	var rows []Named
	if err := s.db.Read(ctx, &rows, `SELECT id, kind, name FROM names`); err != nil {
		return nil, err
	}
	m := make(map[plan.Name]id.ID, len(rows))
	for _, r := range rows {
		m[plan.Name{Kind: r.Kind, Name: r.Name}] = r.ID
	}
	return m, nil
}

// NameID resolves a name, or an id's text, of a kind; unknown is NotFound.
func (s *Store) NameID(ctx context.Context, kind plan.Kind, nameOrID string) (id.ID, error) {
	var v id.ID
	err := s.db.ReadOne(ctx, &v, `SELECT id FROM names WHERE kind = ? AND name = ?`, kind, nameOrID)
	if fault.KindOf(err) != fault.NotFound {
		return v, err
	}
	if asID, bad := id.Parse(nameOrID); bad == nil {
		if err = s.db.ReadOne(ctx, &v, `SELECT id FROM names WHERE kind = ? AND id = ?`, kind, asID); err == nil {
			return v, nil
		}
	}
	return 0, fault.New(fault.NotFound, "no %s is called %q", strings.ReplaceAll(string(kind), "_", " "), nameOrID)
}

// Secrets opens every stored secret.
func (s *Store) Secrets(ctx context.Context, sealer Sealer) (map[string]string, error) {
	var rows []struct {
		Name   string
		Sealed []byte
	}
	if err := s.db.Read(ctx, &rows, `SELECT name, sealed FROM secrets`); err != nil {
		return nil, err
	}
	m := make(map[string]string, len(rows))
	for _, r := range rows {
		b, err := sealer.Open(r.Sealed)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err, "open the secret %s: was encryption-key changed?", r.Name)
		}
		m[r.Name] = string(b)
	}
	return m, nil
}

// SecretNames are the names of the secrets that are kept.
func (s *Store) SecretNames(ctx context.Context) (map[string]bool, error) {
	var rows []string
	if err := s.db.Read(ctx, &rows, `SELECT name FROM secrets`); err != nil {
		return nil, err
	}
	m := make(map[string]bool, len(rows))
	for _, name := range rows {
		m[name] = true
	}
	return m, nil
}

// SavePlan makes p the newest revision, in one transaction: new names get ids,
// changed workflows a new version, secrets are sealed, changed merge rules are
// filled in before they decide. Directories that p no longer has but that hold
// contacts are a Conflict. Saving the plan that is current already makes no
// revision and returns the current one.
func (s *Store) SavePlan(ctx context.Context, sealer Sealer, p *plan.Plan, secrets map[string]string, author string) (rev int64, err error) {
	body := plan.Encode(p)
	err = s.inTx(ctx, func(tx *Tx) error {
		if err := tx.Alone(ctx, planLock); err != nil {
			return err
		}
		var current struct {
			ID   int64
			Plan []byte
		}
		err := tx.Get(ctx, &current, `SELECT id, plan FROM revisions ORDER BY id DESC LIMIT 1`)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		for name, value := range secrets {
			sealed, err := sealer.Seal([]byte(value))
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO secrets (name, sealed) VALUES (?, ?)
				ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed`, name, sealed); err != nil {
				return err
			}
		}
		if current.ID > 0 && string(current.Plan) == string(body) {
			rev = current.ID
			if len(secrets) == 0 {
				return nil
			}
			// The plan's text is the same but a secret may not be: whoever holds the
			// old one must notice, and notices revisions.
		}
		if err := tx.dropDirectories(ctx, current.Plan, p); err != nil {
			return err
		}
		if err := tx.giveNames(ctx, p); err != nil {
			return err
		}
		if err := tx.giveVersions(ctx, sealer, p); err != nil {
			return err
		}
		if err := tx.setRules(ctx, p); err != nil {
			return err
		}
		rev = current.ID + 1
		_, err = tx.Exec(ctx, `INSERT INTO revisions (id, created_at, author, plan) VALUES (?, ?, ?, ?)`,
			rev, tx.Now.UnixMilli(), author, body)
		return err
	})
	return rev, err
}

// planLock keeps two saves apart.
const planLock = 7312

func (tx *Tx) dropDirectories(ctx context.Context, before []byte, p *plan.Plan) error {
	if before == nil {
		return nil
	}
	old, err := plan.Decode(before)
	if err != nil {
		return err
	}
	for _, d := range old.Directories {
		if slices.ContainsFunc(p.Directories, func(n plan.Directory) bool { return n.Name == d.Name }) {
			continue
		}
		var n int
		if err := tx.Get(ctx, &n, `SELECT count(*) FROM (SELECT 1 FROM contacts WHERE directory =
			(SELECT id FROM names WHERE kind = ? AND name = ?) LIMIT 1) AS held`, plan.KindDirectory, d.Name); err != nil {
			return err
		}
		if n > 0 {
			return fault.New(fault.Conflict, "directory %q has contacts and cannot be left out of the plan", d.Name)
		}
	}
	return nil
}

var namesTable = db.NewTable("names", "id bigint, kind text, name text")

// giveNames makes sure that everything the plan names has an id.
func (tx *Tx) giveNames(ctx context.Context, p *plan.Plan) error {
	var rows [][]any
	add := func(kind plan.Kind, name string) { rows = append(rows, []any{tx.s.db.Next(), string(kind), name}) }
	for _, v := range p.Sources {
		add(plan.KindSource, v.Name)
	}
	for _, v := range p.Directories {
		add(plan.KindDirectory, v.Name)
		for _, l := range v.MailingLists {
			add(plan.KindList, v.Name+"/"+l)
		}
	}
	for _, v := range p.Destinations {
		add(plan.KindDestination, v.Name)
	}
	for _, v := range p.Mappings {
		add(plan.KindMapping, v.Name)
	}
	for _, v := range p.Workflows {
		add(plan.KindWorkflow, v.Name)
		add(plan.KindSource, routing.URLSource(v.Name))
		add(plan.KindMapping, routing.URLSource(v.Name))
	}
	_, err := tx.Insert(ctx, namesTable, rows, "ON CONFLICT (kind, name) DO NOTHING")
	return err
}

// giveVersions stores a workflow's definition as a new version when it differs
// from the newest one, and makes a URL for a workflow that has none.
func (tx *Tx) giveVersions(ctx context.Context, sealer Sealer, p *plan.Plan) error {
	for _, w := range p.Workflows {
		var workflow id.ID
		if err := tx.Get(ctx, &workflow, `SELECT id FROM names WHERE kind = ? AND name = ?`, plan.KindWorkflow, w.Name); err != nil {
			return err
		}
		body, err := definition(w)
		if err != nil {
			return err
		}
		var last struct {
			Version    int64
			Definition []byte
		}
		err = tx.Get(ctx, &last, `SELECT version, definition FROM workflow_versions WHERE workflow = ? ORDER BY version DESC LIMIT 1`, workflow)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if string(last.Definition) != string(body) {
			if _, err := tx.Exec(ctx, `INSERT INTO workflow_versions (workflow, version, created_at, definition) VALUES (?, ?, ?, ?)`,
				workflow, last.Version+1, tx.Now.UnixMilli(), body); err != nil {
				return err
			}
		}
		if err := tx.giveURL(ctx, sealer, workflow); err != nil {
			return err
		}
	}
	return nil
}

// definition is a workflow as a version keeps it. Whether it is on is not part of
// what a run does.
func definition(w plan.Workflow) ([]byte, error) {
	w.Enabled = nil
	return json.Marshal(w)
}

// VersionOf is the newest version of a workflow with this very definition.
func (s *Store) VersionOf(ctx context.Context, workflow id.ID, w plan.Workflow) (version int64, err error) {
	body, err := definition(w)
	if err != nil {
		return 0, err
	}
	return version, s.db.ReadOne(ctx, &version, `SELECT version FROM workflow_versions WHERE workflow = ? AND definition = ? ORDER BY version DESC LIMIT 1`, workflow, body)
}

func (tx *Tx) giveURL(ctx context.Context, sealer Sealer, workflow id.ID) error {
	var n int
	if err := tx.Get(ctx, &n, `SELECT count(*) FROM workflow_urls WHERE workflow = ?`, workflow); err != nil || n > 0 {
		return err
	}
	token := NewToken()
	sealed, err := sealer.Seal([]byte(token))
	if err != nil {
		return err
	}
	hash := sha256.Sum256([]byte(token))
	_, err = tx.Exec(ctx, `INSERT INTO workflow_urls (token, workflow, sealed, created_at) VALUES (?, ?, ?, ?)`,
		hash[:], workflow, sealed, tx.Now.UnixMilli())
	return err
}

// NewToken is a new unguessable text of 26 letters and digits (128 bits).
func NewToken() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // never fails (Go 1.24)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// WorkflowVersion is one stored definition.
func (s *Store) WorkflowVersion(ctx context.Context, workflow id.ID, version int64) (plan.Workflow, error) {
	var b []byte
	if err := s.db.ReadOne(ctx, &b, `SELECT definition FROM workflow_versions WHERE workflow = ? AND version = ?`, workflow, version); err != nil {
		return plan.Workflow{}, err
	}
	var w plan.Workflow
	return w, json.Unmarshal(b, &w)
}

// WorkflowTokens are the tokens of a workflow's URLs, newest first.
func (s *Store) WorkflowTokens(ctx context.Context, sealer Sealer, workflow id.ID) ([]string, error) {
	var rows [][]byte
	if err := s.db.Read(ctx, &rows, `SELECT sealed FROM workflow_urls WHERE workflow = ? ORDER BY created_at DESC`, workflow); err != nil {
		return nil, err
	}
	tokens := make([]string, len(rows))
	for i, r := range rows {
		b, err := sealer.Open(r)
		if err != nil {
			return nil, err
		}
		tokens[i] = string(b)
	}
	return tokens, nil
}

// Setting reads a setting that the program keeps for itself; missing is "".
func (s *Store) Setting(ctx context.Context, name string) (value string, err error) {
	err = s.db.ReadOne(ctx, &value, `SELECT value FROM settings WHERE name = ?`, name)
	if fault.KindOf(err) == fault.NotFound {
		err = nil
	}
	return value, err
}

// SetSetting keeps a setting.
func (s *Store) SetSetting(ctx context.Context, name, value string) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO settings (name, value) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
		return err
	})
}
