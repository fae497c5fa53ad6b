package console

import (
	"context"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/ops"
)

// Operations is what the pages ask for, nothing more. Lists are newest first.
// Errors are faults: NotFound becomes the not-found page, Unavailable a page that
// says what is away. All methods are called from many requests at once.
type Operations struct {
	Events        Events
	Contacts      Contacts
	Runs          Runs
	Jobs          Jobs
	Replays       Replays
	Distributions Distributions
	Invitations   Invitations
	Outbox        Outbox
	Sources       Sources
	Destinations  Destinations
	Installation  Installation
	Finder        Finder
}

// Of are the pages' operations of all.
func Of(all *ops.Operations) Operations {
	return Operations{
		Events: all.Events, Contacts: all.Contacts, Runs: all.Runs, Jobs: all.Jobs, Replays: all.Replays, Distributions: all.Distributions, Invitations: all.Invitations, Outbox: all.Outbox,
		Sources: all.Sources, Destinations: all.Destinations, Installation: all.Installation, Finder: all.Finder,
	}
}

// Events are ops.Events.
type Events interface {
	List(ctx context.Context, f ops.EventFilter, p ops.Paging) (ops.Page[ops.Event], error)
	Why(ctx context.Context, event id.ID) (ops.Why, error)
}

// Contacts are ops.Contacts.
type Contacts interface {
	List(ctx context.Context, f ops.ContactFilter, p ops.Paging) (ops.Page[ops.Contact], error)
	Get(ctx context.Context, contact id.ID) (ops.Contact, error)
	Changes(ctx context.Context, contact id.ID, p ops.Paging) (ops.Page[ops.Change], error)
	Transactions(ctx context.Context, contact id.ID, p ops.Paging) (ops.Page[ops.Transaction], error)
}

// Runs are ops.Runs.
type Runs interface {
	List(ctx context.Context, f ops.RunFilter, p ops.Paging) (ops.Page[ops.Run], error)
	Get(ctx context.Context, run id.ID) (ops.Run, error)
}

// Jobs are ops.Jobs.
type Jobs interface {
	List(ctx context.Context, f ops.JobFilter, p ops.Paging) (ops.Page[ops.Job], error)
	Get(ctx context.Context, job id.ID) (ops.Job, error)
	Items(ctx context.Context, job id.ID, f ops.JobItemFilter, p ops.Paging) (ops.Page[ops.JobItem], error)
	Pause(ctx context.Context, job id.ID) (ops.Job, error)
	Resume(ctx context.Context, job id.ID) (ops.Job, error)
	Cancel(ctx context.Context, job id.ID) (ops.Job, error)
}

// Replays are ops.Replays.
type Replays interface {
	Process(ctx context.Context, event id.ID, in ops.ProcessInput, by string) (ops.Job, error)
}

// Distributions are ops.Distributions.
type Distributions interface {
	List(ctx context.Context, f ops.DistributionFilter, p ops.Paging) (ops.Page[ops.Distribution], error)
	Get(ctx context.Context, distribution id.ID) (ops.Distribution, error)
}

// Invitations are ops.Invitations.
type Invitations interface {
	List(ctx context.Context, f ops.InvitationFilter, p ops.Paging) (ops.Page[ops.Invitation], error)
}

// Outbox is ops.Outbox.
type Outbox interface {
	List(ctx context.Context, p ops.Paging) (ops.Page[ops.Mail], error)
	Get(ctx context.Context, mail id.ID) (ops.Mail, error)
}

// Sources are ops.Sources.
type Sources interface {
	List(ctx context.Context) (ops.SourceList, error)
}

// Destinations are ops.Destinations. TestConnection and RemoteDirectories ask a
// remote account, which may take long.
type Destinations interface {
	List(ctx context.Context) (ops.DestinationList, error)
	Get(ctx context.Context, nameOrID string) (ops.Destination, error)
	TestConnection(ctx context.Context, nameOrID string, in ops.ConnectionInput) (ops.Connection, error)
	RemoteDirectories(ctx context.Context, nameOrID string) (ops.RemoteDirectoryList, error)
	Pause(ctx context.Context, nameOrID string, in ops.PauseInput, by string) (ops.Destination, error)
	Resume(ctx context.Context, nameOrID string) (ops.Destination, error)
}

// Installation is ops.Installation.
type Installation interface {
	Overview(ctx context.Context) (ops.Overview, error)
}

// Finder is ops.Finder.
type Finder interface {
	// Find returns the path of the page about whatever the text names: an id, a
	// message id, an address, a phone number. NotFound when it names nothing.
	Find(ctx context.Context, text string) (path string, err error)
}
