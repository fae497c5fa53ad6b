package mapping_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// render gives the text of a @liquid, or the error.
func render(t testing.TB, template, event string) string {
	t.Helper()
	src, err := json.Marshal(template)
	require.NoError(t, err)
	out := apply(t, `{"@liquid":`+string(src)+`}`, event)
	v, err := jsonvalue.Parse([]byte(out))
	if err != nil {
		return out
	}
	return v.(string)
}

const liquidEvent = `{"receivedAt":"2025-03-04T05:06:07Z","n":7,"big":123456789,"f":false,"e":"","s":"Héllo wörld","in":"kw",
	"five":"5","arr":["a",null,"b"],"nest":[[1,2],[3]],"list":[{"k":1,"ok":true},{"k":2}],"o":{"size":9,"a-b":1,"日本":"jp"}}`

type liquidExample struct{ template, want string }

func checkLiquid(t *testing.T, examples []liquidExample) {
	t.Helper()
	for _, e := range examples {
		require.Equal(t, e.want, render(t, e.template, liquidEvent), e.template)
	}
}

func TestLiquid_Values_PrintAsJavaScript(t *testing.T) {
	t.Parallel()
	checkLiquid(t, []liquidExample{
		{`{{ big }} {{ n }} {{ f }}`, "123456789 7 false"},
		{`{{ arr }}|{{ nest }}`, "ab|123"},
		{`{{ n | divided_by: 2 }} {{ n | divided_by: 0 }} {{ s | plus: 1 }}`, "3.5 Infinity 1"},
		{`{{ five | plus: "2" }} {{ 2.5 | round }} {{ -2.5 | round }} {{ 1.005 | round: 2 }} {{ 1234 | round: -2 }}`, "7 3 -3 1.01 1200"},
		{`{{ n | plus }} {{ -7 | modulo: 3 }} {{ n | divided_by: 2, true }} {{ n | at_most: 9, 3, 5 }} {{ missing | to_integer }}`, "NaN 2 3 3 NaN"},
		{`{{ o.size }} {{ o["a-b"] }} {{ o.a-b }} {{ o.日本 }} {{ in }}`, "9 1 1 jp kw"},
		{`{{ arr[0] }}{{ arr[-1] }}{{ arr.size }}{{ arr.first }}{{ s.size }}`, "ab3a11"},
		{`{{ (1..3) }} {{ (1..n) | size }}`, "123 7"},
		{`{{ list | where: "k", 2 | json }}{{ list | where: "ok" | size }}`, `[{"k":2}]1`},
		{`{{ arr | join: "-" }} {{ arr | compact | join: "-" }} {{ nest | json }}`, `a--b a-b [[1,2],[3]]`},
	})
}

func TestLiquid_Texts_CountUTF16AndKnowUnicode(t *testing.T) {
	t.Parallel()
	checkLiquid(t, []liquidExample{
		{`{{ s | upcase }}|{{ "éTÉ" | capitalize }}|{{ s | slice: 1, 3 }}|{{ s | slice: -2, 2 }}`, "HÉLLO WÖRLD|Été|éll|ld"},
		{`{{ s | truncate: 8 }}|{{ s | truncatewords: 1 }}|{{ "🎉🎉" | size }}`, "Héllo...|Héllo...|4"},
		{`{{ "a<b title='x'>c</b>" | strip_html }} {{ "a b&c" | url_encode }} {{ "a+b%26" | url_decode }}`, "ac a+b%26c a b&"},
		{`{{ "a\nb\"" }}|{{ 'it''s' | size }}`, "a\nb\"|2"}, // of two values the first counts
		{`{{ "a\nb\"c}}" }}`, "a\nb\"c}}"},
		{`{{ "aXbXc" | replace: "X", "$&" }} {{ "ab" | replace: "", "-" }} {{ "a.b.c" | replace_last: ".", "!" }}`, "a$&b$&c a-b a.b!c"},
	})
}

func TestLiquid_Conditions(t *testing.T) {
	t.Parallel()
	yes := func(condition string) liquidExample {
		return liquidExample{`{% if ` + condition + ` %}y{% else %}n{% endif %}`, "y"}
	}
	no := func(condition string) liquidExample {
		return liquidExample{`{% if ` + condition + ` %}y{% else %}n{% endif %}`, "n"}
	}
	checkLiquid(t, []liquidExample{
		yes(`e`), yes(`n == 7`), yes(`n == 7.0`), yes(`five > 4`), yes(`five >= 5`), no(`five == 5`), no(`missing > 1`),
		yes(`missing == nil`), yes(`e == empty`), yes(`e == blank`), yes(`f == blank`), no(`n == blank`), yes(`arr contains "b"`),
		yes(`s contains "wör"`), yes(`not f`), yes(`not n == 8`), yes(`s | size`),
		yes(`true or f and f`),       // right to left: true or (f and f)
		no(`f and f or true`),        // f and (f or true)
		yes(`nest[0] == nest.first`), // arrays by elements
		yes(`list[1].k != list[0].k`),
	})
}

func TestLiquid_Tags(t *testing.T) {
	t.Parallel()
	checkLiquid(t, []liquidExample{
		{`{% assign x = s | split: " " %}{{ x | last }}`, "wörld"},
		{`{% capture c %}<{{ n }}>{% endcapture %}{{ c }}{{ c }}`, "<7><7>"},
		{`a {%- if n -%} b {%- endif -%} c {{- n -}} d`, "abc7d"},
		{`{% raw %}{{ n }}{% if %}{% endraw %}{ {{ n }} }`, "{{ n }}{% if %}{ 7 }"},
		{`{% comment %}{{ n }}{% bad %}{% if %}{% endcomment %}x{% # note %}`, "x"},
		{`{% echo n | plus: 1 %}{% increment c %}{% increment c %}{% decrement d %}`, "801-1"},
		{"{% liquid\n assign x = n\n if x == 7\n echo 'seven'\n endif %}", "seven"},
		{`{% unless f %}u{% endunless %}{% if f %}a{% elsif n %}b{% endif %}`, "ub"},
		{`{{ n | nosuchfilter: 1, "x" | plus: 1 }}{{ f | default: "d", allow_false: true }}{{ f | default: "d" }}`, "8falsed"},
	})
}

func TestLiquid_WhatIsSwitchedOff_Fails(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{"case n", "for i in arr", "include 'x'", "layout 'x'", "render 'x'", "tablerow i in arr"} {
		require.Contains(t, render(t, `{% if f %}{% `+tag+` %}{% endif %}`, liquidEvent), "is disabled", tag)
	}
	for _, filter := range []string{"map: 'k'", "sort", "reverse", "uniq", "concat: arr", "type", "newline_to_br"} {
		require.Contains(t, render(t, `{{ arr | `+filter+` }}`, liquidEvent), "is disabled", filter)
		require.Empty(t, render(t, `{% if f %}{{ arr | `+filter+` }}{% endif %}`, liquidEvent), filter)
	}
	for _, broken := range []string{`{{ n`, `{% if n %}`, `{% endif %}`, `{% nosuch %}`, `{% comment %}{{ n {% endcomment %}`, `{% raw %}{%- endraw %}`, `{% if (f or n) %}{% endif %}`, `{{ | upcase }}`, `{% assign x %}`, `{{ "a }}`, `{% raw %}`, `{{ (1..2 }}`} {
		require.Contains(t, render(t, broken, liquidEvent), "error", broken)
	}
	require.Contains(t, render(t, strings.Repeat("x", 1001), `{}`), "limited to 1000 characters")
}

func TestLiquid_Dates_InUTC(t *testing.T) {
	t.Parallel()
	checkLiquid(t, []liquidExample{
		{`{{ "2025-03-04T23:30:00-02:00" | date: "%Y-%m-%d %H:%M" }}`, "2025-03-05 01:30"},
		{`{{ 0 | date: "%Y" }} {{ "86400" | date: "%d" }} {{ "no date" | date: "%Y" }}`, "1970 02 no date"},
		{`{{ "2025-03-04" | date: "%a %-d %B %y %-I%P" }} {{ "2025-03-04" | date_to_string }}`, "Tue 4 March 25 12am 04 Mar 2025"},
	})
}

func TestLiquid_TagsOutsideOfLoops(t *testing.T) {
	t.Parallel()
	checkLiquid(t, []liquidExample{
		{`{% cycle "a", "b" %}{% cycle "a", "b" %}{% cycle "a", "b" %}{% cycle "g": "a", "b" %}`, "abaa"},
		{`{% cycle 0, n %}{% cycle 0, n %}`, "7"}, // what is falsy in JavaScript prints nothing here
		{`a{% if n %}b{% break %}c{% endif %}d{{ arr | reverse }}`, "ab"},
		{`a{% capture x %}b{% continue %}{% endcapture %}c`, "a"},
		{`{% block x %}{{ n }}{% endblock %}`, "7"},
		{`{% unless n %}a{% else %}b{% else %}c{% elsif n %}d{% endunless %}e`, "be"},
		{`{% increment n %}{{ n }}{% assign n = "x" %}{{ n }}{% decrement n %}`, "78x7"},
		{"{% liquid\n comment\n anything\n endcomment\n raw\n a {{ n }}\n endraw\n echo n\n%}", "a {{ n }}\n7"},
		{`{% capture "two words" %}x{% endcapture %}{{ ["two words"] }}`, "x"},
	})
}

// liquidjs reads an expression as values and operators in any order.
func TestLiquid_Expressions_AreReadAsLiquidjsDoes(t *testing.T) {
	t.Parallel()
	checkLiquid(t, []liquidExample{
		{`{{ n s }}|{{ n, s }}|{{ n ) }}|{{ s | upcase | }}`, "7|7|7|HÉLLO WÖRLD"},
		{`{{ n == 7 }} {{ n and f }} {{ not f }} {{ not }} {{ n <> 7 }}`, "true false true true false"},
		{`{{ .n }} {{ n. }} {{ +1 }} {{ 1. }} {{ o . size }} {{ o. size }} {{ size }}`, "7 7 1 1 [object Object] 9 0"},
		{`{{ s | slice: 1,, 2 }} {{ s | append: x: 1 }} {{ "a\x62\101\u0042" }}`, "él Héllo wörldx1 ax62AB"},
		{`{{ "abc".size }} {{ (1..3).last }} {{ (0.5..2) | join }} {{ true.x }}`, "3 3 0.5 1.5 2.5 "},
		{`{% if nil > 0 %}a{% endif %}{% if missing > -1 %}b{% endif %}{% if arr[1] > -1 %}c{% endif %}`, "c"}, // null is 0, the word is not
	})
}

func TestLiquid_Filters_AsLiquidjsHasThem(t *testing.T) {
	t.Parallel()
	checkLiquid(t, []liquidExample{
		{`{{ "  a  b " | squish }}|{{ "--a-" | strip: "-" }}|{{ "xax" | lstrip: "x" }}|{{ "xax" | rstrip: "x" }}`, "a b|a|ax|xa"},
		{`{{ "a" | sha256 | slice: 0, 8 }} {{ "a" | hmac_sha256: "k" | slice: 0, 8 }}`, "ca978112 78da9151"},
		{`{{ "é ß_1" | slugify }} {{ "é ß_1" | slugify: "latin" }} {{ "É.x" | slugify: "pretty", true }} {{ "a b" | slugify: "raw" }}`, "é-ß-1 e-ss-1 É.x a-b"},
		{`{{ "a b日本" | number_of_words }} {{ "a b日本" | number_of_words: "cjk" }} {{ "a b" | number_of_words: "auto" }}`, "2 4 2"},
		{`{{ "a'(b) c" | cgi_escape }} {{ "a b[é]&?" | uri_escape }}`, "a%27%28b%29+c a%20b[%C3%A9]&?"},
		{`{{ "a b" | truncatewords: 2 }} {{ "🎉🎉🎉" | truncate: 2, "…" }} {{ "🎉x" | slice: 1 }}`, "a b... 🎉… x"},
		{`{{ list | json: 1 }}`, "[\n {\n  \"k\": 1,\n  \"ok\": true\n },\n {\n  \"k\": 2\n }\n]"},
		{`{{ missing | json }}|{{ arr[1] | json }}|{{ list | sum: "k" }}|{{ "<a" | strip_html }}`, "|null|3|<a"},
		{`{{ list | where: "k", 2 | size }}{{ list | where: "nope", nil | size }}{{ list | where: "[\"k\"]" | size }}`, "122"},
		{`{{ s | append }}`, `error /v/@liquid: line 1: filter append: it takes one argument`},
	})
}

func TestLiquid_DateFormats_AsLiquidjsHasThem(t *testing.T) {
	t.Parallel()
	const at = `{{ "2025-03-04T05:06:07.089Z" | date: `
	checkLiquid(t, []liquidExample{
		{at + `"%e|%-d|%_m|%j|%U|%W|%u|%w|%C|%y|%q|%h" }}`, " 4|4| 3|063|09|09|2|2|20|25|th|Mar"},
		{at + `"%l|%I|%p|%P|%L|%N|%3N|%12N|%s|%z|%:z|%Z" }}`, " 5|05|AM|am|089|089000000|089|089000000000|1741064767|+0000|+00:00|UTC"},
		{at + `"%^a|%#p|%10Y|%-H|%F|%T|%|%%|%10%|%" }}`, "TUE|am|0000002025|5|%F|%T|%|%|000000000%|%"},
		{at + `"%c|%x|%X|%Ey" }}`, "3/4/2025, 5:06:07 AM|3/4/2025|5:06:07 AM|25"},
		{at + `"%H:%M %z %Z", "America/New_York" }} ` + at + `"%H %z|%Z", -540 }}`, "00:06 -0500 America/New_York 14 +0900|+0900"},
		{at + `"" }}|{{ arr[1] | date: "%Y" }}|` + at + `nil }}`, "||Tuesday, March 4, 2025 at 5:06 am +0000"},
		{`{{ "2025-03-01" | date_to_string: "ordinal" }} {{ "2025-03-22" | date_to_long_string: "ordinal", "US" }}`, "1st Mar 2025 March 22nd, 2025"},
	})
}
