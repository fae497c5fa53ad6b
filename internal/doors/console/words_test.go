package console

import (
	"bufio"
	"io/fs"
	"os"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

func catalogues(t *testing.T) map[string]*catalogue {
	t.Helper()
	all, err := loadCatalogues()
	require.NoError(t, err)
	return all
}

var placeholder = regexp.MustCompile(`\{\d\}`)

func TestCatalogues_SameKeysAndPlaceholders(t *testing.T) {
	t.Parallel()
	all := catalogues(t)
	en, ja := all["en"].texts, all["ja"].texts
	for key, text := range en {
		other, ok := ja[key]
		if base, isOne := strings.CutSuffix(key, ".one"); isOne {
			require.False(t, ok, "%s: Japanese has no plural", key)
			require.Contains(t, en, base)
			continue
		}
		require.True(t, ok, "ja has no %s", key)
		a, b := placeholder.FindAllString(text, -1), placeholder.FindAllString(other, -1)
		sort.Strings(a)
		sort.Strings(b)
		require.Equal(t, a, b, "placeholders of %s", key)
		if key != "unit.join" {
			require.NotEmpty(t, other, key)
		}
	}
	for key := range ja {
		require.Contains(t, en, key, "en has no %s", key)
	}
}

// prefixes of keys that are made from codes; the codes are those of the code.
var builtKeys = []struct {
	prefix string
	codes  []string
}{
	{"fail.", nil}, {"funnel.", funnelStages}, {"home.total_", []string{"accepted", "done", "retrying", "held", "rejected", "invalid", "runs", "mails"}},
	{"contact.", []string{"ext_ref", "email", "phone", "last_name", "first_name", "language"}},
	{"help.", topics}, {"word.", helpWords}, {"empty.", []string{"events", "contacts", "runs", "jobs", "distributions", "outbox", "destinations"}},
	{"why.join_", []string{"and", "or"}},
	{"action.", []string{"upsert_contact", "upsert_transaction", "start_workflow", "distribute", "progress"}},
	{"kind.", []string{"invitation", "invite", "reminder", "thank_you", "expired"}},
	{"cause.", []string{"event", "task", "opt_out", "edit"}},
	{"job.kind_", []string{"replay"}}, {"job.count_", []string{"events", "unmatched"}},
	{"destination.type_", []string{"directory", "qualtrics"}},
	{"channel.", []string{"email", "sms"}}, {"part.", []string{"database", "temporal", "workers", "mail", "ingest"}},
}

func TestCatalogues_EveryKeyIsUsedAndEveryUsedKeyIsThere(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	inTemplates := regexp.MustCompile(`\.(?:T|N) "([^"]+)"|\.Copy [^)]*? "([a-z_.]+)"`)
	require.NoError(t, fs.WalkDir(templateFiles, "templates", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := templateFiles.ReadFile(path)
		require.NoError(t, err)
		for _, m := range inTemplates.FindAllStringSubmatch(string(b), -1) {
			used[m[1]+m[2]] = true
		}
		return nil
	}))
	inGo := regexp.MustCompile(`"([a-z]+\.[a-z_.]+)"`)
	files, err := fs.Glob(os.DirFS("."), "*.go")
	require.NoError(t, err)
	en := catalogues(t)["en"]
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range inGo.FindAllStringSubmatch(string(b), -1) {
			if en.has(m[1]) {
				used[m[1]] = true
			}
		}
	}
	for code := range looks {
		used["status."+code] = true
	}
	for _, f := range failures {
		used["fail."+f.key], used["fail."+f.key+"_text"] = true, true
	}
	for _, key := range []string{"fail.no_page", "fail.no_page_text", "fail.forged", "fail.forged_text"} {
		used[key] = true
	}
	for _, b := range builtKeys {
		for _, code := range b.codes {
			used[b.prefix+code] = true
			if en.has(b.prefix + code + "_text") {
				used[b.prefix+code+"_text"] = true
			}
		}
	}
	delete(used, "contact.") // printed with a field's name
	for key := range used {
		require.True(t, en.has(key), "%s is used and not in the catalogue", key)
	}
	for key := range en.texts {
		require.True(t, used[strings.TrimSuffix(key, ".one")], "%s is in the catalogue and not used", key)
	}
}

// A run in a language whose every text is in brackets finds what is written
// outside of the catalogue.
func TestPages_PseudoLanguage_NoTextOutsideTheCatalogue(t *testing.T) {
	t.Parallel()
	letters := regexp.MustCompile(`[A-Za-z]{2,}`)
	for name, path := range pages() {
		if strings.HasPrefix(name, "help/") {
			continue // one template a language
		}
		b := signedIn(t, &fake{})
		b.console.renderer.words["en"] = pseudo(catalogues(t)["en"])
		page, err := html.Parse(strings.NewReader(b.get(path).body))
		require.NoError(t, err)
		for _, text := range visibleTexts(page, false) {
			text = withCode.ReplaceAllString(text, "$1") // a status and its code, both on purpose
			plain := regexp.MustCompile(`⟦[^⟧]*⟧`).ReplaceAllString(text, "")
			plain = regexp.MustCompile(`⟦[^⟧]*|[^⟦]*⟧`).ReplaceAllString(plain, "") // one cut by an element or nested
			for _, word := range letters.FindAllString(plain, -1) {
				require.Contains(t, allowedWords, word, "%s: %q is not in the catalogue", name, text)
			}
		}
	}
}

var withCode = regexp.MustCompile(`^(⟦[^⟧]*⟧) \([a-z_]+\)$`)

// names and codes that are the same in each language
var allowedWords = []string{"Segue", "Temporal", "UTC", "Asia", "Tokyo", "Singapore", "Kolkata", "Europe", "London", "Berlin", "America", "New_York", "New", "York", "Los_Angeles", "Los", "Angeles",
	"English", "Enter", "identify", "track", "page", "screen", "group", "alias", "delete", "string", "number", "boolean", "null"}

func pseudo(c *catalogue) *catalogue {
	p := &catalogue{lang: "en", texts: map[string]string{}}
	for k, text := range c.texts {
		p.texts[k] = "⟦" + text + "⟧"
	}
	return p
}

// visibleTexts are the texts and spoken attributes of a page, except data.
func visibleTexts(n *html.Node, data bool) (texts []string) {
	if n.Type == html.ElementNode {
		if n.Data == "script" || n.Data == "style" || n.Data == "title" || n.Data == "time" || n.Data == "kbd" {
			return nil
		}
		for _, a := range n.Attr {
			switch a.Key {
			case "translate":
				data = a.Val == "no"
			case "aria-label", "placeholder", "title":
				if !data && n.Data != "a" && a.Val != "Segue" {
					texts = append(texts, a.Val)
				}
			case "class":
				if strings.Contains(a.Val, "mono") {
					data = true
				}
			}
		}
	}
	if n.Type == html.TextNode && !data {
		if s := strings.TrimSpace(n.Data); s != "" {
			texts = append(texts, s)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		texts = append(texts, visibleTexts(c, data)...)
	}
	return texts
}

// The glossary gives each word of the domain one Japanese word.
func TestCatalogues_Japanese_KeepsToTheGlossary(t *testing.T) {
	t.Parallel()
	all := catalogues(t)
	f, err := os.Open("i18n/glossary.md")
	require.NoError(t, err)
	defer f.Close()
	words := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if cells := strings.Split(s.Text(), "|"); len(cells) > 3 && !strings.Contains(cells[1], "-") {
			words[strings.TrimSpace(cells[1])] = strings.TrimSpace(cells[2])
		}
	}
	require.Greater(t, len(words), 12)
	for en, ja := range words {
		if all["en"].has("word." + en) {
			require.Equal(t, ja, all["ja"].text("word."+en), en)
		}
	}
	nav := map[string]string{"nav.events": "event", "nav.runs": "run", "nav.distributions": "distribution", "nav.contacts": "contact"}
	for key, word := range nav {
		require.Equal(t, words[word], all["ja"].text(key))
	}
}

func TestPickLanguage_ChoiceThenBrowserThenEnglish(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ chosen, accept, want string }{
		{"", "", "en"}, {"", "ja,en;q=0.8", "ja"}, {"", "en-GB,ja;q=0.9", "en"}, {"", "fr-FR,ja;q=0.5", "ja"}, {"", "de", "en"}, {"ja", "en", "ja"}, {"en", "ja", "en"}, {"xx", "ja", "ja"}, {"", ";;;", "en"},
	} {
		require.Equal(t, c.want, pickLanguage(c.chosen, c.accept), "%+v", c)
	}
}

func TestCount_OneAndMany(t *testing.T) {
	t.Parallel()
	all := catalogues(t)
	require.Equal(t, "1 row", all["en"].count("list.rows", 1))
	require.Equal(t, "48,120 rows", all["en"].count("list.rows", 48120))
	require.Equal(t, "1 行", all["ja"].count("list.rows", 1))
	require.Equal(t, "-1,000", groupDigits(-1000))
}

// Languages must not leak from one reader to another: many at once, each gets
// its own.
func TestPages_ManyReadersAtOnce_EachInTheirLanguage(t *testing.T) {
	t.Parallel()
	c := newTestConsole(t, &fake{})
	done := make(chan string, 40)
	for i := range 40 {
		go func() {
			lang := languages[i%2]
			v := &View{Lang: lang, Now: testNow, zone: testNow.Location(), ZoneName: "UTC", words: c.renderer.words[lang]}
			var got string
			err := c.renderer.render("fail", "", &Page[FailView]{View: v}, func(b []byte) { got = string(b) })
			switch {
			case err != nil:
				done <- err.Error()
			case !strings.Contains(got, v.T("layout.skip")) || !strings.Contains(got, `lang="`+lang+`"`):
				done <- "wrong language"
			default:
				done <- ""
			}
		}()
	}
	for range 40 {
		require.Empty(t, <-done)
	}
}
