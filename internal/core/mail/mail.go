// Package mail makes the mails that invited people get. A mail has a text and an
// HTML part that say the same, a way to opt out that mail programs understand, and
// the same Message-ID on every attempt.
//
//	m, err := mail.Compose(mail.Letter{To: "ken@example.com", Subject: "…", Body: "…"})
//
// Whether somebody may be written to is decided in distribution, and handing it to a
// mail server is done elsewhere.
package mail

import (
	"net/mail"
	"net/url"
	"strings"

	"github.com/segue-xm/segue/internal/core/distribution"
	"github.com/segue-xm/segue/internal/core/fault"
)

// Message is one mail to one person, ready to be sent.
type Message struct {
	ID             string // Message-ID without angle brackets
	From           string // an address, with or without name
	ReplyTo        string // the same; may be empty
	To             string // the same
	Subject        string
	Text           string
	HTML           string
	UnsubscribeURL string // may be empty: then nothing about opting out is said
	Language       string // "en" or "ja"
}

// Letter is what a message is made of.
type Letter struct {
	ID             string
	From           string
	ReplyTo        string
	To             string
	Subject        string // line breaks become blanks
	Body           string // plain text; addresses of pages become links in the HTML part
	UnsubscribeURL string
	Language       string // the contact's language tag
}

// Compose makes a message, with the footer in the contact's language. An error
// is Invalid and names the field.
func Compose(l Letter) (Message, error) {
	lang := distribution.Language(l.Language)
	body := normalize(l.Body)
	m := Message{
		ID: l.ID, From: strings.TrimSpace(l.From), ReplyTo: strings.TrimSpace(l.ReplyTo), To: strings.TrimSpace(l.To),
		Subject:        oneLine(l.Subject),
		Text:           body + "\n",
		HTML:           page(lang, oneLine(l.Subject), body, l.UnsubscribeURL),
		UnsubscribeURL: l.UnsubscribeURL,
		Language:       lang,
	}
	if l.UnsubscribeURL != "" {
		m.Text += "\n-- \n" + Footer(lang, l.UnsubscribeURL) + "\n"
	}
	return m, m.Validate()
}

// Validate reports the first thing that keeps m from being sent, as an Invalid
// error. No field that becomes a header may hold a control character, so nothing
// can add headers or recipients of its own.
func (m Message) Validate() error {
	for _, f := range []struct{ name, value string }{
		{"id", m.ID}, {"from", m.From}, {"reply_to", m.ReplyTo}, {"to", m.To}, {"subject", m.Subject}, {"unsubscribe_url", m.UnsubscribeURL},
	} {
		if strings.IndexFunc(f.value, isControl) >= 0 {
			return fault.Field(f.name, "holds a control character")
		}
	}
	if m.ID == "" || strings.ContainsAny(m.ID, "<> ") || !strings.Contains(m.ID, "@") {
		return fault.Field("id", "want a Message-ID such as a.b@host")
	}
	for _, f := range []struct {
		name, value string
		optional    bool
	}{{"from", m.From, false}, {"reply_to", m.ReplyTo, true}, {"to", m.To, false}} {
		if f.optional && f.value == "" {
			continue
		}
		a, err := mail.ParseAddress(f.value)
		if err != nil || !distribution.ValidEmail(a.Address) {
			return fault.Field(f.name, "want one email address, with or without a name")
		}
	}
	if m.UnsubscribeURL != "" && !isPage(m.UnsubscribeURL) {
		return fault.Field("unsubscribe_url", "want an http or https address")
	}
	return nil
}

func isPage(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(s, "<>\" ")
}

func isControl(r rune) bool {
	return r < 0x20 || 0x7f <= r && r < 0xa0 || r == '\u2028' || r == '\u2029'
}

// oneLine makes one line of a text: control characters and runs of blanks become
// one blank.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool { return isControl(r) || r == ' ' }), " ")
}

// normalize gives a body plain line feeds and no other control characters than
// tabs, and no blank lines around it.
func normalize(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\r' || r == '\u2028' || r == '\u2029':
			return '\n'
		case r != '\n' && r != '\t' && isControl(r):
			return -1
		}
		return r
	}, s)
	return strings.Trim(s, "\n")
}
