package distribution

import (
	"cmp"

	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Text is the words of one message for one person.
type Text struct {
	Subject string
	Message string
}

// Render makes the words of a kind of message from what an invitation has frozen,
// and the person's link.
func (s Settings) Render(kind Kind, frozen Snapshot, link *jsonvalue.Object) (Text, error) {
	t := s.text(kind)
	scope := flow.Scope{Fields: frozen.Fields, Contact: frozen.Contact, Transaction: frozen.Transaction, Link: link}
	for _, part := range []struct {
		name string
		text *string
	}{{"subject", &t.Subject}, {"message", &t.Message}} {
		compiled, err := flow.CompileTemplate(part.name, *part.text)
		if err != nil {
			return Text{}, err
		}
		if *part.text, err = compiled.Render(scope); err != nil {
			return Text{}, err
		}
	}
	return t, nil
}

// Link is what templates call link: the person's address of the survey, that of
// opting out, and the token in both.
func Link(url, optOutURL, token string) *jsonvalue.Object {
	o := jsonvalue.NewObject(3)
	o.Set("url", url)
	o.Set("token", token)
	o.Set("opt_out_url", optOutURL)
	return o
}

// OwnLink is a Link to the pages of this installation.
func OwnLink(publicURL, token string) *jsonvalue.Object {
	return Link(publicURL+"/l/"+token, publicURL+"/u/"+token, token)
}

// text is the templates of a kind of message.
func (s Settings) text(kind Kind) Text {
	if kind == KindThanks && s.Thanks != nil {
		return Text{cmp.Or(s.Thanks.Subject, s.Subject), s.Thanks.Message}
	}
	if n, ok := ReminderOf(kind); ok && n <= len(s.Reminders) {
		r := s.Reminders[n-1]
		return Text{cmp.Or(r.Subject, s.Subject), cmp.Or(r.Message, s.Message)}
	}
	return Text{s.Subject, s.Message}
}
