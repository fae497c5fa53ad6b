package api

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/core/routing"
	"github.com/segue-xm/segue/internal/data/store"
	"github.com/segue-xm/segue/internal/doors/people"
)

// Invitees is what the pages for invited people do: follow a link, answer, opt
// out. It is package people's Service.
type Invitees struct {
	Store   *store.Store
	Current func(ctx context.Context) (*routing.Table, error)
	Secrets func(ctx context.Context) (map[string]string, error)
	// Answered tells the workflows that wait that an invitation was answered.
	Answered  func(ctx context.Context, run, distribution id.ID) error
	PublicURL string
	Logger    *slog.Logger
}

// invited is an invitation with its survey.
type invited struct {
	distribution.Invitation
	survey   *plan.Survey
	name     string
	snapshot distribution.Snapshot
}

func (p *Invitees) find(ctx context.Context, token string) (v invited, err error) {
	if v.Invitation, err = p.Store.InvitationByToken(ctx, token); err != nil {
		return v, err
	}
	d, err := p.Store.DistributionByID(ctx, v.Distribution)
	if err != nil {
		return v, err
	}
	live, err := p.Current(ctx)
	if err != nil {
		return v, err
	}
	v.name = d.Survey
	v.survey = live.Survey(d.Survey)
	return v, json.Unmarshal([]byte(v.Snapshot), &v.snapshot)
}

// OpenLink notes that the personal link was followed and returns the survey's
// address, "" for the built-in survey.
func (p *Invitees) OpenLink(ctx context.Context, token string) (string, error) {
	v, err := p.find(ctx, token)
	if err != nil {
		return "", err
	}
	if err := p.Store.LinkOpened(ctx, v.ID); err != nil {
		return "", err
	}
	if v.survey == nil || v.survey.URL == "" {
		return "", nil
	}
	t, err := flow.CompileTemplate("survey url", v.survey.URL)
	if err != nil {
		return "", err
	}
	link := jsonvalue.NewObject(2)
	link.Set("token", v.Token)
	link.Set("url", p.PublicURL+"/l/"+v.Token)
	return t.Render(flow.Scope{Fields: v.snapshot.Fields, Contact: v.snapshot.Contact, Transaction: v.snapshot.Transaction, Link: link})
}

// Invitation reads what the pages show and changes nothing.
func (p *Invitees) Invitation(ctx context.Context, token string) (people.Invite, error) {
	v, err := p.find(ctx, token)
	if err != nil {
		return people.Invite{}, err
	}
	out := people.Invite{SurveyName: v.name, Status: v.Status, Responded: v.Status == distribution.Finished}
	out.Language, _ = v.snapshot.Contact.Get("language").(string)
	if v.survey != nil {
		out.Question = v.survey.Question
	}
	return out, nil
}

// OptOut unsubscribes the person from the directory; once more is no error.
func (p *Invitees) OptOut(ctx context.Context, token string) error {
	_, _, err := p.Store.OptOut(ctx, token)
	return err
}

// Respond records a response and tells who waits for it. A second finished one is
// a Conflict, unless it has the first one's ResponseID.
func (p *Invitees) Respond(ctx context.Context, r people.Response) error {
	inv, changed, err := p.Store.RecordAnswer(ctx, distribution.Answer{Token: r.Token, Finished: r.Status == people.Finished, ResponseID: r.ResponseID, Answers: r.Answers})
	if err != nil {
		return err
	}
	if !changed {
		return repeated(inv, r)
	}
	if inv.Status == distribution.Finished {
		// The answer is stored; who waits looks again at the latest when its timer
		// runs out, so a Temporal that is away does not turn people away.
		if err := p.Answered(ctx, inv.Run, inv.Distribution); err != nil {
			p.Logger.WarnContext(ctx, "waiting workflows could not be told of an answer", "invitation", inv.ID.String(), "error", err)
		}
	}
	return nil
}

func repeated(inv distribution.Invitation, r people.Response) error {
	if r.Status != people.Finished {
		return nil
	}
	if r.ResponseID != "" && inv.Response != "" {
		if o, err := jsonvalue.ParseObject([]byte(inv.Response)); err == nil && o.Get("response_id") == r.ResponseID {
			return nil
		}
	}
	return fault.New(fault.Conflict, "this invitation has been answered already")
}

// SurveySecret returns the secrets that reports for the token's survey are signed
// with, none when the survey has none.
func (p *Invitees) SurveySecret(ctx context.Context, token string) ([]string, error) {
	v, err := p.find(ctx, token)
	if err != nil || v.survey == nil || v.survey.Secret == "" {
		return nil, err
	}
	secrets, err := p.Secrets(ctx)
	if err != nil {
		return nil, err
	}
	s, err := v.survey.Secret.Resolve(func(name string) (string, bool) { v, ok := secrets[name]; return v, ok })
	if err != nil {
		return nil, err
	}
	return []string{s}, nil
}
