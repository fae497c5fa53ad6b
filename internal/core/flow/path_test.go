package flow

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Each of these paths takes a payload of some kilobytes to keep a worker busy for
// hours or for ever.
func TestCompileFields_PathThatMultiplies_IsRefusedWhenSaved(t *testing.T) {
	t.Parallel()
	for path, reason := range map[string]string{
		`$..a..a`:                              "fields[0].path: .. is possible once",
		`$..[*]..[*]`:                          ".. is possible once",
		`$` + strings.Repeat(`['a','a']`, 100): "fields[0].path: a list of names or indexes",
		`$[0,-1][0,-1]`:                        "a list of names or indexes",
		`$..['a','b']`:                         "not together with a descent",
		`$..[?(@.a > 1)]`:                      "below ..",
		`$.items[?(@.a[*] == @.b[*])]`:         "a path leads to one value",
		`$[?(@[*] == 1` + strings.Repeat(` && @[*] == 1`, 60) + `)]`: "a path leads to one value",
		`$[?(@..a == 1)]`:                          "a path leads to one value",
		`$[?($[?($[?(@.a == 1)].a == 1)].a == 1)]`: "a path leads to one value",
		`$[?(@['a','b'] == 1)]`:                    "a path leads to one value",
		`$[?(count(@[*]) > 1)]`:                    "a path leads to one value",
		`$[?(@.a =~ @.b)]`:                         "the pattern of ~= is written out",
		`$[?(search(@.a, $.b))]`:                   "the pattern of search is written out",
		`$.` + strings.Repeat("a", maxPath):        "longer than 1000 characters",
	} {
		_, err := CompileFields([]plan.Field{{Name: "f", Path: path, Type: plan.String}})
		require.ErrorContains(t, err, reason, path)
		require.Equal(t, fault.Invalid, fault.KindOf(err), path)
	}
}

// What is linear is allowed, and then counted.
func TestExtract_CostlyPathsInALargePayload_AreNotFollowed(t *testing.T) {
	t.Parallel()
	items := make([]any, 50_000)
	for i := range items {
		items[i] = parsed(t, `{"n":1}`)
	}
	payload := jsonvalue.NewObject(1)
	payload.Set("items", items)
	payload.Set("plain", "x")
	long := `$.items[?(@.n == 2` + strings.Repeat(` || @.n == 3`, 70) + `)].n`
	set, err := CompileFields([]plan.Field{
		{Name: "cheap", Path: "$.items[?(@.n == 2)].n", Type: plan.String},
		{Name: "costly", Path: long, Type: plan.String, Required: true},
		{Name: "pattern", Path: `$.items[?(@.n =~ /(x{100}){9}/)].n`, Type: plan.String},
		{Name: "anywhere", Path: "$..n", Type: plan.String},
		{Name: "plain", Path: "$.plain", Type: plan.String},
	})
	require.NoError(t, err)
	got := set.Extract(payload)
	require.Equal(t, []State{Missing, WrongType, WrongType, Value, Value}, []State{got[0].State, got[1].State, got[2].State, got[3].State, got[4].State})
	require.EqualError(t, got.Err(), "required field costly: the path takes more than the 10000000 steps that a run's fields may take together in a payload of this size")
	require.Equal(t, fault.Invalid, fault.KindOf(got.Err()))
	payload.Set("items", items[:1000])
	require.NoError(t, func() error { got := set.Extract(payload); got[1].Required = false; return got.Err() }())
	require.Equal(t, Missing, set.Extract(payload)[1].State, "in a payload of usual size it is")
}

func TestWeigh_PathsOfOneWay_CostNothing(t *testing.T) {
	t.Parallel()
	for path, most := range map[string]int{
		`$.a['b c'][0].d`: 0, `userId`: 0, `$`: 0, `$.a[*].b`: 1, `$..email`: 2, `$['a','b'].c`: 2, `$.a[1:3][0]`: 1,
		`$.items[?(@.price > 100)].sku`: 15, `$.items[?(@.sku =~ /^A-\d+$/)]`: 25, `$.items[?(search(@.sku, '^A'))]`: 70,
	} {
		p, err := parsePath(path)
		require.NoError(t, err, path)
		require.LessOrEqual(t, p.weight, most, path)
	}
}

// FuzzExtract holds for any path that may be saved and any payload: every field has
// one of the four states with a value of its type or none, the same one twice, and
// the payload is as it was.
func FuzzExtract(f *testing.F) {
	for _, s := range []string{
		`$.a`, `$..b[?(@.c > 1)]`, `$.a[1:2]`, `$['x'].*`, `$[?(@.a =~ /x/)]`, `$[?(length(@.a) > 1)]`, `$..b`, `$.a[*].b`, `$['a','x']`, `$.a[?(@.b == 2)].b`,
		`$.a[::0]`, `$.a[-1]`, `$[?(@.a in ['x',1])]`, `$[?(@ has true && !(@.a empty true))]`, `$.a[?(search(@, 'x'))]`,
	} {
		f.Add(s, `{"a":[1,{"b":2}],"x":null}`)
	}
	f.Fuzz(func(t *testing.T, path, text string) {
		payload, err := jsonvalue.Parse([]byte(text))
		if err != nil {
			return
		}
		defs := []plan.Field{
			{Name: "n", Path: path, Type: plan.Number, Required: true}, {Name: "s", Path: path, Type: plan.String},
			{Name: "b", Path: path, Type: plan.Boolean, Default: true},
		}
		set, err := CompileFields(defs)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			return
		}
		before := jsonvalue.Text(payload)
		got := set.Extract(payload)
		require.Equal(t, before, jsonvalue.Text(payload), "the payload was changed")
		require.Equal(t, got, set.Extract(payload), "the second answer differs")
		require.Len(t, got, len(defs))
		for i, x := range got {
			require.Equal(t, defs[i].Name, x.Name)
			switch x.State {
			case Value, Default:
				v, ok := converters[x.Type](x.Value)
				require.True(t, ok && v == x.Value, "%v is no %s", x.Value, x.Type)
				if n, ok := x.Value.(float64); ok {
					require.False(t, math.IsNaN(n) || math.IsInf(n, 0))
				}
			case Missing, WrongType:
				require.Nil(t, x.Value)
				require.Equal(t, x.State == WrongType, x.Found != nil)
			default:
				t.Fatalf("state %q", x.State)
			}
		}
		if err := got.Err(); err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			require.Contains(t, err.Error(), "field n")
		} else {
			require.Equal(t, Value, got[0].State)
		}
	})
}
