package console

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/ops"
)

const testPassword = "open sesame"

// browser is a signed-in reader of a console over the fake.
type browser struct {
	t       *testing.T
	app     *fiber.App
	console *Console
	fake    *fake
	jar     map[string]string
	header  http.Header
}

func newTestConsole(t *testing.T, f *fake) *Console {
	t.Helper()
	c, err := New(Options{
		Operations: f.operations(),
		SignIn:     func(p string) bool { return p == testPassword },
		SessionKey: []byte(strings.Repeat("k", 32)),
		Now:        func() time.Time { return testNow },
		TemporalUI: "http://127.0.0.1:8233",
		Logger:     slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return c
}

func visit(t *testing.T, f *fake) *browser {
	t.Helper()
	c := newTestConsole(t, f)
	app := fiber.New()
	c.Register(app)
	return &browser{t: t, app: app, console: c, fake: f, jar: map[string]string{}, header: http.Header{}}
}

func signedIn(t *testing.T, f *fake) *browser {
	t.Helper()
	b := visit(t, f)
	b.jar[sessionCookie] = b.console.sessions.New(testNow)
	return b
}

type answer struct {
	*http.Response
	body string
}

func (b *browser) do(method, target string, form url.Values) answer {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, target, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, vs := range b.header {
		r.Header[k] = vs
	}
	for k, v := range b.jar {
		r.AddCookie(&http.Cookie{Name: k, Value: v})
	}
	res, err := b.app.Test(r, -1)
	require.NoError(b.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	for _, k := range res.Cookies() {
		b.jar[k.Name] = k.Value
		if k.Value == "" {
			delete(b.jar, k.Name)
		}
	}
	return answer{res, string(text)}
}

func (b *browser) get(target string) answer { b.t.Helper(); return b.do(http.MethodGet, target, nil) }

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// post sends a form with the token of a page, as a browser would.
func (b *browser) post(from, target string, form url.Values) answer {
	b.t.Helper()
	m := csrfField.FindStringSubmatch(b.get(from).body)
	require.NotNil(b.t, m, "no csrf token on %s", from)
	form.Set("csrf", m[1])
	return b.do(http.MethodPost, target, form)
}

// pages are all addresses that answer with a page, by the view they show.
func pages() map[string]string {
	return map[string]string{
		"home": "/", "events": "/events", "event": "/events/" + eventID.String(), "event-raw": "/events/" + eventID.String() + "?body=raw",
		"contacts": "/contacts", "contact": "/contacts/" + contactID.String(), "runs": "/runs", "run": "/runs/" + runID.String(),
		"distributions": "/distributions", "distribution": "/distributions/" + distributionID.String(), "connections": "/connections", "destination": "/destinations/acme", "destination-directories": "/destinations/crm-eu?directories=1", "destination-paused": "/destinations/mail", "destination-off": "/destinations/later", "destination-own": "/destinations/xm",
		"jobs": "/jobs", "job": "/jobs/" + jobID.String(), "job-rows": "/jobs/" + jobID.String() + "?outcome=differs&cursor=older",
		"outbox": "/outbox", "mail": "/outbox/" + mailID.String(),
		"help": "/help", "help/fql": "/help/fql", "help/jsonpath": "/help/jsonpath", "help/cel": "/help/cel", "help/segment": "/help/segment", "fail": "/nowhere",
		"events-filtered": "/events?status=failed&source=web&since=2026-10-22T04:00:00Z",
	}
}

// TestPreview serves the fake's pages for looking at them:
//
//	SEGUE_CONSOLE_PREVIEW=127.0.0.1:8099 go test -run TestPreview -timeout 0 ./internal/doors/console
//
// SEGUE_CONSOLE_PREVIEW_OPEN=1 signs every reader in.
func TestPreview(t *testing.T) {
	address := os.Getenv("SEGUE_CONSOLE_PREVIEW")
	if address == "" {
		t.Skip("set SEGUE_CONSOLE_PREVIEW=host:port to look at the pages")
	}
	f := &fake{empty: os.Getenv("SEGUE_CONSOLE_PREVIEW_EMPTY") != ""}
	f.tested = ops.Connection{OK: true, Account: "aya@acme#survey", Notice: "the account is in data center fra1, the destination says iad1", RequestID: "0b7c-41"}
	c := newTestConsole(t, f)
	c.options.DevSignIn = testPassword
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	if os.Getenv("SEGUE_CONSOLE_PREVIEW_OPEN") != "" {
		app.Use(func(x *fiber.Ctx) error {
			if x.Path() != "/sign-in" {
				x.Request().Header.SetCookie(sessionCookie, c.sessions.New(testNow))
			}
			for _, k := range []string{langCookie, themeCookie, zoneCookie} { // ?_segue_lang=ja, for screenshots
				if v := x.Query("_" + k); v != "" {
					x.Request().Header.SetCookie(k, v)
				}
			}
			return x.Next()
		})
	}
	c.Register(app)
	require.NoError(t, app.Listen(address))
}
