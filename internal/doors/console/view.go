package console

import (
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/ops"
)

// View is what every page knows about its reader and its request. Language, zone
// and theme are methods and fields of this value, never of the templates, so that
// one reader's cannot reach another.
type View struct {
	Lang        string
	Theme       string // "", light or dark; "" follows the system
	ZoneName    string
	ZoneChosen  string // the reader's choice, "" for the browser's own
	KeysOff     bool
	CSRF        string
	SignedIn    bool
	SessionEnds time.Time
	Now         time.Time
	Path        string // of this page, with its query
	Base        string // scheme and host as the browser sees them

	words *catalogue
	zone  *time.Location
}

const (
	langCookie  = "segue_lang"
	zoneCookie  = "segue_zone"   // what times are shown in
	choseCookie = "segue_zoneby" // "1" when the reader chose it, not the browser
	themeCookie = "segue_theme"
	keysCookie  = "segue_keys"
)

func (c *Console) newView(x *fiber.Ctx, now time.Time) *View {
	v := &View{
		Lang: pickLanguage(x.Cookies(langCookie), x.Get("Accept-Language")),
		Now:  now,
		Path: strings.Clone(x.OriginalURL()),
		Base: strings.Clone(x.BaseURL()),
	}
	switch t := x.Cookies(themeCookie); t {
	case "light", "dark":
		v.Theme = strings.Clone(t)
	}
	v.KeysOff = x.Cookies(keysCookie) == "off"
	v.zone, v.ZoneName = readZone(x.Cookies(zoneCookie))
	if x.Cookies(choseCookie) == "1" {
		v.ZoneChosen = v.ZoneName
	}
	v.words = c.renderer.words[v.Lang]
	return v
}

// T is the text of a catalogue key.
func (v *View) T(key string, args ...any) string { return v.words.text(key, args...) }

// N is the text of a catalogue key for a number.
func (v *View) N(key string, n int, args ...any) string { return v.words.count(key, n, args...) }

// Num writes a number for people.
func (v *View) Num(n int) string { return groupDigits(n) }

// KeysOn says whether single letters act.
func (v *View) KeysOn() string {
	if v.KeysOff {
		return "off"
	}
	return "on"
}

// NavItem is one entry of the top bar.
type NavItem struct {
	Path, Text, Key string
	Current         bool
}

// navigation lists the pages of the top bar with the key that follows "g", and
// under which paths they are the current one.
var navigation = []struct{ path, text, key, below string }{
	{"/", "nav.home", "h", ""},
	{"/events", "nav.events", "e", "/events/"},
	{"/runs", "nav.runs", "r", "/runs/"},
	{"/distributions", "nav.distributions", "d", "/distributions/"},
	{"/contacts", "nav.contacts", "c", "/contacts/"},
	{"/connections", "nav.connections", "n", "/destinations/"},
	{"/jobs", "nav.jobs", "j", "/jobs/"},
	{"/outbox", "nav.outbox", "o", "/outbox/"},
	{"/help", "nav.help", "?", "/help/"},
}

// Nav is the top bar for this page.
func (v *View) Nav() []NavItem {
	here, _, _ := strings.Cut(v.Path, "?")
	items := make([]NavItem, len(navigation))
	for i, n := range navigation {
		current := here == n.path || n.below != "" && strings.HasPrefix(here, n.below)
		items[i] = NavItem{Path: n.path, Text: v.T(n.text), Key: n.key, Current: current}
	}
	return items
}

// Option is one choice of a select.
type Option struct {
	Value, Text string
	Selected    bool
}

// zones offered beside the browser's own; any other can be set by the browser.
var zones = []string{"UTC", "Asia/Tokyo", "Asia/Singapore", "Asia/Kolkata", "Europe/London", "Europe/Berlin", "America/New_York", "America/Los_Angeles"}

// Zones are the choices of the zone menu.
func (v *View) Zones() []Option {
	all := []Option{{Value: "", Text: v.T("look.zone_browser"), Selected: v.ZoneChosen == ""}}
	known := false
	for _, z := range zones {
		known = known || z == v.ZoneChosen
		all = append(all, Option{Value: z, Text: z, Selected: z == v.ZoneChosen})
	}
	if v.ZoneChosen != "" && !known {
		all = append(all, Option{Value: v.ZoneChosen, Text: v.ZoneChosen, Selected: true})
	}
	return all
}

// Languages are the choices of the language menu, each in its own words.
func (v *View) Languages() []Option {
	return []Option{
		{Value: "en", Text: "English", Selected: v.Lang == "en"},
		{Value: "ja", Text: "日本語", Selected: v.Lang == "ja"},
	}
}

// Themes are the choices of the theme menu.
func (v *View) Themes() []Option {
	return []Option{
		{Value: "", Text: v.T("look.theme_system"), Selected: v.Theme == ""},
		{Value: "light", Text: v.T("look.theme_light"), Selected: v.Theme == "light"},
		{Value: "dark", Text: v.T("look.theme_dark"), Selected: v.Theme == "dark"},
	}
}

// CopyButton copies a text; the label says what.
type CopyButton struct{ Text, Label string }

// Copy makes a copy button; what is a catalogue key naming the thing copied.
func (v *View) Copy(text, what string) CopyButton {
	return CopyButton{Text: text, Label: v.T("copy.label", v.T(what))}
}

// Empty is the state of a list without rows: why, and what next.
type Empty struct{ Title, Text, Link, LinkText string }

// Empty words an empty list: another thing when filters made it so.
func (v *View) Empty(list string, filtered bool, all string) Empty {
	if filtered {
		return Empty{Title: v.T("empty.filtered"), Text: v.T("empty.filtered_text"), Link: all, LinkText: v.T("empty.filtered_link")}
	}
	return Empty{Title: v.T("empty." + list), Text: v.T("empty." + list + "_text")}
}

// Pager leads through a list by keyset: to its newest page and to older rows.
type Pager struct{ Newest, Older, NewestText, OlderText, Label string }

// pager keeps the filters of the address and replaces its cursor.
func (v *View) pager(path string, filters url.Values, cursor, next string) Pager {
	p := Pager{NewestText: v.T("pager.newest"), OlderText: v.T("pager.older"), Label: v.T("pager.label")}
	if cursor != "" {
		p.Newest = address(path, filters)
	}
	if next != "" {
		with := url.Values{"cursor": {next}}
		for k, vs := range filters {
			with[k] = vs
		}
		p.Older = address(path, with)
	}
	return p
}

func address(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// PersonName writes a contact's name as people of its language do: family name
// first in Japanese, Chinese and Korean or when both parts are written in Han,
// Kana or Hangul (W3C, Personal names around the world). May be empty.
func (v *View) PersonName(c ops.Contact) string { return personName(c) }
