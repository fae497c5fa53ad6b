package ops

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
)

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
func (o *Destinations) TestConnection(ctx context.Context, nameOrID string, in ConnectionInput) (Connection, error) {
	def, err := o.def(ctx, nameOrID)
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
	client, err := o.Accounts(ctx, def)
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
func (o *Destinations) RemoteDirectories(ctx context.Context, nameOrID string) (RemoteDirectoryList, error) {
	out := RemoteDirectoryList{Directories: []RemoteDirectory{}}
	def, err := o.def(ctx, nameOrID)
	if err != nil {
		return out, err
	}
	if def.Type != plan.TypeQualtrics {
		v, err := o.Names.Store.NameID(ctx, plan.KindDirectory, def.Directory)
		out.Directories = append(out.Directories, RemoteDirectory{ID: v.String(), Name: def.Directory, Default: true})
		return out, err
	}
	client, err := o.Accounts(ctx, def)
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

func (o *Destinations) def(ctx context.Context, nameOrID string) (plan.Destination, error) {
	d, err := o.Get(ctx, nameOrID)
	if err != nil {
		return plan.Destination{}, err
	}
	_, p, err := o.Plans.Current(ctx)
	if err != nil {
		return plan.Destination{}, err
	}
	i := slices.IndexFunc(p.Destinations, func(def plan.Destination) bool { return def.Name == d.Name })
	if i < 0 { // the plan has changed in between
		return plan.Destination{}, fault.New(fault.NotFound, "there is no destination %q in the plan", nameOrID)
	}
	return p.Destinations[i], nil
}
