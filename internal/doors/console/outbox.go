package console

import (
	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/ops"
)

// OutboxView lists the mails that were caught instead of sent.
type OutboxView struct {
	Rows  []ops.Mail
	Pager Pager
	Empty Empty
}

func (c *Console) outbox(r *request) error {
	page, err := c.ops.Outbox.List(r.context(), ops.Paging{Cursor: r.query("cursor")})
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
	ops.Mail
	Frame   string
	Headers []Pair
}

func (c *Console) mail(r *request) error {
	m, err := c.oneMail(r)
	if err != nil {
		return err
	}
	view := MailView{Mail: m, Headers: headerPairs(m.Headers)}
	if m.HTML != "" {
		view.Frame = "/outbox/" + m.ID.String() + "/html"
	}
	return show(r, "mail", first(m.Subject, m.ID.String()), view)
}

func (c *Console) oneMail(r *request) (ops.Mail, error) {
	mail, err := r.id()
	if err != nil {
		return ops.Mail{}, err
	}
	return c.ops.Outbox.Get(r.context(), mail)
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

func headerPairs(headers *jsonvalue.Object) []Pair {
	var pairs []Pair
	for name, value := range headers.All() {
		pairs = append(pairs, Pair{Name: name, Text: plainText(value)})
	}
	return pairs
}
