package standin

import (
	"net/http"
	"time"

	"github.com/segue-xm/segue/internal/outside/qualtrics/wire"
)

func (a *Account) distribute(w http.ResponseWriter, r *http.Request) {
	in := asked[wire.Distribution](r)
	d := a.send(wire.TypeInvite, in.Header, in.Message)
	d.Survey, d.List, d.Lookup = in.SurveyLink.SurveyID, in.Recipients.MailingListID, in.Recipients.ContactID
	a.answer(w, http.StatusOK, wire.Created{ID: d.ID})
}

// followUp makes a reminder or a thank-you to an invitation.
func (a *Account) followUp(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		parent := a.sent(r.PathValue("distribution"))
		if parent == nil {
			a.notFound(w, r)
			return
		}
		in := asked[wire.FollowUp](r)
		d := a.send(kind, in.Header, in.Message)
		d.Parent, d.Survey, d.List, d.Lookup = parent.ID, parent.Survey, parent.List, parent.Lookup
		a.answer(w, http.StatusOK, wire.FollowedUp{DistributionID: d.ID})
	}
}

func (a *Account) send(kind string, h wire.Header, m wire.Message) *Distribution {
	d := &Distribution{ID: a.id("EMD"), Kind: kind, Subject: h.Subject, Message: m.Text, Status: "Done", Sent: time.Now().UTC().Truncate(time.Second)}
	a.distributions = append(a.distributions, d)
	return d
}

func (a *Account) sent(id string) *Distribution {
	for _, d := range a.distributions {
		if d.ID == id {
			return d
		}
	}
	return nil
}

func (a *Account) distributionsOf(w http.ResponseWriter, r *http.Request) {
	var all []wire.Sent
	for _, d := range a.distributions {
		if d.Survey == r.URL.Query().Get("surveyId") {
			all = append(all, wire.Sent{
				ID: d.ID, ParentID: d.Parent, Type: d.Kind, Status: d.Status, SendDate: wire.Instant{Time: d.Sent},
				Recipients: wire.Recipients{MailingListID: d.List, ContactID: d.Lookup},
			})
		}
	}
	a.answer(w, http.StatusOK, page(all))
}

// history is what became of a distribution's only recipient.
func (a *Account) history(w http.ResponseWriter, r *http.Request) {
	d := a.sent(r.PathValue("distribution"))
	if d == nil {
		a.notFound(w, r)
		return
	}
	at := wire.Date{Time: d.Sent}
	h := wire.Invited{LookupID: d.Lookup, Status: wire.StatusSuccess, SentAt: at}
	for _, c := range a.contacts {
		if c.Lookup == d.Lookup {
			h.ContactID = c.ID
			if c.Unsubscribed {
				h.Status = wire.StatusSkipped
			}
		}
	}
	if d.Opened {
		h.Status, h.OpenedAt = wire.StatusOpened, at
	}
	if d.Started {
		h.Status, h.StartedAt = wire.StatusStarted, at
	}
	if d.Finished {
		h.Status, h.CompletedAt, h.ResponseID = wire.StatusFinished, at, "R_"+d.ID
	}
	a.answer(w, http.StatusOK, page([]wire.Invited{h}))
}
