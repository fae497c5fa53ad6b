package starter_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/data/store"
)

// browser is a real one, and where it finds clients/page.html and the SDK: another
// origin than any starter.
type browser struct {
	ctx  context.Context
	base string
}

// startBrowser skips where there is no Chromium or no SDK.
func startBrowser(t *testing.T) browser {
	t.Helper()
	sdk := module(t, "@segment/analytics-next")
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("SEGUE_REQUIRE_CHROMIUM") != "" {
		t.Fatal("SEGUE_REQUIRE_CHROMIUM is set and Chromium is not installed")
	}
	if err != nil {
		t.Skip("no Chromium installed: the browser tests are skipped")
	}
	files := http.NewServeMux()
	files.Handle("GET /sdk/", http.StripPrefix("/sdk/", http.FileServer(http.Dir(filepath.Join(sdk, "dist", "umd")))))
	files.HandleFunc("GET /page.html", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join("..", "clients", "page.html"))
	})
	files.HandleFunc("GET /v1/projects/{key}/settings", func(w http.ResponseWriter, r *http.Request) { // as Segment serves them
		_, _ = fmt.Fprintf(w, `{"integrations":{"Segment.io":{"apiKey":%q,"apiHost":"api.segment.io/v1"}},"metrics":{"sampleRate":1}}`, r.PathValue("key"))
	})
	served := httptest.NewServer(files)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, stopProcess := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		stop()
		stopProcess()
		served.Close()
	})
	require.NoError(t, chromedp.Do(ctx)) // starts it
	return browser{ctx, served.URL}
}

// page is clients/page.html in a tab that shares nothing with others.
type page struct {
	browser
	t *testing.T

	mu    sync.Mutex
	hosts []string // which the page has asked, each once
}

func (b browser) page(t *testing.T) *page {
	t.Helper()
	p := &page{t: t, browser: b}
	ctx, closeTab := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.hear))
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	p.ctx = ctx
	t.Cleanup(func() {
		cancel()
		closeTab()
	})
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return err
	}))
	return p
}

func (p *page) hear(event any) {
	e, ok := event.(*network.EventRequestWillBeSent)
	if !ok {
		return
	}
	to, err := url.Parse(e.Request.URL)
	if err != nil || to.Host == "" { // data: and the like
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.hosts, to.Host) {
		p.hosts = append(p.hosts, to.Host)
	}
}

func (p *page) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.hosts)
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Do(p.ctx, steps...))
}

// The SDK's ways to deliver.
const (
	standard = "standard" // one event at a time
	batching = "batching"
)

// open goes to the page; its SDK will speak to the starter at segue. A batch that
// is not full goes out after the time given. more are name, value, name, value.
func (p *page) open(segue, key, strategy string, after time.Duration, more ...string) {
	p.t.Helper()
	q := url.Values{"segue": {strings.TrimPrefix(segue, "http://")}, "key": {key}, "strategy": {strategy}, "timeout": {strconv.FormatInt(after.Milliseconds(), 10)}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	p.do(chromedp.Navigate(p.base + "/page.html#" + q.Encode()))
}

func evaluated[T any](p *page, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(p.t, err, expression)
	return v
}

// send makes the page's six calls and returns their message ids.
func (p *page) send() []string {
	p.t.Helper()
	require.True(p.t, evaluated[bool](p, "send()"))
	return evaluated[[]string](p, "seen.sent")
}

// measure makes the SDK measure an error of its own. It tells Segment so at once,
// if it is not told to tell somebody else, or nobody.
const measure = "last.stats.increment('analytics_js.invoke.error', 1, ['type:test']), fetch(location.pathname).then(() => true)"

// TestBrowser drives a starter with Segment's SDK in a page, in both of its ways
// to deliver.
func TestBrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	for _, strategy := range []string{standard, batching} {
		t.Run(strategy, func(t *testing.T) {
			t.Parallel()
			for name, test := range map[string]func(t *testing.T, p *page, strategy string){
				"EveryCall_ArrivesFromAnotherOrigin":     everyCallArrives,
				"WrongKey_IsDroppedAtOnce":               wrongKeyIsDropped,
				"DatabaseAway_ComesAgainUntilItIsStored": storedInTheEnd,
				"AnswerLost_IsStoredOnce":                storedOnce,
				"TooMuch_ComesAgainWhenItIsToldTo":       comesAgain,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, b.page(t), strategy)
				})
			}
		})
	}
	t.Run("SettingsFromSegment_AreOverridden", func(t *testing.T) {
		t.Parallel()
		f := setup(t)
		w := f.wire()
		p := b.page(t)
		p.open(w.url, webKey, standard, 0, "settings", "cdn")
		sent := p.send()
		require.ElementsMatch(t, sent, f.messages())
		require.True(t, evaluated[bool](p, measure))
		require.ElementsMatch(t, []string{strings.TrimPrefix(p.base, "http://"), strings.TrimPrefix(w.url, "http://")}, p.asked(), "nobody else")
		f.inTime("what the SDK measures is taken", func() bool {
			return len(w.of(func(e exchange) bool { return e.path == "/v1/m" && e.status == http.StatusOK })) > 0
		})
	})
	t.Run("PageIsLeft_TheBatchGoesOut", func(t *testing.T) {
		t.Parallel()
		f := setup(t)
		w := f.wire()
		p := b.page(t)
		p.open(w.url, webKey, batching, time.Hour)
		require.True(t, evaluated[bool](p, "analytics.track('Left').then(() => true)"))
		require.Empty(t, w.posts())
		p.do(chromedp.Navigate("about:blank"))
		f.inTime("it is stored", f.arrived(1))
		require.Equal(t, "Left", f.stored()[0].Name)
	})
}

func everyCallArrives(t *testing.T, p *page, strategy string) {
	f := setup(t)
	w := f.wire()
	p.open(w.url, webKey, strategy, 500*time.Millisecond)
	sent := p.send()
	paths := map[string][]string{standard: {"/v1/a", "/v1/g", "/v1/i", "/v1/p", "/v1/s", "/v1/t"}, batching: {"/v1/b", "/v1/b"}}[strategy]
	f.inTime("all are answered", func() bool { return len(w.posts()) >= len(paths) })
	require.Equal(t, sixCalls, f.types())
	require.True(t, evaluated[bool](p, measure))

	var asked []string
	for _, e := range w.posts() {
		asked = append(asked, e.path)
		require.Equal(t, 200, e.status)
		require.Equal(t, p.base, e.header.Get("Origin"))
		require.Equal(t, basic(webKey+":"), e.header.Get("Authorization"))
		require.True(t, strings.HasPrefix(e.header.Get("Content-Type"), "text/plain"), e.header)
	}
	slices.Sort(asked)
	require.Equal(t, paths, asked)
	require.NotEmpty(t, w.of(func(e exchange) bool { return e.method == http.MethodOptions && e.status == http.StatusNoContent }), "the browser asked first")
	require.ElementsMatch(t, []string{strings.TrimPrefix(p.base, "http://"), strings.TrimPrefix(w.url, "http://")}, p.asked(), "and nobody else")

	bodies := map[string]*jsonvalue.Object{}
	for _, r := range f.stored() {
		require.NotContains(t, f.body(r.ID), webKey)
		o, err := jsonvalue.ParseObject([]byte(f.body(r.ID)))
		require.NoError(t, err)
		c := o.Get("context").(*jsonvalue.Object)
		require.Equal(t, "analytics.js", c.Get("library").(*jsonvalue.Object).Get("name"))
		require.Equal(t, "/page.html", c.Get("page").(*jsonvalue.Object).Get("path"))
		require.NotEmpty(t, c.Get("userAgent"))
		require.NotEmpty(t, o.Get("anonymousId"))
		require.NotEmpty(t, o.Get("sentAt"))
		bodies[r.Type] = o
	}
	require.ElementsMatch(t, sent, f.messages())
	require.Equal(t, `{"email":"hana@example.com","age":41.5}`, jsonvalue.Text(bodies["identify"].Get("traits")))
	require.Equal(t, `{"plan":"プロ"}`, jsonvalue.Text(bodies["track"].Get("properties")))
	require.Equal(t, jsonvalue.Undefined{}, bodies["track"].Get("traits"))
	require.Equal(t, "u", bodies["track"].Get("userId"), "as identify said")
	require.Equal(t, "spring", bodies["track"].Get("context").(*jsonvalue.Object).Get("campaign").(*jsonvalue.Object).Get("name"))
	require.Equal(t, "Home", bodies["page"].Get("name"))
	require.Equal(t, "Docs", bodies["page"].Get("category"))
	require.Equal(t, "Start", bodies["screen"].Get("name"))
	require.Equal(t, "g", bodies["group"].Get("groupId"))
	require.Equal(t, "before", bodies["alias"].Get("previousId"))
}

// wrongKeyIsDropped: with batches the SDK does not even tell the page.
func wrongKeyIsDropped(t *testing.T, p *page, strategy string) {
	f := setup(t)
	w := f.wire()
	p.open(w.url, "wk-nobody", strategy, 500*time.Millisecond)
	requests := map[string]int{standard: 6, batching: 2}[strategy]
	for round := range 2 { // what is tried again would come with the second
		p.send()
		f.inTime("all are refused", func() bool { return len(w.posts()) >= requests*(round+1) })
	}
	require.Equal(t, slices.Repeat([]int{http.StatusUnauthorized}, 2*requests), statuses(w.posts()))
	require.Equal(t, slices.Repeat([]string{""}, 2*requests), retries(w.posts()))
	failed := evaluated[[]string](p, "seen.failed")
	require.Len(t, failed, map[string]int{standard: 12, batching: 0}[strategy])
	for _, reason := range failed {
		require.Contains(t, reason, "401")
	}
	require.Empty(t, f.stored())
}

func storedInTheEnd(t *testing.T, p *page, strategy string) {
	f := setup(t)
	w := f.wire()
	var commits atomic.Int32
	f.events.hook(func([]store.NewEvent) error {
		if commits.Add(1) == 1 {
			return fault.New(fault.Unavailable, "away")
		}
		return nil
	})
	p.open(w.url, webKey, strategy, 500*time.Millisecond)
	sent := p.send()
	f.inTime("all are stored", f.arrived(6))
	f.inTime("a page may send X-Retry-Count", func() bool { return slices.Contains(retries(w.posts()), "1") })
	require.ElementsMatch(t, sent, f.messages())
	require.Empty(t, evaluated[[]string](p, "seen.failed"))
}

// storedOnce: what was lost is asked for again by the SDK or by the browser itself.
func storedOnce(t *testing.T, p *page, strategy string) {
	f := setup(t)
	w := f.wire(0)
	p.open(w.url, webKey, strategy, 500*time.Millisecond)
	sent := p.send()
	f.inTime("it came again", func() bool { return f.counted("segue_events_total", "duplicate") > 0 })
	f.inTime("all are stored", f.arrived(6))
	require.ElementsMatch(t, sent, f.messages())
}

func comesAgain(t *testing.T, p *page, strategy string) {
	f := setupLarge(t)
	w := f.wire()
	free := f.full()
	p.open(w.url, webKey, strategy, 500*time.Millisecond)
	sent := p.send()
	f.inTime("refused", func() bool { return slices.Contains(statuses(w.posts()), http.StatusTooManyRequests) })
	free()
	f.inTime("all are stored", f.arrived(6))
	require.ElementsMatch(t, sent, f.messages())
}
