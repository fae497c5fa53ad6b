package flow

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Each of these once took minutes or more for one message.
func TestRender_CostlyTemplate_IsStoppedAndSaysWhy(t *testing.T) {
	t.Parallel()
	var members []string
	for i := range 20_000 {
		members = append(members, fmt.Sprintf(`"k%d":%d`, i, i))
	}
	scope := Scope{Event: parsed(t, `{"s":"`+strings.Repeat("a,", 60_000)+`","big":{`+strings.Join(members, ",")+`},"l":[`+strings.Repeat("1,", 20_000)+`1],"objects":[`+
		strings.Repeat(`{"a":1},`, 10_000)+`{"a":2}],"html":"`+strings.Repeat("<", 60_000)+`"}`)}
	loop := func(body string) string { return `{% for i in (1..100000) %}` + body + `{% endfor %}` }
	for text, why := range map[string]string{
		loop(`{% assign a = event.s | upcase | size %}`):                            "more than 5000000 steps",
		loop(`{% assign a = event.html | strip_html | size %}`):                     "more than 5000000 steps",
		loop(`{% assign a = event.s | split: "," | size %}`):                        "more than 5000000 steps",
		loop(`{% assign a = event.objects | sort: "a" | size %}`):                   "more than 5000000 steps",
		loop(`{% assign a = event.objects | map: "a" | uniq | size %}`):             "more than 5000000 steps",
		loop(`{% assign a = event.l | json | size %}`):                              "more than 5000000 steps",
		loop(`{% if event.l == event.l %}{% endif %}`):                              "more than 5000000 steps",
		loop(`{% if event.s contains "aaa" %}{% endif %}`):                          "more than 5000000 steps",
		loop(`{% case event.s %}{% when event.s %}{% endcase %}`):                   "more than 5000000 steps",
		loop(`{% capture a %}{{ event.s }}{% endcapture %}`):                        "more than 5000000 steps",
		loop(`{% capture a %}` + strings.Repeat("x", 200_000) + `{% endcapture %}`): "more than 5000000 steps",
		loop(`{% for x in event.l limit: 2 %}{% endfor %}`):                         "more than 100000 rounds",
		`{% assign a = event.s | split: "" %}` + loop(`{% if a == a %}{% endif %}`): "more than 5000000 steps",
		strings.Repeat(`{{ event.s | upcase | size }}`, 4000):                       "more than 5000000 steps",
	} {
		name := text[:min(len(text), 100)]
		c, err := CompileTemplate("msg", text)
		require.NoError(t, err, name)
		_, err = c.Render(scope)
		require.ErrorContains(t, err, why, name)
		require.ErrorContains(t, err, "msg", name)
		require.Equal(t, fault.Invalid, fault.KindOf(err), name)
	}
}

func TestRender_LargeButUsual_IsDone(t *testing.T) {
	t.Parallel()
	scope := Scope{Event: parsed(t, `{"products":[`+strings.Repeat(`{"name":"Mug","price":12.5,"tags":["a","b"]},`, 500)+`{"name":"Cup","price":3}]}`)}
	c, err := CompileHTML("msg", `<table>{% for p in event.products %}<tr><td>{{ p.name | upcase }}</td><td>{{ p.price | times: 1.1 | round: 2 }}</td>{% for t in p.tags %}{{ t }}{% endfor %}</tr>{% endfor %}</table>`+
		`{{ event.products | map: "name" | uniq | join: ", " }}`)
	require.NoError(t, err)
	out, err := c.Render(scope)
	require.NoError(t, err)
	require.Contains(t, out, "<td>CUP</td>")
	require.True(t, strings.HasSuffix(out, "Mug, Cup"))
}

// Members are found by an index: asking for one again and again costs little.
func TestRender_ManyLookups_AreDone(t *testing.T) {
	t.Parallel()
	var members []string
	for i := range 20_000 {
		members = append(members, fmt.Sprintf(`"k%d":%d`, i, i))
	}
	scope := Scope{Event: parsed(t, `{"big":{`+strings.Join(members, ",")+`}}`)}
	for _, text := range []string{
		`{% for i in (1..100000) %}{% if event.big.k19999 %}{% assign a = event.big.k19999 %}{% endif %}{% endfor %}{{ a }}`,
		strings.Repeat(`{% assign a = event.big.k19999 %}`, 7000) + `{{ a }}`,
	} {
		c, err := CompileTemplate("msg", text)
		require.NoError(t, err)
		out, err := c.Render(scope)
		require.NoError(t, err)
		require.Equal(t, "19999", out)
	}
}

// A step of a thousand texts may do no more than one text.
func TestSettings_TextsOfAStep_ShareTheEffort(t *testing.T) {
	t.Parallel()
	with := jsonvalue.NewObject(1)
	list := make([]any, 1000)
	for i := range list {
		list[i] = `{{ event.s | upcase | size }}`
	}
	with.Set("texts", list)
	s, err := CompileSettings("with", with)
	require.NoError(t, err)
	_, err = s.Render(Scope{Event: parsed(t, `{"s":"`+strings.Repeat("a", 60_000)+`"}`)})
	require.ErrorContains(t, err, "more than 5000000 steps")
	require.ErrorContains(t, err, "with.texts[")
	_, err = s.Render(Scope{Event: parsed(t, `{"s":"`+strings.Repeat("a", 6_000)+`"}`)})
	require.NoError(t, err)
}
