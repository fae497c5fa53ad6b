package console

import (
	"embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

//go:embed i18n/en.json i18n/ja.json
var catalogueFiles embed.FS

// catalogue is the words of one language, by key. {0}, {1} … stand for arguments.
// A key with ".one" added is its form for exactly one, in languages that have it.
type catalogue struct {
	lang  string
	texts map[string]string
}

// languages are those the console speaks; the first is the one for readers who
// ask for none of them.
var languages = []string{"en", "ja"}

var matcher = language.NewMatcher([]language.Tag{language.English, language.Japanese})

func loadCatalogues() (map[string]*catalogue, error) {
	all := map[string]*catalogue{}
	for _, lang := range languages {
		b, err := catalogueFiles.ReadFile("i18n/" + lang + ".json")
		if err != nil {
			return nil, err
		}
		c := &catalogue{lang: lang}
		if err := json.Unmarshal(b, &c.texts); err != nil {
			return nil, fmt.Errorf("i18n/%s.json: %w", lang, err)
		}
		all[lang] = c
	}
	return all, nil
}

// pickLanguage honours the reader's choice, else what the browser asks for.
func pickLanguage(chosen, accept string) string {
	for _, l := range languages {
		if chosen == l {
			return l
		}
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return languages[0]
	}
	_, i, _ := matcher.Match(tags...)
	return languages[i]
}

// text returns the text of key with its arguments in place. An unknown key comes
// back as itself: a page with an odd word is better than none, and a test keeps
// it from happening.
func (c *catalogue) text(key string, args ...any) string {
	t, ok := c.texts[key]
	if !ok {
		return key
	}
	for i, a := range args {
		t = strings.ReplaceAll(t, "{"+strconv.Itoa(i)+"}", fmt.Sprint(a))
	}
	return t
}

func (c *catalogue) has(key string) bool { _, ok := c.texts[key]; return ok }

// count is text for a number: its grouped digits are {0}, and English has a form
// for one.
func (c *catalogue) count(key string, n int, args ...any) string {
	if n == 1 && c.has(key+".one") {
		key += ".one"
	}
	return c.text(key, append([]any{groupDigits(n)}, args...)...)
}

// groupDigits writes 48120 as 48,120, which both languages do.
func groupDigits(n int) string {
	s := strconv.Itoa(n)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if neg {
		return "-" + s
	}
	return s
}
