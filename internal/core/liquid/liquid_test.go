package liquid_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid"
)

func object(t testing.TB, text string) *jsonvalue.Object {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

func rendered(t testing.TB, text string, o liquid.Options, data string) (string, error) {
	t.Helper()
	c, err := liquid.Parse(text, o)
	require.NoError(t, err, text)
	return c.Render(liquid.Scope{Root: object(t, data)}, meter())
}

func TestParse_WhatIsWrong_IsToldWithItsLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\n\n{{ x":                                    `line 3: output "{{ x" is not closed`,
		"{% if a %}\n{% else b %}{% endif %}":          `line 2: unexpected else "b"`,
		"\n{% for i in a %}":                           "line 2: tag for is not closed: endfor is missing",
		"{% raw %}\n\n{% endraw %}{% nosuch %}":        `line 3: there is no tag "nosuch" here`,
		"{% liquid\n assign a = 1\n  bad\n%}":          `line 3: there is no tag "bad" here`,
		"{% render 'x' %}":                             "line 1: render is not available: there are no other templates",
		"{{ a | b c }}":                                `line 1: expected ":" after a filter's name: "c"`,
		strings.Repeat("{% if a %}", 200):              "line 1: nested too deeply",
		"{{ " + strings.Repeat("a[", 300) + "1 }}":     "line 1: nested too deeply",
		"{% if a %}\n{% liquid\n\nif b\n%}{% endif %}": "line 4: tag if is not closed: endif is missing",
	} {
		_, err := liquid.Parse(text, liquid.Options{})
		require.EqualError(t, err, want, text)
	}
	_, err := liquid.Parse("{{ a | shout }}", liquid.Options{KnownFilters: true})
	require.EqualError(t, err, `line 1: there is no filter "shout"`)
	_, err = liquid.Parse("{% if a %}{% for i in a %}{% endfor %}{% endif %}", liquid.Options{TagsOff: map[string]bool{"for": true}})
	require.EqualError(t, err, `line 1: tag "for" is disabled`)
}

func TestRender_WhatFails_IsToldWithItsLineAndWithoutValues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\n{{ secret | append }}":                                              "line 2: filter append: it takes one argument",
		"\n\n{% if true %}{{ secret | base64_decode }}{% endif %}":              "line 3: filter base64_decode: invalid base64",
		"{{ 0 | date: '%Y', secret }}":                                          "line 1: filter date: there is no such time zone",
		"{{ 'now' | date: '%Y' }}":                                              `line 1: filter date: "now" and "today" are not known to this template`,
		"\n{{ l | where_exp: 'x', secret }}":                                    "line 2: filter where_exp: its expression cannot be read",
		"{% assign e = \"l | where_exp: 'x', e\" %}{{ l | where_exp: 'x', e }}": "line 1: filter where_exp: expressions in expressions are nested too deeply",
		"{% for i in (1..200000) %}{% endfor %}":                                "line 1: its loops make too many rounds",
		"{{ (1..10000000) }}":                                                   "line 1: the result is too large",
	} {
		_, err := rendered(t, text, liquid.Options{}, `{"secret":"a b|$(","l":[1]}`)
		require.EqualError(t, err, want, text)
		var e *liquid.Error
		require.ErrorAs(t, err, &e)
	}
}

func TestRender_FilterOff_FailsWhenReached(t *testing.T) {
	t.Parallel()
	o := liquid.Options{FiltersOff: map[string]bool{"sort": true, "type": true}}
	for _, name := range []string{"sort", "type"} {
		_, err := rendered(t, `{{ a | `+name+` }}`, o, `{}`)
		require.EqualError(t, err, "line 1: filter "+name+" is disabled")
		out, err := rendered(t, `{% if a %}{{ a | `+name+` }}{% endif %}x`, o, `{}`)
		require.NoError(t, err)
		require.Equal(t, "x", out)
	}
}

func TestRender_Now_IsGiven(t *testing.T) {
	t.Parallel()
	c, err := liquid.Parse(`{{ "now" | date: "%F %Y-%m-%d" }} {{ "today" | date: "%H:%M", "Asia/Tokyo" }}`, liquid.Options{})
	require.NoError(t, err)
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	out, err := c.Render(liquid.Scope{Now: func() (time.Time, bool) { return at, true }}, meter())
	require.NoError(t, err)
	require.Equal(t, "%F 2026-03-04 14:06", out)
	out, err = c.Render(liquid.Scope{Now: noDate}, meter())
	require.NoError(t, err)
	require.Equal(t, "now today", out)
}

func TestRender_HTML_EscapesWhatIsWrittenOnce(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`<p>{{ x }}</p>`: `<p>&lt;a&gt; &amp; &#34;b&#39;</p>`,
		`{{ x | escape }}{{ x | escape | escape }}`:                                                           `&lt;a&gt; &amp; &#34;b&#39;&lt;a&gt; &amp; &#34;b&#39;`,
		`{{ "&amp;<" | escape_once }}`:                                                                        `&amp;&lt;`,
		`{{ n | newline_to_br }}{{ "<b>" | escape | newline_to_br }}`:                                         "1<br />\n2&lt;b&gt;",
		`{{ x | raw }}{% echo x %}{% cycle x %}`:                                                              strings.Repeat(`&lt;a&gt; &amp; &#34;b&#39;`, 3),
		`{% capture c %}<i>{{ x }}</i>{% endcapture %}{{ c }}{{ c | default: "y" }}{{ c | append: "<" }}`:     `<i>&lt;a&gt; &amp; &#34;b&#39;</i><i>&lt;a&gt; &amp; &#34;b&#39;</i>&lt;i&gt;&amp;lt;a&amp;gt; &amp;amp; &amp;#34;b&amp;#39;&lt;/i&gt;&lt;`,
		`{% assign l = x | escape | split: "" %}{{ l[0] }}{% tablerow i in (1..1) %}{{ x }}{% endtablerow %}`: `&amp;<tr class="row1"><td class="col1">&lt;a&gt; &amp; &#34;b&#39;</td></tr>`,
	} {
		out, err := rendered(t, text, liquid.Options{HTML: true}, `{"x":"<a> & \"b'","n":"1\n2"}`)
		require.NoError(t, err, text)
		require.Equal(t, want, out, text)
	}
}

func TestTemplate_Paths_AreWhatItReads(t *testing.T) {
	t.Parallel()
	c, err := liquid.Parse(`{{ a.b["c"][d.e].f | append: g[0].h }}{% for i in ["j k"].l limit: m %}{% if i == n.o or "p" %}{% endif %}{% endfor %}{{ "q.r" }}`, liquid.Options{})
	require.NoError(t, err)
	require.ElementsMatch(t, [][]string{{"a", "b", "c"}, {"d", "e"}, {"g"}, {"j k", "l"}, {"m"}, {"i"}, {"n", "o"}}, c.Paths())
	require.True(t, c.Reads("d"))
	require.False(t, c.Reads("b"))
	require.False(t, c.Reads("q"))
}

// What these would do grows out of all proportion to them; what they were allowed to do
// is not exceeded by much.
func TestRender_HostileTemplate_IsStopped(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 60_000)
	data := `{"s":"` + long + `","l":[` + strings.Repeat(`"x",`, 20_000) + `1],"o":[` + strings.Repeat(`{"a":"b","c":1},`, 5000) + `{}]}`
	loop := func(body string) string { return `{% for i in (1..100000) %}` + body + `{% endfor %}` }
	for _, text := range []string{
		`{% assign a = l %}` + strings.Repeat(`{% assign a = a | push: a %}`, 40),
		`{% assign a = l %}` + strings.Repeat(`{% assign a = a | concat: a %}`, 40),
		`{% assign a = s %}` + strings.Repeat(`{% assign a = a | append: a %}`, 40),
		`{% assign a = s %}` + strings.Repeat(`{% capture a %}{{ a }}{{ a }}{% endcapture %}`, 40),
		loop(`{{ s | strip: s }}`), loop(`{{ o | sort: "a" | size }}`), loop(`{{ o | group_by: "a" | size }}`), loop(`{{ l | join: s }}`),
		loop(`{{ s | replace: "", s }}`), loop(`{{ o | where_exp: "x", "x.a == s" | size }}`), loop(`{% if l contains s %}{% endif %}`), loop(`{{ l[l] }}`),
		loop(`{% cycle s: 1, 2 %}`), loop(`{% case s %}{% when s, s %}{% endcase %}`), loop(`{% tablerow x in l %}{% endtablerow %}`), loop(`{{ s.size }}`),
		loop(`{% for p in o[0] %}{% endfor %}{{ o | map: "a" | uniq | json }}`), loop(`{{ 0 | date: "%200000Y" }}`), loop(`{{ s | split: "" | reverse | size }}`),
		`{{ "` + strings.Repeat(`%60000Y`, 1000) + `" | date }}{{ 0 | date: "` + strings.Repeat(`%60000Y`, 1000) + `" }}`,
		loop(`{{ s | truncatewords }}`), loop(`{{ s | slugify }}`), loop(`{% assign x = s | sha256 %}`), loop(`{{ o | find: "a", "zz" }}`), loop(`{{ l | sum: s }}`),
	} {
		name := text[:min(80, len(text))]
		c, err := liquid.Parse(text, liquid.Options{})
		require.NoError(t, err, name)
		m := &liquid.Meter{Steps: 8 << 20, Rounds: 100_000, Text: 256 << 10, Value: 4 << 20}
		_, err = c.Render(liquid.Scope{Root: object(t, data)}, m)
		require.Error(t, err, name)
		require.True(t, errors.Is(err, liquid.ErrSteps) || errors.Is(err, liquid.ErrLarge) || errors.Is(err, liquid.ErrRounds), "%s: %v", name, err)
		require.Greater(t, m.Steps, -(8 << 20), name)
	}
}

// Work that is counted before it is begun: were it not, each of these would go on for
// minutes.
func TestRender_WorkNotSeenInTheTemplate_IsCountedBefore(t *testing.T) {
	t.Parallel()
	data := object(t, `{"l":[`+strings.Repeat(`"1",`, 20_000)+`"1"],"o":{"a":"`+strings.Repeat("x", 100_000)+`"}}`)
	chain := "0" + strings.Repeat(".0", 20_000)
	rounds := func(body string) string { return `{% for i in (1..99999) %}` + body + `{% endfor %}` }
	for _, text := range []string{
		`{{ l | map: "` + chain + `" | size }}`, `{{ l | sum: "` + chain + `" }}`, `{{ l | sort: "` + chain + `" | size }}`,
		rounds(`{{ (l..1) | size }}`), rounds(`{% for x in (1..2) limit: l %}{% endfor %}`), rounds(`{% tablerow x in (1..2) cols: l %}{% endtablerow %}`),
		rounds(`{{ o | sha256 | size }}`), rounds(`{{ o | truncate: 1 | size }}`),
	} {
		c, err := liquid.Parse(text, liquid.Options{ObjectsAsJSON: true})
		require.NoError(t, err)
		_, err = c.Render(liquid.Scope{Root: data}, &liquid.Meter{Steps: 8 << 20, Rounds: 100_000, Text: 256 << 10, Value: 4 << 20})
		require.ErrorIs(t, err, liquid.ErrSteps, text[:min(60, len(text))])
	}
}

func TestRender_IndentThatIsNoNumber_IsNone(t *testing.T) {
	t.Parallel()
	for _, filter := range []string{"json", "jsonify", "inspect"} {
		c, err := liquid.Parse(`{% assign n = "a" | to_integer %}{{ x | `+filter+`: n }}`, liquid.Options{})
		require.NoError(t, err)
		out, err := c.Render(liquid.Scope{Root: object(t, `{"x":[1]}`)}, &liquid.Meter{Steps: 1 << 20, Rounds: 100, Text: 1 << 10, Value: 1 << 10})
		require.NoError(t, err)
		require.Equal(t, "[1]", out)
	}
}

// Opening what is never closed was once quadratic in many a reader of templates.
func TestParse_LongNonsense_IsReadOnce(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"{% raw %}", "{% endraw {%", "{% raw %}{% endraw {%", "{{", "{%", "{% comment %}", "{{ '", "a[", "{% cycle 1", ",1", "{% liquid\n", "{{ a |", "{% if a %}", "{{ a }}", "%}", "{{ (1.."} {
		for _, start := range []string{"", "{% raw %}", "{% cycle 1", "{{ a", "{% liquid\n"} {
			for _, end := range []string{"", "%}", "}}", "{% endraw %}"} {
				_, err := liquid.Parse(start+strings.Repeat(part, 250_000/len(part))+end, liquid.Options{})
				_ = err // it came back
			}
		}
	}
}

func FuzzRender(f *testing.F) {
	for _, e := range examples(f, "testdata/liquidjs.jsonl") {
		f.Add(e.Template)
	}
	data := object(f, `{"a":1,"b":"two","c":[3,1,2],"d":{"x":1},"e":"","f":false,"g":null,"h":[{"k":1,"n":"B"},5,null],"j":"Héllo 🎉","s":"2024-02-29T13:05:06Z"}`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, o := range []liquid.Options{{}, {HTML: true, ObjectsAsJSON: true}} {
			c, err := liquid.Parse(text, o)
			var e *liquid.Error
			if err != nil {
				require.ErrorAs(t, err, &e)
				return
			}
			run := func() (string, liquid.Meter, error) {
				m := liquid.Meter{Steps: 1 << 20, Rounds: 1000, Text: 64 << 10, Value: 256 << 10}
				out, err := c.Render(liquid.Scope{Root: data, Now: noDate}, &m)
				return out, m, err
			}
			out, m, err := run()
			require.LessOrEqual(t, len(out), 64<<10)
			if err != nil {
				require.ErrorAs(t, err, &e)
				require.Positive(t, e.Line)
			}
			again, m2, err2 := run()
			require.Equal(t, out, again)
			require.Equal(t, err, err2)
			require.Equal(t, m, m2)
		}
	})
}

const benchMapping = `{{ event | default: type | upcase }}|{{ traits.firstName | default: "friend" }} {% if properties.total > 10 %}{{ properties.total | times: 1.19 | round: 2 }}{% endif %}`

const benchMail = `<p>Hello {{ contact.first_name | default: "there" }},</p><ul>{% for p in event.products %}<li>{{ forloop.index }}. {{ p.name | upcase }}: {{ p.price | times: 1.19 | round: 2 }}` +
	`{% if p.tags contains "new" %} *{% endif %}</li>{% endfor %}</ul>{% if fields.total > 100 %}<p>Thank you for a big order on {{ fields.when | date: "%d.%m.%Y" }}.</p>{% endif %}<a href="{{ link.url }}">Rate us</a>`

func BenchmarkRender(b *testing.B) {
	event := `{"type":"track","event":"Order Completed","traits":{"firstName":"Ann"},"properties":{"total":12.5}}`
	mail := `{"contact":{"first_name":"Zoë"},"event":{"products":[{"name":"Mug","price":12.5,"tags":["new"]},{"name":"Cup","price":3,"tags":[]},{"name":"Box","price":10,"tags":["old"]}]},` +
		`"fields":{"total":120,"when":"2026-03-04T05:06:07Z"},"link":{"url":"https://x.test/?a=1&b=2"}}`
	for _, c := range []struct {
		name, template, data string
		html                 bool
	}{{"mapping", benchMapping, event, false}, {"mail", benchMail, mail, true}} {
		b.Run(c.name, func(b *testing.B) {
			t, err := liquid.Parse(c.template, liquid.Options{HTML: c.html})
			require.NoError(b, err)
			scope := liquid.Scope{Root: object(b, c.data)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := t.Render(scope, meter()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
