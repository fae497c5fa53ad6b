package console

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/doors/kit"
)

// SignInView is the sign-in page.
type SignInView struct {
	Next    string
	Problem string
	Hint    string // the development password
}

func (c *Console) signInPage(r *request) error {
	if r.view.SignedIn {
		return r.see(local(r.query("next")))
	}
	return c.showSignIn(r, fiber.StatusOK, r.query("next"), "")
}

func (c *Console) showSignIn(r *request, status int, next, problem string) error {
	data := SignInView{Next: local(next), Hint: c.options.DevSignIn}
	if problem != "" {
		data.Problem = r.view.T(problem)
	}
	return showStatus(r, status, "sign-in", r.view.T("signin.title"), data)
}

func (c *Console) signIn(r *request) error {
	next, addr := local(r.form("next")), strings.Clone(r.IP())
	if c.guard.Blocked(addr, r.view.Now) {
		return c.showSignIn(r, fiber.StatusTooManyRequests, next, "signin.too_many")
	}
	if !c.options.SignIn(strings.Clone(r.FormValue("password"))) {
		c.guard.Fail(addr, r.view.Now)
		c.log.Warn("console sign-in failed", "address", addr)
		return c.showSignIn(r, fiber.StatusUnprocessableEntity, next, "signin.wrong")
	}
	kit.SetCookie(r.Ctx, &fiber.Cookie{Name: sessionCookie, Value: c.sessions.New(r.view.Now), Expires: r.view.Now.Add(kit.SessionLife), HTTPOnly: true})
	return r.see(next)
}

func (c *Console) signOut(r *request) error {
	kit.SetCookie(r.Ctx, &fiber.Cookie{Name: sessionCookie, Expires: time.Unix(1, 0), HTTPOnly: true})
	return r.see("/sign-in")
}

// look keeps how the reader wants pages: language, zone, theme, keys. In cookies,
// so that the first paint is right; the zone's is open to the script that fills
// in the browser's own.
func (c *Console) look(r *request) error {
	keep := func(name, value string) {
		k := &fiber.Cookie{Name: name, Value: value, Expires: r.view.Now.AddDate(1, 0, 0)}
		if value == "" {
			k.Expires = time.Unix(1, 0)
		}
		kit.SetCookie(r.Ctx, k)
	}
	keep(langCookie, pickLanguage(r.form("lang"), r.Get("Accept-Language")))
	theme := r.form("theme")
	if theme != "light" && theme != "dark" {
		theme = ""
	}
	keep(themeCookie, theme)
	if zone := r.form("zone"); zone != "" {
		_, name := readZone(zone)
		keep(zoneCookie, name)
		keep(choseCookie, "1")
	} else if r.view.ZoneChosen != "" {
		keep(zoneCookie, "")
		keep(choseCookie, "")
	}
	keep(keysCookie, map[string]string{"on": "", "off": "off"}[r.form("keys")])
	return r.see(local(r.form("back")))
}
