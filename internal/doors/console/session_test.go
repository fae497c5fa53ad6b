package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/doors/kit"
)

func TestNew_MissingOptions_NamesEachOne(t *testing.T) {
	t.Parallel()
	_, err := New(Options{SessionKey: []byte("short")})
	require.ErrorContains(t, err, "Operations")
	require.ErrorContains(t, err, "SignIn")
	require.ErrorContains(t, err, "SessionKey")
}

func TestSignIn_WithoutSession_PagesRedirectAndComeBack(t *testing.T) {
	t.Parallel()
	b := visit(t, &fake{})
	for name, path := range pages() {
		if name == "fail" {
			continue
		}
		a := b.get(path)
		require.Equal(t, http.StatusSeeOther, a.StatusCode, name)
		want := "/sign-in"
		if path != "/" {
			want += "?next=" + url.QueryEscape(path)
		}
		require.Equal(t, want, a.Header.Get("Location"), name)
	}
}

func TestSignIn_RightPassword_OpensThePageThatWasAskedFor(t *testing.T) {
	t.Parallel()
	b := visit(t, &fake{})
	a := b.post("/sign-in?next=%2Fevents%3Fstatus%3Dfailed", "/sign-in", url.Values{"password": {testPassword}, "next": {"/events?status=failed"}})
	require.Equal(t, http.StatusSeeOther, a.StatusCode)
	require.Equal(t, "/events?status=failed", a.Header.Get("Location"))
	cookie := strings.Join(a.Header.Values("Set-Cookie"), "\n")
	require.Regexp(t, `segue_session=[^;]+;.*HttpOnly`, cookie)
	require.Contains(t, cookie, "SameSite=Lax")
	require.Equal(t, http.StatusOK, b.get("/events").StatusCode)
}

func TestSignIn_WrongPassword_KeepsThePersonOutAndSaysSo(t *testing.T) {
	t.Parallel()
	b := visit(t, &fake{})
	a := b.post("/sign-in", "/sign-in", url.Values{"password": {"sesame"}})
	require.Equal(t, http.StatusUnprocessableEntity, a.StatusCode)
	require.Contains(t, a.body, `role="alert"`)
	require.Contains(t, a.body, `aria-invalid="true"`)
	require.NotContains(t, a.body, "sesame")
	require.Equal(t, http.StatusSeeOther, b.get("/").StatusCode)
}

func TestSignIn_ManyWrongPasswords_AreNotEvenAsked(t *testing.T) {
	t.Parallel()
	b := visit(t, &fake{})
	for range kit.GuardTries {
		require.Equal(t, http.StatusUnprocessableEntity, b.post("/sign-in", "/sign-in", url.Values{"password": {"no"}}).StatusCode)
	}
	require.Equal(t, http.StatusTooManyRequests, b.post("/sign-in", "/sign-in", url.Values{"password": {testPassword}}).StatusCode)
}

func TestSignIn_DevelopmentHint_OnlyWhenSet(t *testing.T) {
	t.Parallel()
	b := visit(t, &fake{})
	require.NotContains(t, b.get("/sign-in").body, testPassword)
	b.console.options.DevSignIn = testPassword
	require.Contains(t, b.get("/sign-in").body, testPassword)
}

func TestSignOut_EndsTheSession(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	a := b.post("/", "/sign-out", url.Values{})
	require.Equal(t, "/sign-in", a.Header.Get("Location"))
	require.Empty(t, b.jar[sessionCookie])
}

func TestPost_WithoutOrWithForeignToken_DoesNothing(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/find", "/look", "/sign-out", "/events/search", "/contacts/search", "/sign-in"} {
		b := signedIn(t, &fake{})
		a := b.do(http.MethodPost, path, url.Values{"text": {"u@example.com"}, "password": {testPassword}})
		require.Equal(t, http.StatusForbidden, a.StatusCode, path)
		a = b.do(http.MethodPost, path, url.Values{"csrf": {b.console.sessions.FormToken("somebody else's session")}, "password": {testPassword}})
		require.Equal(t, http.StatusForbidden, a.StatusCode, path)
		require.Contains(t, a.body, "Request id", path)
	}
}

func TestPost_FromAnotherSite_IsRefusedWithTheRightToken(t *testing.T) {
	t.Parallel()
	for name, header := range map[string][2]string{
		"cross-site": {"Sec-Fetch-Site", "cross-site"}, "same-site": {"Sec-Fetch-Site", "same-site"}, "origin": {"Origin", "https://evil.example.com"},
	} {
		b := signedIn(t, &fake{})
		token := b.console.sessions.FormToken(b.jar[sessionCookie])
		b.header.Set(header[0], header[1])
		require.Equal(t, http.StatusForbidden, b.do(http.MethodPost, "/sign-out", url.Values{"csrf": {token}}).StatusCode, name)
	}
	b := signedIn(t, &fake{})
	b.header.Set("Sec-Fetch-Site", "same-origin")
	b.header.Set("Origin", "http://example.com")
	b.header.Set("X-Csrf", b.console.sessions.FormToken(b.jar[sessionCookie]))
	require.Equal(t, http.StatusSeeOther, b.do(http.MethodPost, "/sign-out", url.Values{}).StatusCode, "own page, token in the header")
}

func TestLocal_OnlyOwnPaths(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/events?a=b": "/events?a=b", "": "/", "events": "/", "//evil.example.com": "/", `/\evil.example.com`: "/", "https://evil.example.com": "/", "/a\r\nSet-Cookie: x": "/", "/%zz": "/",
	} {
		require.Equal(t, want, local(path), path)
	}
}

func TestLook_ChoicesLastAndLeadBack(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	a := b.post("/runs", "/look", url.Values{"lang": {"ja"}, "zone": {"Asia/Tokyo"}, "theme": {"dark"}, "keys": {"off"}, "back": {"/runs"}})
	require.Equal(t, "/runs", a.Header.Get("Location"))
	body := b.get("/runs").body
	require.Contains(t, body, `<html lang="ja" data-theme="dark" data-keys="off" data-zone="Asia/Tokyo" data-zone-by="reader"`)
	require.Contains(t, body, "10-22 12:03:10", "the run's start in Tokyo")

	b.post("/runs", "/look", url.Values{"lang": {"en"}, "zone": {""}, "theme": {"none"}, "keys": {"on"}})
	require.Contains(t, b.get("/runs").body, `<html lang="en" data-keys="on" data-zone="UTC">`)
}

func TestZone_OfTheServerOrUnknown_IsUTC(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "Local", "Mars/Olympus", "../../etc/passwd", strings.Repeat("a", 100)} {
		z, shown := readZone(name)
		require.Equal(t, time.UTC, z, name)
		require.Equal(t, "UTC", shown, name)
	}
}

func TestRegister_NeverShadowsOtherRoutes(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{true, false} {
		c := newTestConsole(t, &fake{})
		app := fiber.New()
		paths := []string{"/v1/track", "/api/events", "/API/v3/whoami", "/l/abc", "/u/abc", "/s/abc", "/healthz", "/readyz", "/metrics"}
		others := func() {
			for _, p := range paths {
				app.Get(p, func(x *fiber.Ctx) error { return x.SendString("mine") })
			}
		}
		if !first {
			others()
		}
		c.Register(app)
		if first {
			others()
		}
		b := &browser{t: t, app: app, console: c, jar: map[string]string{}, header: http.Header{}}
		for _, p := range paths {
			require.Equal(t, "mine", b.get(p).body, p)
			require.NotContains(t, b.get(p+"x/unknown").body, "<html", "%s below a machine's path", p)
		}
		require.Contains(t, b.get("/api/unknown").body, "Cannot GET", "errors of the API are worded by the API")
	}
}

func TestFail_EachKind_HasItsStatusAndHidesItsCause(t *testing.T) {
	t.Parallel()
	for kind, status := range map[fault.Kind]int{
		fault.NotFound: 404, fault.Invalid: 400, fault.Conflict: 409, fault.RateLimited: 429, fault.Unavailable: 503, fault.Internal: 500, fault.Unauthorized: 403,
	} {
		b := signedIn(t, &fake{err: fault.Wrap(kind, errors.New("password=hunter2"), "the list")})
		for name, path := range pages() {
			if strings.HasPrefix(name, "help") || name == "fail" {
				continue
			}
			a := b.get(path)
			require.Equal(t, status, a.StatusCode, "%s %s", kind, name)
			require.NotContains(t, a.body, "hunter2")
			require.Contains(t, a.body, a.Header.Get("X-Request-Id"), name)
		}
	}
}

func TestPages_WhatIsNoID_IsNotFound(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	for _, path := range []string{"/events/x", "/contacts/UPPERCASE123", "/runs/000000000000", "/distributions/1", "/outbox/1", "/help/unknown", "/help/fql.en"} {
		require.Equal(t, http.StatusNotFound, b.get(path).StatusCode, path)
	}
}

// Whatever a form says, a sign-in never leaves this host. Browsers read \ as /
// and drop tabs and line ends, so the check is made on what they would read.
func FuzzLocal_NeverLeavesTheHost(f *testing.F) {
	for _, seed := range []string{"/", "/events?a=b#c", "//evil.example.com", `/\evil.example.com`, "/\t/evil.example.com", "https://evil.example.com", "/./\\evil", "javascript:alert(1)", "/%2f/evil", "\x00//evil"} {
		f.Add(seed)
	}
	base, _ := url.Parse("https://segue.example.com/sign-in")
	browsers := strings.NewReplacer("\\", "/", "\t", "", "\n", "", "\r", "")
	f.Fuzz(func(t *testing.T, path string) {
		to, err := base.Parse(browsers.Replace(strings.TrimLeft(local(path), "\x00 ")))
		require.NoError(t, err)
		require.Equal(t, "segue.example.com", to.Host)
		require.Equal(t, "https", to.Scheme)
	})
}
