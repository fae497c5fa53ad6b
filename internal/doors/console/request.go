package console

import (
	"context"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/doors/kit"
)

// request is one request to a page: Fiber's context, and what every page says
// about its reader.
type request struct {
	*fiber.Ctx
	console *Console
	view    *View
}

type handler func(*request) error

const (
	sessionCookie = "segue_session"
	visitCookie   = "segue_visit" // ties a sign-in form to the browser that asked for it
)

// contentPolicy is the policy of every page. Styles, scripts and frames come
// from here only, nothing is inline, and the one Trusted Types policy belongs to
// the script that puts parts in place.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types segue"

// open serves a page that needs no session.
func (c *Console) open(h handler) fiber.Handler { return c.serve(h, false) }

// signed serves a page to people who signed in, and sends others to sign in.
func (c *Console) signed(h handler) fiber.Handler { return c.serve(h, true) }

func (c *Console) serve(h handler, needSession bool) fiber.Handler {
	return func(x *fiber.Ctx) error {
		pageHeaders(x)
		now := c.now()
		cookie := strings.Clone(x.Cookies(sessionCookie))
		ends, ok := c.sessions.Read(cookie, now)
		if !ok {
			cookie = c.visit(x)
		}
		r := &request{Ctx: x, console: c, view: c.newView(x, now)}
		r.view.SignedIn, r.view.SessionEnds, r.view.CSRF = ok, ends, c.sessions.FormToken(cookie)

		if x.Method() == fiber.MethodPost && !c.sessions.FromHere(x, cookie) {
			return r.fail(errForged)
		}
		if needSession && !ok {
			return r.toSignIn()
		}
		if err := h(r); err != nil {
			return r.fail(err)
		}
		return nil
	}
}

func pageHeaders(x *fiber.Ctx) {
	x.Set("Content-Security-Policy", contentPolicy)
	x.Set("X-Content-Type-Options", "nosniff")
	x.Set("Referrer-Policy", "same-origin")
	x.Set("Cross-Origin-Opener-Policy", "same-origin")
	x.Set("Cache-Control", "no-store")
	x.Vary("Cookie", "Accept-Language", "X-Part")
}

// visit returns the cookie that ties forms to a browser before it has a session.
func (c *Console) visit(x *fiber.Ctx) string {
	if v := x.Cookies(visitCookie); len(v) >= 16 && len(v) <= 64 {
		return strings.Clone(v)
	}
	v := kit.RandomText()
	kit.SetCookie(x, &fiber.Cookie{Name: visitCookie, Value: v, HTTPOnly: true})
	return v
}

func (r *request) context() context.Context { return r.UserContext() }

// query returns a parameter of the address, safe to keep.
func (r *request) query(name string) string { return strings.Clone(strings.TrimSpace(r.Query(name))) }

// form returns a posted value, safe to keep.
func (r *request) form(name string) string {
	return strings.Clone(strings.TrimSpace(r.FormValue(name)))
}

// id reads the id in the path. What is not an id names nothing.
func (r *request) id() (id.ID, error) {
	i, err := id.Parse(r.Params("id"))
	if err != nil || i == 0 {
		return 0, fault.New(fault.NotFound, "%s", "no such id")
	}
	return i, nil
}

// see sends the browser on after a POST.
func (r *request) see(path string) error { return r.Redirect(path, fiber.StatusSeeOther) }

// toSignIn remembers where the reader wanted to go. A POST is not repeated after
// signing in, so it goes back to the page it came from at most.
func (r *request) toSignIn() error {
	next := "/"
	if r.Method() == fiber.MethodGet {
		next = strings.Clone(r.OriginalURL())
	}
	if next == "/" {
		return r.see("/sign-in")
	}
	return r.see("/sign-in?next=" + url.QueryEscape(next))
}

// local returns path when it leads to a page of ours, else "/": a sign-in must
// not send people elsewhere (//host and /\host are elsewhere to browsers).
func local(path string) string {
	if len(path) == 0 || path[0] != '/' || strings.ContainsAny(path, "\\\r\n\t") || strings.HasPrefix(path, "//") {
		return "/"
	}
	if u, err := url.Parse(path); err != nil || u.Host != "" || u.Scheme != "" {
		return "/"
	}
	return path
}
