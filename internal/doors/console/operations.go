package console

import (
	"context"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/doors/api"
)

// Operations is what the pages ask for, nothing more. Lists are newest first.
// Errors are faults: NotFound becomes the not-found page, Unavailable a page that
// says what is away. All methods are called from many requests at once.
type Operations interface {
	Overview(ctx context.Context) (api.Overview, error)
	Events(ctx context.Context, f api.EventFilter, p api.Paging) (api.Page[api.Event], error)
	Why(ctx context.Context, event id.ID) (api.Why, error)
	Contacts(ctx context.Context, f api.ContactFilter, p api.Paging) (api.Page[api.Contact], error)
	Contact(ctx context.Context, contact id.ID) (api.Contact, error)
	Changes(ctx context.Context, contact id.ID, p api.Paging) (api.Page[api.Change], error)
	Transactions(ctx context.Context, contact id.ID, p api.Paging) (api.Page[api.Transaction], error)
	Runs(ctx context.Context, f api.RunFilter, p api.Paging) (api.Page[api.Run], error)
	Run(ctx context.Context, run id.ID) (api.Run, error)
	// Distributions lists those of one run, or all when run is empty.
	Distributions(ctx context.Context, run string, p api.Paging) (api.Page[api.Distribution], error)
	Distribution(ctx context.Context, distribution id.ID) (api.Distribution, error)
	Invitations(ctx context.Context, f api.InvitationFilter, p api.Paging) (api.Page[api.Invitation], error)
	Outbox(ctx context.Context, p api.Paging) (api.Page[api.Mail], error)
	Mail(ctx context.Context, mail id.ID) (api.Mail, error)
	Sources(ctx context.Context) (api.SourceList, error)
	Destinations(ctx context.Context) (api.DestinationList, error)
	Destination(ctx context.Context, nameOrID string) (api.Destination, error)
	// TestConnection and RemoteDirectories ask a remote account, which may take long.
	TestConnection(ctx context.Context, nameOrID string, in api.ConnectionInput) (api.Connection, error)
	RemoteDirectories(ctx context.Context, nameOrID string) (api.RemoteDirectoryList, error)
	Pause(ctx context.Context, nameOrID string, in api.PauseInput, by string) (api.Destination, error)
	Resume(ctx context.Context, nameOrID string) (api.Destination, error)
	// Find returns the path of the page about whatever the text names: an id, a
	// message id, an address, a phone number. NotFound when it names nothing.
	Find(ctx context.Context, text string) (path string, err error)
}
