// Package courier takes to remote accounts what waits for them: deliveries of
// mappings, and the messages of distributions that an account sends.
//
//	c := &courier.Courier{Store: s, Revisions: r, Accounts: a, Answered: tell, Now: time.Now}
//	drained, err := c.Deliver(ctx, revision, destination)
//
// It works in rounds. In a round each action of an account has a stream of its own,
// so that one whose limit is used up does not keep the others waiting; within a
// stream, what is about one person goes one after the other. An attempt is counted
// before it is made, so that what may have taken effect is looked for before it is
// repeated. What an account refuses for a while is held, and what a round has learnt
// (the account's pace, holds, trouble) is kept for the next one, on whatever worker
// that is.
//
// How an account is called, and how it is looked whether something has taken effect,
// is the account's: see Account. When the next round is, is the caller's.
package courier

import (
	"context"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/routing"
)

// Courier delivers to remote accounts. Safe for concurrent use; one destination's
// rounds come one after the other.
type Courier struct {
	Store     Store
	Revisions Revisions
	Accounts  Accounts
	// Answered tells a run that an invitation was answered.
	Answered func(ctx context.Context, run id.ID) error
	Now      func() time.Time
}

// Accounts opens the accounts behind remote destinations.
type Accounts interface {
	// Open gives a destination's account, whose limits go on where pace, an earlier
	// Account's Pace, left off. It calls nobody; an error names what the plan lacks.
	Open(ctx context.Context, d *routing.Destination, pace string) (Account, error)
}

// Account is a remote account. Safe for concurrent use.
type Account interface {
	// Deliver makes one attempt, within the account's limits: it waits for its turn
	// when that is soon.
	Deliver(ctx context.Context, a delivery.Attempt) delivery.Outcome
	// Send has the account send one message of an invitation; the Remote is what was
	// learnt of it, beside an error too.
	Send(ctx context.Context, m distribution.Outgoing) (distribution.Remote, delivery.Outcome)
	// Progress looks at what became of an invitation.
	Progress(ctx context.Context, known distribution.Remote) (distribution.Progress, delivery.Outcome)
	// Refused asks whether the account takes our credentials at all, which one call
	// that was refused does not say yet.
	Refused(ctx context.Context) bool
	// Links are how a message names a person's own addresses.
	Links() (survey, optOut string)
	// Pace is what is known of the account's limits, as text for Open.
	Pace() string
}

// Revisions gives compiled plans.
type Revisions interface {
	// Revision is one revision, pinned.
	Revision(ctx context.Context, revision int64) (*routing.Table, error)
	// Current is the newest one: for what is live.
	Current(ctx context.Context) (*routing.Table, error)
}

// Store is what the courier needs of the database.
type Store interface {
	Rounds
	Deliveries
	Messages
	Invitations
}

// Rounds is what is known of destinations from round to round.
type Rounds interface {
	DueActions(ctx context.Context, destination id.ID) ([]delivery.Due, error)
	Holds(ctx context.Context, revision int64) (delivery.Holds, error)
	Pauses(ctx context.Context) ([]delivery.Pause, error)
	Pace(ctx context.Context, destination id.ID) (string, error)
	EndRound(ctx context.Context, r delivery.Round) error
}

// Deliveries is where deliveries to remote accounts wait.
type Deliveries interface {
	RemoteDue(ctx context.Context, destination id.ID, action string, limit int) ([]delivery.Remote, error)
	BeginAttempt(ctx context.Context, r delivery.Ref, attempts int) (ours bool, err error)
	MarkDeliveries(ctx context.Context, marks []delivery.Mark) error
}

// Messages is where messages wait that a remote account is to send, and looks at what
// became of them.
type Messages interface {
	QueueMessages(ctx context.Context, destination id.ID, kind distribution.Kind, invitations []id.ID, due time.Time) error
	MessagesDue(ctx context.Context, destination id.ID, action string, limit int) ([]distribution.QueuedMessage, error)
	BeginMessage(ctx context.Context, invitation id.ID, kind distribution.Kind, tries int) (ours bool, err error)
	AccountSent(ctx context.Context, destination id.ID, m distribution.MessageState, firstLook time.Time) error
	MessageFailed(ctx context.Context, invitation id.ID, kind distribution.Kind, reason string, final bool) error
	EndMessage(ctx context.Context, m distribution.MessageState) error
}

// Invitations is whom messages go to, and what became of them.
type Invitations interface {
	AskedOf(ctx context.Context, invitation id.ID) (distribution.Asked, error)
	InvitationByID(ctx context.Context, invitation id.ID) (distribution.Invitation, error)
	Reserve(ctx context.Context, invitation id.ID, kind distribution.Kind, rule distribution.Rule) (distribution.Reservation, error)
	EndInvitation(ctx context.Context, invitation id.ID, status distribution.Status, reason string) error
	LinkOpened(ctx context.Context, invitation id.ID) error
	RecordAnswer(ctx context.Context, a distribution.Answer) (distribution.Invitation, bool, error)
}
