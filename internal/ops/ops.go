// Package ops is what people and programs may do with Segue, one file per
// aggregate: what can be asked and changed, and the values that answer. These are
// the shapes on the wire too: the API writes them, pages read them, the Go client
// decodes into them.
//
//	all := ops.New(ops.Options{Store: store, Plans: plans, Revisions: cache})
//	page, err := all.Events.List(ctx, ops.EventFilter{Status: segment.Failed}, ops.Paging{})
//
// Errors are faults. Everything here is safe for concurrent use. It knows no HTTP:
// doors are in internal/doors.
package ops

import (
	"context"
	"log/slog"
	"time"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/query"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
)

// Operations are all of them, as doors get them.
type Operations struct {
	Events        *Events
	Contacts      *Contacts
	Runs          *Runs
	Jobs          *Jobs
	Replays       *Replays
	Distributions *Distributions
	Invitations   *Invitations
	Outbox        *Outbox
	Plans         *Plans
	Destinations  *Destinations
	Sources       *Sources
	Workflows     *Workflows
	Installation  *Installation
	Finder        *Finder
	Upgrades      *Upgrades
}

// Store is everything that is kept.
type Store interface {
	NameStore
	EventStore
	ContactStore
	RunStore
	JobStore
	ReplayStore
	DistributionStore
	InvitationStore
	OutboxStore
	DestinationStore
	WorkflowStore
	InstallationStore
	UpgradeStore
}

// Database is a Store: verbs that change, and queries that only read.
type Database struct {
	*store.Store
	*query.Reader
}

// Options are what the operations work with.
type Options struct {
	Store     Store
	Plans     *Plans
	Revisions Revisions
	// Accounts gives a client of a remote destination's account.
	Accounts  func(ctx context.Context, d plan.Destination) (*qualtrics.Client, error)
	PublicURL string // base of workflows' URLs
	Temporal  TemporalUI
	// StartJob starts a job's workflow; nil: nobody does. What fails is swept.
	StartJob func(ctx context.Context, j id.ID, kind string) error
	Log      *slog.Logger // nil: nothing is logged
	// Parts reports how the parts of the installation are; nil when nobody knows.
	Parts func(ctx context.Context) []Part
	Now   func() time.Time // nil is the system's clock
}

// New puts the operations together.
func New(o Options) *Operations {
	if o.Now == nil {
		o.Now = time.Now
	}
	n := &Names{Store: o.Store}
	runs := &Runs{Store: o.Store, Names: n, Temporal: o.Temporal}
	events := &Events{Store: o.Store, Names: n, Revisions: o.Revisions, Runs: runs, Temporal: o.Temporal}
	jobs := &Jobs{Store: o.Store, Names: n, Start: o.StartJob, Temporal: o.Temporal}
	contacts := &Contacts{Store: o.Store, Names: n, Plans: o.Plans}
	destinations := &Destinations{Store: o.Store, Names: n, Plans: o.Plans, Accounts: o.Accounts}
	return &Operations{
		Events:        events,
		Contacts:      contacts,
		Runs:          runs,
		Jobs:          jobs,
		Replays:       &Replays{Store: o.Store, Names: n, Jobs: jobs, Log: o.Log},
		Distributions: &Distributions{Store: o.Store, Names: n},
		Invitations:   &Invitations{Store: o.Store},
		Outbox:        &Outbox{Store: o.Store},
		Plans:         o.Plans,
		Destinations:  destinations,
		Sources:       &Sources{Names: n, Plans: o.Plans, Secrets: o.Plans.Secrets},
		Workflows:     &Workflows{Store: o.Store, Names: n, Plans: o.Plans, Tokens: o.Plans.WorkflowTokens, PublicURL: o.PublicURL},
		Installation:  &Installation{Store: o.Store, Names: n, Plans: o.Plans, Destinations: destinations, Parts: o.Parts, Now: o.Now},
		Finder:        &Finder{Store: o.Store, Events: events, Contacts: contacts},
		Upgrades:      &Upgrades{Store: o.Store, Names: n, Plans: o.Plans},
	}
}

// InForce gives the plan in force; revision 0 and an empty plan when none was
// applied yet.
type InForce interface {
	Current(ctx context.Context) (revision int64, p *plan.Plan, err error)
}
