package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/data/columns"
	"github.com/segue-xm/segue/internal/data/db"
)

// Invite makes an invitation, due now, in the standing distribution of its
// workflow's step, which is made when it is the first. One per run and step: a second
// call returns the first's ids.
func (s *Store) Invite(ctx context.Context, n distribution.New) (dist, invitation id.ID, err error) {
	var random [16]byte
	rand.Read(random[:]) //nolint:errcheck // never fails (Go 1.24)
	token := distribution.Token(random)
	err = s.inTx(ctx, func(tx *Tx) error {
		var first struct{ ID, Distribution id.ID }
		err := tx.Get(ctx, &first, `SELECT i.id, i.distribution FROM invitations i JOIN distributions d ON d.id = i.distribution
			WHERE i.run = ? AND coalesce(i.step, d.step) = ?`, n.Run, n.Step)
		if err == nil {
			dist, invitation = first.Distribution, first.ID
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if dist, err = tx.standing(ctx, n); err != nil {
			return err
		}
		key, err := tx.version(ctx, dist, n)
		if err != nil {
			return err
		}
		invitation = tx.s.db.Next()
		now := tx.Now.UnixMilli()
		if _, err := tx.Exec(ctx, `INSERT INTO invitations (id, distribution, version, run, step, contact, token, status, snapshot, created_at, opens)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`, invitation, dist, key, n.Run, n.Step, n.Contact, token, distribution.Pending, n.Snapshot, now); err != nil {
			return err
		}
		return tx.next(ctx, invitation, "", distribution.Then{Kind: distribution.KindInvitation, Due: tx.Now})
	})
	return dist, invitation, err
}

// standing is the distribution of a workflow's step.
func (tx *Tx) standing(ctx context.Context, n distribution.New) (dist id.ID, err error) {
	find := func() error {
		return tx.Get(ctx, &dist, `SELECT id FROM distributions WHERE run = ? AND step = ?`, n.Workflow, n.Step.Step())
	}
	if err = find(); !errors.Is(err, sql.ErrNoRows) {
		return dist, err
	}
	if _, err = tx.Exec(ctx, `INSERT INTO distributions (id, workflow, run, step, directory, destination, survey, channel, status, settings, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, step) DO NOTHING`, tx.s.db.Next(), n.Workflow, n.Workflow, n.Step.Step(), n.Directory,
		db.NullID(n.Destination), n.Survey, n.Channel, distribution.StateStanding, n.Settings, tx.Now.UnixMilli()); err != nil {
		return 0, err
	}
	return dist, find()
}

// version keeps what is asked, once for all invitations that ask it, and returns its
// key. What the newest version of the workflow asks is what the distribution is shown
// with.
func (tx *Tx) version(ctx context.Context, dist id.ID, n distribution.New) (key []byte, err error) {
	key = n.VersionKey(dist)
	made, err := tx.Exec(ctx, `INSERT INTO distribution_versions (key, distribution, version, directory, destination, survey, channel, settings)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		key, dist, n.Version, n.Directory, db.NullID(n.Destination), n.Survey, n.Channel, n.Settings)
	if err != nil || made == 0 {
		return key, err
	}
	_, err = tx.Exec(ctx, `UPDATE distributions SET directory = ?, destination = ?, survey = ?, channel = ?, settings = ?
		WHERE id = ? AND NOT EXISTS (SELECT 1 FROM distribution_versions WHERE distribution = ? AND version > ?)`,
		n.Directory, db.NullID(n.Destination), n.Survey, n.Channel, n.Settings, dist, dist, n.Version)
	return key, err
}

// next puts what follows into the queue once a kind had its turn; "" is before the
// first. When another kind stands there, the turn was recorded before.
func (tx *Tx) next(ctx context.Context, invitation id.ID, done distribution.Kind, next distribution.Then) error {
	if next.Kind == "" {
		_, err := tx.Exec(ctx, `DELETE FROM distribution_queue WHERE invitation = ? AND kind = ?`, invitation, done)
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO distribution_queue (invitation, distribution, kind, due_at, tries)
		SELECT id, distribution, CAST(? AS text), CAST(? AS bigint), 0 FROM invitations WHERE id = ?
		ON CONFLICT (invitation) DO UPDATE SET kind = excluded.kind, due_at = excluded.due_at,
			tries = CASE WHEN excluded.kind = distribution_queue.kind THEN distribution_queue.tries + 1 ELSE 0 END
		WHERE distribution_queue.kind = ?`, next.Kind, next.Due.UnixMilli(), invitation, done)
	return err
}

// nothingNext takes an invitation out of the queue.
func (tx *Tx) nothingNext(ctx context.Context, invitation id.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM distribution_queue WHERE invitation = ?`, invitation)
	return err
}

// Next puts what follows into the queue once a kind had its turn without anything
// else to record. With the kind itself it is tried again then. Safe to call twice.
func (s *Store) Next(ctx context.Context, invitation id.ID, done distribution.Kind, next distribution.Then) error {
	return s.inTx(ctx, func(tx *Tx) error { return tx.next(ctx, invitation, done, next) })
}

// forwardedFor is how long a message that an account is to send stays out of its
// distribution's sight. When it was sent, or is not to be, what follows is put into
// the queue at once; this is for what was lost on the way.
const forwardedFor = 6 * time.Hour

// Forward hands a message to the account that sends it; one that has had its turn
// there is followed by next. Safe to call twice.
func (s *Store) Forward(ctx context.Context, destination, invitation id.ID, kind distribution.Kind, next distribution.Then) error {
	return s.inTx(ctx, func(tx *Tx) error {
		var over int
		if err := tx.Get(ctx, &over, `SELECT count(*) FROM messages WHERE invitation = ? AND kind = ? AND status <> ?`, invitation, kind, distribution.MessageReserved); err != nil {
			return err
		}
		if over > 0 {
			return tx.next(ctx, invitation, kind, next)
		}
		row := []any{destination, invitation, string(kind), tx.Now.UnixMilli(), 0, false}
		if _, err := tx.Insert(ctx, messageQueueTable, [][]any{row}, "ON CONFLICT DO NOTHING"); err != nil {
			return err
		}
		return tx.next(ctx, invitation, kind, distribution.Then{Kind: kind, Due: tx.Now.Add(forwardedFor)})
	})
}

// DueInvitations reads up to limit invitations of a distribution for which something
// is due, the longest waiting first.
func (s *Store) DueInvitations(ctx context.Context, dist id.ID, limit int) (rows []distribution.Due, err error) {
	return rows, s.db.Read(ctx, &rows, `SELECT q.invitation, q.kind, q.tries, i.status, coalesce(i.sent_at, 0) AS sent_at, i.version
		FROM (SELECT invitation, kind, tries, due_at FROM distribution_queue WHERE distribution = ? AND due_at <= ? ORDER BY due_at LIMIT ?) q
		JOIN invitations i ON i.id = q.invitation ORDER BY q.due_at, q.invitation`, dist, s.db.Now().UnixMilli(), limit)
}

// AskedOf is what an invitation asks and says.
func (s *Store) AskedOf(ctx context.Context, invitation id.ID) (a distribution.Asked, err error) {
	return a, s.db.ReadOne(ctx, &a, `SELECT coalesce(v.directory, d.directory) AS directory,
		coalesce(CASE WHEN v.key IS NULL THEN d.destination ELSE v.destination END, 0) AS destination,
		coalesce(v.survey, d.survey) AS survey, coalesce(v.channel, d.channel) AS channel, coalesce(v.settings, d.settings) AS settings
		FROM invitations i JOIN distributions d ON d.id = i.distribution LEFT JOIN distribution_versions v ON v.key = i.version WHERE i.id = ?`, invitation)
}

// A distribution is awake while its workflow is about to look, or looking, at what is
// due; then nobody needs to tell it of more. Being awake is a lease, so that a
// distribution whose workflow was lost is woken by a sweeper.

// ClaimDistribution reports whether the caller is to wake a distribution for what it
// has put into the queue before: it is asleep, and nobody else has claimed it.
func (s *Store) ClaimDistribution(ctx context.Context, dist id.ID, lease time.Duration) (ours bool, err error) {
	var until int64
	if err := s.db.ReadOne(ctx, &until, `SELECT awake_until FROM distributions WHERE id = ?`, dist); err != nil || until > s.db.Now().UnixMilli() {
		return false, err
	}
	err = s.inTx(ctx, func(tx *Tx) error {
		now := tx.Now.UnixMilli()
		n, err := tx.Exec(ctx, `UPDATE distributions SET awake_until = ? WHERE id = ? AND awake_until <= ?`, tx.Now.Add(lease).UnixMilli(), dist, now)
		ours = n > 0
		return err
	})
	return ours, err
}

// ClaimDistributions claims the distributions that are asleep though something is due.
func (s *Store) ClaimDistributions(ctx context.Context, lease time.Duration) (claimed []id.ID, err error) {
	const overdue = `SELECT id FROM distributions d WHERE workflow IS NOT NULL AND awake_until <= ?
		AND EXISTS (SELECT 1 FROM distribution_queue q WHERE q.distribution = d.id AND q.due_at <= ?)`
	var some []id.ID
	now := s.db.Now().UnixMilli()
	if err := s.db.Read(ctx, &some, overdue, now, now); err != nil || len(some) == 0 {
		return nil, err
	}
	err = s.inTx(ctx, func(tx *Tx) error {
		now := tx.Now.UnixMilli()
		claimed = nil // of a try before
		return tx.Select(ctx, &claimed, `UPDATE distributions SET awake_until = ? WHERE awake_until <= ? AND id IN (`+overdue+`) RETURNING id`,
			tx.Now.Add(lease).UnixMilli(), now, now, now)
	})
	return claimed, err
}

// StayAwake renews a distribution's lease.
func (s *Store) StayAwake(ctx context.Context, dist id.ID, lease time.Duration) error {
	return s.inTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE distributions SET awake_until = ? WHERE id = ?`, tx.Now.Add(lease).UnixMilli(), dist)
		return err
	})
}

// Rest says that a distribution's workflow looks away, and returns when something is
// due next, the zero time when nothing waits. It looks after it has said so: what
// came in between is seen here, or its writer sees that nobody is awake.
func (s *Store) Rest(ctx context.Context, dist id.ID) (next time.Time, err error) {
	if err := s.StayAwake(ctx, dist, 0); err != nil {
		return time.Time{}, err
	}
	var due sql.NullInt64
	if err := s.db.ReadOne(ctx, &due, `SELECT min(due_at) FROM distribution_queue WHERE distribution = ?`, dist); err != nil || !due.Valid {
		return time.Time{}, err
	}
	return db.Instant(due.Int64), nil
}

// BeginDistribution reads a distribution whose workflow begins, and marks its
// hand-over as done. One of a single run is put into its step's standing one first.
// Safe to call twice.
func (s *Store) BeginDistribution(ctx context.Context, dist id.ID) (d distribution.Distribution, err error) {
	err = s.inTx(ctx, func(tx *Tx) error {
		if err := tx.handedOver(ctx, handover.KindDistribution, dist); err != nil {
			return err
		}
		if err := tx.adopt(ctx, dist); err != nil {
			return err
		}
		return tx.Get(ctx, &d, `SELECT `+columns.Distribution+` FROM distributions WHERE id = ?`, dist)
	})
	return d, err
}
