package flow

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
)

// hostileScope has a long text, a long list, and two large objects that are equal.
func hostileScope(t *testing.T) Scope {
	t.Helper()
	numbers := strings.Repeat("1,", 20_000) + "1"
	return Scope{Event: parsed(t, `{"s":"`+strings.Repeat("a", 60_000)+`","n":1,"l":[`+numbers+`],"a":{"x":{"y":[`+numbers+`]}},"b":{"x":{"y":[`+numbers+`]}}}`)}
}

// Each looks at a large value for each element of a large list, or makes a text as
// long as one times another.
func TestEval_CostlyCondition_IsStoppedAndSaysWhy(t *testing.T) {
	t.Parallel()
	scope := hostileScope(t)
	for text, why := range map[string]string{
		`event.s.replace("", event.s) == "x"`:                                        "the text grows beyond 256 KB",
		`event.s.replace("a", event.s, 50000) == "x"`:                                "the text grows beyond 256 KB",
		`event.s.split("").join(event.s) == "x"`:                                     "the text grows beyond 256 KB",
		`event.l.exists(x, event.s.replace("a", "b") == "x")`:                        "it takes too long",
		`event.l.exists(x, event.s.lowerAscii() == "x")`:                             "it takes too long",
		`event.l.exists(x, event.s.reverse() == "x")`:                                "it takes too long",
		`event.l.exists(x, event.s.indexOf("aaab") == 3)`:                            "it takes too long",
		`event.l.exists(x, event.s.split("") == [])`:                                 "it takes too long",
		`event.l.exists(x, event.s.contains("aaab"))`:                                "it takes too long",
		`event.l.exists(x, event.s.matches("(a*)*b"))`:                               "it takes too long",
		`event.l.exists(x, "%s".format([event.s]) == "x")`:                           "it takes too long",
		`event.l.exists(x, "%.100f".format([1.0]) == "x")`:                           "it takes too long",
		`event.l.exists(x, size(event.s) == 1)`:                                      "it takes too long",
		`event.l.exists(x, bytes(event.s) == b"")`:                                   "it takes too long",
		`event.l.exists(x, int(event.s) == 1)`:                                       "it takes too long",
		`event.l.exists(x, event.a != event.b)`:                                      "it takes too long",
		`event.l.exists(x, [event.a] != [event.b])`:                                  "it takes too long",
		`event.l.exists(x, !(event.a in [event.b]))`:                                 "it takes too long",
		`event.l.exists(x, event.l.exists(y, event.l.exists(z, z > 1)))`:             "it takes too long",
		`event.l.map(x, event.l + event.l).size() == 1`:                              "it takes too long",
		strings.Repeat(`event.l.exists(x, `, 20) + `x > 1` + strings.Repeat(`)`, 20): "it takes too long",
	} {
		c, err := CompileCondition(text)
		require.NoError(t, err, text)
		_, err = c.Eval(scope)
		require.ErrorContains(t, err, why, text)
		require.Equal(t, fault.Invalid, fault.KindOf(err), text)
		require.Less(t, len(err.Error()), 1000)
	}
}

func TestEval_ReplaceAndJoin_AreTheLibrarys(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`"hello hello".replace("he", "we") == "wello wello"`, `"hello hello".replace("he", "we", 1) == "wello hello"`, `"hello".replace("l", "", -1) == "heo"`,
		`"hello".replace("l", "x", 0) == "hello"`, `"ab".replace("", "_") == "_a_b_"`, `["a", "b"].join() == "ab"`, `["a", "b"].join("-") == "a-b"`, `[].join("-") == ""`,
		`event.s.split("").join("").size() == 60000`, `event.s.replace("a", "bb").size() == 120000`, `event.l.exists(x, x == 1)`, `event.a == event.b`,
	} {
		c, err := CompileCondition(text)
		require.NoError(t, err, text)
		ok, err := c.Eval(hostileScope(t))
		require.NoError(t, err, text)
		require.True(t, ok, text)
	}
	for _, text := range []string{`event.n.replace("a", "b") == ""`, `event.l.join("-") == ""`, `event.s.replace("a", event.n) == ""`} {
		c, err := CompileCondition(text)
		require.NoError(t, err, text)
		_, err = c.Eval(hostileScope(t))
		require.ErrorContains(t, err, "no such overload", text)
	}
}

func TestCompileCondition_TooLongOrTooDeep_IsRefused(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		"true" + strings.Repeat(" && true", 2000):                        "longer than 8192 bytes",
		strings.Repeat("(", 4000) + "true" + strings.Repeat(")", 4000):   "recursion limit",
		strings.Repeat("!", 8000) + "true":                               "",
		strings.Repeat("[", 4000) + strings.Repeat("]", 4000) + " == []": "recursion limit",
	} {
		_, err := CompileCondition(text)
		if why == "" {
			continue // whatever it is, it ends
		}
		require.ErrorContains(t, err, why)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
	}
}
