package liquid_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/liquid"
)

// recorded is a template, and what 0.1.0 made of it.
type recorded struct {
	Template string `json:"template"`
	Data     string `json:"data"`
	HTML     bool   `json:"html"`
	Output   string `json:"output"`
}

func recordings(t testing.TB) (all []recorded, data map[string]jsonvalue.Value) {
	t.Helper()
	text, err := os.ReadFile("testdata/v0.1.0-data.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &data))
	text, err = os.ReadFile("testdata/v0.1.0.jsonl")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		var r recorded
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		all = append(all, r)
	}
	return all, data
}

// message renders a text as a message is today.
func message(text string, html bool, data any) string {
	o := liquid.Messages
	o.HTML = html
	t, err := liquid.Parse(text, o)
	if err != nil {
		return "refused: " + err.Error()
	}
	out, err := t.Render(liquid.Scope{Root: data}, meter())
	if err != nil {
		return "failed: " + err.Error()
	}
	return out
}

func TestUpgrade_WhatMeansSomethingElse_IsTold(t *testing.T) {
	t.Parallel()
	all, data := recordings(t)
	changed, rewritten, told := 0, 0, map[string]bool{}
	for _, r := range all {
		findings := liquid.Upgrade(r.Template)
		if now := message(r.Template, r.HTML, data[r.Data].V); now != r.Output {
			changed++
			require.NotEmpty(t, findings, "%s\nwith %s data was %q\nand is %q", r.Template, r.Data, r.Output, now)
			for _, f := range findings {
				told[f.What] = true
			}
		}
		for _, f := range findings {
			require.Positive(t, f.Line)
			require.NotEmpty(t, f.What)
			require.NotEmpty(t, f.Was)
			if f.Rewrite != "" {
				rewritten++
				require.Equal(t, r.Output, message(f.Rewrite, r.HTML, data[r.Data].V), "%s\n%s\nwith %s data", r.Template, f.Rewrite, r.Data)
				break
			}
		}
	}
	t.Logf("%d recorded, %d give something else, %d with findings have a rewrite", len(all), changed, rewritten)
	// Nothing is told of that is not seen to have changed somewhere.
	for _, r := range all {
		for _, f := range liquid.Upgrade(r.Template) {
			require.True(t, told[f.What], "%s: %s", f.What, r.Template)
		}
	}
}

func TestUpgrade_WhatMeansTheSame_IsNotTold(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"no template at all",
		`Hi {{ contact.first_name | default: "there" }}, {{ fields.name | upcase | truncate: 20 }}`,
		`{{ fields.when | date: "%d.%m.%Y %H:%M" }} {{ event.csv | split: "," | join: "+" }}`,
		`{% for p in event.items limit: 3 %}{{ forloop.index }}. {{ p.n | escape }}{% unless forloop.last %}, {% endunless %}{% endfor %}`,
		`{% if fields.n > 2 and fields.yes %}a{% elsif fields.name == "x" %}b{% else %}c{% endif %}`,
		`{% case fields.n %}{% when 1, 2 %}few{% when 3 %}three{% else %}many{% endcase %}`,
		`{% assign t = 0 %}{% for p in event.items %}{% assign t = t | plus: p.price %}{% endfor %}{{ t | times: 1.19 | ceil }}`,
		`{% capture x %}{{ event.items.size }}{% endcapture %}{{ x | append: "!" }}{% if event.items.size > 2 or forloop.index < 3 %}{% endif %}`,
		`{% raw %}{{ x | round }}{% endraw %}{% comment %}{% if a and b or c %}{% endcomment %}`,
		`{{ 7 | divided_by: 2.0 }}{% for i in event.nums reversed %}{% cycle "odd", "even" %}{% endfor %}`,
		`{% tablerow i in event.nums cols:2 %}{{ i }}{% endtablerow %}{% for i in (1..3) %}{% break %}{% endfor %}`,
		`{{ "plain" }}{{ event.items | reverse | json }}`,
	} {
		require.Empty(t, liquid.Upgrade(text), text)
	}
	all, data := recordings(t)
	silent := map[string]bool{}
	for _, r := range all {
		if len(liquid.Upgrade(r.Template)) == 0 {
			silent[r.Template] = true
			require.Equal(t, r.Output, message(r.Template, r.HTML, data[r.Data].V), r.Template)
		}
	}
	require.Greater(t, len(silent), 500)
}

func TestUpgrade_Rewrites(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{{ x | url_encode }}`:                                       `{{ x | cgi_escape }}`,
		`{{ d | date }}{{ d | date: '%F %T' }}`:                      `{{ d | date: "%a, %b %d, %y" }}{{ d | date: '%Y-%m-%d %H:%M:%S' }}`,
		`{% if a and b or c %}x{% endif %}`:                          `{% if c or b and a %}x{% endif %}`,
		`{%- if (a or b) and c -%}x{% endif %}`:                      `{%- if c and a or b -%}x{% endif %}`,
		`{% unless c or ( a and b ) %}x{% endunless %}`:              `{% unless c or a and b %}x{% endunless %}`,
		`{% if x == empty %}{{ "a\b" }}{% endif %}`:                  `{% if x == nil %}{{ "a\\b" }}{% endif %}`,
		"a\n{% for i in l | map: 'n' limit: 2 %}{{ i }}{% endfor %}": "a\n{% assign list_1 = l | map: 'n' %}{% for i in list_1 limit: 2 %}{{ i }}{% endfor %}",
		`{"a":{{ x.y | json }}}`:                                     `{"a":{% if x.y == nil %}null{% else %}{{ x.y | json }}{% endif %}}`,
		`{% if x == empty and a or b == "\d" %}{% endif %}`:          `{% if b == "\\d" or a and x == nil %}{% endif %}`,
		`{% if (x == blank or a) and "\d" %}{% endif %}`:             `{% if "\\d" and x == nil or a %}{% endif %}`,
		`{% for i in "a\b" | url_encode | split: " " %}{% endfor %}`: `{% assign list_1 = "a\\b" | cgi_escape | normalize_whitespace | split: " " %}{% for i in list_1 %}{% endfor %}`,
		`{% if a %}{% else if b %}c{% endif %}`:                      `{% if a %}{% else %}c{% endif %}`,
	} {
		findings := liquid.Upgrade(text)
		require.NotEmpty(t, findings, text)
		require.Equal(t, want, findings[0].Rewrite, text)
	}
	findings := liquid.Upgrade("{{ x }}\n{{ x | type | url_encode }}")
	require.Len(t, findings, 2)
	require.Equal(t, liquid.Finding{Line: 2, What: "filter type", Was: findings[0].Was}, findings[0], "there is no way to write it")
}

func FuzzUpgrade(f *testing.F) {
	all, _ := recordings(f)
	for i := 0; i < len(all); i += 20 {
		f.Add(all[i].Template)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, found := range liquid.Upgrade(text) {
			if found.Rewrite != "" {
				_, err := liquid.Parse(found.Rewrite, liquid.Messages)
				require.NoError(t, err)
			}
		}
	})
}
