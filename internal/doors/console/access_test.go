package console

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// tokens are the colours of one block of the style sheet.
func tokens(t *testing.T, block string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6})`).FindAllStringSubmatch(block, -1) {
		found[m[1]] = m[2]
	}
	require.Greater(t, len(found), 15)
	return found
}

// luminance and contrast are WCAG 2.2's.
func luminance(hex string) float64 {
	var channels [3]float64
	for i := range channels {
		n, _ := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		c := float64(n) / 255
		if c <= 0.04045 {
			channels[i] = c / 12.92
		} else {
			channels[i] = math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*channels[0] + 0.7152*channels[1] + 0.0722*channels[2]
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestColours_ReadableInBothThemes(t *testing.T) {
	t.Parallel()
	css, err := assetFiles.ReadFile("assets/console.css")
	require.NoError(t, err)
	light, rest, _ := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	system, rest, _ := strings.Cut(rest, `:root[data-theme="dark"]`)
	chosen, _, _ := strings.Cut(rest, "}")
	require.Equal(t, tokens(t, system), tokens(t, chosen), "dark by the system and by choice are the same")
	for name, c := range map[string]map[string]string{"light": tokens(t, light), "dark": tokens(t, chosen)} {
		for _, ground := range []string{"bg", "surface", "sunken"} {
			require.GreaterOrEqual(t, contrast(c["text"], c[ground]), 7.0, "%s text on %s", name, ground)
			require.GreaterOrEqual(t, contrast(c["muted"], c[ground]), 4.5, "%s muted on %s", name, ground)
			require.GreaterOrEqual(t, contrast(c["accent"], c[ground]), 4.5, "%s links on %s", name, ground)
			require.GreaterOrEqual(t, contrast(c["control"], c[ground]), 3.0, "%s borders of controls on %s", name, ground)
		}
		require.GreaterOrEqual(t, contrast(c["on-accent"], c["accent"]), 4.5, name)
		for _, tone := range []string{"ok", "warn", "bad", "info", "idle"} {
			require.GreaterOrEqual(t, contrast(c[tone], c[tone+"-bg"]), 4.5, "%s %s on its ground", name, tone)
			require.GreaterOrEqual(t, contrast(c[tone], c["surface"]), 4.5, "%s %s", name, tone)
		}
	}
}

// What can be checked without a browser: names, ids, headings, tables.
func TestPages_Structure_IsAccessible(t *testing.T) {
	t.Parallel()
	for _, empty := range []bool{false, true} {
		b := signedIn(t, &fake{empty: empty})
		titles := map[string]string{}
		for name, path := range pages() {
			page, err := html.Parse(strings.NewReader(b.get(path).body))
			require.NoError(t, err)
			c := &checker{t: t, page: name, ids: map[string]bool{}}
			c.labels = labelled(page)
			c.walk(page, nil)
			require.NotEmpty(t, c.title, name)
			if !empty && name != "event-raw" && name != "events-filtered" && name != "job-rows" {
				require.NotContains(t, titles, c.title, "%s has the title of another page", name)
				titles[c.title] = name
			}
			for _, ref := range c.refs {
				require.True(t, c.ids[ref], "%s refers to #%s", name, ref)
			}
		}
	}
}

type checker struct {
	t      *testing.T
	page   string
	title  string
	ids    map[string]bool
	labels map[string]bool
	refs   []string
	level  int
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	s := ""
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		s += textOf(c)
	}
	return strings.TrimSpace(s)
}

func labelled(n *html.Node) map[string]bool {
	found := map[string]bool{}
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Data == "label" && attr(n, "for") != "" {
			found[attr(n, "for")] = true
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return found
}

func (c *checker) walk(n *html.Node, within []string) {
	if n.Type == html.ElementNode {
		if id := attr(n, "id"); id != "" {
			require.False(c.t, c.ids[id], "%s: two elements with id %s", c.page, id)
			c.ids[id] = true
		}
		for _, key := range []string{"aria-labelledby", "aria-describedby", "data-copy-from"} {
			if ref := attr(n, key); ref != "" {
				c.refs = append(c.refs, ref)
			}
		}
		inside := func(tag string) bool {
			for _, w := range within {
				if w == tag {
					return true
				}
			}
			return false
		}
		switch n.Data {
		case "title":
			if !inside("svg") {
				c.title = textOf(n)
			}
		case "h1", "h2", "h3":
			level := int(n.Data[1] - '0')
			if !inside("dialog") {
				require.LessOrEqual(c.t, level, c.level+1, "%s: %q skips a level", c.page, textOf(n))
			}
			c.level = level
			require.NotEmpty(c.t, textOf(n), "%s: empty %s", c.page, n.Data)
		case "a", "button":
			require.False(c.t, inside("a") || inside("button"), "%s: nested controls", c.page)
			if !hasAttr(n, "hidden") && !inside("svg") {
				require.NotEmpty(c.t, textOf(n)+attr(n, "aria-label"), "%s: %s without a name %v", c.page, n.Data, n.Attr)
			}
		case "input", "select", "textarea":
			if attr(n, "type") != "hidden" && !inside("dialog") {
				require.True(c.t, inside("label") || attr(n, "aria-label") != "" || c.labels[attr(n, "id")], "%s: %s %s without a label", c.page, n.Data, attr(n, "name"))
			}
		case "th":
			require.NotEmpty(c.t, attr(n, "scope"), "%s: th without scope", c.page)
			require.NotEmpty(c.t, textOf(n), "%s: empty th", c.page)
		case "iframe":
			require.NotEmpty(c.t, attr(n, "title"), "%s: frame without a title", c.page)
		case "svg":
			require.Equal(c.t, "true", c.svgHidden(n, within), "%s: a picture beside its words is decoration", c.page)
		}
		within = append(within[:len(within):len(within)], n.Data)
		if attr(n, "aria-hidden") == "true" {
			within = append(within, "hidden")
		}
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		c.walk(child, within)
	}
}

func (c *checker) svgHidden(n *html.Node, within []string) string {
	for _, w := range within {
		if w == "hidden" {
			return "true"
		}
	}
	return attr(n, "aria-hidden")
}
