package console

import (
	"encoding/json"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/doors/api"
)

// OutboxView lists the mails that were caught instead of sent.
type OutboxView struct {
	Rows  []api.Mail
	Pager Pager
	Empty Empty
}

func (c *Console) outbox(r *request) error {
	page, err := c.ops.Outbox(r.context(), api.Paging{Cursor: r.query("cursor")})
	if err != nil {
		return err
	}
	v := r.view
	return show(r, "outbox", v.T("nav.outbox"), OutboxView{
		Rows: page.Items, Pager: v.pager("/outbox", nil, r.query("cursor"), page.Next), Empty: v.Empty("outbox", false, ""),
	})
}

// MailView is the page about one mail.
type MailView struct {
	api.Mail
	Frame   string
	Headers []Pair
}

func (c *Console) mail(r *request) error {
	m, err := c.oneMail(r)
	if err != nil {
		return err
	}
	view := MailView{Mail: m, Headers: readHeaders(m.Headers)}
	if m.HTML != "" {
		view.Frame = "/outbox/" + m.ID.String() + "/html"
	}
	return show(r, "mail", first(m.Subject, m.ID.String()), view)
}

func (c *Console) oneMail(r *request) (api.Mail, error) {
	mail, err := r.id()
	if err != nil {
		return api.Mail{}, err
	}
	return c.ops.Mail(r.context(), mail)
}

// mailPolicy is the policy of a mail's HTML: other people's text in our origin's
// path, so it runs nothing, sends nothing and loads nothing.
const mailPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

func (c *Console) mailHTML(r *request) error {
	m, err := c.oneMail(r)
	if err != nil {
		return err
	}
	if m.HTML == "" {
		return fault.New(fault.NotFound, "this mail has no HTML")
	}
	r.Set("Content-Security-Policy", mailPolicy)
	r.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return r.SendString(m.HTML)
}

// readHeaders takes headers through their JSON: texts or lists of texts by name.
func readHeaders(headers any) []Pair {
	b, err := json.Marshal(headers)
	if err != nil {
		return nil
	}
	o, err := jsonvalue.ParseObject(b)
	if err != nil {
		return nil
	}
	var pairs []Pair
	for name, value := range o.All() {
		text := plainText(value)
		if list, ok := value.([]any); ok {
			texts := make([]string, len(list))
			for i, x := range list {
				texts[i] = plainText(x)
			}
			text = strings.Join(texts, ", ")
		}
		pairs = append(pairs, Pair{Name: name, Text: text})
	}
	return pairs
}
