package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/data/columns"
)

// Up to 0.1.0 each step of each run had a distribution of its own. Adopting one puts
// its invitations into the standing distribution of the step, with what they ask and
// what is next for them; the row stays, so that its id still leads there.

// AdoptDistributions adopts up to limit distributions of single runs, each by itself,
// and returns how many there were; the error joins those of what could not be adopted.
// Safe to call twice, and from several places.
func (s *Store) AdoptDistributions(ctx context.Context, limit int) (adopted int, err error) {
	var alone []id.ID
	if err := s.db.Read(ctx, &alone, `SELECT d.id FROM distributions d JOIN runs r ON r.id = d.run
		WHERE d.workflow IS NULL AND d.standing IS NULL ORDER BY d.id LIMIT ?`, limit); err != nil {
		return 0, err
	}
	var failed []error
	for _, d := range alone {
		if err := s.inTx(ctx, func(tx *Tx) error { return tx.adopt(ctx, d) }); err != nil {
			failed = append(failed, fmt.Errorf("adopt distribution %s: %w", d, err))
			continue
		}
		adopted++
	}
	return adopted, errors.Join(failed...)
}

// adopt adopts one distribution, unless it is a standing one, was adopted before, or
// its run is not there any more.
func (tx *Tx) adopt(ctx context.Context, dist id.ID) error {
	var old struct {
		Run      id.ID
		Step     run.Path
		Workflow id.ID
		Version  int64
		Status   distribution.State
		distribution.Asked
	}
	err := tx.Get(ctx, &old, `SELECT d.run, d.step, r.workflow, r.version, d.status, d.directory, coalesce(d.destination, 0) AS destination, d.survey, d.channel, d.settings
		FROM distributions d JOIN runs r ON r.id = d.run WHERE d.id = ? AND d.workflow IS NULL AND d.standing IS NULL {lock}`, dist)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	n := distribution.New{Workflow: old.Workflow, Version: old.Version, Run: old.Run, Step: old.Step, Asked: old.Asked}
	standing, err := tx.standing(ctx, n)
	if err != nil {
		return err
	}
	key, err := tx.version(ctx, standing, n)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE distributions SET standing = ? WHERE id = ?`, standing, dist); err != nil {
		return err
	}
	var invitations []distribution.Invitation
	if err := tx.Select(ctx, &invitations, `SELECT `+columns.Invitation+` FROM invitations WHERE distribution = ? {lock}`, dist); err != nil {
		return err
	}
	// A step that was run by both versions may have invited twice: then the newer has
	// the step. What waits to be sent has all its time still before it.
	if _, err := tx.Exec(ctx, `UPDATE invitations SET distribution = ?, version = ?, expires_at = CASE WHEN sent_at IS NULL THEN NULL ELSE expires_at END,
		step = CASE WHEN EXISTS (SELECT 1 FROM invitations o WHERE o.run = ? AND o.step = ?) THEN NULL ELSE CAST(? AS text) END WHERE distribution = ?`,
		standing, key, old.Run, old.Step, old.Step, dist); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE distribution_queue SET distribution = ? WHERE distribution = ?`, standing, dist); err != nil {
		return err
	}
	settings, err := distribution.ReadStored(old.Settings)
	if err != nil {
		return err
	}
	for _, inv := range invitations {
		if old.Status.Ended() || inv.Status.Over() {
			continue
		}
		if err := tx.adoptNext(ctx, inv, settings.Settings); err != nil {
			return err
		}
	}
	return nil
}

// underWay is how long a message that was reserved when its distribution was adopted
// may still be on its way from a process of the version before.
const underWay = 2 * time.Minute

// adoptNext puts what is next for an invitation into the queue: the message that is
// being sent, else what follows the last that had its turn.
func (tx *Tx) adoptNext(ctx context.Context, inv distribution.Invitation, s distribution.Settings) error {
	var had []struct {
		Kind   distribution.Kind
		Status distribution.MessageStatus
	}
	if err := tx.Select(ctx, &had, `SELECT kind, status FROM messages WHERE invitation = ?
		UNION ALL SELECT kind, ? FROM message_queue WHERE invitation = ? AND kind <> ?`, inv.ID, distribution.MessageReserved, inv.ID, distribution.KindProgress); err != nil {
		return err
	}
	var last distribution.Kind
	going := map[distribution.Kind]bool{}
	for _, m := range had {
		n, _ := distribution.ReminderOf(m.Kind)
		if before, _ := distribution.ReminderOf(last); last == "" || n > before {
			last = m.Kind
		}
		going[m.Kind] = going[m.Kind] || m.Status == distribution.MessageReserved
	}
	switch {
	case last == "":
		return tx.next(ctx, inv.ID, "", distribution.Then{Kind: distribution.KindInvitation, Due: tx.Now})
	case going[last]:
		return tx.next(ctx, inv.ID, "", distribution.Then{Kind: last, Due: tx.Now.Add(underWay)})
	}
	return tx.next(ctx, inv.ID, "", s.Then(last, inv.Sent(), inv.Sent()))
}
