package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
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

// Destinations lists the destinations of the plan in force and how they are.
func (s *Service) Destinations(ctx context.Context) (DestinationList, error) {
	all, err := s.destinations(ctx)
	if err != nil {
		return DestinationList{Destinations: []Destination{}}, err
	}
	queues, err := s.Store.QueueRows(ctx)
	for i := range all {
		all[i].count(queues)
	}
	return DestinationList{Destinations: all}, err
}

// destinations are those of the plan in force, without what waits at them, which
// takes longer to count the more it is.
func (s *Service) destinations(ctx context.Context) ([]Destination, error) {
	revision, p, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := s.Store.NameIDs(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.DestinationRows(ctx)
	if err != nil {
		return nil, err
	}
	holds, err := s.Store.Holds(ctx, revision)
	if err != nil {
		return nil, err
	}
	all := make([]Destination, 0, len(p.Destinations))
	for _, def := range p.Destinations {
		d := Destination{
			ID: ids[plan.Name{Kind: plan.KindDestination, Name: def.Name}], Name: def.Name, Type: def.Type, Directory: def.Directory,
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

// Destination is one destination, by name or id.
func (s *Service) Destination(ctx context.Context, nameOrID string) (Destination, error) {
	all, err := s.Destinations(ctx)
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
func (s *Service) Pause(ctx context.Context, nameOrID string, in PauseInput, by string) (Destination, error) {
	if len(in.Note) > 500 {
		return Destination{}, fault.Field("note", "is longer than 500 bytes")
	}
	return s.switchDestination(ctx, nameOrID, func(d id.ID) error { return s.Store.PauseDestination(ctx, d, by, in.Note) })
}

// Resume lets everything go to a destination again, and ends whatever else holds
// it back for a while. Safe to call twice.
func (s *Service) Resume(ctx context.Context, nameOrID string) (Destination, error) {
	return s.switchDestination(ctx, nameOrID, func(d id.ID) error { return s.Store.ResumeDestination(ctx, d) })
}

func (s *Service) switchDestination(ctx context.Context, nameOrID string, do func(id.ID) error) (Destination, error) {
	d, err := s.Destination(ctx, nameOrID)
	if err != nil {
		return d, err
	}
	if err := do(d.ID); err != nil {
		return d, err
	}
	return s.Destination(ctx, nameOrID)
}

// ConnectionInput are settings to test instead of those of the plan, before they
// are saved. Empty ones are the plan's.
type ConnectionInput struct {
	Datacenter string `json:"datacenter,omitempty"`
	APIToken   string `json:"api_token,omitempty"`
}

// Connection is what a test of a connection found.
type Connection struct {
	OK        bool   `json:"ok"`
	Problem   string `json:"problem,omitempty"` // what is wrong, and what to look at
	Notice    string `json:"notice,omitempty"`  // it works, and could work better
	Account   string `json:"account,omitempty"` // whose token it is
	RequestID string `json:"request_id,omitempty"`
}

// TestConnection asks a destination's account whose token it is. What is wrong
// with the connection is an answer, not an error.
func (s *Service) TestConnection(ctx context.Context, nameOrID string, in ConnectionInput) (Connection, error) {
	def, err := s.destinationDef(ctx, nameOrID)
	if err != nil {
		return Connection{}, err
	}
	if def.Type != plan.TypeQualtrics {
		return Connection{OK: true, Account: "built-in directory " + def.Directory}, nil
	}
	if in.Datacenter != "" {
		def.Datacenter = in.Datacenter
	}
	if in.APIToken != "" {
		def.APIToken = plan.LiteralSecret(in.APIToken)
	}
	ctx, requests := qualtrics.Record(ctx)
	client, err := s.Accounts(ctx, def)
	var who qualtrics.User
	if err == nil {
		who, err = client.Whoami(ctx)
	}
	var out Connection
	if ids := requests.IDs(); len(ids) > 0 {
		out.RequestID = ids[0]
	}
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			return out, err
		}
		out.Problem = fault.Public(err)
		return out, nil
	}
	out.OK, out.Account, out.Notice = true, cmp.Or(who.UserName, who.UserID), who.Notice
	if dc := cmp.Or(def.Datacenter, qualtrics.DefaultDatacenter); who.Datacenter != "" && !strings.EqualFold(who.Datacenter, dc) {
		out.Notice = "the account is in data center " + who.Datacenter + ", the destination says " + dc + ": calls are passed on, which is slower and not promised; write " + who.Datacenter
	}
	return out, nil
}

// RemoteDirectory is one directory of a destination's account.
type RemoteDirectory struct {
	ID      string `json:"id"` // what a mapping's directoryId takes
	Name    string `json:"name"`
	Default bool   `json:"default"`
}

// RemoteDirectoryList is the answer about an account's directories.
type RemoteDirectoryList struct {
	Directories []RemoteDirectory `json:"directories"`
}

// RemoteDirectories lists the directories of a destination's account, to choose a
// mapping's directoryId from. A built-in destination has its own directory.
func (s *Service) RemoteDirectories(ctx context.Context, nameOrID string) (RemoteDirectoryList, error) {
	out := RemoteDirectoryList{Directories: []RemoteDirectory{}}
	def, err := s.destinationDef(ctx, nameOrID)
	if err != nil {
		return out, err
	}
	if def.Type != plan.TypeQualtrics {
		v, err := s.Store.NameID(ctx, plan.KindDirectory, def.Directory)
		out.Directories = append(out.Directories, RemoteDirectory{ID: v.String(), Name: def.Directory, Default: true})
		return out, err
	}
	client, err := s.Accounts(ctx, def)
	if err != nil {
		return out, err
	}
	all, err := client.Directories(ctx)
	for _, d := range all {
		out.Directories = append(out.Directories, RemoteDirectory(d))
	}
	if kind := fault.KindOf(err); kind == fault.Unauthorized || kind == fault.NotFound {
		// Of the account, not of whoever asks here.
		return out, fault.New(fault.Conflict, "%s", fault.Public(err))
	}
	return out, err
}

func (s *Service) destinationDef(ctx context.Context, nameOrID string) (plan.Destination, error) {
	d, err := s.Destination(ctx, nameOrID)
	if err != nil {
		return plan.Destination{}, err
	}
	_, p, err := s.current(ctx)
	if err != nil {
		return plan.Destination{}, err
	}
	i := slices.IndexFunc(p.Destinations, func(def plan.Destination) bool { return def.Name == d.Name })
	if i < 0 { // the plan has changed in between
		return plan.Destination{}, fault.New(fault.NotFound, "there is no destination %q in the plan", nameOrID)
	}
	return p.Destinations[i], nil
}
