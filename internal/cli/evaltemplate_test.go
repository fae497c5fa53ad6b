package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEvalTemplate_Lines(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"id":"a","template":"Hi {{ name | upcase }}","data":{"name":"é"},"more":1}`: `{"id":"a","output":"Hi É"}`,
		`{"data":{"a":[1,2]},"template":"{% for i in a %}{{ i }};{% endfor %}"}`:      `{"id":null,"output":"1;2;"}`,
		`{"id":1,"template":"[{{ x }}]"}`:                                             `{"id":1,"output":"[]"}`,
		`{"id":1,"template":"{{ 1 | nosuch | plus: 1 }}","data":null}`:                `{"id":1,"output":"2"}`,
		`{"id":1,"template":"a\n{% if %}","data":{}}`:                                 `{"id":1,"error":"line 2: a value is expected: \"\""}`,
		`{"id":1,"template":"{{ 'a' | append }}","data":{}}`:                          `{"id":1,"error":"line 1: filter append: it takes one argument"}`,
		`{"id":1,"template":"{% include 'x' %}","data":{}}`:                           `{"id":1,"error":"line 1: include is not available: there are no other templates"}`,
		`{"id":1,"template":5,"data":{}}`:                                             `{"id":1,"error":"template: want a text, found number"}`,
		`{"id":1,"data":{}}`:                                                          `{"id":1,"error":"template: is missing"}`,
	} {
		o := run(t, Program{In: strings.NewReader(in)}, "eval", "template")
		require.Equal(t, want+"\n", o.out, in)
		require.Equal(t, 0, o.code, o.err)
	}
	o := run(t, Program{In: strings.NewReader(`{"id":1,"template":"{{ 'now' | date: '%Y' }}"}`)}, "eval", "template")
	require.Regexp(t, `"output":"20\d\d"`, o.out)
	o = run(t, Program{In: strings.NewReader(`{"id":1,"template":"x","data":{]}`)}, "eval", "template")
	require.Equal(t, 1, o.code)
}
