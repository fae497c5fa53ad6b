package mapping_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/jsonvalue"
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
		{`{{ n | divided_by: 2 }} {{ n | divided_by: 0 }} {{ s | plus: 1 }}`, "3.5 Infinity NaN"},
		{`{{ five | plus: "2" }} {{ 2.5 | round }} {{ -2.5 | round }} {{ 1.255 | round: 1 }}`, "7 3 -2 1.3"},
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
		{`{{ "a\nb\"" }}|{{ 'it''s' | size }}`, `error /v/@liquid: expected "|" before filter: "'s' | size "`},
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
		yes(`s contains "wör"`), yes(`not f`), yes(`not n == 8`), yes(`(f or n) and n`), yes(`s | size`),
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
		{`{% comment %}{{ n {% bad %}{% endcomment %}x{% # note %}`, "x"},
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
	for _, broken := range []string{`{{ n`, `{% if n %}`, `{% endif %}`, `{% nosuch %}`, `{{ n n }}`, `{{ | upcase }}`, `{% assign x %}`, `{{ "a }}`, `{% raw %}`, `{{ n. }}`, `{{ (1..2 }}`} {
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

// What is left of the differences from liquidjs, each on purpose or too rare to
// be worth the code.
func TestLiquid_KnownDifferences(t *testing.T) {
	t.Parallel()
	checkLiquid(t, []liquidExample{
		// "now" is the time the event was received: the same event gives the same text.
		{`{{ "now" | date: "%Y-%m-%d" }}`, "2025-03-04"},
		// Of tags that mean something only in loops, which are switched off, none is known.
		{`{% cycle "a", "b" %}`, `error /v/@liquid: tag "cycle" not found`},
		{`{% break %}`, `error /v/@liquid: tag "break" not found`},
		// sample and the like would not give the same text twice: as unknown filters they do nothing.
		{`{{ arr | sample }}`, "ab"},
		// Half of a surrogate pair cannot be in a Go text.
		{`{{ "🎉" | slice: 0, 1 }}`, "🎉"},
		// Only JavaScript's own members of a value are unknown.
		{`{{ s.constructor }}`, ""},
		// A day that does not exist is no date; JavaScript rolls it over.
		{`{{ "2025-02-30" | date: "%d" }}`, "2025-02-30"},
	})
}
