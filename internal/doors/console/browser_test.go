package console

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
)

// tab is a page of a real browser, signed in to a served console.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu         sync.Mutex
	complaints []string // what the browser logged: refused by policy, not found, thrown
}

// openTab skips where there is no Chromium.
func openTab(t *testing.T) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("SEGUE_REQUIRE_CHROMIUM") != "" {
		t.Fatal("SEGUE_REQUIRE_CHROMIUM is set and Chromium is not installed")
	}
	if err != nil {
		t.Skip("no Chromium installed: the browser tests are skipped")
	}
	c := newTestConsole(t, &fake{})
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	c.Register(app)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan struct{})
	go func() { defer close(served); _ = app.Listener(l) }()
	b := &tab{t: t, base: "http://" + l.Addr().String()}

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 900))
	ctx, cancelBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancelTab := chromedp.NewContext(ctx, chromedp.WithListener(b.hear))
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	b.ctx = ctx
	t.Cleanup(func() {
		cancel()
		cancelTab()
		cancelBrowser()
		_ = app.ShutdownWithTimeout(time.Second)
		<-served
	})
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for name, value := range map[string]string{sessionCookie: c.sessions.New(testNow), zoneCookie: "UTC", choseCookie: "1"} {
			if _, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: b.base}); err != nil {
				return err
			}
		}
		_, err := chromedp.Call(ctx, log.Enable, cdp.Empty{})
		return err
	}))
	return b
}

func (b *tab) hear(event any) {
	if e, ok := event.(*log.EventEntryAdded); ok {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.complaints = append(b.complaints, e.Entry.Text+" "+e.Entry.URL)
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, steps...))
}

// open goes to a page and waits for its scripts.
func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base + path))
	b.until(`document.documentElement.classList.contains('js')`)
}

func (b *tab) js(expression string) { b.t.Helper(); ask[any](b, "("+expression+", null)") }

func ask[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	require.NoError(b.t, err, expression)
	return v
}

// until waits for a condition, also over navigations.
func (b *tab) until(expression string) {
	b.t.Helper()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for {
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")")); err == nil && ok {
			return
		}
		select {
		case <-b.ctx.Done():
			require.FailNow(b.t, "never came true", expression)
		case <-every.C:
		}
	}
}

func (b *tab) keys(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		b.do(chromedp.KeyEvent(k))
	}
}

func (b *tab) address() string { b.t.Helper(); return ask[string](b, "location.href") }

// The policy is only as good as the pages under it: a browser that refuses
// something says so.
func TestBrowser_EveryPage_BreaksNoPolicyAndDoesNotScrollSideways(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	for _, width := range []int64{1280, 320} {
		b.do(chromedp.EmulateViewport(width, 900))
		for name, path := range pages() {
			if name == "fail" {
				continue // its 404 is a complaint by itself
			}
			b.open(path)
			require.LessOrEqual(t, ask[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`), 0, "%s is wider than %d", name, width)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, said := range b.complaints {
		// The mail's own page blocks the script in the mail: that is the point.
		require.Contains(t, said, "/outbox/", "the browser complains")
	}
}

func TestBrowser_List_SwapsItsPartAndBackRestoresIt(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.open("/events?source=web")
	b.js(`document.querySelector('h1').dataset.kept = 'yes', document.getElementById('older').click()`)
	b.until(`location.search.includes('cursor=older') && document.getElementById('newest')`)
	require.Equal(t, b.base+"/events?cursor=older&source=web", b.address())
	require.Equal(t, "yes", ask[string](b, `document.querySelector('h1').dataset.kept`), "the page was not loaded again")

	b.js(`history.back()`)
	b.until(`!location.search.includes('cursor') && !document.getElementById('newest')`)
	require.Equal(t, b.base+"/events?source=web", b.address())

	b.js(`document.querySelector('[name=user_id]').value = 'u_42', document.querySelector('#filter form').requestSubmit()`)
	b.until(`location.search.includes('q=') && document.querySelector('.chip')`)
	require.NotContains(t, b.address(), "u_42")
	b.js(`history.back()`)
	b.until(`!document.querySelector('[name=user_id]').value && !location.search.includes('q=')`) // a filter that is shown is in force
	require.Equal(t, "yes", ask[string](b, `document.querySelector('h1').dataset.kept`))
}

func TestBrowser_Keys_GoMoveFindAndRestWhileTyping(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.open("/")
	b.keys("g", "e")
	b.until(`location.pathname === '/events' && document.documentElement.classList.contains('js')`)
	b.keys("j", "j")
	require.Equal(t, idAt(10*time.Second, 1).String(), ask[string](b, `document.activeElement.dataset.id`), "the second row")

	b.keys("/")
	b.js(`document.getElementById('find').value = ''`) // this protocol sends the letter apart from its key
	b.keys("g", "r")
	require.Equal(t, "gr", ask[string](b, `document.getElementById('find').value`), "letters belong to the field")
	require.Equal(t, b.base+"/events", b.address())

	b.js(`document.getElementById('find').value = 'taro@example.com'`)
	b.keys("\r")
	b.until(`document.querySelector('.timeline')`)
	require.True(t, strings.HasPrefix(b.address(), b.base+"/contacts/"), b.address())
}

func TestBrowser_Body_RawByKeyAndCopyWithoutAClipboardShowsTheText(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.open("/events/" + eventID.String())
	b.keys("t")
	b.until(`document.getElementById('raw')`)
	require.Contains(t, ask[string](b, `document.getElementById('raw').textContent`), `"steps_completed": 5`)
	b.js(`Object.defineProperty(navigator, 'clipboard', {value: undefined}), document.querySelector('.head .btn.copy').click()`)
	b.until(`document.querySelector('#copybox[open]')`)
	require.Equal(t, b.base+"/events/"+eventID.String(), ask[string](b, `document.querySelector('#copybox textarea').value`))
}

func TestBrowser_Destination_TestedInPlaceAndRefreshedWithoutTestingAgain(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.open("/destinations/acme")
	b.js(`document.querySelector('h1').dataset.kept = 'yes', document.querySelector('[name=note]').value = 'typed', document.getElementById('totest').click()`)
	b.until(`document.querySelector('#part-test .note') && document.getElementById('said').textContent`)
	require.Equal(t, b.base+"/destinations/acme/test", b.address())
	require.Equal(t, "yes", ask[string](b, `document.querySelector('h1').dataset.kept`), "the page was not loaded again")
	b.keys("r")
	b.until(`!document.querySelector('h1').dataset.kept`) // the state is fresh
	require.True(t, ask[bool](b, `Boolean(document.querySelector('#part-test .note'))`), "the result stays")
	require.Equal(t, "typed", ask[string](b, `document.querySelector('[name=note]').value`))
	require.False(t, ask[bool](b, `document.body.classList.contains('stale')`))

	b.js(`document.getElementById('list').click()`)
	b.until(`document.querySelector('[data-copy^=POOL]')`)
	require.Equal(t, b.base+"/destinations/acme?directories=1", b.address())
	b.js(`history.back()`)
	b.until(`!document.querySelector('[data-copy^=POOL]')`)
}

// Between the width where the top bar breaks and the wide ones, nothing may lie on
// anything else.
func TestBrowser_TopBar_FindDoesNotCoverThePages(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	for _, width := range []int64{1101, 1200, 1360} {
		b.do(chromedp.EmulateViewport(width, 900))
		b.open("/connections")
		require.LessOrEqual(t, ask[float64](b, `document.querySelector('.top nav li:last-child').getBoundingClientRect().right - document.querySelector('.find').getBoundingClientRect().left`), 0.0, "at %d", width)
	}
}

func TestBrowser_Home_RefreshKeepsWhatTheReaderOpened(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.open("/")
	b.js(`document.getElementById('table').open = true, document.getElementById('part-now').dataset.old = 'yes'`)
	b.keys("r")
	b.until(`!document.getElementById('part-now').dataset.old`)
	require.True(t, ask[bool](b, `document.getElementById('table').open`))
	b.js(`window.fetch = () => Promise.reject(new TypeError('gone'))`)
	b.keys("r")
	b.until(`document.body.classList.contains('stale') && document.getElementById('said').textContent.startsWith('Not refreshed')`)
	b.keys("p")
	require.Equal(t, "true", ask[string](b, `document.querySelector('[data-pause]').getAttribute('aria-pressed')`))
}

func TestBrowser_Zone_OfTheBrowserIsToldOnceAndAChoiceWins(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		if _, err := chromedp.Call(ctx, network.DeleteCookies, network.DeleteCookiesParams{Name: choseCookie, URL: b.base}); err != nil {
			return err
		}
		_, err := chromedp.Call(ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Tokyo"})
		return err
	}))
	b.open("/runs")
	b.until(`document.documentElement.dataset.zone === 'Asia/Tokyo' && document.body.textContent.includes('10-22 12:03:10')`)

	b.js(`document.querySelector('[name=zone]').value = 'UTC', document.querySelector('.menu form').requestSubmit()`)
	b.until(`document.documentElement.dataset.zone === 'UTC' && document.documentElement.dataset.zoneBy === 'reader' && document.documentElement.classList.contains('js')`)
	b.open("/events")
	require.Equal(t, "UTC", ask[string](b, `document.documentElement.dataset.zone`))
}
