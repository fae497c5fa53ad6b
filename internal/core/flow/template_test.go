package flow

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
)

func templateScope(t testing.TB) Scope {
	s := Scope{
		Fields:      parsed(t, `{"name":"Ann <b>","n":3,"big":1000000,"real":1234567.89,"tiny":0.5,"yes":true,"none":null,"when":"2026-03-04T05:06:07.000Z","two":"a\nb"}`),
		Contact:     parsed(t, `{"first_name":"Zoë","embedded_data":{"plan":"pro"}}`),
		Event:       parsed(t, `{"items":[{"n":"x"},{"n":"y"}],"z":1,"a":{"2":"two","k":[1,2,null]},"words":["p",null,"q"]}`),
		Transaction: parsed(t, `{"total":12.5}`),
		Link:        parsed(t, `{"url":"https://x.test/?a=1&b=2"}`),
	}
	return s
}

func TestTemplate_Render(t *testing.T) {
	t.Parallel()
	scope := templateScope(t)
	for text, want := range map[string]string{
		`plain`:                        `plain`,
		`Hi {{ contact.first_name }}!`: `Hi Zoë!`,
		`{{ fields.name }}`:            `Ann <b>`,
		`{{ fields.big }} {{ fields.real }} {{ fields.tiny }}`:                                        `1000000 1234567.89 0.5`,
		`{{ fields.big | plus: 1 }}`:                                                                  `1000001`,
		`{{ fields.yes }}[{{ fields.none }}{{ fields.gone }}{{ contact.gone.deeper }}{{ nobody.x }}]`: `true[]`,
		`{{ link.url }}`:                          `https://x.test/?a=1&b=2`,
		`{{ transaction.total }}`:                 `12.5`,
		`{{ event.a }}`:                           `{"2":"two","k":[1,2,null]}`,
		`{{ event.a | json }}`:                    `{"2":"two","k":[1,2,null]}`,
		`{{ event.words | compact | join: "," }}`: `p,q`,
		`{% for i in event.items %}{{ i.n }}{% unless forloop.last %},{% endunless %}{% endfor %}`: `x,y`,
		`{{ event.items[1].n }}{{ event.items.first.n }}{{ event.items.size }}`:                    `yx2`,
		`{% if fields.n > 2 %}many{% else %}few{% endif %}`:                                        `many`,
		`{% if contact.embedded_data.plan == "pro" %}P{{ fields.n }}{% endif %}`:                   `P3`,
		`{% case fields.n %}{% when 3 %}three {{ fields.n }}{% else %}other{% endcase %}`:          `three 3`,
		`{% assign x = fields.n | times: 2 %}{{ x }}`:                                              `6`,
		`{% capture x %}<i>{{ fields.name }}</i>{% endcapture %}{{ x }}`:                           `<i>Ann <b></i>`,
		`{{ fields.name | upcase | truncate: 4 }}`:                                                 `A...`,
		`{{ contact.first_name | default: "friend" }}{{ fields.gone | default: "friend" }}`:        `Zoëfriend`,
		`{{ fields.when | date: "%Y-%m-%d" }}`:                                                     `2026-03-04`,
		`{{ "éa" | capitalize }}`:                                                                  `Éa`,
		`{{ fields.name | url_encode }}`:                                                           `Ann+%3Cb%3E`,
		`{% raw %}{{ fields.name }}{% endraw %}`:                                                   `{{ fields.name }}`,
		`{% for p in event.a %}{{ p[0] }}={{ p[1] | json }};{% endfor %}`:                          `2="two";k=[1,2,null];`,
		`a {%- if true %} b {%- endif %}`:                                                          `a b`,
	} {
		c, err := CompileTemplate("t", text)
		require.NoError(t, err, text)
		got, err := c.Render(scope)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestTemplate_HTML_EscapesValuesOnce(t *testing.T) {
	t.Parallel()
	scope := templateScope(t)
	for text, want := range map[string]string{
		`<p>{{ fields.name }}</p>`:                                       `<p>Ann &lt;b&gt;</p>`,
		`<a href="{{ link.url }}">x</a>`:                                 `<a href="https://x.test/?a=1&amp;b=2">x</a>`,
		`{{ fields.name | escape }}`:                                     `Ann &lt;b&gt;`,
		`{{ fields.name | upcase }}`:                                     `ANN &lt;B&gt;`,
		`{{ fields.name | escape | upcase }}`:                            `ANN &amp;LT;B&amp;GT;`,
		`{{ fields.two | newline_to_br }}`:                               "a<br />\nb",
		`{{ fields.name | newline_to_br }}`:                              `Ann &lt;b&gt;`,
		`{% capture x %}<i>{{ fields.name }}</i>{% endcapture %}{{ x }}`: `<i>Ann &lt;b&gt;</i>`,
		`{% if true %}{{ fields.name }}{% endif %}`:                      `Ann &lt;b&gt;`,
		`{% for i in (1..2) %}{{ fields.name }}{% endfor %}`:             `Ann &lt;b&gt;Ann &lt;b&gt;`,
		`{% assign x = fields.name %}{{ x }}`:                            `Ann &lt;b&gt;`,
		`{{ event.a }}`:                                                  `{&#34;2&#34;:&#34;two&#34;,&#34;k&#34;:[1,2,null]}`,
	} {
		c, err := CompileHTML("t", text)
		require.NoError(t, err, text)
		got, err := c.Render(scope)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestCompileTemplate_BadText_NamesTheTemplate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{{ fields.name | shout }}`:   `there is no filter "shout"`,
		"a\n{% if x %}":               "if",
		`{% nope %}`:                  "nope",
		`{{ }}`:                       "a value is expected",
		`{% include "/etc/passwd" %}`: "include is not available",
		`{{` + strings.Repeat("x", maxText) + `}}`: "longer",
	} {
		_, err := CompileTemplate("steps.ask.with.subject", text)
		require.Error(t, err, text)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
		require.ErrorContains(t, err, "steps.ask.with.subject")
		require.ErrorContains(t, err, want)
	}
}

func TestTemplate_TooMuch_IsAnError(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{% for i in (1..100000000) %}{% endfor %}`:                                                                              "rounds",
		`{% for i in (1..1000) %}{% for k in (1..1000) %}{% assign a = k %}{% endfor %}{% endfor %}`:                             "rounds",
		`{% for i in (1..90000) %}0123456789{% endfor %}`:                                                                        "256 KB",
		`{% for i in (1..90000) %}{{ "0123456789" }}{% endfor %}`:                                                                "256 KB",
		`{% assign a = "0123456789" %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}`:                          "256 KB",
		`{% assign a = "0123456789" %}{% for i in (1..14) %}{% assign a = a | append: a %}{% endfor %}{{ a | replace: "0", a }}`: "256 KB",
		`{{ (1..1000000000) | size }}`:                                                                                           "4 MB",
		`{% assign r = (1..1000000000) %}`:                                                                                       "4 MB",
		`{{ "now" | date: "%Y" }}`:                                                                                               "date",
		`{{ fields.name | append }}`:                                                                                             "append",
		`{{ fields.name | base64_decode }}`:                                                                                      "base64_decode",
	} {
		c, err := CompileTemplate("msg", text)
		require.NoError(t, err, text)
		_, err = c.Render(templateScope(t))
		require.Error(t, err, text)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
		require.ErrorContains(t, err, "msg")
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "Ann", "no values in messages")
	}
}

func TestTemplate_SharedByManyGoroutines(t *testing.T) {
	t.Parallel()
	c, err := CompileHTML("m", `{% assign x = fields.name %}{% for i in (1..3) %}{{ x }}{{ i }}{% endfor %}`)
	require.NoError(t, err)
	scope := templateScope(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				got, err := c.Render(scope)
				if err != nil || got != "Ann &lt;b&gt;1Ann &lt;b&gt;2Ann &lt;b&gt;3" {
					t.Errorf("%q %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{`{{ fields.name | upcase }}`, `{% for i in event.items %}{{ i.n }}{% endfor %}`, `{% if a %}{% elsif b %}{% endif %}`, `{{ "x" | truncate: 1 }}`, `{% cycle "a", "b" %}`, `{% tablerow i in (1..3) cols:2 %}{{i}}{% endtablerow %}`} {
		f.Add(s)
	}
	scope := templateScope(f)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := CompileHTML("t", text)
		if err != nil {
			return
		}
		out, err := c.Render(scope)
		require.LessOrEqual(t, len(out), maxText)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
		}
		again, _ := c.Render(scope)
		require.Equal(t, out, again)
	})
}
