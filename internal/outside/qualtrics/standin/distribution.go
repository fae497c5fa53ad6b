package standin

import (
	"net/http"
	"time"
)

// distribution answers below /distributions.
func (a *Account) distribution(r *http.Request, parts []string, in map[string]any) (status int, result any, problem [2]string) {
	header, _ := in["header"].(map[string]any)
	message, _ := in["message"].(map[string]any)
	d := &Distribution{Subject: text(header, "subject"), Message: text(message, "messageText"), Status: "Done", Sent: time.Now().UTC().Truncate(time.Second)}
	switch {
	case r.Method == http.MethodPost && len(parts) == 0:
		link, _ := in["surveyLink"].(map[string]any)
		to, _ := in["recipients"].(map[string]any)
		d.ID, d.Kind, d.Survey, d.List, d.Lookup = a.id("EMD"), "Invite", text(link, "surveyId"), text(to, "mailingListId"), text(to, "contactId")
		a.distributions = append(a.distributions, d)
		return http.StatusOK, map[string]any{"id": d.ID}, problem
	case r.Method == http.MethodPost && len(parts) == 2:
		parent := a.invite(parts[0])
		if parent == nil {
			break
		}
		d.ID, d.Kind, d.Parent, d.Survey, d.List, d.Lookup = a.id("EMD"), map[string]string{"reminders": "Reminder", "thankyous": "ThankYou"}[parts[1]], parent.ID, parent.Survey, parent.List, parent.Lookup
		a.distributions = append(a.distributions, d)
		return http.StatusOK, map[string]any{"distributionId": d.ID}, problem
	case r.Method == http.MethodGet && len(parts) == 0:
		var all []any
		for _, d := range a.distributions {
			if d.Survey == r.URL.Query().Get("surveyId") {
				all = append(all, d.show())
			}
		}
		return http.StatusOK, list(all...), problem
	case r.Method == http.MethodGet && len(parts) == 2 && parts[1] == "history":
		d := a.invite(parts[0])
		if d == nil {
			break
		}
		return http.StatusOK, list(a.history(d)), problem
	}
	return http.StatusNotFound, nil, [2]string{"", "The requested resource does not exist."}
}

func (a *Account) invite(id string) *Distribution {
	for _, d := range a.distributions {
		if d.ID == id {
			return d
		}
	}
	return nil
}

func (d *Distribution) show() map[string]any {
	return map[string]any{"id": d.ID, "parentDistributionId": d.Parent, "requestType": d.Kind, "requestStatus": d.Status, "sendDate": d.Sent.Format(time.RFC3339),
		"recipients": map[string]any{"mailingListId": d.List, "contactId": d.Lookup}, "surveyLink": map[string]any{"surveyId": d.Survey}, "headers": map[string]any{"subject": d.Subject}}
}

// history is what became of an invitation's only recipient.
func (a *Account) history(d *Distribution) map[string]any {
	h := map[string]any{"distributionId": d.ID, "contactLookupId": d.Lookup, "status": "Success", "sentAt": d.Sent.Format(time.RFC3339)}
	for _, c := range a.contacts {
		if c.Lookup == d.Lookup {
			h["contactId"] = c.ID
			if c.Unsubscribed {
				h["status"] = "Skipped"
			}
		}
	}
	for _, s := range []struct {
		is           bool
		status, time string
	}{{d.Opened, "Opened", "openedAt"}, {d.Started, "SurveyStarted", "responseStartedAt"}, {d.Finished, "SurveyFinished", "responseCompletedAt"}} {
		if s.is {
			h["status"], h[s.time] = s.status, d.Sent.Format(time.RFC3339)
		}
	}
	if d.Finished {
		h["responseId"] = "R_" + d.ID
	}
	return h
}
