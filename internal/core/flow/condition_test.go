package flow

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

func parsed(t testing.TB, text string) *jsonvalue.Object {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

func testScope(t testing.TB) Scope {
	return Scope{
		Fields:  parsed(t, `{"user":"u1","steps":3,"skipped":false,"half":2.5,"nothing":null}`),
		Contact: parsed(t, `{"id":"c1","email":"Ann@Example.com","unsubscribed":false,"embedded_data":{"plan":"pro"}}`),
		Event:   parsed(t, `{"event":"Done","properties":{"items":[{"price":5},{"price":20}],"tags":["a","b"],"total":1000000}}`),
		Steps:   parsed(t, `{"call":{"status":200,"body":{"ok":true}}}`),
	}
}

func TestCondition_Eval(t *testing.T) {
	t.Parallel()
	scope := testScope(t)
	for text, want := range map[string]bool{
		`!fields.skipped && fields.steps > 2`:                        true,
		`fields.steps > 3`:                                           false,
		`fields.steps == 3 && fields.steps == 3.0`:                   true,
		`fields.half > 2 && 3 > fields.half`:                         true,
		`fields.steps in [1, 2, 3]`:                                  true,
		`contact.embedded_data.plan == "pro"`:                        true,
		`contact.embedded_data.missing == null`:                      true,
		`contact.nothing.at.all == null`:                             true,
		`contact.nothing["at"].all == null`:                          true,
		`fields.nothing == null`:                                     true,
		`fields.nothing != "x"`:                                      true,
		`fields.gone == "pro"`:                                       false,
		`has(contact.embedded_data.plan)`:                            true,
		`has(contact.embedded_data.gone)`:                            false,
		`has(contact.gone.deeper)`:                                   false,
		`has(fields.nothing)`:                                        false,
		`"plan" in contact.embedded_data`:                            true,
		`"gone" in contact.embedded_data`:                            false,
		`size(event.properties.items) > 1`:                           true,
		`event.properties.items[1].price == 20`:                      true,
		`event.properties.items.exists(i, i.price > 10)`:             true,
		`event.properties.items.all(i, i.price > 10)`:                false,
		`event.properties.items.filter(i, i.price > 10).size() == 1`: true,
		`event.properties.tags == ["a", "b"]`:                        true,
		`"b" in event.properties.tags`:                               true,
		`contact.embedded_data.exists(k, k == "plan")`:               true,
		`contact.embedded_data == {"plan": "pro"}`:                   true,
		`size(contact.embedded_data) == 1`:                           true,
		`contact.email.lowerAscii().endsWith("@example.com")`:        true,
		`contact.email.matches("^Ann@")`:                             true,
		`steps.call.status == 200 && steps.call.body.ok`:             true,
		`steps.other.status == null`:                                 true,
		`type(fields.gone) == null_type`:                             true,
		`fields.steps > 2 ? fields.user == "u1" : false`:             true,
		`fields.gone > 2 || true`:                                    true, // CEL: the other operand decides
		`fields.steps + 1 == 4`:                                      true,
		`1 - fields.steps * 2 == -5`:                                 true,
		`fields.half * 2 / 5 == 1`:                                   true,
		`size(event.properties.items) + 1 == 3`:                      true,
		`event.properties.items.exists(i, i.price - 1 > 18)`:         true,
		`event.event + "!" == "Done!"`:                               true,
		`event.properties.total / 2 > 1`:                             true,
	} {
		c, err := CompileCondition(text)
		require.NoError(t, err, text)
		got, err := c.Eval(scope)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestCondition_ErrorInEvaluation_NamesTheClause(t *testing.T) {
	t.Parallel()
	scope := testScope(t)
	for text, want := range map[string]string{
		`fields.user == "u1" && fields.gone > 2`: "`fields.gone > 2` (line 1, column 36) cannot be evaluated: no such overload; fields.gone is null",
		`!fields.gone`:                           "`!fields.gone` (line 1, column 1)",
		`contact.email > 2`:                      "contact.email is a string",
		`fields.steps`:                           "gives a number",
		`event.properties.items[7].price > 1`:    "index out of bounds",
		`timestamp(contact.email) > timestamp("2020-01-01T00:00:00Z")`: "cannot be converted",
		`event.properties.items.exists(i, i.name > 3)`:                 "`i.name > 3`",
		`fields.gone`:                   "gives null",
		`1 < fields.gone + 1`:           "`fields.gone + 1`",
		`fields.user && true`:           "`fields.user && true`",
		`contact.email.nothing == null`: "contact.email.nothing",
	} {
		c, err := CompileCondition(text)
		require.NoError(t, err, text)
		got, err := c.Eval(scope)
		require.Error(t, err, text)
		require.False(t, got)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "Ann@", "no values in messages")
	}
}

func TestCompileCondition_BadText_SaysWhere(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                    "empty",
		`fields.steps >`:      "line 1, column 15",
		`contct.email == "x"`: "contct",
		`"text"`:              "gives string",
		`1 + 2`:               "gives int",
		`fields.a = 1`:        "line 1",
		strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200): "",
		"true" + strings.Repeat(" ", maxCondition):                   "longer",
	} {
		_, err := CompileCondition(text)
		require.Error(t, err, text)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
		require.ErrorContains(t, err, want)
	}
}

func TestCondition_TooMuchWork_IsAnErrorNotFalse(t *testing.T) {
	t.Parallel()
	list := make([]any, 2000)
	for i := range list {
		list[i] = float64(i)
	}
	e := jsonvalue.NewObject(1)
	e.Set("l", list)
	c, err := CompileCondition(`event.l.all(a, event.l.all(b, event.l.all(c, a + b + c >= 0.0)))`)
	require.NoError(t, err)
	_, err = c.Eval(Scope{Event: e})
	require.ErrorContains(t, err, "too long")
}

func TestCondition_SharedByManyGoroutines(t *testing.T) {
	t.Parallel()
	c, err := CompileCondition(`fields.n > 2 && contact.gone == null`)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 50 {
				n := float64((i + k) % 5)
				s := Scope{Fields: parsed(t, fmt.Sprintf(`{"n":%v}`, n))}
				got, err := c.Eval(s)
				if err != nil || got != (n > 2) {
					t.Errorf("n=%v: %v %v", n, got, err)
				}
				_, _ = c.Eval(Scope{}) // the failing way too
			}
		})
	}
	wg.Wait()
}

func FuzzCompileCondition(f *testing.F) {
	for _, s := range []string{`fields.a > 2`, `has(contact.x) || !event.y`, `[1,2].exists(i, i > fields.n)`, `"a" + fields.b == "ab"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := CompileCondition(text)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			return
		}
		_, err = c.Eval(Scope{Fields: parsed(t, `{"a":1,"b":"b"}`)})
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
		}
	})
}
