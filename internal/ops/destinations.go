package ops

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
)

// Destination is one destination of the plan in force, and how it is.
type Destination struct {
	ID         id.ID  `json:"id"`
	Name       string `json:"name"`
	Type       string `json:"type"`                 // directory or qualtrics
	Directory  string `json:"directory,omitempty"`  // of type directory
	Datacenter string `json:"datacenter,omitempty"` // of type qualtrics
	// Status is ok, off (in the plan), paused (by an operator), failed (nothing can
	// be delivered for now: see Trouble) or held (some action waits: see Holds).
	Status  string         `json:"status"`
	Paused  *Paused        `json:"paused,omitempty"`
	Trouble *Trouble       `json:"trouble,omitempty"`
	Holds   []Hold         `json:"holds"`
	Waiting map[string]int `json:"waiting"` // deliveries by status: pending, retrying, held
	// OldestAt is when the oldest event with a delivery that waits was stored.
	OldestAt *time.Time `json:"oldest_at,omitempty"`
	Mappings []string   `json:"mappings"` // that deliver here
}

// Paused says who paused a destination.
type Paused struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Note string    `json:"note,omitempty"`
}

// Trouble is why nothing can be delivered.
type Trouble struct {
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`
}

// Hold is an action, or all of them, that is not tried for a while.
type Hold struct {
	Action string    `json:"action,omitempty"` // empty: all
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

// DestinationList is the answer about destinations: all of them, in plan order.
type DestinationList struct {
	Destinations []Destination `json:"destinations"`
}

// DestinationStore knows how destinations are.
type DestinationStore interface {
	DestinationRows(ctx context.Context) ([]store.DestinationRow, error)
	Holds(ctx context.Context, revision int64) (delivery.Holds, error)
	QueueRows(ctx context.Context) ([]store.QueueRow, error)
	PauseDestination(ctx context.Context, destination id.ID, by, note string) error
	ResumeDestination(ctx context.Context, destination id.ID) error
}

// Destinations are what is asked about destinations, and done to them.
type Destinations struct {
	Store DestinationStore
	Names *Names
	Plans InForce
	// Accounts gives a client of a remote destination's account.
	Accounts func(ctx context.Context, d plan.Destination) (*qualtrics.Client, error)
}

// List lists the destinations of the plan in force and how they are.
func (o *Destinations) List(ctx context.Context) (DestinationList, error) {
	all, err := o.inPlan(ctx)
	if err != nil {
		return DestinationList{Destinations: []Destination{}}, err
	}
	queues, err := o.Store.QueueRows(ctx)
	for i := range all {
		all[i].count(queues)
	}
	return DestinationList{Destinations: all}, err
}

// inPlan are those of the plan in force, without what waits at them, which
// takes longer to count the more it is.
func (o *Destinations) inPlan(ctx context.Context) ([]Destination, error) {
	revision, p, err := o.Plans.Current(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := o.Names.ids(ctx, plan.KindDestination)
	if err != nil {
		return nil, err
	}
	rows, err := o.Store.DestinationRows(ctx)
	if err != nil {
		return nil, err
	}
	holds, err := o.Store.Holds(ctx, revision)
	if err != nil {
		return nil, err
	}
	all := make([]Destination, 0, len(p.Destinations))
	for _, def := range p.Destinations {
		d := Destination{
			ID: ids[def.Name], Name: def.Name, Type: def.Type, Directory: def.Directory,
			Holds: []Hold{}, Waiting: map[string]int{}, Mappings: []string{}, Status: "ok",
		}
		if def.Type == plan.TypeQualtrics {
			d.Datacenter = cmp.Or(def.Datacenter, qualtrics.DefaultDatacenter)
		}
		for _, m := range p.Mappings {
			if m.Destination == def.Name {
				d.Mappings = append(d.Mappings, m.Name)
			}
		}
		d.fill(rows, holds)
		if !def.IsEnabled() {
			d.Status = "off"
		}
		all = append(all, d)
	}
	return all, nil
}

// count adds what waits.
func (d *Destination) count(queues []store.QueueRow) {
	for _, q := range queues {
		if q.Destination != d.ID {
			continue
		}
		d.Waiting[q.Status] += q.N
		if at := q.Oldest.Time(); d.OldestAt == nil || at.Before(*d.OldestAt) {
			d.OldestAt = &at
		}
	}
}

// fill adds what is known beside the plan.
func (d *Destination) fill(rows []store.DestinationRow, holds delivery.Holds) {
	for _, h := range holds {
		if h.Destination == d.ID {
			d.Holds = append(d.Holds, showHold(h))
			d.Status = "held"
		}
	}
	for _, r := range rows {
		if r.Destination != d.ID {
			continue
		}
		if r.Trouble != "" {
			d.Trouble, d.Status = &Trouble{instant(r.TroubleAt), r.Trouble}, "failed"
		}
		if r.PausedAt != 0 {
			d.Paused, d.Status = &Paused{instant(r.PausedAt), r.PausedBy, r.PauseNote}, "paused"
		}
	}
}

func showHold(h delivery.Hold) Hold { return Hold{h.Action, h.Until(), h.Reason} }

// Get is one destination, by name or id.
func (o *Destinations) Get(ctx context.Context, nameOrID string) (Destination, error) {
	all, err := o.List(ctx)
	if err != nil {
		return Destination{}, err
	}
	i := slices.IndexFunc(all.Destinations, func(d Destination) bool { return d.Name == nameOrID || d.ID.String() == nameOrID })
	if i < 0 {
		return Destination{}, fault.New(fault.NotFound, "there is no destination %q in the plan", nameOrID)
	}
	return all.Destinations[i], nil
}

// PauseInput says why a destination is paused.
type PauseInput struct {
	Note string `json:"note,omitempty"`
}

// Pause keeps everything from going to a destination: deliveries are held, calls
// that are under way end. Pausing twice keeps the first.
func (o *Destinations) Pause(ctx context.Context, nameOrID string, in PauseInput, by string) (Destination, error) {
	if len(in.Note) > 500 {
		return Destination{}, fault.Field("note", "is longer than 500 bytes")
	}
	return o.change(ctx, nameOrID, func(d id.ID) error { return o.Store.PauseDestination(ctx, d, by, in.Note) })
}

// Resume lets everything go to a destination again, and ends whatever else holds
// it back for a while. Safe to call twice.
func (o *Destinations) Resume(ctx context.Context, nameOrID string) (Destination, error) {
	return o.change(ctx, nameOrID, func(d id.ID) error { return o.Store.ResumeDestination(ctx, d) })
}

func (o *Destinations) change(ctx context.Context, nameOrID string, do func(id.ID) error) (Destination, error) {
	d, err := o.Get(ctx, nameOrID)
	if err != nil {
		return d, err
	}
	if err := do(d.ID); err != nil {
		return d, err
	}
	return o.Get(ctx, nameOrID)
}
