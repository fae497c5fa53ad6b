package console

import (
	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
)

// FindView says that nothing was found, and what can be looked for.
type FindView struct{ Text string }

// find goes straight to what the text names. It is a POST because a person's
// address must not stand in a URL.
func (c *Console) find(r *request) error {
	text := clip(r.form("text"), 320)
	if text == "" {
		return r.see("/")
	}
	path, err := c.ops.Finder.Find(r.context(), text)
	if err == nil && path != "" {
		return r.see(local(path))
	}
	if err != nil && fault.KindOf(err) != fault.NotFound && fault.KindOf(err) != fault.Invalid {
		return err
	}
	return showStatus(r, fiber.StatusNotFound, "find", r.view.T("find.none"), FindView{Text: text})
}
