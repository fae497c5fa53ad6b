package console

import (
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestPages_EveryViewInBothLanguagesFullAndEmpty_Renders(t *testing.T) {
	t.Parallel()
	for _, empty := range []bool{false, true} {
		for _, lang := range languages {
			for name, path := range pages() {
				b := signedIn(t, &fake{empty: empty})
				b.jar[langCookie] = lang
				a := b.get(path)
				want := http.StatusOK
				if name == "fail" {
					want = http.StatusNotFound
				}
				require.Equal(t, want, a.StatusCode, "%s %s empty=%v: %s", lang, name, empty, a.body)
				require.Contains(t, a.body, `<html lang="`+lang+`"`)
				require.Equal(t, 1, strings.Count(a.body, "<h1"), "%s: one h1", name)
				require.Contains(t, a.body, "</html>", name)
				require.NotContains(t, a.body, "ZgotmplZ", "%s: a value did not fit its place", name)
				require.NotContains(t, a.body, "<no value>", name)
			}
		}
	}
}

// A template that no address shows would never be executed by these tests.
func TestPages_EveryTemplate_HasAnAddress(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{"sign-in": true, "find": true} // tested in their own tests
	for name := range pages() {
		if topic, ok := strings.CutPrefix(name, "help/"); ok {
			shown["help/"+topic+".en"], shown["help/"+topic+".ja"] = true, true
			continue
		}
		shown[name] = true
	}
	require.NoError(t, fs.WalkDir(templateFiles, "templates", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == "templates/layout.html" || path == "templates/partials.html" {
			return err
		}
		require.True(t, shown[viewName(path)], "%s is shown by no address in pages()", path)
		return nil
	}))
}

// Pages are edited by hand: a line is one element or one idea, and short enough
// to be read.
func TestFiles_NoLineIsOver160Characters(t *testing.T) {
	t.Parallel()
	for root, files := range map[string]fs.FS{"templates": templateFiles, "assets": assetFiles} {
		require.NoError(t, fs.WalkDir(files, root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := fs.ReadFile(files, path)
			require.NoError(t, err)
			for n, line := range strings.Split(string(b), "\n") {
				require.LessOrEqual(t, utf8.RuneCountInString(line), 160, "%s:%d", path, n+1)
			}
			return nil
		}))
	}
}

var (
	inlineHandler = regexp.MustCompile(`(?i)<[^>]*\son[a-z]+\s*=`)
	inlineStyle   = regexp.MustCompile(`(?i)<[^>]*\sstyle\s*=|<style`)
	inlineScript  = regexp.MustCompile(`(?i)<script(?:>|[^>]*[^>"a-z]>)|<script(?:\s+type="[^"]*")?>`)
	javascriptURL = regexp.MustCompile(`(?i)(?:href|src|action)="\s*javascript:`)
)

func TestPages_ContentPolicy_IsStrictAndNothingIsInline(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	for name, path := range pages() {
		a := b.get(path)
		require.Equal(t, contentPolicy, a.Header.Get("Content-Security-Policy"), name)
		require.NotContains(t, contentPolicy, "unsafe")
		require.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"), name)
		require.Equal(t, "no-store", a.Header.Get("Cache-Control"), name)
		for _, re := range []*regexp.Regexp{inlineHandler, inlineStyle, inlineScript, javascriptURL} {
			require.Empty(t, re.FindString(a.body), "%s: %s", name, re)
		}
	}
}

func TestPages_DataWithMarkup_IsShownAsText(t *testing.T) {
	t.Parallel()
	body := signedIn(t, &fake{}).get("/events/" + eventID.String()).body
	require.NotContains(t, body, "<b>Tour")
	require.Contains(t, body, "&lt;b&gt;Tour")
}

func TestPages_Budget_OfBytes(t *testing.T) {
	t.Parallel()
	size := func(suffix string) (total int) {
		require.NoError(t, fs.WalkDir(assetFiles, "assets", func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, suffix) {
				b, err := assetFiles.ReadFile(path)
				require.NoError(t, err)
				total += len(b)
			}
			return err
		}))
		return total
	}
	require.Less(t, size(".js"), 20<<10, "scripts")
	require.Less(t, size(".css"), 25<<10, "styles")
	require.Less(t, size(".svg"), 6<<10, "sprite and icon")
	b := signedIn(t, &fake{})
	for _, lang := range languages {
		b.jar[langCookie] = lang
		for name, path := range pages() {
			limit := 60 << 10
			require.Less(t, len(b.get(path).body), limit, "%s in %s", name, lang)
		}
	}
}

func TestPages_Part_IsTheSameBlockAsInThePage(t *testing.T) {
	t.Parallel()
	for path, part := range map[string]string{
		"/": "now", "/events": "list", "/events/" + eventID.String(): "story", "/contacts": "list", "/runs": "list", "/runs/" + runID.String(): "run",
		"/distributions": "list", "/distributions/" + distributionID.String(): "head", "/outbox": "list", "/jobs": "list", "/jobs/" + jobID.String(): "head", "/jobs/" + jobID.String() + "?outcome=new": "report",
		"/connections": "list", "/destinations/acme": "head", "/destinations/crm-eu": "test", "/destinations/crm-eu?directories=1": "directories",
	} {
		b := signedIn(t, &fake{})
		b.header.Set("X-Csrf", "") // no effect on reading
		whole := b.get(path).body
		b.header.Set("X-Part", part)
		a := b.get(path)
		require.NotContains(t, a.body, "<html", path)
		require.Contains(t, a.body, `id="part-`+part+`"`, path)
		require.Contains(t, whole, strings.TrimSpace(a.body), "%s: the part stands in the page as it is", path)
		require.NotEmpty(t, a.Header.Get("X-Title"), path)
		require.Contains(t, strings.Join(a.Header.Values("Vary"), ","), "X-Part", path)
	}
}

func TestPages_UnknownPart_IsTheWholePage(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	b.header.Set("X-Part", "layout")
	require.Contains(t, b.get("/events").body, "<html")
}

func TestAssets_RightHash_IsKeptForEver(t *testing.T) {
	t.Parallel()
	b := visit(t, &fake{})
	a := b.get(assetPath("console.css"))
	require.Equal(t, http.StatusOK, a.StatusCode)
	require.Contains(t, a.Header.Get("Cache-Control"), "immutable")
	require.Equal(t, "no-cache", b.get("/assets/000000000000/console.css").Header.Get("Cache-Control"))
	for _, name := range []string{"swap.js", "live.js", "keys.js", "copy.js", "zone.js", "main.js"} {
		a := b.get(assetPath(name))
		require.Equal(t, "text/javascript; charset=utf-8", a.Header.Get("Content-Type"))
		require.NotRegexp(t, `\.(innerHTML|outerHTML|insertAdjacentHTML)\b|\beval\(|document\.write`, a.body, name)
	}
	require.Equal(t, http.StatusNotFound, b.get(assetPath("nothing.js")).StatusCode)
}

func TestSprite_EveryShapeThatIsUsed_IsThere(t *testing.T) {
	t.Parallel()
	sprite, err := assetFiles.ReadFile("assets/sprite.svg")
	require.NoError(t, err)
	for code, l := range looks {
		require.Contains(t, string(sprite), `<symbol id="`+l.shape+`"`, code)
	}
	b := signedIn(t, &fake{})
	used := regexp.MustCompile(`sprite\.svg#([a-z]+)`)
	for name, path := range pages() {
		for _, m := range used.FindAllStringSubmatch(b.get(path).body, -1) {
			require.Contains(t, string(sprite), `<symbol id="`+m[1]+`"`, name)
		}
	}
}

// Links on the pages must lead somewhere: a dead one is a control that lies.
func TestPages_EveryLocalLink_Answers(t *testing.T) {
	t.Parallel()
	b := signedIn(t, &fake{})
	href := regexp.MustCompile(`(?:href|src)="(/[^"#]*)`)
	seen := map[string]bool{}
	for name, path := range pages() {
		for _, m := range href.FindAllStringSubmatch(b.get(path).body, -1) {
			link := strings.ReplaceAll(m[1], "&amp;", "&")
			if seen[link] {
				continue
			}
			seen[link] = true
			require.Equal(t, http.StatusOK, b.get(link).StatusCode, "%s links to %s", name, link)
		}
	}
}
