// Package builtin lists the built-in tasks, once: a process runs them, and whoever
// judges a plan knows their settings from the same list.
//
//	tasks := builtin.Registry(builtin.Deps{Contacts: directory, Distributions: directory})
package builtin

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/activities/task/distribute"
	"github.com/segue-xm/segue/activities/task/updatecontact"
	"github.com/segue-xm/segue/activities/task/webservice"
)

// Contacts is what tasks ask about contacts and do to them.
type Contacts interface {
	updatecontact.Contacts
	distribute.Contacts
}

// Deps is what the tasks work with. The zero value serves where nothing runs.
type Deps struct {
	Contacts      Contacts
	Distributions distribute.Distributions
	AllowPrivate  []netip.Prefix                            // see webservice.Options
	Now           func() time.Time                          // nil is the system's clock
	Calls         func(http.RoundTripper) http.RoundTripper // see webservice.Options.Wrap
}

// Registry has every built-in task, a line each.
func Registry(d Deps) *task.Registry {
	r := task.NewRegistry()
	task.Add(r, updatecontact.New(d.Contacts))
	task.Add(r, distribute.New(d.Contacts, d.Distributions))
	task.Add(r, webservice.New(webservice.Options{AllowPrivate: d.AllowPrivate, Now: d.Now, Wrap: d.Calls}))
	return r
}
