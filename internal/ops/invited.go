package ops

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
)

// Invite is what a page shows of an invitation.
type Invite struct {
	Language   string            // the contact's language tag
	Question   map[string]string // of the built-in survey, by "en", "ja"; may be empty
	SurveyName string
	Status     distribution.Status
	Responded  bool
}

// Statuses of a response.
const (
	ResponseStarted  = "started"
	ResponseFinished = "finished"
)

// Response is one report about an invitation.
type Response struct {
	Token      string
	Status     string            // ResponseStarted or ResponseFinished
	ResponseID string            // the survey tool's; "" from the built-in survey
	Answers    *jsonvalue.Object // nil when none were given; "rating" and "comment" from the built-in survey
}

// InvitedStore knows invitations by their tokens. An unknown one is NotFound.
type InvitedStore interface {
	InvitationByToken(ctx context.Context, token string) (distribution.Invitation, error)
	AskedOf(ctx context.Context, invitation id.ID) (distribution.Asked, error)
	LinkOpened(ctx context.Context, invitation id.ID) error
	OptOut(ctx context.Context, token string) (inv distribution.Invitation, changed bool, err error)
	RecordAnswer(ctx context.Context, a distribution.Answer) (inv distribution.Invitation, changed bool, err error)
}

// Invited is what invited people and survey tools do: follow a link, answer, opt
// out. Tokens come in canonical form; everything is safe to do twice.
type Invited struct {
	Store   InvitedStore
	Current func(ctx context.Context) (*routing.Table, error)
	Secrets func(ctx context.Context) (map[string]string, error)
	// Answered tells a run that waits that an invitation was answered.
	Answered  func(ctx context.Context, run id.ID) error
	PublicURL string
	Logger    *slog.Logger
}

// invitee is an invitation with its survey.
type invitee struct {
	distribution.Invitation
	survey   *plan.Survey
	name     string
	snapshot distribution.Snapshot
}

func (o *Invited) find(ctx context.Context, token string) (v invitee, err error) {
	if v.Invitation, err = o.Store.InvitationByToken(ctx, token); err != nil {
		return v, err
	}
	asked, err := o.Store.AskedOf(ctx, v.ID)
	if err != nil {
		return v, err
	}
	live, err := o.Current(ctx)
	if err != nil {
		return v, err
	}
	v.name = asked.Survey
	v.survey = live.Survey(asked.Survey)
	return v, json.Unmarshal([]byte(v.Snapshot), &v.snapshot)
}

// OpenLink notes that the personal link was followed and returns the survey's
// address, "" for the built-in survey.
func (o *Invited) OpenLink(ctx context.Context, token string) (string, error) {
	v, err := o.find(ctx, token)
	if err != nil {
		return "", err
	}
	if err := o.Store.LinkOpened(ctx, v.ID); err != nil {
		return "", err
	}
	if v.survey == nil || v.survey.URL == "" {
		return "", nil
	}
	t, err := flow.CompileTemplate("survey url", v.survey.URL)
	if err != nil {
		return "", err
	}
	return t.Render(flow.Scope{
		Fields: v.snapshot.Fields, Contact: v.snapshot.Contact, Transaction: v.snapshot.Transaction, Link: distribution.OwnLink(o.PublicURL, v.Token),
	})
}

// Invitation reads what the pages show and changes nothing.
func (o *Invited) Invitation(ctx context.Context, token string) (Invite, error) {
	v, err := o.find(ctx, token)
	if err != nil {
		return Invite{}, err
	}
	out := Invite{SurveyName: v.name, Status: v.Status, Responded: v.Status == distribution.Finished}
	out.Language, _ = v.snapshot.Contact.Get("language").(string)
	if v.survey != nil {
		out.Question = v.survey.Question
	}
	return out, nil
}

// OptOut unsubscribes the person from the directory; once more is no error.
func (o *Invited) OptOut(ctx context.Context, token string) error {
	_, _, err := o.Store.OptOut(ctx, token)
	return err
}

// Respond records a response and tells who waits for it. A second finished one is
// a Conflict, unless it has the first one's ResponseID.
func (o *Invited) Respond(ctx context.Context, r Response) error {
	inv, changed, err := o.Store.RecordAnswer(ctx, distribution.Answer{Token: r.Token, Finished: r.Status == ResponseFinished, ResponseID: r.ResponseID, Answers: r.Answers})
	if err != nil {
		return err
	}
	if !changed {
		return repeated(inv, r)
	}
	if inv.Status == distribution.Finished {
		// The answer is stored; who waits looks again at the latest when its timer
		// runs out, so a Temporal that is away does not turn people away.
		if err := o.Answered(ctx, inv.Run); err != nil {
			o.Logger.WarnContext(ctx, "a waiting run could not be told of an answer", "invitation", inv.ID.String(), "error", err)
		}
	}
	return nil
}

func repeated(inv distribution.Invitation, r Response) error {
	if r.Status != ResponseFinished {
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
func (o *Invited) SurveySecret(ctx context.Context, token string) ([]string, error) {
	v, err := o.find(ctx, token)
	if err != nil || v.survey == nil || v.survey.Secret == "" {
		return nil, err
	}
	secrets, err := o.Secrets(ctx)
	if err != nil {
		return nil, err
	}
	s, err := v.survey.Secret.Resolve(plan.Lookup(secrets))
	if err != nil {
		return nil, err
	}
	return []string{s}, nil
}
