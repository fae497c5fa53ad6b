package activities

import (
	"context"
	"encoding/json"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/activities/task/distribute"
	"github.com/segue-xm/segue/internal/core/contact"
	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/core/run"
)

// DirectoryStore is what the built-in tasks need of the database.
type DirectoryStore interface {
	Contact(ctx context.Context, c id.ID) (*contact.Contact, error)
	FindContact(ctx context.Context, dir contact.Directory, in *contact.Input) (id.ID, error)
	ApplyStep(ctx context.Context, dir contact.Directory, c contact.ForStep) (contact.Outcome, error)
	RunByID(ctx context.Context, run id.ID) (run.Run, error)
	Invite(ctx context.Context, n distribution.New) (dist, invitation id.ID, err error)
}

// Directory is the built-in directory as the tasks see it.
type Directory struct {
	Store     DirectoryStore
	Revisions Revisions
}

func (d *Directory) named(ctx context.Context, name string) (*routing.Directory, *routing.Table, error) {
	live, err := d.Revisions.Current(ctx)
	if err != nil {
		return nil, nil, err
	}
	if dir := live.DirectoryNamed(name); dir != nil {
		return dir, live, nil
	}
	if name == "" {
		return nil, nil, fault.Field("directory", "needs to be named: there is no default directory")
	}
	return nil, nil, fault.Field("directory", "no directory is called %q", name)
}

// FindContact finds the contact that a step names; nobody is NotFound.
func (d *Directory) FindContact(ctx context.Context, directory string, by task.ContactRef) (id.ID, error) {
	dir, _, err := d.named(ctx, directory)
	if err != nil {
		return 0, err
	}
	return find(ctx, d.Store, dir, by)
}

// finder is the part of a store that finds contacts.
type finder interface {
	Contact(ctx context.Context, c id.ID) (*contact.Contact, error)
	FindContact(ctx context.Context, dir contact.Directory, in *contact.Input) (id.ID, error)
}

func find(ctx context.Context, s finder, dir *routing.Directory, by task.ContactRef) (id.ID, error) {
	if by.ID != 0 {
		c, err := s.Contact(ctx, by.ID)
		if err == nil && c.Directory != dir.ID {
			err = fault.New(fault.NotFound, "this contact is of another directory")
		}
		return by.ID, err
	}
	return s.FindContact(ctx, directoryOf(dir), &contact.Input{ExtRef: by.ExtRef, Email: by.Email, Phone: by.Phone})
}

// UpsertContact writes a contact for a step. A second call with the same run and
// step finds what the first one noted on the step.
func (d *Directory) UpsertContact(ctx context.Context, r task.ContactRequest) (id.ID, bool, error) {
	dir, _, err := d.named(ctx, r.Directory)
	if err != nil {
		return 0, false, err
	}
	list := id.ID(0)
	if r.MailingList != "" {
		if list = dir.List(r.MailingList); list == 0 {
			return 0, false, fault.Field("mailing_list", "no mailing list is called %q", r.MailingList)
		}
	}
	out, err := d.Store.ApplyStep(ctx, directoryOf(dir), contact.ForStep{
		Run: r.Run, Step: string(r.Step), Mode: r.Mode, List: list,
		Input: &contact.Input{
			ID: r.ID, ExtRef: r.ExtRef, Email: r.Email, Phone: r.Phone, FirstName: r.FirstName, LastName: r.LastName, Language: r.Language,
			Unsubscribed: r.Unsubscribed, EmbeddedData: r.EmbeddedData, MayResubscribe: r.MayResubscribe,
			// What a run says is as old as the event that started it.
			Stamp: contact.Stamp{At: r.Event.Time().UnixMilli(), Event: r.Event},
		},
	})
	return out.Contact, out.Created || len(out.Changes) > 0, err
}

// Invite makes an invitation in the standing distribution of the run's step and
// freezes what its messages speak of. A second call for the same run and step returns
// the first's.
func (d *Directory) Invite(ctx context.Context, r distribute.Request) (dist, invitation id.ID, err error) {
	dir, live, err := d.named(ctx, r.Directory)
	if err != nil {
		return 0, 0, err
	}
	survey := live.Survey(r.Survey)
	if survey == nil {
		return 0, 0, fault.Field("survey", "no survey is called %q", r.Survey)
	}
	destination, err := account(live, r.Destination, survey)
	if err != nil {
		return 0, 0, err
	}
	c, err := d.Store.Contact(ctx, r.Contact)
	if err != nil {
		return 0, 0, err
	}
	run, err := d.Store.RunByID(ctx, r.Run)
	if err != nil {
		return 0, 0, err
	}
	fields, err := fieldsObject(run.Fields)
	if err != nil {
		return 0, 0, err
	}
	// The sender may be chosen for each person: it goes with them, so that those who
	// are asked the same share one version.
	said := r.Settings
	snapshot, err := json.Marshal(distribution.Snapshot{Contact: c.Value(), Fields: fields, From: said.From, ReplyTo: said.ReplyTo})
	if err != nil {
		return 0, 0, err
	}
	said.From, said.ReplyTo = "", ""
	settings, err := distribution.Stored{Settings: said, SurveyID: survey.SurveyID}.Text()
	if err != nil {
		return 0, 0, err
	}
	return d.Store.Invite(ctx, distribution.New{
		Workflow: run.Workflow, Version: run.Version, Run: r.Run, Step: r.Step, Contact: r.Contact, Snapshot: string(snapshot),
		Asked: distribution.Asked{Directory: dir.ID, Destination: destination, Survey: r.Survey, Channel: r.Channel, Settings: settings},
	})
}

// account is the destination whose account sends a distribution; 0 when we do.
func account(live *routing.Table, name string, survey *plan.Survey) (id.ID, error) {
	if name == "" {
		return 0, nil
	}
	for _, d := range live.Destinations() {
		if d.Def.Name != name {
			continue
		}
		if d.Directory != nil {
			return 0, fault.Field("destination", "%s is a built-in directory: leave it out, and mails are sent from here", name)
		}
		if survey.SurveyID == "" {
			return 0, fault.Field("survey", "%s has no survey_id, by which the account of %s knows it", survey.Name, name)
		}
		return d.ID, nil
	}
	return 0, fault.Field("destination", "no destination is called %q", name)
}

// findBy finds the contact that a step's settings name.
func (a *Runs) findBy(ctx context.Context, dir *routing.Directory, by *jsonvalue.Object) (id.ID, error) {
	ref := task.ContactRef{ExtRef: textOf(by.Get("ext_ref")), Email: textOf(by.Get("email")), Phone: textOf(by.Get("phone"))}
	if text := textOf(by.Get("id")); text != "" {
		var err error
		if ref.ID, err = id.Parse(text); err != nil {
			return 0, fault.Wrap(fault.NotFound, err, "no contact")
		}
	}
	if ref.IsZero() {
		return 0, nil
	}
	return find(ctx, a.Store, dir, ref)
}
