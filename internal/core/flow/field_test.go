package flow

import (
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

func TestExtract_Conversions_AreTotal(t *testing.T) {
	t.Parallel()
	const wrong = "wrong"
	for _, c := range []struct {
		typ  string
		in   any
		want any // wrong: WrongType; nil: Missing
	}{
		{plan.String, "a ", "a "}, {plan.String, "", ""}, {plan.String, 1e3, "1000"}, {plan.String, 0.1, "0.1"}, {plan.String, 1e21, "1e+21"},
		{plan.String, true, "true"}, {plan.String, false, "false"}, {plan.String, nil, nil}, {plan.String, []any{}, wrong}, {plan.String, jsonvalue.NewObject(0), wrong},
		{plan.String, math.Inf(1), wrong}, {plan.String, math.NaN(), wrong},
		{plan.Number, 2.5, 2.5}, {plan.Number, " 42 ", 42.0}, {plan.Number, "-1.5e2", -150.0}, {plan.Number, "+7", 7.0}, {plan.Number, "007", 7.0}, {plan.Number, ".5", 0.5}, {plan.Number, "5.", 5.0},
		{plan.Number, "", wrong}, {plan.Number, "  ", wrong}, {plan.Number, "1,234", wrong}, {plan.Number, "0x10", wrong}, {plan.Number, "1_000", wrong}, {plan.Number, "Infinity", wrong},
		{plan.Number, "NaN", wrong}, {plan.Number, "1e999", wrong}, {plan.Number, "12px", wrong}, {plan.Number, true, wrong}, {plan.Number, []any{1.0}, wrong}, {plan.Number, nil, nil}, {plan.Number, math.Inf(1), wrong},
		{plan.Boolean, true, true}, {plan.Boolean, false, false}, {plan.Boolean, " TRUE ", true}, {plan.Boolean, "False", false},
		{plan.Boolean, 1.0, wrong}, {plan.Boolean, 0.0, wrong}, {plan.Boolean, "1", wrong}, {plan.Boolean, "yes", wrong}, {plan.Boolean, "", wrong}, {plan.Boolean, nil, nil},
	} {
		set, err := CompileFields([]plan.Field{{Name: "f", Path: "$.v", Type: c.typ}})
		require.NoError(t, err)
		o := jsonvalue.NewObject(1)
		o.Set("v", c.in)
		f := set.Extract(o)[0]
		name := fmt.Sprintf("%s of %#v", c.typ, c.in)
		switch c.want {
		case wrong:
			require.Equal(t, WrongType, f.State, name)
			require.Nil(t, f.Value, name)
			require.Equal(t, jsonvalue.TypeName(c.in), f.Found.Type, name)
		case nil:
			require.Equal(t, Missing, f.State, name)
		default:
			require.Equal(t, Value, f.State, name)
			require.Equal(t, c.want, f.Value, name)
		}
	}
}

func TestExtract_Default_OnlyWhenNothingIsThere(t *testing.T) {
	t.Parallel()
	set, err := CompileFields([]plan.Field{
		{Name: "a", Path: "$.gone.deeper", Type: plan.Boolean, Default: false},
		{Name: "b", Path: "$.nothing", Type: plan.Number, Default: 3},
		{Name: "c", Path: "$.list", Type: plan.Number, Default: 3},
	})
	require.NoError(t, err)
	f := set.Extract(parsed(t, `{"nothing":null,"list":[1,"2"]}`))
	require.Equal(t, Fields{
		{Name: "a", Type: plan.Boolean, State: Default, Value: false},
		{Name: "b", Type: plan.Number, State: Default, Value: 3.0},
		{Name: "c", Type: plan.Number, State: WrongType, Found: &Found{Type: "array", Text: `[1,"2"]`}},
	}, f)
	require.NoError(t, f.Err())
	require.Equal(t, `{"a":false,"b":3,"c":null}`, jsonvalue.Text(f.Object()))
	b, err := json.Marshal(f)
	require.NoError(t, err)
	require.JSONEq(t, `[{"name":"a","type":"boolean","state":"default","value":false},{"name":"b","type":"number","state":"default","value":3},
		{"name":"c","type":"number","state":"wrong_type","value":null,"found":{"type":"array","text":"[1,\"2\"]"}}]`, string(b))
}

func TestFieldsErr_NamesEachRequiredField(t *testing.T) {
	t.Parallel()
	set, err := CompileFields([]plan.Field{
		{Name: "user", Path: "$.userId", Type: plan.String, Required: true},
		{Name: "steps", Path: "$.steps", Type: plan.Number, Required: true},
		{Name: "fine", Path: "$.fine", Type: plan.Number, Required: true},
		{Name: "optional", Path: "$.steps", Type: plan.Number},
	})
	require.NoError(t, err)
	err = set.Extract(parsed(t, `{"steps":"many secrets","fine":1}`)).Err()
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.ErrorContains(t, err, "required field user is missing")
	require.ErrorContains(t, err, "required field steps must be a number, found string")
	require.NotContains(t, err.Error(), "secrets")
	require.NotContains(t, err.Error(), "optional")
	require.NotContains(t, err.Error(), "fine")
}

func TestExtract_Found_IsClipped(t *testing.T) {
	t.Parallel()
	set, err := CompileFields([]plan.Field{{Name: "f", Path: "$", Type: plan.Number}})
	require.NoError(t, err)
	long := make([]any, 100)
	for i := range long {
		long[i] = "é"
	}
	f := set.Extract(long)[0]
	require.Len(t, []rune(f.Found.Text), 64)
	require.Equal(t, "ééé", clip("ééé", 3))
	require.Equal(t, "éé…", clip("éééé", 3))
}

func TestExtract_Paths_WalkObjects(t *testing.T) {
	t.Parallel()
	payload := parsed(t, `{"a":{"b c":[{"k":"x","n":1},{"k":"y","n":2},{"k":"z","n":3}]},"o":{"2":"two","1":"one","z":"last"},"userId":"u"}`)
	for path, want := range map[string]any{
		`$.userId`:                    "u",
		`userId`:                      "u",
		`$['userId']`:                 "u",
		`$.a['b c'][0].k`:             "x",
		`$.a['b c'][-1].k`:            "z",
		`$.a['b c'][*].k`:             "x", // several hits: the first one
		`$.a['b c'][1:].k`:            "y",
		`$.a['b c'][::2].k`:           "x",
		`$.a['b c'][?(@.n > 1)].k`:    "y",
		`$.a['b c'][?(@.k == 'z')].n`: "3",
		`$.a['b c'][?(@.n > 9)].k`:    nil,
		`$.a['b c'][9].k`:             nil,
		`$.a['b c'].length`:           nil,
		`$.o.*`:                       "one", // keys in JavaScript's order
		`$.o['z','1']`:                "last",
		`$..k`:                        "x",
		`$.userId.deeper`:             nil,
		`$.a.*[0].k`:                  "x",
		`$.a[?(@[0].n == 1)][0].k`:    "x", // filter over an object's members
	} {
		set, err := CompileFields([]plan.Field{{Name: "f", Path: path, Type: plan.String}})
		require.NoError(t, err, path)
		f := set.Extract(payload)[0]
		if want == nil {
			require.Equal(t, Missing, f.State, path)
			continue
		}
		require.Equal(t, Value, f.State, path)
		require.Equal(t, want, f.Value, path)
	}
}

func TestCompileFields_NamesEverythingWrong(t *testing.T) {
	t.Parallel()
	_, err := CompileFields([]plan.Field{
		{Name: "ok", Path: "$.a", Type: plan.String},
		{Name: "ok", Path: "$.a", Type: plan.String},
		{Name: "first-name", Path: "$.a", Type: plan.String},
		{Name: "b", Path: "$.a[", Type: plan.String},
		{Name: "c", Path: "", Type: plan.String},
		{Name: "d", Path: "$.a", Type: "date"},
		{Name: "e", Path: "$.a", Type: plan.Number, Default: "many"},
	})
	for _, want := range []string{"fields[1].name", "fields[2].name", "fields[3].path", "fields[4].path", "fields[5].type", "fields[6].default"} {
		require.ErrorContains(t, err, want)
	}
	require.Equal(t, fault.Invalid, fault.KindOf(err))
}

// A compiled path keeps nothing between evaluations: this fails under the race
// detector, or by its results, should that change.
func TestExtract_SharedFilter_ByManyGoroutines(t *testing.T) {
	t.Parallel()
	set, err := CompileFields([]plan.Field{{Name: "f", Path: `$.items[?(@.n == 7 && @.t == 'x')].v`, Type: plan.String}})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for g := range 8 {
		payload := parsed(t, fmt.Sprintf(`{"items":[{"n":1,"t":"x","v":"no"},{"n":7,"t":"x","v":"g%d"}]}`, g))
		wg.Go(func() {
			for range 200 {
				if got := set.Extract(payload)[0].Value; got != fmt.Sprintf("g%d", g) {
					t.Errorf("got %v in goroutine %d", got, g)
					return
				}
			}
		})
	}
	wg.Wait()
}
