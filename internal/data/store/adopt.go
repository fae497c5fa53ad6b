package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/run"
	"github.com/segue-xm/segue/internal/data/columns"
)

// Up to 0.1.0 each step of each run had a distribution of its own. Adopting one puts
// its invitations into the standing distribution of the step, with what they ask and
// what is next for them; the row stays, so that its id still leads there.

// AdoptDistributions adopts up to limit distributions of single runs, and returns how
// many there were. Safe to call twice, and from several places.
func (s *Store) AdoptDistributions(ctx context.Context, limit int) (adopted int, err error) {
	var alone []id.ID
	if err := s.db.Read(ctx, &alone, `SELECT d.id FROM distributions d JOIN runs r ON r.id = d.run
		WHERE d.workflow IS NULL AND d.standing IS NULL ORDER BY d.id LIMIT ?`, limit); err != nil || len(alone) == 0 {
		return 0, err
	}
	return len(alone), s.inTx(ctx, func(tx *Tx) error {
		for _, d := range alone {
			if err := tx.adopt(ctx, d); err != nil {
				return err
			}
		}
		return nil
	})
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
		FROM distributions d JOIN runs r ON r.id = d.run WHERE d.id = ? AND d.workflow IS NULL AND d.standing IS NULL`, dist)
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
	if err := tx.Select(ctx, &invitations, `SELECT `+columns.Invitation+` FROM invitations WHERE distribution = ?`, dist); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE invitations SET distribution = ?, version = ?, step = ? WHERE distribution = ?`, standing, key, old.Step, dist); err != nil {
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

// adoptNext puts what is next for an invitation into the queue: what follows the last
// message that had its turn.
func (tx *Tx) adoptNext(ctx context.Context, inv distribution.Invitation, s distribution.Settings) error {
	var had []distribution.Kind
	if err := tx.Select(ctx, &had, `SELECT kind FROM messages WHERE invitation = ? AND status <> ?
		UNION SELECT kind FROM message_queue WHERE invitation = ?`, inv.ID, distribution.MessageReserved, inv.ID); err != nil {
		return err
	}
	var last distribution.Kind
	for _, k := range had {
		n, _ := distribution.ReminderOf(k)
		if before, _ := distribution.ReminderOf(last); k == distribution.KindInvitation && last == "" || n > before {
			last = k
		}
	}
	switch {
	case last == "":
		return tx.next(ctx, inv.ID, "", distribution.Then{Kind: distribution.KindInvitation, Due: tx.Now})
	case inv.SentAt == 0: // the account has it, and is still to send it
		return nil
	}
	return tx.next(ctx, inv.ID, "", s.Then(last, inv.Sent(), inv.Sent()))
}
